// Every instruction set that kernels are written for, slowest first within an architecture. A new
// one is an entry here and the files of its kernels. CMake reads this file, too: see
// cmake/DeeplabIsa.cmake.
//
// ISA(enumerator, architecture, "name", "compiler flags", whether this CPU has it, it also runs...)
//   name: what DEEPLAB_ISA says, and the end of its kernels' file names (conv2d/int8_avx2.cc).
//   it also runs: the sets whose kernels its CPUs run, besides kScalar.
// ENCODING(architecture, "name", "compiler flags"): no set of its own, but files of one that are
//   compiled a second time.
//
// No include guard: whoever includes this defines ISA, and ENCODING if it wants to know.
#ifndef ENCODING
#define ENCODING(...)
#endif

// clang-format off

ISA(kScalar, ANY, "scalar", "", true)

// The portable kernels of the float convolutions, with the instruction that defines them.
ENCODING(X86, "fma", "-mfma")

ISA(kAvx2, X86, "avx2", "-mavx2 -mfma",
    __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))

// VPDPBUSD on 256-bit registers. One instruction in two encodings; products_avxvnni.h says why.
ISA(kAvxVnni, X86, "avxvnni", "-mavx2 -mfma -mavxvnni",
    has_vex_vnni() || has_evex_vnni(),
    Isa::kAvx2)
ENCODING(X86, "avxvnni_evex", "-mfma -mavx512f -mavx512vl -mavx512vnni -mprefer-vector-width=256")

// GCC 12 warns about its own intrinsics, whose undefined values are meant to be so.
ISA(kAvx512Vnni, X86, "avx512vnni",
    "-mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -Wno-uninitialized -Wno-maybe-uninitialized",
    __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && has_evex_vnni(),
    Isa::kAvx2, Isa::kAvxVnni)

// Part of the architecture; its kernels are laid out for a core that works in order.
ISA(kNeon, ARM, "neon", "-mtune=cortex-a53",
    true)

ISA(kNeonDot, ARM, "neondot", "-march=armv8.2-a+dotprod",
    has_dot_product(),
    Isa::kNeon)

// A module is valid as a whole or not at all: what loaded it has these instructions, so the whole
// build may use them, the portable kernels too.
ISA(kSimd128, WASM, "simd128", "-msimd128",
    true)

// Its kernels are those of the module of relaxed SIMD: see relaxed_simd.h.
ISA(kRelaxedSimd, WASM, "relaxedsimd", "-msimd128",
    is_fused() != 0,
    Isa::kSimd128)

// clang-format on

#undef ISA
#undef ENCODING
