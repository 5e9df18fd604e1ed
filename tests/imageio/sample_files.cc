#include "tests/imageio/sample_files.h"

// clang-format off
#include <cstdio>
#include <jpeglib.h>  // uses FILE without including it
// clang-format on
#include <png.h>
#include <webp/encode.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace deeplab::imageio::testing {
namespace {

constexpr size_t kPngHeaderEnd = 33;

const unsigned char* as_uchar(const File& file) {
  return reinterpret_cast<const unsigned char*>(file.data());
}

File to_file(const uint8_t* data, size_t size) {
  const auto* first = reinterpret_cast<const std::byte*>(data);
  return File(first, first + size);
}

}  // namespace

FileBuilder& FileBuilder::u8(uint32_t value) {
  file_.push_back(static_cast<std::byte>(value & 0xFF));
  return *this;
}

FileBuilder& FileBuilder::text(const std::string& text) {
  for (const char c : text) file_.push_back(static_cast<std::byte>(c));
  return *this;
}

FileBuilder& FileBuilder::raw(const File& bytes) {
  file_.insert(file_.end(), bytes.begin(), bytes.end());
  return *this;
}

FileBuilder& FileBuilder::raw(const Samples& bytes) {
  return raw(to_file(bytes.data(), bytes.size()));
}

Samples gradient(int width, int height, int channels) {
  Samples samples;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int right = 255 * x / std::max(1, width - 1);
      const int down = 255 * y / std::max(1, height - 1);
      const int values[4] = {right, down, 255 - right, 200};
      for (int c = 0; c < channels; ++c) samples.push_back(static_cast<uint8_t>(values[c]));
    }
  }
  return samples;
}

File exif_block(int orientation, bool big_endian) {
  FileBuilder out;
  const auto u16 = [&](uint32_t v) { big_endian ? out.be16(v) : out.le16(v); };
  const auto u32 = [&](uint32_t v) { big_endian ? out.be32(v) : out.le32(v); };
  out.text(big_endian ? "MM" : "II");
  u16(42);
  u32(8);
  u16(2);
  u16(0x0100), u16(4), u32(1), u32(640);  // ImageWidth
  u16(0x0112), u16(3), u32(1), u16(static_cast<uint32_t>(orientation)), u16(0);
  u32(0);
  return out.take();
}

File jpeg_file(const JpegSpec& spec) {
  jpeg_compress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);  // a mistake in a test may well end the program
  jpeg_create_compress(&jpeg);
  unsigned char* data = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &data, &size);
  jpeg.image_width = static_cast<JDIMENSION>(spec.width);
  jpeg.image_height = static_cast<JDIMENSION>(spec.height);
  const bool four = spec.color == JpegColor::kCmyk || spec.color == JpegColor::kYcck;
  jpeg.input_components = spec.color == JpegColor::kGray ? 1 : four ? 4 : 3;
  jpeg.in_color_space = spec.color == JpegColor::kGray ? JCS_GRAYSCALE : four ? JCS_CMYK : JCS_RGB;
  if (spec.color == JpegColor::kTwoChannels) {
    jpeg.input_components = 2;
    jpeg.in_color_space = JCS_UNKNOWN;
  }
  jpeg_set_defaults(&jpeg);
  if (spec.color == JpegColor::kRgb) jpeg_set_colorspace(&jpeg, JCS_RGB);
  if (spec.color == JpegColor::kYcck) jpeg_set_colorspace(&jpeg, JCS_YCCK);
  if (four) jpeg.write_Adobe_marker = spec.adobe_marker ? TRUE : FALSE;
  if (!spec.chroma_subsampling)
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
  if (spec.color == JpegColor::kYcck)
    jpeg.comp_info[3].h_samp_factor = jpeg.comp_info[3].v_samp_factor = 1;
  jpeg_set_quality(&jpeg, spec.quality, TRUE);
  jpeg.restart_in_rows = spec.restart_rows;
  if (spec.progressive) jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  if (!spec.exif.empty()) {
    jpeg_write_marker(&jpeg, JPEG_APP0 + 1, as_uchar(spec.exif),
                      static_cast<unsigned>(spec.exif.size()));
  }
  const size_t stride = static_cast<size_t>(spec.width * jpeg.input_components);
  while (jpeg.next_scanline < jpeg.image_height) {
    auto row = const_cast<JSAMPROW>(spec.samples.data() + jpeg.next_scanline * stride);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  File file = to_file(data, size);
  std::free(data);
  return file;
}

