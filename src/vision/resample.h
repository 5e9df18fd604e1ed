// The weights of a separable resize along one axis (internal to prepare.cc; open for its test).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/resample/resample.h"

namespace deeplab::vision {

/// A triangle filter around each output pixel's centre: one input pixel wide to each side when
/// enlarging (plain bilinear), widened by the scale when shrinking, so that every input pixel
/// counts (antialiasing). At the borders it is cut and renormalized. The same definition, and
/// the same fixed point, as Pillow's BILINEAR: results are the same on every machine.
struct ResampleAxis {
  int32_t in = 0;
  int32_t out = 0;
  int32_t taps = 0;              ///< Most input pixels that an output pixel reads.
  std::vector<int32_t> first;    ///< [out] the first of them.
  std::vector<int32_t> count;    ///< [out] how many; 1 <= count <= taps.
  std::vector<int32_t> weights;  ///< [out][taps], 0 after `count`
  // As kernels::ResampleColumns has them; of split() only.
  std::vector<int16_t> groups;
  std::vector<int32_t> group_begin;

  const int32_t* weights_of(int32_t o) const {
    return weights.data() + static_cast<size_t>(o) * static_cast<size_t>(taps);
  }

  /// Allocates only if a larger axis than ever before is asked for.
  void compute(int32_t in_size, int32_t out_size);
  /// The weights in groups, for the horizontal pass.
  void split();
};

}  // namespace deeplab::vision
