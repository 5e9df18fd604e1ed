#include "kernels/add/add.h"

namespace deeplab::kernels {

DEEPLAB_ON_X86(AddElementwise add_avx512;)  // A file of its own.

namespace {

DEEPLAB_INLINE void add_body(const AddInt8& add, int64_t count, const int8_t* a, const int8_t* b,
                             int8_t* output) {
  // A copy, because a write to int8_t might change what `add` refers to.
  const AddInt8 op = add;
  for (int64_t i = 0; i < count; ++i) {
    const float sum = static_cast<float>(a[i] - op.a_zero_point) * op.a_scale +
                      static_cast<float>(b[i] - op.b_zero_point) * op.b_scale;
    output[i] = round_to_int8(sum, op.output_zero_point, op.output_min, op.output_max);
  }
}

void add_baseline(const AddInt8& add, int64_t count, const int8_t* a, const int8_t* b,
                  int8_t* output) {
  add_body(add, count, a, b, output);
}
#ifdef DEEPLAB_HAS_X86_TARGETS
DEEPLAB_TARGET_AVX2 void add_avx2(const AddInt8& add, int64_t count, const int8_t* a,
                                  const int8_t* b, int8_t* output) {
  add_body(add, count, a, b, output);
}
#endif

}  // namespace

std::span<const PerIsa<AddElementwise>> add_elementwise_kernels() {
  static const PerIsa<AddElementwise> kTable[] = {
#ifdef DEEPLAB_HAS_X86_TARGETS
      {Isa::kAvx512Vnni, add_avx512},
      {Isa::kAvx2, add_avx2},
#endif
      {Isa::kScalar, add_baseline},
  };
  return kTable;
}

}  // namespace deeplab::kernels
