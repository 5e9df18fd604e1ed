// The depthwise convolution's weights in a block, Lanes channels at a time. With stride 1 two of a
// group's four windows lie in it and two end in the next group: for these the next group's first
// two rows take the places of the first two. So the weights are there in four orders, for windows
// that begin in the first to the fourth row. Functions are static: no copy is shared between
// instruction sets.
#pragma once

#include "kernels/inverted_residual/inverted_residual.h"
#include "kernels/shifted.h"

namespace deeplab::kernels {

template <int32_t Lanes, typename Weight>
struct DepthwiseWeights {
  static constexpr bool kBytes = sizeof(Weight) == 1;
  static constexpr int32_t kTaps = 3;
  static constexpr int32_t kOrders = 4;
  static constexpr int32_t kDepth = kBytes ? 4 : 2;         // Rows in a product,
  static constexpr int32_t kVectors = kGroupRows / kDepth;  // and the products of a group's rows.
  static constexpr ptrdiff_t kVector = Lanes * kDepth;
  static constexpr ptrdiff_t kOrder = kTaps * kVectors * kVector;

  int32_t relu;  // Whether the biases have kFloatBits in them: in all of a layer or in none.
  // Filter columns with weights that do not fit less the filter's zero point.
  int32_t extra_columns;
  int32_t extra[kTaps];
  int32_t unused[Lanes - 2 - kTaps];
  int32_t bias[Lanes];
  float scale[Lanes];
  Weight weights[kOrders * kOrder];                 // [order][kx][kVectors][Lanes][kDepth]
  Weight rests[kBytes ? kOrders * kOrder : Lanes];  // What is left of them, likewise.
};

template <int32_t Lanes, typename Weight>
static void pack_channel(const DepthwiseConv2DInt8& d, const int8_t* filter, int32_t bias,
                         int32_t c, DepthwiseWeights<Lanes, Weight>& to, int32_t* relu) {
  using To = DepthwiseWeights<Lanes, Weight>;
  const int32_t lane = c % Lanes;
  int32_t negative = 0;
  int32_t positive = 0;
  for (int32_t kx = 0; kx < To::kTaps; ++kx) {
    bool any = false;
    for (int32_t ky = 0; ky < To::kTaps; ++ky) {
      const int32_t w =
          filter[(ptrdiff_t{ky} * To::kTaps + kx) * d.shape.out_c + c] - d.filter_zero_point;
      const int32_t near = To::kBytes ? nearest_byte(w) : w;
      (w < 0 ? negative : positive) += w;
      any = any || w != near;
      for (int32_t order = 0; order < To::kOrders; ++order) {
        const int32_t row = (order + ky) % kGroupRows;
        const ptrdiff_t at = order * To::kOrder +
                             (kx * To::kVectors + row / To::kDepth) * To::kVector +
                             lane * To::kDepth + row % To::kDepth;
        to.weights[at] = static_cast<Weight>(near);
        if constexpr (To::kBytes) to.rests[at] = static_cast<Weight>(w - near);
      }
    }
    bool known = false;
    for (int32_t i = 0; i < to.extra_columns; ++i) known = known || to.extra[i] == kx;
    if (any && !known) to.extra[to.extra_columns++] = kx;
  }
  to.bias[lane] = shifted_bias(d, bias, negative + positive);
  if (!fits_float_bits(to.bias[lane], negative, positive)) *relu = 0;
  to.scale[lane] = d.multipliers[c].scale;
}

/// All channels, to zeroed memory.
template <int32_t Lanes, typename Weight>
static void pack_depthwise(const DepthwiseConv2DInt8& d, const InvertedResidualWeights& weights,
                           DepthwiseWeights<Lanes, Weight>* to) {
  const int32_t channels = d.shape.out_c;
  int32_t relu = is_relu(d);
  for (int32_t c = 0; c < channels; ++c) {
    const int32_t bias = weights.depthwise_bias != nullptr ? weights.depthwise_bias[c] : 0;
    pack_channel(d, weights.depthwise, bias, c, to[c / Lanes], &relu);
  }
  for (int32_t first = 0; relu != 0 && first < channels; first += Lanes, ++to) {
    to->relu = 1;
    for (int32_t& bias : to->bias) bias += kFloatBits;
  }
}

}  // namespace deeplab::kernels
