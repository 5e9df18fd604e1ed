#include "train/data/photo_store.h"

#include <cmath>
#include <utility>

#include "imageio/reader.h"

namespace deeplab::train {

PhotoStore::PhotoStore(const LoaderOptions& options, const ItemList& list)
    : options_(options),
      list_(list),
      budget_(options.cache_mib << 20),
      photos_(list.items.size()),
      masks_(list.items.size()) {
  if (options.augment.long_side > 0) {
    // What the largest scale makes of it: no detail is lost, and a 12-megapixel JPEG costs little.
    target_side_ = static_cast<int32_t>(
        std::ceil(options.augment.long_side * std::max(1.0, options.augment.scale_max)));
  }
}

template <typename T>
std::shared_ptr<const T> PhotoStore::find(const std::vector<std::shared_ptr<const T>>& shelf,
                                          int64_t item) {
  const std::lock_guard lock(mutex_);
  return shelf[static_cast<size_t>(item)];
}

template <typename T>
std::shared_ptr<const T> PhotoStore::keep(std::vector<std::shared_ptr<const T>>& shelf,
                                          int64_t item, std::shared_ptr<const T> fresh,
                                          size_t bytes) {
  const std::lock_guard lock(mutex_);
  auto& place = shelf[static_cast<size_t>(item)];
  if (place) return place;  // another thread was faster
  const int64_t used = used_ + static_cast<int64_t>(bytes);
  if (used <= budget_) {
    place = fresh;
    used_ = used;
  }
  return fresh;
}

Result<std::shared_ptr<const imageio::Image>> PhotoStore::photo(int64_t item) {
  if (auto kept = find(photos_, item)) return kept;
  imageio::ReadOptions read;
  read.strict = true;  // half a photo with a whole mask would teach what is not there
  read.target_side = target_side_;
  DEEPLAB_ASSIGN_OR_RETURN(
      imageio::Image image,
      imageio::read_image(list_.items[static_cast<size_t>(item)].photo_path, read));
  const size_t bytes = image.pixels.size();
  return keep(photos_, item, std::make_shared<const imageio::Image>(std::move(image)), bytes);
}

Result<std::shared_ptr<const RunMask>> PhotoStore::mask(int64_t item) {
  const Item& entry = list_.items[static_cast<size_t>(item)];
  if (entry.mask_path.empty()) return std::shared_ptr<const RunMask>();
  if (auto kept = find(masks_, item)) return kept;
  const ClassMap* classes = options_.sources[static_cast<size_t>(entry.source)].class_map.get();
  DEEPLAB_ASSIGN_OR_RETURN(const imageio::Image image,
                           read_training_mask(entry.mask_path, classes, options_.class_count));
  auto mask = std::make_shared<const RunMask>(RunMask::encode(image));
  const size_t bytes = mask->bytes();
  return keep(masks_, item, std::move(mask), bytes);
}

Result<std::shared_ptr<const RunMask>> PhotoStore::mask(int64_t item, const imageio::Image& photo) {
  DEEPLAB_ASSIGN_OR_RETURN(auto found, mask(item));
  if (found &&
      (found->width() != photo.original_width || found->height() != photo.original_height)) {
    const Item& entry = list_.items[static_cast<size_t>(item)];
    return invalid_image(entry.mask_path, " has ", found->width(), "x", found->height(),
                         " pixels; its photo ", entry.photo_path, " has ", photo.original_width,
                         "x", photo.original_height);
  }
  return found;
}

}  // namespace deeplab::train
