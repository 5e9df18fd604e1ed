// Label maps, overlays, cut-outs and score maps out: PNG and JPEG as bytes in memory. Writing
// them is write_file_atomically()'s job (base/file.h), so that a file appears whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/rgb.h"
#include "base/status.h"

namespace deeplab::imageio {

using EncodedImage = std::vector<std::byte>;

// Pixels are interleaved, rows tight, top row first; their count must be width * height *
// channels. Errors: kInvalidArgument (sizes, quality, palette), kResourceExhausted.

/// 8-bit indexed PNG. `palette` has 1 to 256 colours and covers every index.
Result<EncodedImage> encode_png_indexed(int32_t width, int32_t height,
                                        std::span<const uint8_t> indices,
                                        std::span<const Rgb> palette);
Result<EncodedImage> encode_png_gray(int32_t width, int32_t height, std::span<const uint8_t> gray);
Result<EncodedImage> encode_png_gray16(int32_t width, int32_t height,
                                       std::span<const uint16_t> gray);
Result<EncodedImage> encode_png_rgb(int32_t width, int32_t height, std::span<const uint8_t> rgb);
/// Alpha is straight, not premultiplied.
Result<EncodedImage> encode_png_rgba(int32_t width, int32_t height, std::span<const uint8_t> rgba);

/// A PNG whose rows come one after another and whose bytes leave in pieces, so that nobody has to
/// hold all of either.
class PngWriter {
 public:
  using Sink = std::function<Status(std::span<const std::byte>)>;
  static Result<PngWriter> start_rgba(int32_t width, int32_t height, Sink sink);
  static Result<PngWriter> start_gray16(int32_t width, int32_t height, Sink sink);
  PngWriter(PngWriter&&) noexcept;
  PngWriter& operator=(PngWriter&&) noexcept;
  ~PngWriter();

  /// The next row from the top; as many rows as it was told. Errors: the sink's, or no memory.
  Status write_row(const uint8_t* rgba);
  Status write_row(const uint16_t* gray);
  /// After the last row.
  Status finish();

 private:
  class Encoder;
  explicit PngWriter(std::unique_ptr<Encoder> encoder);

  std::unique_ptr<Encoder> encoder_;
};

/// Baseline JPEG without chroma subsampling, which would smear the colour edges of an overlay.
/// `quality` is libjpeg's, 1 to 100.
Result<EncodedImage> encode_jpeg(int32_t width, int32_t height, std::span<const uint8_t> rgb,
                                 int quality);

/// The same of a picture whose rows come one after another, so that nobody has to hold all of them.
class JpegWriter {
 public:
  static Result<JpegWriter> start(int32_t width, int32_t height, int quality);
  JpegWriter(JpegWriter&&) noexcept;
  JpegWriter& operator=(JpegWriter&&) noexcept;
  ~JpegWriter();

  /// The next row from the top, width * 3 bytes; as many rows as start() was told.
  Status write_row(const uint8_t* rgb);
  /// The file, after the last row.
  Result<EncodedImage> finish();

 private:
  class Encoder;
  explicit JpegWriter(std::unique_ptr<Encoder> encoder);

  std::unique_ptr<Encoder> encoder_;
};

}  // namespace deeplab::imageio
