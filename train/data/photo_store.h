// Photos and masks of a run, decoded when first needed and kept while there is room.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/status.h"
#include "imageio/image.h"
#include "train/data/mask.h"
#include "train/data/options.h"
#include "train/data/sources.h"

namespace deeplab::train {

/// Thread-safe. What was read first stays; nothing is evicted. Samples come in shuffled passes, so
/// a photo comes back about a pass later: with room for a part f of the photos, keeping the first
/// ones serves f of the draws from memory, dropping the oldest ones about f * f / 2.
class PhotoStore {
 public:
  /// `options` and `list` outlive the store.
  PhotoStore(const LoaderOptions& options, const ItemList& list);

  /// 3 channels. Photos much larger than the augmentation asks for (AugmentOptions::long_side) may
  /// come smaller; Image::original_width and original_height are the photo's own size.
  Result<std::shared_ptr<const imageio::Image>> photo(int64_t item);

  /// Null for an item without a mask. Errors: read_training_mask()'s; another size than `photo`.
  Result<std::shared_ptr<const RunMask>> mask(int64_t item, const imageio::Image& photo);

  /// The same without the comparison of sizes.
  Result<std::shared_ptr<const RunMask>> mask(int64_t item);

 private:
  template <typename T>
  std::shared_ptr<const T> keep(std::vector<std::shared_ptr<const T>>& shelf, int64_t item,
                                std::shared_ptr<const T> fresh, size_t bytes);
  template <typename T>
  std::shared_ptr<const T> find(const std::vector<std::shared_ptr<const T>>& shelf, int64_t item);

  const LoaderOptions& options_;
  const ItemList& list_;
  int32_t target_side_ = 0;
  int64_t budget_ = 0;
  int64_t used_ = 0;
  std::mutex mutex_;
  std::vector<std::shared_ptr<const imageio::Image>> photos_;  ///< By item; null: not here.
  std::vector<std::shared_ptr<const RunMask>> masks_;
};

}  // namespace deeplab::train
