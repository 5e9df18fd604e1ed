// The geometry of a sliding window, resolved: padding is numbers, no attribute is symbolic.
#pragma once

#include <algorithm>
#include <cstdint>

namespace deeplab::kernels {

/// Shapes in elements, NHWC. A tap (ky, kx) of output (y, x) reads input row
/// y * stride_h + ky * dilation_h - pad_top, and likewise for columns; a tap outside the
/// picture reads real zero (the zero point).
struct WindowShape {
  int32_t batch = 1;
  int32_t in_h = 0, in_w = 0, in_c = 0;
  int32_t out_h = 0, out_w = 0, out_c = 0;
  int32_t filter_h = 1, filter_w = 1;
  int32_t stride_h = 1, stride_w = 1;
  int32_t dilation_h = 1, dilation_w = 1;
  int32_t pad_top = 0, pad_left = 0;
};

/// A 1x1 convolution: every output pixel is made of the input pixel at its place, so the input as
/// it lies in memory is the matrix [pixels, in_c]. Static, as files of several instruction sets use
/// it.
static inline bool is_pointwise(const WindowShape& s) {
  return s.filter_h == 1 && s.filter_w == 1 && s.stride_h == 1 && s.stride_w == 1 &&
         s.pad_top == 0 && s.pad_left == 0 && s.in_h == s.out_h && s.in_w == s.out_w;
}

/// The taps [begin, end) of a window on one axis that fall inside the picture, so that loops over
/// them need no bounds check. `origin` is where tap 0 reads. Empty: begin >= end. Static, as above.
struct TapRange {
  int32_t begin = 0;
  int32_t end = 0;
};
static inline TapRange taps_inside(int32_t origin, int32_t dilation, int32_t filter,
                                   int32_t extent) {
  const int64_t d = dilation;
  const int64_t begin = origin < 0 ? (-int64_t{origin} + d - 1) / d : 0;
  const int64_t end = origin < extent ? (int64_t{extent} - origin + d - 1) / d : 0;
  return {static_cast<int32_t>(begin < filter ? begin : filter),
          static_cast<int32_t>(end < filter ? end : filter)};
}

}  // namespace deeplab::kernels
