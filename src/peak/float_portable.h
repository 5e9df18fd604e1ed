// What the portable float kernels are built on: four sums at a time. Compiled into files of several
// encodings, so everything here is static.
#pragma once

#include "kernels/four_floats.h"
#include "peak/peak_list.h"

namespace deeplab::peak {

// As many sums as the portable matrix product keeps.
static constexpr int kChainsPortable = 8;

static int32_t run_portable(int64_t iterations) {
  kernels::Four a = {3, 3, 3, 3};
  kernels::Four b = {-2, -2, -2, -2};
  kernels::Four s0 = {};
  kernels::Four s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  const auto step = [&](kernels::Four& sum) {
#ifndef __FP_FAST_FMAF
    // The product has instructions of its own, which would run once for all.
    asm volatile("" : "+m"(a), "+m"(b));
#endif
    sum = kernels::fused_multiply_add(a, b, sum);
  };
  for (int64_t n = 0; n < iterations; ++n) {
    step(s0), step(s1), step(s2), step(s3), step(s4), step(s5), step(s6), step(s7);
  }
  return static_cast<int32_t>((s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7)[0]);
}

static constexpr Loop portable_loop(const char* name) {
  return {name, Isa::kScalar, kChainsPortable * 4, run_portable};
}

}  // namespace deeplab::peak
