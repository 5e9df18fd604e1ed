// Facts about the files of one photo; private to check.cc.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "eval/class_map.h"
#include "train/data/sources.h"

namespace deeplab::train {

struct LabelCount {
  uint8_t label;
  int64_t pixels;
};

struct ItemFacts {
  Status photo;  ///< Why its header cannot be read.
  Status mask;   ///< Why the mask cannot.
  int32_t width = 0;
  int32_t height = 0;
  int orientation = 1;
  int32_t mask_width = 0;  ///< 0: no mask, or none that can be read.
  int32_t mask_height = 0;
  std::vector<LabelCount> labels;  ///< Those that occur, by label.

  bool has_mask() const { return mask_width > 0; }
  bool sizes_differ() const {
    return photo.ok() && has_mask() && (width != mask_width || height != mask_height);
  }
};

/// Reads the photo's header and the whole mask; never fails as such.
ItemFacts read_item_facts(const Item& item, const ClassMap* classes);

}  // namespace deeplab::train
