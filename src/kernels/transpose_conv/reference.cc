#include "kernels/clamp.h"
#include "kernels/transpose_conv/transpose_conv.h"

namespace deeplab::kernels {
namespace {

/// The input positions [begin, end) of one axis that reach output position `at`.
TapRange sources(int32_t at, int32_t stride, int32_t filter, int32_t pad, int32_t extent) {
  const int64_t reached = int64_t{at} + pad;
  const int64_t first = reached < filter ? 0 : (reached - filter) / stride + 1;
  return {static_cast<int32_t>(std::min<int64_t>(first, extent)),
          static_cast<int32_t>(std::min<int64_t>(reached / stride + 1, extent))};
}

/// Calls body(output element, output channel), and in it pairs(body) calls body(x, w) with the
/// `in_c` values of each input pixel that reaches it and the weights that it meets.
template <typename Element, typename Body>
void for_each_output(const WindowShape& s, const Element* input, const Element* filter,
                     const Body& body) {
  int64_t element = 0;
  for (int32_t n = 0; n < s.batch; ++n) {
    for (int32_t y = 0; y < s.out_h; ++y) {
      const TapRange rows = sources(y, s.stride_h, s.filter_h, s.pad_top, s.in_h);
      for (int32_t x = 0; x < s.out_w; ++x) {
        const TapRange columns = sources(x, s.stride_w, s.filter_w, s.pad_left, s.in_w);
        for (int32_t co = 0; co < s.out_c; ++co) {
          const auto pairs = [&](const auto& pair) {
            for (int32_t iy = rows.begin; iy < rows.end; ++iy) {
              const int32_t ky = y + s.pad_top - iy * s.stride_h;
              for (int32_t ix = columns.begin; ix < columns.end; ++ix) {
                const int32_t kx = x + s.pad_left - ix * s.stride_w;
                const int64_t pixel = (int64_t{n} * s.in_h + iy) * s.in_w + ix;
                const int64_t tap = (int64_t{co} * s.filter_h + ky) * s.filter_w + kx;
                pair(input + pixel * s.in_c, filter + tap * s.in_c);
              }
            }
          };
          body(element++, co, pairs);
        }
      }
    }
  }
}

}  // namespace

void transpose_conv_reference(const TransposeConvInt8& conv, Rounding rounding, const int8_t* input,
                              const int8_t* filter, const int32_t* bias, int8_t* output) {
  const WindowShape& s = conv.shape;
  for_each_output(s, input, filter, [&](int64_t element, int32_t co, const auto& pairs) {
    uint32_t acc = bias != nullptr ? static_cast<uint32_t>(bias[co]) : 0;
    pairs([&](const int8_t* x, const int8_t* w) {
      for (int32_t ci = 0; ci < s.in_c; ++ci) {
        acc += static_cast<uint32_t>((x[ci] - conv.input_zero_point) *
                                     (w[ci] - conv.filter_zero_point));
      }
    });
    output[element] = requantize(rounding, static_cast<int32_t>(acc), conv.multipliers[co],
                                 conv.output_zero_point, conv.output_min, conv.output_max);
  });
}

void transpose_conv_reference(const TransposeConvFloat& conv, const float* input,
                              const float* filter, const float* bias, float* output) {
  const WindowShape& s = conv.shape;
  for_each_output(s, input, filter, [&](int64_t element, int32_t co, const auto& pairs) {
    float acc = 0;
    pairs([&](const float* x, const float* w) {
      for (int32_t ci = 0; ci < s.in_c; ++ci) acc += x[ci] * w[ci];
    });
    if (bias != nullptr) acc += bias[co];
    output[element] = clamp_float(acc, conv.output_min, conv.output_max);
  });
}

}  // namespace deeplab::kernels
