#include "quantize_file/calibration_photos.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
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

Result<photos::PhotoList> photos_of_source(const std::string& source) {
  std::error_code ignored;
  if (fs::is_directory(source, ignored)) {
    if (fs::is_directory(fs::path(source) / "JPEGImages", ignored) &&
        fs::is_directory(fs::path(source) / "ImageSets", ignored)) {
      return invalid_argument(source, " is a dataset in VOC layout: name a split, ", source,
                              ":train, or its JPEGImages");
    }
    photos::PhotoList found = photos::find_photos({source});
    if (!found.errors.empty()) return found.errors.front();
    return found;
  }
  photos::PhotoList list;
  const size_t colon = source.rfind(':');
  if (fs::exists(source, ignored)) {
    if (fs::path(source).extension() == ".txt") {
      DEEPLAB_ASSIGN_OR_RETURN(list.photos, photos_of_list(source));
    } else {
      list.photos = {photo_at(source)};
    }
  } else if (colon != std::string::npos && fs::is_directory(source.substr(0, colon), ignored)) {
    DEEPLAB_ASSIGN_OR_RETURN(list.photos,
                             photos_of_dataset(source.substr(0, colon), source.substr(colon + 1)));
  } else {
    return io_error(source, ": no such photo, directory or list");
  }
  return list;
}

}  // namespace

std::vector<photos::Photo> spread(const std::vector<photos::Photo>& photos, size_t count) {
  if (photos.size() <= count) return photos;
  std::vector<photos::Photo> chosen;
  for (size_t i = 0; i < count; ++i) chosen.push_back(photos[i * photos.size() / count]);
  return chosen;
}

Result<photos::PhotoList> find_calibration_photos(const std::vector<std::string>& sources,
                                                  size_t count) {
  photos::PhotoList all;
  for (const std::string& source : sources) {
    DEEPLAB_ASSIGN_OR_RETURN(photos::PhotoList list, photos_of_source(source));
    std::ranges::move(list.photos, std::back_inserter(all.photos));
    std::ranges::move(list.passed_over, std::back_inserter(all.passed_over));
  }
  all.photos = spread(all.photos, count);
  return all;
}

CalibrationPhotos::CalibrationPhotos(vision::Fit fit, int32_t width, int32_t height,
                                     const vision::Normalization& normalization,
                                     const photos::DecodeOptions& decode)
    : fit_(fit), width_(width), height_(height), normalization_(normalization), decode_(decode) {}

Result<CalibrationPhotos::Canvas> CalibrationPhotos::decode(const photos::Photo& photo) const {
  DEEPLAB_ASSIGN_OR_RETURN(const photos::DecodedPhoto decoded,
                           photos::decode_photo(photo, fit_, width_, height_, decode_));
  // Pixels as they are: mean 0, deviation 1, scale 1.
  vision::Normalization none;
  none.mean.fill(0);
  none.std.fill(1);
  DEEPLAB_ASSIGN_OR_RETURN(const vision::PixelLut lut,
                           vision::make_lut(none, vision::ElementType::kUint8, {1.0f, 0}));
  Canvas canvas;
  canvas.pixels.resize(static_cast<size_t>(width_) * static_cast<size_t>(height_) * 3);
  canvas.warning = decoded.small.warning;
  vision::Preparer preparer(fit_, width_, height_);
  DEEPLAB_RETURN_IF_ERROR(preparer.run(photos::view_of(decoded.small), lut, canvas.pixels.data()));
  return canvas;
}

Result<std::string> CalibrationPhotos::add(const photos::Photo& photo) {
  auto canvas = decode(photo);
  if (!canvas.ok()) {
    Status status = canvas.status();
    const bool named = status.message().find(photo.path) != std::string::npos;
    return named ? status : annotate(std::move(status), photo.path);
  }
  photos_.push_back(photo);
  if (cached_bytes_ + canvas->pixels.size() <= kCacheBytes) {
    cached_bytes_ += canvas->pixels.size();
  } else {
    canvas->pixels = std::vector<uint8_t>();
  }
  canvases_.push_back(std::move(*canvas));
  return canvases_.back().warning;
}

Status CalibrationPhotos::load(size_t i, std::span<float> input) const {
  Canvas decoded;
  const Canvas* canvas = &canvases_[i];
  if (canvas->pixels.empty()) {
    DEEPLAB_ASSIGN_OR_RETURN(decoded, decode(photos_[i]));
    canvas = &decoded;
  }
  DEEPLAB_ASSIGN_OR_RETURN(const vision::PixelLut lut,
                           vision::make_lut(normalization_, vision::ElementType::kFloat32));
  for (size_t k = 0; k < input.size(); k += 3) {
    for (size_t c = 0; c < 3; ++c) input[k + c] = lut.values[c][canvas->pixels[k + c]];
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