Samples default_jpeg_pixels(const File& file) {
  jpeg_decompress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, as_uchar(file), static_cast<unsigned long>(file.size()));
  jpeg_read_header(&jpeg, TRUE);
  jpeg_start_decompress(&jpeg);
  Samples pixels(size_t{jpeg.output_width} * jpeg.output_height * 3);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = pixels.data() + size_t{jpeg.output_scanline} * jpeg.output_width * 3;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return pixels;
}

File png_file(const PngSpec& spec) {
  File out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(
      png, &out,
      [](png_structp p, png_bytep data, size_t size) {
        const File bytes = to_file(data, size);
        auto* file = static_cast<File*>(png_get_io_ptr(p));
        file->insert(file->end(), bytes.begin(), bytes.end());
      },
      [](png_structp) {});
  png_set_check_for_invalid_index(png, 0);  // some tests want them
  png_set_IHDR(png, info, static_cast<png_uint_32>(spec.width),
               static_cast<png_uint_32>(spec.height), spec.bit_depth, spec.color_type,
               spec.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!spec.palette.empty()) {
    png_set_PLTE(png, info, reinterpret_cast<png_const_colorp>(spec.palette.data()),
                 static_cast<int>(spec.palette.size() / 3));
  }
  if (!spec.palette_alpha.empty()) {
    png_set_tRNS(png, info, spec.palette_alpha.data(), static_cast<int>(spec.palette_alpha.size()),
                 nullptr);
  }
  if (spec.transparent_gray >= 0) {
    png_color_16 gray = {};
    gray.gray = static_cast<png_uint_16>(spec.transparent_gray);
    png_set_tRNS(png, info, nullptr, 0, &gray);
  }
  File exif = spec.exif;
  if (!exif.empty()) {
    png_set_eXIf_1(png, info, static_cast<png_uint_32>(exif.size()),
                   reinterpret_cast<png_bytep>(exif.data()));
  }
  png_write_info(png, info);
  Samples pixels = spec.rows;
  std::vector<png_bytep> rows;
  const size_t stride = pixels.size() / static_cast<size_t>(spec.height);
  for (int y = 0; y < spec.height; ++y)
    rows.push_back(pixels.data() + stride * static_cast<size_t>(y));
  png_write_image(png, rows.data());
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  return out;
}

std::vector<uint16_t> png_gray16_values(const File& file) {
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  const std::byte* next = file.data();
  png_set_read_fn(png, &next, [](png_structp p, png_bytep out, size_t size) {
    auto** from = static_cast<const std::byte**>(png_get_io_ptr(p));
    std::memcpy(out, *from, size);
    *from += size;
  });
  png_read_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  std::vector<uint16_t> values;
  if (png_get_bit_depth(png, info) == 16 && png_get_color_type(png, info) == PNG_COLOR_TYPE_GRAY) {
    for (png_uint_32 y = 0; y < png_get_image_height(png, info); ++y) {
      png_const_bytep row = png_get_rows(png, info)[y];
      for (png_uint_32 x = 0; x < png_get_image_width(png, info); ++x) {
        values.push_back(static_cast<uint16_t>(row[2 * x] << 8 | row[2 * x + 1]));
      }
    }
  }
  png_destroy_read_struct(&png, &info, nullptr);
  return values;
}

File png_chunk(const std::string& name, const File& data) {
  const File body = FileBuilder().text(name).raw(data).take();
  const auto crc = static_cast<uint32_t>(crc32(0, as_uchar(body), static_cast<uInt>(body.size())));
  return FileBuilder().be32(static_cast<uint32_t>(data.size())).raw(body).be32(crc).take();
}

Samples zlib_of(const Samples& data) {
  uLongf length = compressBound(data.size());
  Samples out(length);
  if (compress2(out.data(), &length, data.data(), data.size(), 9) != Z_OK)
    throw std::runtime_error("zlib");
  out.resize(length);
  return out;
}

File zlib_zeros(size_t size) {
  const Samples packed = zlib_of(Samples(size));
  return to_file(packed.data(), packed.size());
}

File with_png_chunk(const File& png, const File& chunk) {
  File out = png;
  out.insert(out.begin() + kPngHeaderEnd, chunk.begin(), chunk.end());
  return out;
}

