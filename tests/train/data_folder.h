// A dataset in VOC layout that a test writes, and removes when it is done.
#pragma once

#include <stdlib.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "imageio/writer.h"
#include "train/data/options.h"

namespace deeplab::testing {

class DataFolder {
 public:
  DataFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "deeplab-data-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    std::filesystem::create_directories(root_ + "/JPEGImages");
    std::filesystem::create_directories(root_ + "/SegmentationClass");
    std::filesystem::create_directories(root_ + "/ImageSets/Segmentation");
  }
  ~DataFolder() { std::filesystem::remove_all(root_); }
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;

  const std::string& root() const { return root_; }
  std::string photo_path(const std::string& id) const {
    return root_ + "/JPEGImages/" + id + ".png";
  }
  std::string mask_path(const std::string& id) const {
    return root_ + "/SegmentationClass/" + id + ".png";
  }

  void list(const std::string& split, const std::vector<std::string>& ids) const {
    std::ofstream file(root_ + "/ImageSets/Segmentation/" + split + ".txt");
    for (const std::string& id : ids) file << id << '\n';
  }

  /// A photo of width x height whose pixels are colour(x, y).
  void photo(const std::string& id, int32_t width, int32_t height,
             const std::function<Rgb(int32_t, int32_t)>& colour) const {
    write(photo_path(id), encode_rgb(width, height, colour));
  }
  /// An indexed mask of the ids label(x, y).
  void mask(const std::string& id, int32_t width, int32_t height,
            const std::function<int(int32_t, int32_t)>& label) const {
    std::vector<uint8_t> ids;
    for (int32_t y = 0; y < height; ++y) {
      for (int32_t x = 0; x < width; ++x) ids.push_back(static_cast<uint8_t>(label(x, y)));
    }
    const std::vector<Rgb> palette(256, Rgb{1, 2, 3});
    write(mask_path(id), imageio::encode_png_indexed(width, height, ids, palette).value());
  }
  void colour_mask(const std::string& id, int32_t width, int32_t height,
                   const std::function<Rgb(int32_t, int32_t)>& colour) const {
    write(mask_path(id), encode_rgb(width, height, colour));
  }

  static void write(const std::string& path, std::span<const std::byte> bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  static void write_text(const std::string& path, const std::string& text) {
    write(path, std::as_bytes(std::span(text)));
  }

  train::SourceOptions source(const std::string& split = "train") const {
    train::SourceOptions options;
    options.root = root_;
    options.split = split;
    return options;
  }

 private:
  static imageio::EncodedImage encode_rgb(int32_t width, int32_t height,
                                          const std::function<Rgb(int32_t, int32_t)>& colour) {
    std::vector<uint8_t> rgb;
    for (int32_t y = 0; y < height; ++y) {
      for (int32_t x = 0; x < width; ++x) {
        const Rgb c = colour(x, y);
        rgb.insert(rgb.end(), {c.red, c.green, c.blue});
      }
    }
    return imageio::encode_png_rgb(width, height, rgb).value();
  }

  std::string root_;
};

/// Every augmentation off: what comes out is the photo on the canvas.
inline train::AugmentOptions no_augmentation(int32_t crop_width, int32_t crop_height) {
  train::AugmentOptions options;
  options.crop_width = crop_width;
  options.crop_height = crop_height;
  options.scale_min = options.scale_max = 1;
  options.flip = 0;
  return options;
}

}  // namespace deeplab::testing
