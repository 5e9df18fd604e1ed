// float depthwise convolution on WebAssembly's vectors, plain or relaxed: 4 pixels by 4 channels.
#pragma once

#include "kernels/depthwise_conv2d/float_direct.h"
#include "kernels/floats_wasm.h"

namespace deeplab::kernels {
namespace {

struct WasmFloats {
  using Vector = float __attribute__((vector_size(16)));
  static constexpr int kLanes = 4;
  static constexpr int kPixels = 4;

  static Vector zero() { return Vector{}; }
  static Vector load(const float* from) { return reinterpret(wasm_v128_load(from)); }
  static Vector load_few(const float* from, int32_t count) {
    return reinterpret(load_floats(from, count));
  }
  static void store(Vector value, float* to) { wasm_v128_store(to, reinterpret(value)); }
  static void store_few(Vector value, int32_t count, float* to) {
    store_floats(reinterpret(value), count, to);
  }
  static Vector multiply_add(Vector x, Vector w, Vector acc) {
    return reinterpret(kernels::multiply_add(reinterpret(x), reinterpret(w), reinterpret(acc)));
  }
  static Vector clamp(Vector value, float low, float high) {
    return reinterpret(
        clamp_floats(reinterpret(value), wasm_f32x4_splat(low), wasm_f32x4_splat(high)));
  }

 private:
  static Vector reinterpret(v128_t value) { return reinterpret_cast<Vector>(value); }
  static v128_t reinterpret(Vector value) { return reinterpret_cast<v128_t>(value); }
};

}  // namespace
}  // namespace deeplab::kernels