File with_png_size(const File& png, uint32_t width, uint32_t height) {
  const File rest(png.begin() + 24, png.begin() + 29);  // depth, type, methods
  const File chunk = png_chunk("IHDR", FileBuilder().be32(width).be32(height).raw(rest).take());
  File out = png;
  std::copy(chunk.begin(), chunk.end(), out.begin() + 8);
  return out;
}

File webp_file(int width, int height, int channels, const Samples& samples, bool lossless,
               float quality) {
  uint8_t* data = nullptr;
  size_t size = 0;
  const int stride = width * channels;
  if (channels == 4) {
    size = lossless ? WebPEncodeLosslessRGBA(samples.data(), width, height, stride, &data)
                    : WebPEncodeRGBA(samples.data(), width, height, stride, quality, &data);
  } else {
    size = lossless ? WebPEncodeLosslessRGB(samples.data(), width, height, stride, &data)
                    : WebPEncodeRGB(samples.data(), width, height, stride, quality, &data);
  }
  File file = to_file(data, size);
  WebPFree(data);
  return file;
}

File webp_extended(const File& simple, int width, int height, uint32_t flags, const File& exif) {
  const auto u24 = [](FileBuilder& out, int v) {
    out.le16(static_cast<uint32_t>(v)).u8(static_cast<uint32_t>(v) >> 16);
  };
  FileBuilder body;
  body.text("WEBP").text("VP8X").le32(10).le32(flags);
  u24(body, width - 1);
  u24(body, height - 1);
  if ((flags & 0x02) != 0) body.text("ANIM").le32(6).le32(0).le16(0);
  body.raw(File(simple.begin() + 12, simple.end()));
  if (!exif.empty()) {
    body.text("EXIF").le32(static_cast<uint32_t>(exif.size())).raw(exif);
    if (exif.size() % 2 != 0) body.u8(0);
  }
  const File content = body.take();
  return FileBuilder().text("RIFF").le32(static_cast<uint32_t>(content.size())).raw(content).take();
}

File bmp_file(const BmpSpec& spec) {
  const bool core = spec.header_bytes == 12;
  const bool masks_in_header = spec.header_bytes >= 52;
  const size_t palette_bytes = spec.palette.size() / 3 * (core ? 3 : 4);
  const size_t extra_masks = masks_in_header ? 0 : spec.masks.size() * 4;
  const auto offset = static_cast<uint32_t>(14 + spec.header_bytes + extra_masks + palette_bytes);
  FileBuilder out;
  out.text("BM").le32(offset + static_cast<uint32_t>(spec.data.size())).le32(0).le32(offset);
  out.le32(spec.header_bytes);
  if (core) {
    out.le16(static_cast<uint32_t>(spec.width)).le16(static_cast<uint32_t>(spec.height));
    out.le16(1).le16(static_cast<uint32_t>(spec.bits));
  } else {
    out.le32(static_cast<uint32_t>(spec.width)).le32(static_cast<uint32_t>(spec.height));
    out.le16(1).le16(static_cast<uint32_t>(spec.bits)).le32(spec.compression);
    out.le32(static_cast<uint32_t>(spec.data.size())).le32(2835).le32(2835);
    out.le32(static_cast<uint32_t>(spec.palette.size() / 3)).le32(0);
    for (const uint32_t mask : spec.masks) out.le32(mask);
    while (out.size() < 14 + spec.header_bytes) out.u8(0);
  }
  for (size_t i = 0; i < spec.palette.size(); i += 3) {
    out.u8(spec.palette[i + 2]).u8(spec.palette[i + 1]).u8(spec.palette[i]);
    if (!core) out.u8(0);
  }
  return out.raw(spec.data).take();
}

File text_file(const std::string& text) { return FileBuilder().text(text).take(); }

