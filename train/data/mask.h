// Masks as runs: a VOC mask takes about 10 KB instead of 190, so that all of them fit in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "eval/class_map.h"
#include "imageio/image.h"

namespace deeplab::train {

using eval::ClassMap;

/// A label map, row by row as runs of equal labels. Immutable after encode().
class RunMask {
 public:
  static constexpr uint32_t kMostWidth = (1u << 24) - 1;

  RunMask() = default;
  /// `mask` has one channel and at most kMostWidth columns.
  static RunMask encode(const imageio::Image& mask);

  int32_t width() const { return width_; }
  int32_t height() const { return height_; }
  size_t bytes() const { return runs_.size() * sizeof(Run) + rows_.size() * sizeof(uint32_t); }

  /// Writes the labels of a row to out[width].
  void decode_row(int32_t y, uint8_t* out) const;

  /// Adds the pixels of each label to counts[256].
  void count(int64_t* counts) const;

 private:
  struct Run {
    uint32_t end : 24;  ///< Column after the last.
    uint32_t label : 8;
  };
  int32_t width_ = 0;
  int32_t height_ = 0;
  std::vector<Run> runs_;
  std::vector<uint32_t> rows_;  ///< [height + 1] first run of a row.
};

/// The mask at `path` as training ids: through `classes` or, without, as eval::read_mask() has it.
/// Errors: theirs; a label that is neither 255 nor below class_count.
Result<imageio::Image> read_training_mask(const std::string& path, const ClassMap* classes,
                                          int32_t class_count);

}  // namespace deeplab::train
