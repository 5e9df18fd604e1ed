// Output pixels next to each other whose windows have the same taps inside the picture: what the
// float kernels take together. Static, as files of several instruction sets use it.
#pragma once

#include "kernels/window.h"

namespace deeplab::kernels {

/// The end of the output columns from `column` on whose windows have these taps inside.
static inline int32_t same_taps_end(const WindowShape& s, TapRange columns, int32_t column) {
  int32_t end = column + 1;
  for (; end < s.out_w; ++end) {
    const TapRange next =
        taps_inside(end * s.stride_w - s.pad_left, s.dilation_w, s.filter_w, s.in_w);
    if (next.begin != columns.begin || next.end != columns.end) break;
  }
  return end;
}

}  // namespace deeplab::kernels