std::vector<NamedFile> every_flavour() {
  constexpr int kW = 37;
  constexpr int kH = 29;
  const Samples gray = gradient(kW, kH, 1);
  const Samples rgb = gradient(kW, kH, 3);
  const Samples rgba = gradient(kW, kH, 4);
  const Samples palette = gradient(16, 16, 3);
  const File exif = exif_block(6, true);
  const File jpeg_exif = FileBuilder().text(std::string("Exif\0\0", 6)).raw(exif).take();
  const std::string size = std::to_string(kW) + " " + std::to_string(kH);
  Samples deep = rgba;  // 16-bit samples of a picture half as wide are as good as any
  deep.insert(deep.end(), rgba.begin(), rgba.end());
  Samples padded_rows(size_t{112} * kH, 77);
  FileBuilder plain;
  plain.text("P3\n# a comment\n" + size + "\n255\n");
  for (const uint8_t sample : rgb) plain.text(std::to_string(sample) + "\n");
  Samples runs;
  for (int y = 0; y < kH; ++y) runs.insert(runs.end(), {20, 3, 0, 3, 1, 2, 3, 0, 14, 9, 0, 0});
  runs.insert(runs.end(), {0, 1});
  Samples nibble_runs;
  for (int y = 0; y < kH; ++y) {
    nibble_runs.insert(nibble_runs.end(), {20, 0x34, 0, 3, 0x12, 0x30, 14, 0x99, 0, 0});
  }
  nibble_runs.insert(nibble_runs.end(), {0, 1});
  const File lossy = webp_file(kW, kH, 3, rgb, false, 80);
  return {
      {"gray.jpg",
       jpeg_file({.width = kW, .height = kH, .color = JpegColor::kGray, .samples = gray})},
      {"exif.jpg", jpeg_file({.width = kW,
                              .height = kH,
                              .samples = rgb,
                              .chroma_subsampling = true,
                              .exif = jpeg_exif})},
      {"restart.jpg", jpeg_file({.width = kW, .height = kH, .samples = rgb, .restart_rows = 1})},
      {"progressive.jpg",
       jpeg_file({.width = kW, .height = kH, .samples = rgb, .progressive = true})},
      {"cmyk.jpg",
       jpeg_file({.width = kW, .height = kH, .color = JpegColor::kCmyk, .samples = rgba})},
      {"ycck.jpg",
       jpeg_file({.width = kW, .height = kH, .color = JpegColor::kYcck, .samples = rgba})},
      {"rgb.png", png_file({.width = kW, .height = kH, .rows = rgb, .exif = exif})},
      {"rgba_interlaced.png", png_file({.width = kW,
                                        .height = kH,
                                        .color_type = PNG_COLOR_TYPE_RGB_ALPHA,
                                        .rows = rgba,
                                        .interlaced = true})},
      {"rgba16.png", png_file({.width = kW,
                               .height = kH,
                               .color_type = PNG_COLOR_TYPE_RGB_ALPHA,
                               .bit_depth = 16,
                               .rows = deep})},
      {"palette.png", png_file({.width = kW,
                                .height = kH,
                                .color_type = PNG_COLOR_TYPE_PALETTE,
                                .rows = gray,
                                .palette = palette,
                                .palette_alpha = {0, 128}})},
      {"lossy.webp", lossy},
      {"lossless.webp", webp_file(kW, kH, 3, rgb, true)},
      {"alpha.webp", webp_file(kW, kH, 4, rgba, false, 80)},
      {"exif.webp", webp_extended(lossy, kW, kH, 0x08, exif)},
      {"24.bmp", bmp_file({.width = kW, .height = kH, .data = padded_rows})},
      {"8.bmp", bmp_file({.width = kW,
                          .height = -kH,
                          .bits = 8,
                          .palette = palette,
                          .data = Samples(size_t{40} * kH, 5)})},
      {"1.bmp", bmp_file({.width = kW,
                          .height = kH,
                          .bits = 1,
                          .palette = {0, 0, 0, 9, 9, 9},
                          .data = Samples(size_t{8} * kH, 0xA5)})},
      {"rle8.bmp", bmp_file({.width = kW,
                             .height = kH,
                             .bits = 8,
                             .compression = 1,
                             .palette = palette,
                             .data = runs})},
      {"rle4.bmp", bmp_file({.width = kW,
                             .height = kH,
                             .bits = 4,
                             .compression = 2,
                             .palette = palette,
                             .data = nibble_runs})},
      {"32.bmp", bmp_file({.width = kW,
                           .height = kH,
                           .bits = 32,
                           .compression = 3,
                           .header_bytes = 124,
                           .masks = {0xFF0000, 0xFF00, 0xFF, 0xFF000000},
                           .data = rgba})},
      {"raw.ppm", FileBuilder().text("P6 " + size + " 255\n").raw(rgb).take()},
      {"raw16.pgm", FileBuilder().text("P5 " + size + " 65535\n").raw(gray).raw(gray).take()},
      {"plain.ppm", plain.take()},
      {"raw.pbm",
       FileBuilder().text("P4 " + size + "\n").raw(Samples(size_t{5} * kH, 0xA5)).take()},
  };
}

}  // namespace deeplab::imageio::testing
