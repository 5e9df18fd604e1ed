#include "quantize_file/calibration_photos.h"

#include <filesystem>
#include <sstream>
#include <system_error>

#include "base/file.h"
#include "eval/voc_dataset.h"
#include "vision/prepare.h"

namespace deeplab::quantize {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxListBytes = int64_t{64} << 20;

photos::Photo photo_at(const std::string& path) { return {path, fs::path(path).stem().string()}; }

Result<std::vector<photos::Photo>> photos_of_list(const std::string& list) {
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, read_file(list, kMaxListBytes));
  std::istringstream lines(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  std::vector<photos::Photo> photos;
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.empty()) continue;
    photos.push_back(photo_at((fs::path(list).parent_path() / line).string()));
  }
  if (photos.empty()) return invalid_argument(list, ": no photo in this list");
  return photos;
}

Result<std::vector<photos::Photo>> photos_of_dataset(const std::string& root,
                                                     const std::string& split) {
  DEEPLAB_ASSIGN_OR_RETURN(const eval::VocDataset dataset,
                           eval::open_voc_dataset(root, split, eval::MaskRequirement::kOptional));
  std::vector<photos::Photo> photos;
  for (const eval::VocItem& item : dataset.items) photos.push_back(photo_at(item.image_path));
  return photos;
}

Result<std::vector<photos::Photo>> photos_of_source(const std::string& source) {
  std::error_code ignored;
  if (fs::is_directory(source, ignored)) {
    if (fs::is_directory(fs::path(source) / "JPEGImages", ignored) &&
        fs::is_directory(fs::path(source) / "ImageSets", ignored)) {
      return invalid_argument(source, " is a dataset in VOC layout: name a split, ", source,
                              ":train, or its JPEGImages");
    }
    const photos::PhotoList list = photos::find_photos({source});
    if (!list.errors.empty()) return list.errors.front();
    return list.photos;
  }
  if (fs::exists(source, ignored)) {
    if (fs::path(source).extension() == ".txt") return photos_of_list(source);
    return std::vector<photos::Photo>{photo_at(source)};
  }
  const size_t colon = source.rfind(':');
  if (colon != std::string::npos && fs::is_directory(source.substr(0, colon), ignored)) {
    return photos_of_dataset(source.substr(0, colon), source.substr(colon + 1));
  }
  return io_error(source, ": no such photo, directory or list");
}

}  // namespace

std::vector<photos::Photo> spread(const std::vector<photos::Photo>& photos, size_t count) {
  if (photos.size() <= count) return photos;
  std::vector<photos::Photo> chosen;
  for (size_t i = 0; i < count; ++i) chosen.push_back(photos[i * photos.size() / count]);
  return chosen;
}

Result<std::vector<photos::Photo>> find_calibration_photos(const std::vector<std::string>& sources,
                                                           size_t count) {
  std::vector<photos::Photo> all;
  for (const std::string& source : sources) {
    DEEPLAB_ASSIGN_OR_RETURN(const std::vector<photos::Photo> photos, photos_of_source(source));
    all.insert(all.end(), photos.begin(), photos.end());
  }
  return spread(all, count);
}

CalibrationPhotos::CalibrationPhotos(vision::Fit fit, int32_t width, int32_t height,
                                     const vision::Normalization& normalization)
    : fit_(fit), width_(width), height_(height), normalization_(normalization) {}

Result<std::vector<uint8_t>> CalibrationPhotos::decode(const photos::Photo& photo) const {
  DEEPLAB_ASSIGN_OR_RETURN(const photos::DecodedPhoto decoded,
                           photos::decode_photo(photo, fit_, width_, height_));
  // Pixels as they are: mean 0, deviation 1, scale 1.
  vision::Normalization none;
  none.mean.fill(0);
  none.std.fill(1);
  DEEPLAB_ASSIGN_OR_RETURN(const vision::PixelLut lut,
                           vision::make_lut(none, vision::ElementType::kUint8, {1.0f, 0}));
  std::vector<uint8_t> canvas(static_cast<size_t>(width_) * static_cast<size_t>(height_) * 3);
  vision::Preparer preparer(fit_, width_, height_);
  DEEPLAB_RETURN_IF_ERROR(preparer.run(photos::view_of(decoded.small), lut, canvas.data()));
  return canvas;
}

Status CalibrationPhotos::add(const photos::Photo& photo) {
  auto canvas = decode(photo);
  if (!canvas.ok()) {
    Status status = canvas.status();
    const bool named = status.message().find(photo.path) != std::string::npos;
    return named ? status : annotate(std::move(status), photo.path);
  }
  photos_.push_back(photo);
  canvases_.emplace_back();
  if (cached_bytes_ + canvas->size() <= kCacheBytes) {
    cached_bytes_ += canvas->size();
    canvases_.back() = std::move(*canvas);
  }
  return {};
}

Status CalibrationPhotos::load(size_t i, std::span<float> input) const {
  std::vector<uint8_t> decoded;
  const std::vector<uint8_t>* canvas = &canvases_[i];
  if (canvas->empty()) {
    DEEPLAB_ASSIGN_OR_RETURN(decoded, decode(photos_[i]));
    canvas = &decoded;
  }
  DEEPLAB_ASSIGN_OR_RETURN(const vision::PixelLut lut,
                           vision::make_lut(normalization_, vision::ElementType::kFloat32));
  for (size_t k = 0; k < input.size(); k += 3) {
    for (size_t c = 0; c < 3; ++c) input[k + c] = lut.values[c][(*canvas)[k + c]];
  }
  return {};
}

Samples CalibrationPhotos::samples(size_t count) const {
  const size_t total = photos_.size();
  const size_t chosen = std::min(count, total);
  return {chosen, [this, total, chosen](size_t i, std::span<float> input) {
            return load(i * total / chosen, input);
          }};
}

}  // namespace deeplab::quantize
