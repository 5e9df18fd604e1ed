// The vector kernels first interleave the input rows under an output row, column by column, into
// a strip in scratch, padding included; the products then read it without a branch, whatever the
// stride, the dilation and the border. Static and C-like: included by files of several
// instruction sets, no copy of it may be shared between them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/window.h"

namespace deeplab::kernels {

/// About how many output columns share a strip: enough to make its ends, which neighbouring strips
/// both interleave, a small part; few enough for 64 channels of it to stay in L1.
static constexpr int32_t kStripOutputs = 64;
/// Strips over this are left to the scalar kernel: it takes a dilation or a filter of thousands.
static constexpr int64_t kMaxStripBytes = int64_t{1} << 20;

/// Output columns of a strip: a row in equal parts, so that none of 65 columns is left for a strip
/// of its own. At most half over kStripOutputs.
static inline int32_t strip_outputs(const WindowShape& s) {
  const int32_t strips = (s.out_w + kStripOutputs / 2) / kStripOutputs;
  return strips < 2 ? s.out_w : (s.out_w + strips - 1) / strips;
}

/// Columns under `outputs` neighbouring outputs.
static inline int64_t strip_columns(const WindowShape& s, int32_t outputs) {
  return static_cast<int64_t>(outputs - 1) * s.stride_w +
         static_cast<int64_t>(s.filter_w - 1) * s.dilation_w + 1;
}

/// Bytes of a whole strip whose columns take `column_bytes`.
static inline int64_t strip_bytes(const WindowShape& s, int64_t column_bytes) {
  return strip_columns(s, strip_outputs(s)) * column_bytes;
}

/// The input row under filter row `ky` of output row `row` (of batch * out_h), or null if it
/// is padding or `ky` is beyond the filter.
static inline const int8_t* strip_row(const WindowShape& s, const int8_t* input, int32_t row,
                                      int32_t ky) {
  const int64_t y =
      static_cast<int64_t>(row % s.out_h) * s.stride_h - s.pad_top + int64_t{ky} * s.dilation_h;
  if (ky >= s.filter_h || y < 0 || y >= s.in_h) return nullptr;
  return input + (int64_t{row / s.out_h} * s.in_h + y) * s.in_w * s.in_c;
}

/// The input rows under an output row of a 3x3 window, or under two of stride 1 that are
/// `dilation_h` apart, each from its column 0 on; null: padding. One row's last is there twice.
struct InputRows {
  const int8_t* row[4];
};

/// How many output rows of [begin, end) are computed when it is `row`'s turn: it alone, it and the
/// one `dilation_h` below, or none, if it went with the one above. Sets `rows` if any.
static inline int32_t rows_in_turn(const WindowShape& s, const int8_t* input, int32_t begin,
                                   int32_t end, int32_t row, InputRows* rows) {
  // Row r goes with row r + step if r is in an even group of `step` rows, counted from the first
  // row asked for, and both are in one picture.
  const int32_t step = s.dilation_h;
  const int32_t group = (row - begin) / step;
  const bool can_pair = s.stride_h == 1;
  const auto paired = [&](int32_t upper) {
    return upper + step < end && upper / s.out_h == (upper + step) / s.out_h;
  };
  if (can_pair && group % 2 == 1 && paired(row - step)) return 0;
  const bool pair = can_pair && group % 2 == 0 && paired(row);
  for (int32_t k = 0; k < 3; ++k) rows->row[k] = strip_row(s, input, row, k);
  rows->row[3] = pair ? strip_row(s, input, row + step, 2) : rows->row[2];
  return pair ? 2 : 1;
}

}  // namespace deeplab::kernels
