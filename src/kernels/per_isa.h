// Loops that a compiler vectorizes well by itself, once for each instruction set: a body that is
// always inlined, and one function per set around it that says which one the compiler may use.
//
//   DEEPLAB_INLINE void add_body(...) { ... }
//   DEEPLAB_TARGET_AVX2 void add_avx2(...) { add_body(...); }
#pragma once

#include <span>

#include "base/isa.h"
#include "kernels/choose.h"

#define DEEPLAB_INLINE [[gnu::always_inline]] static inline

#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
#define DEEPLAB_HAS_X86_TARGETS 1
#define DEEPLAB_TARGET_AVX2 [[gnu::target("avx2")]] static
#if defined(__clang__)
// clang knows the width as an option of the command line only, and would drop the whole attribute.
#define DEEPLAB_TARGET_AVX512 [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl")]] static
#else
#define DEEPLAB_TARGET_AVX512 \
  [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")]] static
#endif
#endif

namespace deeplab::kernels {

/// A function of a table, and the instruction set that it was compiled for. Tables end with
/// kScalar, which here stands for the architecture's baseline.
template <typename Function>
struct PerIsa {
  Isa isa;
  Function* run;
};

/// The entry that choose() picks; there always is one.
template <typename Function>
Function* best_for(Isa isa, std::span<const PerIsa<Function>> table) {
  return choose(table, isa)->run;
}

}  // namespace deeplab::kernels
