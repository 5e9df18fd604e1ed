#include "train/data/mask.h"

#include <cstring>

#include "eval/voc_dataset.h"

namespace deeplab::train {

RunMask RunMask::encode(const imageio::Image& mask) {
  RunMask out;
  out.width_ = mask.width;
  out.height_ = mask.height;
  out.rows_.reserve(static_cast<size_t>(mask.height) + 1);
  for (int32_t y = 0; y < mask.height; ++y) {
    out.rows_.push_back(static_cast<uint32_t>(out.runs_.size()));
    const uint8_t* row = mask.pixels.data() + static_cast<ptrdiff_t>(y) * mask.width;
    for (int32_t x = 1; x <= mask.width; ++x) {
      if (x == mask.width || row[x] != row[x - 1]) {
        out.runs_.push_back({static_cast<uint32_t>(x) & kMostWidth, row[x - 1]});
      }
    }
  }
  out.rows_.push_back(static_cast<uint32_t>(out.runs_.size()));
  out.runs_.shrink_to_fit();
  return out;
}

void RunMask::decode_row(int32_t y, uint8_t* out) const {
  uint32_t begin = 0;
  for (uint32_t r = rows_[static_cast<size_t>(y)]; r < rows_[static_cast<size_t>(y) + 1]; ++r) {
    std::memset(out + begin, static_cast<int>(runs_[r].label), runs_[r].end - begin);
    begin = runs_[r].end;
  }
}

void RunMask::count(int64_t* counts) const {
  for (size_t y = 0; y + 1 < rows_.size(); ++y) {
    uint32_t begin = 0;
    for (uint32_t r = rows_[y]; r < rows_[y + 1]; ++r) {
      counts[runs_[r].label] += runs_[r].end - begin;
      begin = runs_[r].end;
    }
  }
}

Result<imageio::Image> read_training_mask(const std::string& path, const ClassMap* classes,
                                          int32_t class_count) {
  Result<imageio::Image> mask =
      classes != nullptr ? classes->read_mask(path) : eval::read_mask(path);
  if (!mask.ok()) return mask;
  if (static_cast<uint32_t>(mask->width) > RunMask::kMostWidth) {
    return resource_exhausted(path, " is ", mask->width, " pixels wide; the limit is ",
                              RunMask::kMostWidth);
  }
  DEEPLAB_RETURN_IF_ERROR(eval::check_class_ids(*mask, path, class_count));
  return mask;
}

}  // namespace deeplab::train
