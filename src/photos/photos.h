// From paths to photos in memory: which files a directory stands for, and how much of a large JPEG
// is decoded for a canvas. Every program decodes by this one rule, so that their masks agree.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/status.h"
#include "imageio/image.h"
#include "imageio/reader.h"
#include "vision/image_view.h"
#include "vision/placement.h"

namespace deeplab::photos {

/// A photo as the user named it, or as it was found in a directory that the user named.
struct Photo {
  std::string path;  ///< "-" is standard input.
  std::string stem;  ///< The file's name without its last extension; "stdin".

  /// What messages call it.
  std::string name() const { return path == "-" ? "standard input" : path; }
};

struct PhotoList {
  std::vector<Photo> photos;
  std::vector<Status> errors;  ///< Directories that could not be read or hold no photo.
};

/// A file is taken whatever its name. A directory stands for the files below it that are named
/// like images, in the order of their names; hidden ones, links to directories, and what `segment`
/// itself writes (cat.overlay.jpg) are skipped.
PhotoList find_photos(const std::vector<std::string>& arguments);

/// A photo, decoded as far as was asked for.
struct DecodedPhoto {
  imageio::Image small;  ///< Enough pixels for the canvas; its original_* are the photo's own size.
  imageio::Image full;   ///< The own size; empty if not asked for or if `small` has it.

  const imageio::Image& own_size() const { return full.pixels.empty() ? small : full; }
  bool has_own_size() const {
    const imageio::Image& image = own_size();
    return image.width == image.original_width && image.height == image.original_height;
  }
  /// Frees pixels at a smaller size; for use after the network has run.
  void keep_own_size() {
    if (&own_size() != &small || !has_own_size()) small.pixels = std::vector<uint8_t>();
  }
};

/// A photo's file in memory, and what its header says.
struct PhotoFile {
  std::string name;  ///< What messages call it.
  std::vector<std::byte> bytes;
  imageio::ImageInfo info;
};

Result<PhotoFile> read_photo(const Photo& photo);

/// Decodes a photo for a canvas, a large JPEG at a fraction of its size. That is done even if
/// `with_own_size` asks for all pixels, too: what the network sees, and so the mask, must not
/// depend on the other outputs.
Result<DecodedPhoto> decode_photo(const PhotoFile& file, vision::Fit fit, int32_t canvas_width,
                                  int32_t canvas_height, bool with_own_size);
/// read_photo(), then that.
Result<DecodedPhoto> decode_photo(const Photo& photo, vision::Fit fit, int32_t canvas_width,
                                  int32_t canvas_height, bool with_own_size);

/// The photo's rows at its own size, from the top: those in `decoded` if it has them, else decoded
/// again, one row at a time.
Status for_each_row(const PhotoFile& file, const DecodedPhoto& decoded,
                    const imageio::RowSink& sink);

vision::ImageView view_of(const imageio::Image& image);

}  // namespace deeplab::photos
