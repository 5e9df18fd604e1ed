#include "tests/imageio/codec_files.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#ifdef DEEPLAB_WITH_GIF
#include <gif_lib.h>
#endif
#ifdef DEEPLAB_WITH_TIFF
#include <tiffio.h>
#endif
#ifdef DEEPLAB_WITH_HEIF
#include <libheif/heif.h>
#endif
#ifdef DEEPLAB_WITH_LCMS
#include <lcms2.h>
#endif

namespace deeplab::imageio::testing {
namespace {

/// A mistake in a test may well end the program.
[[maybe_unused]] void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(what);
}

[[maybe_unused]] void append(File& out, const void* data, size_t size) {
  const auto* first = static_cast<const std::byte*>(data);
  out.insert(out.end(), first, first + size);
}

}  // namespace

#ifdef DEEPLAB_WITH_GIF
File gif_file(const GifSpec& spec) {
  File out;
  int error = 0;
  GifFileType* gif = EGifOpen(
      &out,
      [](GifFileType* g, const GifByteType* data, int size) {
        append(*static_cast<File*>(g->UserData), data, static_cast<size_t>(size));
        return size;
      },
      &error);
  require(gif != nullptr, "giflib");
  EGifSetGifVersion(gif, true);
  std::vector<GifColorType> colors(16);
  for (size_t i = 0; i < 16; ++i) {
    colors[i] = {spec.palette[3 * i], spec.palette[3 * i + 1], spec.palette[3 * i + 2]};
  }
  ColorMapObject* map = GifMakeMapObject(16, colors.data());
  require(EGifPutScreenDesc(gif, spec.width, spec.height, 4, 0, map) == GIF_OK, "screen");
  for (int frame = 0; frame < spec.frames; ++frame) {
    GifByteType block[4];
    EGifGCBToExtension(
        std::array<GraphicsControlBlock, 1>{{{DISPOSAL_UNSPECIFIED, false, 10, spec.transparent}}}
            .data(),
        block);
    require(EGifPutExtension(gif, GRAPHICS_EXT_FUNC_CODE, 4, block) == GIF_OK, "extension");
    require(EGifPutImageDesc(gif, spec.frame.left, spec.frame.top, spec.frame.width,
                             spec.frame.height, spec.interlaced, nullptr) == GIF_OK,
            "frame");
    Samples pixels = frame == 0 ? spec.indices : Samples(spec.indices.size(), 3);
    std::vector<int> rows;
    for (const auto& [start, step] :
         spec.interlaced ? std::vector<std::pair<int, int>>{{0, 8}, {4, 8}, {2, 4}, {1, 2}}
                         : std::vector<std::pair<int, int>>{{0, 1}}) {
      for (int y = start; y < spec.frame.height; y += step) rows.push_back(y);
    }
    for (const int y : rows) {
      require(EGifPutLine(gif, pixels.data() + ptrdiff_t{y} * spec.frame.width, spec.frame.width) ==
                  GIF_OK,
              "line");
    }
  }
  require(EGifCloseFile(gif, &error) == GIF_OK, "close");
  GifFreeMapObject(map);
  return out;
}
#endif

#ifdef DEEPLAB_WITH_TIFF
namespace {

struct TiffMemory {
  File bytes;
  size_t at = 0;
};

tmsize_t read_tiff(thandle_t handle, void* out, tmsize_t size) {
  auto* memory = static_cast<TiffMemory*>(handle);
  const size_t left = memory->bytes.size() - std::min(memory->at, memory->bytes.size());
  const size_t count = std::min(static_cast<size_t>(size), left);
  std::copy_n(memory->bytes.data() + memory->at, count, static_cast<std::byte*>(out));
  memory->at += count;
  return static_cast<tmsize_t>(count);
}

tmsize_t write_tiff(thandle_t handle, void* data, tmsize_t size) {
  auto* memory = static_cast<TiffMemory*>(handle);
  const auto count = static_cast<size_t>(size);
  if (memory->bytes.size() < memory->at + count) memory->bytes.resize(memory->at + count);
  std::memcpy(memory->bytes.data() + memory->at, data, count);
  memory->at += count;
  return size;
}

toff_t seek_tiff(thandle_t handle, toff_t offset, int whence) {
  auto* memory = static_cast<TiffMemory*>(handle);
  if (whence == SEEK_CUR) offset += memory->at;
  if (whence == SEEK_END) offset += memory->bytes.size();
  memory->at = offset;
  return offset;
}

}  // namespace

