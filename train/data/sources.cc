#include "train/data/sources.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

namespace deeplab::train {
namespace {

namespace fs = std::filesystem;

bool is_photo(const fs::path& path) {
  static constexpr std::array<std::string_view, 7> kExtensions = {".jpg", ".jpeg", ".png", ".webp",
                                                                  ".ppm", ".pgm",  ".bmp"};
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

bool has_split(const SourceOptions& source) {
  std::error_code error;
  const fs::path list =
      fs::path(source.root) / "ImageSets" / "Segmentation" / (source.split + ".txt");
  return fs::is_regular_file(list, error);
}

Result<std::vector<Item>> list_folder(const std::string& root) {
  std::error_code error;
  if (!fs::is_directory(root, error)) {
    return io_error(root, " is not a folder; expected a folder of photos");
  }
  std::vector<Item> items;
  fs::recursive_directory_iterator entry(root, fs::directory_options::follow_directory_symlink,
                                         error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code gone;
    if (!is_photo(entry->path()) || !entry->is_regular_file(gone)) continue;
    Item item;
    item.photo_path = entry->path().string();
    item.id = entry->path().lexically_relative(root).string();
    items.push_back(std::move(item));
  }
  if (error) return io_error("cannot list ", root, ": ", error.message());
  if (items.empty()) {
    return io_error(root, " has no photo; expected .jpg, .png, .webp, .ppm, .pgm or .bmp files");
  }
  // The order in which a directory lists its files is the file system's own affair.
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) { return a.id < b.id; });
  return items;
}

Result<std::vector<Item>> list_voc(const SourceOptions& source, eval::MaskRequirement missing) {
  DEEPLAB_ASSIGN_OR_RETURN(
      eval::VocDataset dataset,
      eval::open_voc_dataset(source.root, source.split,
                             source.masks ? missing : eval::MaskRequirement::kOptional));
  std::vector<Item> items;
  items.reserve(dataset.items.size());
  for (eval::VocItem& voc : dataset.items) {
    Item item;
    item.id = std::move(voc.id);
    item.photo_path = std::move(voc.image_path);
    if (source.masks) item.mask_path = std::move(voc.mask_path);
    items.push_back(std::move(item));
  }
  return items;
}

}  // namespace

Result<std::vector<Item>> list_photos(const SourceOptions& source, eval::MaskRequirement missing) {
  if (source.masks || has_split(source)) return list_voc(source, missing);
  return list_folder(source.root);
}

Result<ItemList> list_photos(const std::vector<SourceOptions>& sources) {
  ItemList list;
  for (size_t s = 0; s < sources.size(); ++s) {
    DEEPLAB_ASSIGN_OR_RETURN(std::vector<Item> items, list_photos(sources[s]));
    SourceRange range;
    range.first = static_cast<int64_t>(list.items.size());
    range.count = static_cast<int64_t>(items.size());
    for (Item& item : items) {
      item.source = static_cast<int32_t>(s);
      list.items.push_back(std::move(item));
    }
    list.sources.push_back(range);
  }
  return list;
}

}  // namespace deeplab::train
