// The two passes of a separable resize of 8-bit pixels, with weights in units of 2^-22
// (vision/resample.h has the filter).
#pragma once

#include <cstdint>
#include <span>

#include "kernels/per_isa.h"

namespace deeplab::kernels {

/// Weights are in units of 2^-22: 8 bits of pixel and 22 of weight leave a sign and a spare bit.
inline constexpr int kResampleShift = 22;
inline constexpr int32_t kResampleRound = 1 << (kResampleShift - 1);
/// Kernels multiply a weight in two halves, as its upper bits and its lowest eleven: both fit into
/// 16 bits.
inline constexpr int kResampleLowBits = 11;
/// So many taps are multiplied at once.
inline constexpr int32_t kResampleGroup = 4;

/// A weighted sum, begun with kResampleRound, as an 8-bit pixel.
inline uint8_t resampled_pixel(int32_t sum) {
  const int32_t pixel = sum >> kResampleShift;
  return static_cast<uint8_t>(pixel > 255 ? 255 : pixel);  // weights may sum to a bit over 1
}

/// The horizontal pass over one row of pixels.
struct ResampleColumns {
  int32_t out = 0;                   ///< Output pixels.
  int32_t taps = 0;                  ///< Weights are [out][taps].
  const int32_t* first = nullptr;    ///< [out] the first pixel that each reads.
  const int32_t* count = nullptr;    ///< [out] how many; at least 1.
  const int32_t* weights = nullptr;  ///< Never negative, 0 after `count`.
  /// The weights in groups of four taps, 32 numbers each: the upper halves of taps 0 and 1 in turn,
  /// four times, those of 2 and 3, then the lower halves likewise. Group g of output o is
  /// group_begin[o] + g.
  const int16_t* groups = nullptr;
  const int32_t* group_begin = nullptr;  ///< [out + 1]
  int32_t row_bytes = 0;                 ///< Of the input row; nothing after them is read.
  int32_t pixel_bytes = 0;
  int32_t red = 0, green = 0, blue = 0;  ///< Places of the channels within a pixel.
};

/// `to` gets `out` RGB pixels: (kResampleRound + sum of weight * channel) >> kResampleShift, at
/// most 255.
using ResampleColumnsKernel = void(const ResampleColumns& op, const uint8_t* row, uint8_t* to);
std::span<const PerIsa<ResampleColumnsKernel>> resample_columns_kernels();
ResampleColumnsKernel resample_columns_scalar;
/// Output pixels from `begin` on.
void resample_columns_from(const ResampleColumns& op, int32_t begin, const uint8_t* row,
                           uint8_t* to);

/// The vertical pass: the same of `count` rows of `bytes` numbers. `sums` has room for `bytes`.
using ResampleRowsKernel = void(int32_t bytes, const uint8_t* const* rows, const int32_t* weights,
                                int32_t count, int32_t* sums, uint8_t* to);
std::span<const PerIsa<ResampleRowsKernel>> resample_rows_kernels();

}  // namespace deeplab::kernels