File tiff_file(const TiffSpec& spec) {
  TiffMemory memory;
  TIFF* tiff = TIFFClientOpen(
      "tiff", "w", &memory, read_tiff, write_tiff, seek_tiff, [](thandle_t) { return 0; },
      [](thandle_t handle) -> toff_t { return static_cast<TiffMemory*>(handle)->bytes.size(); },
      nullptr, nullptr);
  require(tiff != nullptr, "libtiff");
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, spec.width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, spec.height);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, spec.channels);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, spec.bits);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC,
               spec.channels >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_LZW);
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, spec.orientation);
  if (spec.is_float) TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_IEEEFP);
  if (spec.channels == 4) {
    const uint16_t kind = EXTRASAMPLE_UNASSALPHA;
    TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &kind);
  }
  Samples samples = spec.samples;
  const size_t pixel = static_cast<size_t>(spec.channels * spec.bits / 8);
  const size_t stride = static_cast<size_t>(spec.width) * pixel;
  if (spec.tiled) {
    constexpr size_t kTile = 16;
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, kTile);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, kTile);
    for (size_t y = 0; y < static_cast<size_t>(spec.height); y += kTile) {
      for (size_t x = 0; x < static_cast<size_t>(spec.width); x += kTile) {
        Samples tile(kTile * kTile * pixel);
        const size_t columns = std::min(kTile, static_cast<size_t>(spec.width) - x);
        for (size_t row = 0; row < kTile && y + row < static_cast<size_t>(spec.height); ++row) {
          std::copy_n(samples.data() + (y + row) * stride + x * pixel, columns * pixel,
                      tile.data() + row * kTile * pixel);
        }
        require(TIFFWriteTile(tiff, tile.data(), static_cast<uint32_t>(x), static_cast<uint32_t>(y),
                              0, 0) > 0,
                "tile");
      }
    }
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 8);
    for (int y = 0; y < spec.height; ++y) {
      require(TIFFWriteScanline(tiff, samples.data() + static_cast<size_t>(y) * stride,
                                static_cast<uint32_t>(y), 0) > 0,
              "row");
    }
  }
  TIFFClose(tiff);
  return memory.bytes;
}

File with_tiff_size(const File& tiff, uint32_t width, uint32_t height) {
  File out = tiff;
  const auto load = [&](size_t at, int bytes) {
    uint32_t value = 0;
    for (int i = bytes; i-- > 0;)
      value = value << 8 | std::to_integer<uint32_t>(out[at + static_cast<size_t>(i)]);
    return value;
  };
  const size_t directory = load(4, 4);
  for (uint32_t i = 0; i < load(directory, 2); ++i) {
    const size_t entry = directory + 2 + 12 * i;
    const uint32_t tag = load(entry, 2);
    if (tag != 256 && tag != 257) continue;
    const File value = FileBuilder().le16(4).le32(1).le32(tag == 256 ? width : height).take();
    std::copy(value.begin(), value.end(), out.begin() + static_cast<ptrdiff_t>(entry) + 2);
  }
  return out;
}
#endif

