#include "kernels/resize_bilinear/resize_bilinear.h"

namespace deeplab::kernels {
namespace {

template <typename Element, typename Finish>
DEEPLAB_INLINE void resize_rows(const ResizeShape& s, const ResizeSample* columns,
                                const Element* input, Element* output, int32_t row_begin,
                                int32_t row_end, float* scratch, const Finish& finish) {
  const int64_t channels = s.channels;
  const int64_t line = s.in_w * channels;
  const float scale = resize_scale(s.in_h, s.out_h, s.align_corners);
  for (int32_t row = row_begin; row < row_end; ++row) {
    const ResizeSample y = resize_sample(row % s.out_h, scale, s.half_pixel_centers, s.in_h);
    const Element* picture = input + row / s.out_h * s.in_h * line;
    const Element* above = picture + y.lower * line;
    const Element* below = picture + y.upper * line;
    for (int64_t i = 0; i < line; ++i) {
      const auto v = static_cast<float>(above[i]);
      scratch[i] = v + (static_cast<float>(below[i]) - v) * y.fraction;
    }
    Element* out = output + int64_t{row} * s.out_w * channels;
    for (int32_t x = 0; x < s.out_w; ++x, out += channels) {
      const float* left = scratch + columns[x].lower * channels;
      const float* right = scratch + columns[x].upper * channels;
      const float fraction = columns[x].fraction;
      for (int64_t c = 0; c < channels; ++c) {
        out[c] = finish(left[c] + (right[c] - left[c]) * fraction);
      }
    }
  }
}

DEEPLAB_INLINE void resize_body(const ResizeBilinearInt8& resize, const ResizeSample* columns,
                                const int8_t* input, int8_t* output, int32_t row_begin,
                                int32_t row_end, float* scratch) {
  // A copy, because a write to int8_t might change what `resize` refers to.
  const ResizeShape shape = resize.shape;
  resize_rows(shape, columns, input, output, row_begin, row_end, scratch,
              [](float value) { return round_to_int8(value, 0, -128, 127); });
}
DEEPLAB_INLINE void resize_body(const ResizeBilinearFloat& resize, const ResizeSample* columns,
                                const float* input, float* output, int32_t row_begin,
                                int32_t row_end, float* scratch) {
  resize_rows(resize.shape, columns, input, output, row_begin, row_end, scratch,
              [](float value) { return value; });
}

template <typename Params, typename Element>
void resize_baseline(const Params& resize, const ResizeSample* columns, const Element* input,
                     Element* output, int32_t row_begin, int32_t row_end, float* scratch) {
  resize_body(resize, columns, input, output, row_begin, row_end, scratch);
}
#ifdef DEEPLAB_HAS_X86_TARGETS
template <typename Params, typename Element>
DEEPLAB_TARGET_AVX2 void resize_avx2(const Params& resize, const ResizeSample* columns,
                                     const Element* input, Element* output, int32_t row_begin,
                                     int32_t row_end, float* scratch) {
  resize_body(resize, columns, input, output, row_begin, row_end, scratch);
}
template <typename Params, typename Element>
DEEPLAB_TARGET_AVX512 void resize_avx512(const Params& resize, const ResizeSample* columns,
                                         const Element* input, Element* output, int32_t row_begin,
                                         int32_t row_end, float* scratch) {
  resize_body(resize, columns, input, output, row_begin, row_end, scratch);
}
#endif

template <typename Params, typename Element>
std::span<const PerIsa<ResizeRows<Params, Element>>> table() {
  static const PerIsa<ResizeRows<Params, Element>> kTable[] = {
#ifdef DEEPLAB_HAS_X86_TARGETS
      {Isa::kAvx512Vnni, resize_avx512<Params, Element>},
      {Isa::kAvx2, resize_avx2<Params, Element>},
#endif
      {Isa::kScalar, resize_baseline<Params, Element>},
  };
  return kTable;
}

}  // namespace

std::span<const PerIsa<ResizeRows<ResizeBilinearInt8, int8_t>>> resize_rows_kernels(
    const ResizeBilinearInt8& /*params*/) {
  return table<ResizeBilinearInt8, int8_t>();
}
std::span<const PerIsa<ResizeRows<ResizeBilinearFloat, float>>> resize_rows_kernels(
    const ResizeBilinearFloat& /*params*/) {
  return table<ResizeBilinearFloat, float>();
}

}  // namespace deeplab::kernels
