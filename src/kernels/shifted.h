// What kernels share that take pixels as u = x + 128, so that a product of unsigned by signed
// bytes can multiply them. Static, so that no copy is shared between instruction sets.
#pragma once

#include <cstdint>

#include "kernels/conv2d/conv2d.h"

namespace deeplab::kernels {

/// A weight less its filter's zero point as a byte; what is left goes into a line of its own.
static inline int32_t nearest_byte(int32_t w) { return w < -128 ? -128 : w > 127 ? 127 : w; }

/// What stands for a channel's bias beside sums of u (w - wz), `taps` being the sum of its
/// w - wz: acc = bias + sum (x - xz)(w - wz), modulo 2^32.
static inline int32_t shifted_bias(const Conv2DInt8& conv, int32_t bias, int32_t taps) {
  return static_cast<int32_t>(static_cast<uint32_t>(bias) -
                              static_cast<uint32_t>(128 + conv.input_zero_point) *
                                  static_cast<uint32_t>(taps));
}

// If a ReLU follows whose zero is the smallest byte, as in every layer of real models, sums need
// no conversion to float: with these bits added to the bias, a sum from 0 to 2^23 has the bits of
// 2^23 + sum as a float, of which a fused multiply-add makes sum * scale with one rounding, as the
// reference has it. A smaller sum is some float below 2^23, which becomes something below 0, and so
// the smallest byte, as it should. And packs that saturate at 0 and 255 do all of the clamp except
// the upper bound.
static constexpr int32_t kFloatBits = 0x4B000000;
static constexpr float kFloatOffset = 0x1p23f;

static inline bool is_relu(const Conv2DInt8& conv) {
  return conv.output_zero_point == -128 && conv.output_min == -128;
}
// Whether all sums of a channel may have kFloatBits added: its bias and products of unsigned bytes
// by weights whose negative and positive ones come to these sums.
static inline bool fits_float_bits(int32_t bias, int32_t negative, int32_t positive) {
  return bias + int64_t{255} * negative > -(int64_t{1} << 30) &&
         bias + int64_t{255} * positive < int64_t{1} << 23;
}

}  // namespace deeplab::kernels
