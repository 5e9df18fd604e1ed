// The list of all photos of a run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "eval/voc_dataset.h"
#include "train/data/options.h"

namespace deeplab::train {

/// One photo of a source.
struct Item {
  std::string id;  ///< As its split or folder names it.
  std::string photo_path;
  std::string mask_path;  ///< Empty: no mask.
  int32_t source = 0;
};

/// Where a source's photos lie in the list.
struct SourceRange {
  int64_t first = 0;
  int64_t count = 0;
};

struct ItemList {
  std::vector<Item> items;           ///< Source by source.
  std::vector<SourceRange> sources;  ///< By source.
};

/// Lists the photos of one source (Item::source stays 0); opens none of them. Errors: what
/// eval::open_voc_dataset() says, or a folder that is missing or has no photo. `missing` says
/// whether a labelled source's photo without a mask is an error or has an empty mask_path.
Result<std::vector<Item>> list_photos(
    const SourceOptions& source, eval::MaskRequirement missing = eval::MaskRequirement::kRequired);

/// The same for all sources.
Result<ItemList> list_photos(const std::vector<SourceOptions>& sources);

}  // namespace deeplab::train
