// `segment --resume`: whether a photo's files are there already, and whole.
#include <algorithm>
#include <array>
#include <filesystem>

#include "apps/deeplab/segment/output.h"
#include "base/file.h"
#include "imageio/reader.h"

namespace deeplab::app {
namespace {

namespace fs = std::filesystem;

// How a whole file ends. Ours appear whole, but the machine may have lost its power since.
constexpr uint8_t kPngEnd[] = {0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xAE, 0x42, 0x60, 0x82};
constexpr uint8_t kJpegEnd[] = {0xFF, 0xD9};

bool ends_with(std::span<const std::byte> bytes, std::span<const uint8_t> end) {
  return bytes.size() >= end.size() &&
         std::ranges::equal(bytes.last(end.size()), std::as_bytes(end));
}

bool is_whole(const std::string& path, const imageio::ImageInfo& photo) {
  if (std::error_code error; !fs::is_regular_file(path, error)) return false;  // reading may wait
  const auto bytes = read_file(path, imageio::ReadOptions().max_file_bytes);
  if (!bytes.ok()) return false;
  // Our JSON is one line.
  if (path.ends_with(".json")) return !bytes->empty() && bytes->back() == std::byte{'\n'};
  const auto info = imageio::probe_image(*bytes, path);
  if (!info.ok() || info->width != photo.width || info->height != photo.height) return false;
  return info->format == imageio::ImageFormat::kPng ? ends_with(*bytes, kPngEnd)
                                                    : ends_with(*bytes, kJpegEnd);
}

/// Errors of the system count as yes: the photo is then done again, which says what is wrong.
bool is_older(const std::string& path, const std::string& photo) {
  std::error_code error, photo_error;
  const auto time = fs::last_write_time(path, error);
  const auto photo_time = fs::last_write_time(photo, photo_error);
  return error || photo_error || time < photo_time;
}

}  // namespace

bool OutputWriter::is_written(const Photo& photo, const imageio::ImageInfo& info) const {
  const OutputSet& set = options_.write;
  if (set.scores && options_.classes.empty()) return false;
  std::vector<std::string> suffixes;
  if (set.mask) suffixes.emplace_back("mask.png");
  if (set.overlay) suffixes.emplace_back("overlay.jpg");
  if (set.cutout) suffixes.emplace_back("cutout.png");
  if (set.polygons) suffixes.emplace_back("polygons.json");
  if (set.scores) {
    for (const int32_t id : options_.classes) {
      suffixes.push_back(file_labels_[static_cast<size_t>(id)] + ".confidence.png");
    }
  }
  return std::ranges::all_of(suffixes, [&](const std::string& suffix) {
    const auto path = names_.path(photo, suffix);
    if (!path.ok()) return false;  // the photo's own failure
    if (photo.path != "-" && is_older(*path, photo.path)) return false;
    return is_whole(*path, info);
  });
}

}  // namespace deeplab::app
