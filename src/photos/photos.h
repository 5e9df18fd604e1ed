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
  /// Where it was found below the directory that the user named ("a/b"); else empty.
  std::string folder = {};

  /// What messages call it.
  std::string name() const { return path == "-" ? "standard input" : path; }
};

/// A file of a directory that is not a photo this build reads.
struct PassedOver {
  std::string path;
  std::string kind;  ///< "HEIC picture", "text file", ...; an "s" makes it the plural.
};

struct PhotoList {
  std::vector<Photo> photos;
  std::vector<Status> errors;  ///< Directories that could not be read or hold no photo.
  std::vector<PassedOver> passed_over;
};

/// A file is taken whatever its name. A directory stands for the files below it that are named
/// like photos or begin like one, in the order of their names. All others are passed over; hidden
/// ones, links to directories, and what `segment` itself writes (cat.overlay.jpg) are not even
/// counted.
PhotoList find_photos(const std::vector<std::string>& arguments);

/// One line that counts the files passed over, by kind, and names some of each; empty if there
/// are none. "passed over 3 files: 2 TIFF pictures (a.tif, b.tif), 1 text file (notes.txt)"
std::string passed_over_line(const std::vector<PassedOver>& files);

/// A photo, decoded as far as was asked for.
struct DecodedPhoto {
  imageio::Image small;  ///< Enough pixels for the canvas; its original_* are the photo's own size.
  /// `small` has the photo's own size and the colours that people are to see.
  bool is_complete = false;

  /// Frees pixels that for_each_row() cannot use; for use after the network has run.
  void keep_complete() {
    if (!is_complete) small.pixels = std::vector<uint8_t>();
  }
};

/// Which colours an ICC profile is honoured for (imageio::has_color_management()).
enum class ColorManagement {
  kOff,   ///< Profiles are ignored.
  kView,  ///< For what people look at: overlays and cut-outs.
  kAll,   ///< For what the network sees, too.
};

struct DecodeOptions {
  bool strict = false;  ///< As imageio::ReadOptions::strict.
  ColorManagement color = ColorManagement::kOff;
};

/// A photo's file in memory, and what its header says.
struct PhotoFile {
  std::string name;  ///< What messages call it.
  std::vector<std::byte> bytes;
  imageio::ImageInfo info = {};
};

Result<PhotoFile> read_photo(const Photo& photo);

/// Decodes a photo for a canvas, a large JPEG at a fraction of its size. What the network sees, and
/// so the mask, does not depend on the outputs, which take their pixels from for_each_row().
Result<DecodedPhoto> decode_photo(const PhotoFile& file, vision::Fit fit, int32_t canvas_width,
                                  int32_t canvas_height, const DecodeOptions& options = {});
/// read_photo(), then that.
Result<DecodedPhoto> decode_photo(const Photo& photo, vision::Fit fit, int32_t canvas_width,
                                  int32_t canvas_height, const DecodeOptions& options = {});

/// The photo's rows at its own size, from the top, for people to look at: those in `decoded` if it
/// is complete, else decoded again, one row at a time. `options` as for decode_photo().
Status for_each_row(const PhotoFile& file, const DecodedPhoto& decoded,
                    const DecodeOptions& options, const imageio::RowSink& sink);

vision::ImageView view_of(const imageio::Image& image);

}  // namespace deeplab::photos
