// A part of a resized photo, without making the rest of it.
#pragma once

#include <cstdint>
#include <vector>

namespace deeplab::train {

/// One axis of a cut: `size` output pixels from `first` on of a picture whose `in` pixels are
/// resized to `full` ones and, when `mirrored`, read from the far end.
struct CutAxis {
  int32_t in = 0;
  int32_t full = 0;
  int32_t first = 0;
  int32_t size = 0;
  bool mirrored = false;

  /// The place among the `full` pixels that output pixel i shows.
  int32_t place(int32_t i) const { return mirrored ? full - 1 - first - i : first + i; }
};

/// Scratch of resample_cut(); reused, it allocates only when a cut needs more than any before.
class Resampler {
 public:
  /// The triangle filter with half-pixel centres that vision/resample.h defines and inference uses:
  /// bilinear when enlarging, widened (antialiased) when shrinking. Weights are 14 bits and add up
  /// to 1 exactly, so that flat areas keep their value; at the photo's own size it copies.
  /// Not vision's loop: this makes a part of the picture, perhaps mirrored, with sums of 16 bits;
  /// vision's roundings would give other samples for the same seed.
  /// `pixels` is RGB, y.in rows of x.in pixels; out: y.size rows of x.size, `out_stride` bytes
  /// apart.
  void resample(const uint8_t* pixels, const CutAxis& x, const CutAxis& y, uint8_t* out,
                int64_t out_stride);

  struct Weights {
    int32_t taps = 0;
    int32_t begin = 0;  ///< Inputs begin..end-1 are read at all.
    int32_t end = 0;
    std::vector<int32_t> first;   ///< [size]
    std::vector<int16_t> values;  ///< [size][taps]
    void compute(const CutAxis& axis);
  };

 private:
  Weights x_;
  Weights y_;
  std::vector<int16_t> rows_;  ///< [y_.end - y_.begin][x.size * 3], 7 bits of fraction
};

/// The nearest of `in` pixels for output pixel i: where its centre falls. Labels are never mixed.
inline int32_t nearest(const CutAxis& axis, int32_t i) {
  return static_cast<int32_t>((2 * int64_t{axis.place(i)} + 1) * axis.in /
                              (2 * int64_t{axis.full}));
}

}  // namespace deeplab::train