#ifdef DEEPLAB_WITH_HEIF
File heif_file(const HeifSpec& spec) {
  File out;
  heif_context* context = heif_context_alloc();
  heif_encoder* encoder = nullptr;
  const heif_error found = heif_context_get_encoder_for_format(
      context, spec.avif ? heif_compression_AV1 : heif_compression_HEVC, &encoder);
  if (found.code == heif_error_Ok) {
    heif_image* image = nullptr;
    heif_image_create(spec.width, spec.height, heif_colorspace_RGB, heif_chroma_interleaved_RGB,
                      &image);
    heif_image_add_plane(image, heif_channel_interleaved, spec.width, spec.height, 24);
    int stride = 0;
    uint8_t* plane = heif_image_get_plane(image, heif_channel_interleaved, &stride);
    for (int y = 0; y < spec.height; ++y) {
      std::copy_n(spec.samples.data() + ptrdiff_t{y} * spec.width * 3, spec.width * 3,
                  plane + ptrdiff_t{y} * stride);
    }
    heif_encoder_set_lossy_quality(encoder, 95);
    heif_image_handle* handle = nullptr;
    const heif_error encoded = heif_context_encode_image(context, image, encoder, nullptr, &handle);
    require(encoded.code == heif_error_Ok, "libheif cannot encode");
    heif_writer writer = {1, [](heif_context*, const void* data, size_t size, void* user) {
                            append(*static_cast<File*>(user), data, size);
                            return heif_error{heif_error_Ok, heif_suberror_Unspecified, ""};
                          }};
    heif_context_write(context, &writer, &out);
    heif_image_handle_release(handle);
    heif_image_release(image);
    heif_encoder_release(encoder);
  }
  heif_context_free(context);
  return out;
}
#endif

#ifdef DEEPLAB_WITH_LCMS
namespace {

File saved(cmsHPROFILE profile) {
  cmsUInt32Number size = 0;
  require(cmsSaveProfileToMem(profile, nullptr, &size) != 0, "lcms2");
  File out(size);
  require(cmsSaveProfileToMem(profile, out.data(), &size) != 0, "lcms2");
  cmsCloseProfile(profile);
  return out;
}

}  // namespace

File wide_profile() {
  const cmsCIExyY white = {0.3457, 0.3585, 1};
  const cmsCIExyYTRIPLE primaries = {{0.7347, 0.2653, 1}, {0.1596, 0.8404, 1}, {0.0366, 0.0001, 1}};
  cmsToneCurve* gamma = cmsBuildGamma(nullptr, 1.8);
  cmsToneCurve* curves[3] = {gamma, gamma, gamma};
  File out = saved(cmsCreateRGBProfile(&white, &primaries, curves));
  cmsFreeToneCurve(gamma);
  return out;
}

File srgb_profile() { return saved(cmsCreate_sRGBProfile()); }
#endif

File with_jpeg_profile(const File& jpeg, const File& profile) {
  const File marker = FileBuilder()
                          .be16(0xFFE2)
                          .be16(static_cast<uint32_t>(2 + 14 + profile.size()))
                          .text(std::string("ICC_PROFILE\0\1\1", 14))
                          .raw(profile)
                          .take();
  File out = jpeg;
  out.insert(out.begin() + 2, marker.begin(), marker.end());
  return out;
}

std::vector<NamedFile> optional_flavours() {
  std::vector<NamedFile> files;
#ifdef DEEPLAB_WITH_GIF
  const Samples palette = gradient(4, 4, 3);
  for (const bool interlaced : {false, true}) {
    files.push_back(
        {interlaced ? "interlaced.gif" : "film.gif", gif_file({.width = 12,
                                                               .height = 10,
                                                               .palette = palette,
                                                               .frame = {2, 1, 9, 8},
                                                               .indices = Samples(72, 5),
                                                               .interlaced = interlaced,
                                                               .transparent = interlaced ? 4 : -1,
                                                               .frames = 2})});
  }
#endif
#ifdef DEEPLAB_WITH_TIFF
  for (const bool tiled : {false, true}) {
    for (const int channels : {1, 3, 4}) {
      files.push_back({std::string(tiled ? "tiled" : "strips") + std::to_string(channels) + ".tif",
                       tiff_file({.width = 12,
                                  .height = 10,
                                  .channels = channels,
                                  .samples = gradient(12, 10, channels),
                                  .orientation = channels,
                                  .tiled = tiled})});
    }
  }
#endif
#ifdef DEEPLAB_WITH_HEIF
  for (const bool avif : {false, true}) {
    const File file =
        heif_file({.width = 64, .height = 64, .samples = gradient(64, 64, 3), .avif = avif});
    if (!file.empty()) files.push_back({avif ? "a.avif" : "a.heic", file});
  }
#endif
  return files;
}

}  // namespace deeplab::imageio::testing
