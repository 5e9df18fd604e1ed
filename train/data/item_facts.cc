#include "train/data/item_facts.h"

#include <array>
#include <cstddef>
#include <fstream>
#include <string>

#include "base/file.h"
#include "eval/voc_dataset.h"
#include "imageio/reader.h"

namespace deeplab::train {
namespace {

/// Headers end early; only a JPEG with a large profile or preview in front needs more.
Result<imageio::ImageInfo> probe_file(const std::string& path) {
  constexpr size_t kHead = size_t{1} << 17;
  std::vector<std::byte> bytes(kHead);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(kHead));
  bytes.resize(static_cast<size_t>(file.gcount()));
  if (!bytes.empty()) {
    Result<imageio::ImageInfo> info = imageio::probe_image(bytes, path);
    if (info.ok() || bytes.size() < kHead) return info;
  }
  // Longer, empty or not to be opened: the whole file, or the right sentence.
  DEEPLAB_ASSIGN_OR_RETURN(bytes, read_file(path, imageio::ReadOptions().max_file_bytes));
  return imageio::probe_image(bytes, path);
}

}  // namespace

ItemFacts read_item_facts(const Item& item, const ClassMap* classes) {
  ItemFacts facts;
  if (const Result<imageio::ImageInfo> info = probe_file(item.photo_path); info.ok()) {
    facts.width = info->width;
    facts.height = info->height;
    facts.orientation = info->orientation;
  } else {
    facts.photo = info.status();
  }
  if (item.mask_path.empty()) return facts;
  const Result<imageio::Image> mask =
      classes != nullptr ? classes->read_mask(item.mask_path) : eval::read_mask(item.mask_path);
  if (!mask.ok()) {
    facts.mask = mask.status();
    return facts;
  }
  facts.mask_width = mask->width;
  facts.mask_height = mask->height;
  std::array<int64_t, 256> counts = {};
  for (const uint8_t label : mask->pixels) ++counts[label];
  for (size_t label = 0; label < counts.size(); ++label) {
    if (counts[label] > 0) facts.labels.push_back({static_cast<uint8_t>(label), counts[label]});
  }
  return facts;
}

}  // namespace deeplab::train
