// float depthwise convolution in portable C++, 4 pixels by 4 channels.
#pragma once

#include "kernels/depthwise_conv2d/float_direct.h"
#include "kernels/four_floats.h"

namespace deeplab::kernels {
namespace {

struct PortableFloats {
  using Vector = Four;
  static constexpr int kLanes = 4;
  static constexpr int kPixels = 4;

  static Vector zero() { return Four{}; }
  static Vector load(const float* from) { return load_four(from); }
  static Vector load_few(const float* from, int32_t count) {
    Four four = {};
    for (int32_t i = 0; i < count && i < 4; ++i) four[i] = from[i];
    return four;
  }
  static void store(Vector value, float* to) { store_four(value, to); }
  static void store_few(Vector value, int32_t count, float* to) {
    for (int32_t i = 0; i < count && i < 4; ++i) to[i] = value[i];
  }
  static Vector multiply_add(Vector x, Vector w, Vector acc) {
    return fused_multiply_add(x, w, acc);
  }
  static Vector clamp(Vector value, float low, float high) {
    const Four least = {low, low, low, low};
    const Four most = {high, high, high, high};
    value = least < value ? value : least;  // As clamp_float().
    return value < most ? value : most;
  }
};

}  // namespace
}  // namespace deeplab::kernels
