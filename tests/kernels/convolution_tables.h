// What every test of the convolution tables needs: each op's reference and its table, by
// parameters.
#pragma once

#include "kernels/conv2d/conv2d.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

namespace deeplab::kernels::testing {

inline void reference(const Conv2DInt8& conv, const int8_t* x, const int8_t* w, const int32_t* b,
                      int8_t* y) {
  conv2d_reference(conv, Rounding::kEngine, x, w, b, y);
}
inline void reference(const DepthwiseConv2DInt8& conv, const int8_t* x, const int8_t* w,
                      const int32_t* b, int8_t* y) {
  depthwise_conv2d_reference(conv, Rounding::kEngine, x, w, b, y);
}
inline void reference(const Conv2DFloat& conv, const float* x, const float* w, const float* b,
                      float* y) {
  conv2d_reference(conv, Rounding::kEngine, x, w, b, y);
}
inline void reference(const DepthwiseConv2DFloat& conv, const float* x, const float* w,
                      const float* b, float* y) {
  depthwise_conv2d_reference(conv, Rounding::kEngine, x, w, b, y);
}
inline auto table(const Conv2DInt8& /*conv*/) { return conv2d_int8_kernels(); }
inline auto table(const DepthwiseConv2DInt8& /*conv*/) { return depthwise_conv2d_int8_kernels(); }
inline auto table(const Conv2DFloat& /*conv*/) { return conv2d_float_kernels(); }
inline auto table(const DepthwiseConv2DFloat& /*conv*/) { return depthwise_conv2d_float_kernels(); }

}  // namespace deeplab::kernels::testing
