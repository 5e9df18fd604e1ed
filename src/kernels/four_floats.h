// Four floats that multiply and add lane by lane in portable C++, an extension that GCC and Clang
// have on every target. Left to themselves they vectorize over the depth, whose weights are not
// neighbours. Compiled into files of several instruction sets, so everything here is static.
#pragma once

#include <string.h>

#include <cstdint>

namespace deeplab::kernels {

using Four = float __attribute__((vector_size(16)));

static inline Four load_four(const float* from) {
  Four four;
  memcpy(&four, from, sizeof four);
  return four;
}
static inline void store_four(Four four, float* to) { memcpy(to, &four, sizeof four); }

#ifdef __FP_FAST_FMAF

static inline Four fused_multiply_add(Four x, Four w, Four acc) {
  Four sum;
  for (int i = 0; i < 4; ++i) sum[i] = __builtin_fmaf(x[i], w[i], acc[i]);
  return sum;
}

#else

using FourDoubles = double __attribute__((vector_size(32)));
using FourInt64 = int64_t __attribute__((vector_size(32)));

#ifdef __wasm__
// There it is what tests compare with, and the size of the file counts.
[[gnu::noinline]] static Four fused_multiply_add(Four x, Four w, Four acc);
#endif

/// std::fma() where the CPU has no such instruction. In double the product is exact and the sum is
/// rounded; what that cut off decides which of its two neighbours the sum becomes, so that it is
/// odd unless it is exact. Rounded once more, to float, an odd sum gives what the exact one gives,
/// as double has more than two bits to spare (Boldo and Melquiond, "Emulation of FMA and correctly
/// rounded sums: proved algorithms using rounding to odd", IEEE Transactions on Computers 57(4),
/// 2008).
static inline Four fused_multiply_add(Four x, Four w, Four acc) {
  const FourDoubles product =
      __builtin_convertvector(x, FourDoubles) * __builtin_convertvector(w, FourDoubles);
  const FourDoubles addend = __builtin_convertvector(acc, FourDoubles);
  FourDoubles sum = product + addend;
  const FourDoubles from_addend = sum - product;
  const FourDoubles error = (product - (sum - from_addend)) + (addend - from_addend);
  // Neither is true of infinities and what is not a number, whose error is not a number.
  const FourInt64 up = error > 0;
  const FourInt64 down = error < 0;
  const FourInt64 away = ((sum > 0) & up) | ((sum < 0) & down);
  FourInt64 bits;
  memcpy(&bits, &sum, sizeof bits);
  const FourInt64 even = (bits & 1) - 1;
  bits += ((up | down) & even) & ((away & 2) - 1);
  memcpy(&sum, &bits, sizeof sum);
  return __builtin_convertvector(sum, Four);
}

#endif

}  // namespace deeplab::kernels
