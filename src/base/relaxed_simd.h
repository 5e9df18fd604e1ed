// The border between the library and its module of relaxed SIMD. WebAssembly's modules are valid as
// a whole or not at all, so what needs these instructions is a small module of its own, which works
// in the library's memory; bindings/web/CMakeLists.txt builds it. Its sources define with
// RELAXED_SIMD(name) what the library declares by the same words.
#pragma once

#ifdef __wasm_relaxed_simd__
#define RELAXED_SIMD(name) extern "C" __attribute__((export_name(#name)))
#else
#define RELAXED_SIMD(name) \
  extern "C" __attribute__((import_module("relaxed_simd"), import_name(#name)))
#endif
