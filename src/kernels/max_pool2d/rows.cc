#include "kernels/max_pool2d/max_pool2d.h"

namespace deeplab::kernels {
namespace {

// One channel after another is the inner loop, which compilers vectorize.
template <typename Pool, typename Element>
void rows_of(const Pool& pool, const Element* input, Element* output, int32_t row_begin,
             int32_t row_end) {
  const WindowShape& s = pool.shape;
  const auto low = static_cast<Element>(pool.output_min);
  const auto high = static_cast<Element>(pool.output_max);
  for (int32_t row = row_begin; row < row_end; ++row) {
    const int32_t y0 = row % s.out_h * s.stride_h - s.pad_top;
    const TapRange rows = taps_inside(y0, 1, s.filter_h, s.in_h);
    for (int32_t x = 0; x < s.out_w; ++x) {
      const int32_t x0 = x * s.stride_w - s.pad_left;
      const TapRange columns = taps_inside(x0, 1, s.filter_w, s.in_w);
      Element* out = output + (int64_t{row} * s.out_w + x) * s.out_c;
      std::fill_n(out, s.out_c, low);
      for (int32_t ky = rows.begin; ky < rows.end; ++ky) {
        const int64_t line = int64_t{row / s.out_h} * s.in_h + y0 + ky;
        for (int32_t kx = columns.begin; kx < columns.end; ++kx) {
          const Element* in = input + (line * s.in_w + x0 + kx) * s.in_c;
          for (int32_t c = 0; c < s.out_c; ++c) out[c] = std::max(out[c], in[c]);
        }
      }
      for (int32_t c = 0; c < s.out_c; ++c) out[c] = std::min(out[c], high);
    }
  }
}

}  // namespace

void max_pool2d_rows(const MaxPool2DInt8& pool, const int8_t* input, int8_t* output,
                     int32_t row_begin, int32_t row_end) {
  rows_of(pool, input, output, row_begin, row_end);
}
void max_pool2d_rows(const MaxPool2DFloat& pool, const float* input, float* output,
                     int32_t row_begin, int32_t row_end) {
  rows_of(pool, input, output, row_begin, row_end);
}

}  // namespace deeplab::kernels
