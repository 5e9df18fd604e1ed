// Photos and label maps in: JPEG, PNG, WebP, BMP and PNM (PBM, PGM, PPM); with optional codecs
// HEIC, AVIF, TIFF and GIF. Of an animation the first frame.
//
// The format is found by content, never by file name. Every error is one sentence that starts
// with the file's name. A truncated or damaged file is refused rather than half decoded, except a
// JPEG that other readers show as well, which is read with a warning. Colour profiles are ignored,
// as TensorFlow's own decoders do, unless `to_srgb` asks for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/status.h"
#include "imageio/image.h"

namespace deeplab::imageio {

struct ReadOptions {
  /// Larger images (by their header) are refused before anything is allocated.
  int64_t max_pixels = int64_t{1} << 28;
  int64_t max_file_bytes = int64_t{1} << 30;
  /// JPEG only: decode at the smallest scale k/8 whose long side is still at least this. A
  /// 4000x2665 photo for 513 takes 91 ms instead of 155, and a sixteenth of the memory (what
  /// remains is entropy decoding, which no scale saves). 0 decodes at full size.
  int32_t target_side = 0;
  /// false composes transparent pixels over white and gives RGB; true gives RGBA if the file
  /// has an alpha channel (or a transparent palette entry or colour).
  bool keep_alpha = false;
  /// Refuses the damaged JPEGs that otherwise are read with a warning (Image::warning).
  bool strict = false;
  /// Converts from the file's ICC profile to sRGB, if it has one and color management is built in.
  bool to_srgb = false;
};

/// Whether this build can do what ReadOptions::to_srgb asks for.
bool has_color_management();
/// Whether to_srgb would change this file's pixels (for all that its profile says).
bool has_color_profile(std::span<const std::byte> bytes);

/// The photo at `path` ("-" is standard input) as 8-bit RGB: grey and palettes expanded, 16-bit
/// samples scaled, CMYK converted, turned upright as EXIF or XMP say.
/// Errors: kIoError, kInvalidImage (damaged, truncated or not an image), kUnsupported (a codec that
/// is not built in, a rare flavour), kResourceExhausted (a limit, or out of memory).
Result<Image> read_image(const std::string& path, const ReadOptions& options = {});

/// The same from memory; `name` stands for the file in error sentences.
Result<Image> decode_image(std::span<const std::byte> bytes, const std::string& name,
                           const ReadOptions& options = {});

/// Takes a row of RGB, which stays as long as the call; an error ends the decoding.
using RowSink = std::function<Status(const uint8_t* rgb)>;

/// The same, one row at a time from the top, so that a JPEG is never in memory as a whole (one that
/// has to be turned is, and other formats are). Errors: those, also after rows were given, and the
/// sink's own. `keep_alpha` is ignored.
Status decode_rows(std::span<const std::byte> bytes, const std::string& name,
                   const ReadOptions& options, const RowSink& sink);

/// Format, upright size and orientation, without decoding pixels. No size limit is applied.
Result<ImageInfo> probe_image(std::span<const std::byte> bytes, const std::string& name);

/// A label map: an indexed or grey PNG whose raw values are the labels, 0 to 255, with neither
/// palette nor grey scaling applied; channels = 1. A colour PNG, a 16-bit value above 255 and a
/// pixel that is not opaque are kUnsupported.
Result<Image> read_label_png(const std::string& path, const ReadOptions& options = {});
Result<Image> decode_label_png(std::span<const std::byte> bytes, const std::string& name,
                               const ReadOptions& options = {});
/// The same for labels from 0 to 65535: of a PNG of 16 bits channels = 2, the higher byte first.
/// One of 16 bits may be RGB, if all its pixels are greys.
Result<Image> decode_wide_label_png(std::span<const std::byte> bytes, const std::string& name,
                                    const ReadOptions& options = {});

}  // namespace deeplab::imageio
