#include "kernels/mul/mul.h"

namespace deeplab::kernels {
namespace {

DEEPLAB_INLINE void mul_body(const MulInt8& mul, int64_t count, const int8_t* a, const int8_t* b,
                             int8_t* output) {
  // A copy, because a write to int8_t might change what `mul` refers to.
  const MulInt8 op = mul;
  for (int64_t i = 0; i < count; ++i) {
    const int32_t acc = (a[i] - op.a_zero_point) * (b[i] - op.b_zero_point);
    output[i] = requantize_engine(acc, op.multiplier.scale, op.output_zero_point, op.output_min,
                                  op.output_max);
  }
}

void mul_baseline(const MulInt8& mul, int64_t count, const int8_t* a, const int8_t* b,
                  int8_t* output) {
  mul_body(mul, count, a, b, output);
}
#ifdef DEEPLAB_HAS_X86_TARGETS
DEEPLAB_TARGET_AVX2 void mul_avx2(const MulInt8& mul, int64_t count, const int8_t* a,
                                  const int8_t* b, int8_t* output) {
  mul_body(mul, count, a, b, output);
}
DEEPLAB_TARGET_AVX512 void mul_avx512(const MulInt8& mul, int64_t count, const int8_t* a,
                                      const int8_t* b, int8_t* output) {
  mul_body(mul, count, a, b, output);
}
#endif

}  // namespace

std::span<const PerIsa<MulElementwise>> mul_elementwise_kernels() {
  static const PerIsa<MulElementwise> kTable[] = {
#ifdef DEEPLAB_HAS_X86_TARGETS
      {Isa::kAvx512Vnni, mul_avx512},
      {Isa::kAvx2, mul_avx2},
#endif
      {Isa::kScalar, mul_baseline},
  };
  return kTable;
}

}  // namespace deeplab::kernels
