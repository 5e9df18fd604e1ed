// TIFF by libtiff: the first picture of the file, in any form that libtiff turns into RGBA.
#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "imageio/codec.h"
#include "imageio/orientation.h"

namespace deeplab::imageio {
namespace {

// The largest piece that libtiff may take at a time: strips, tiles and tables. A strip may be the
// whole picture in its own form, up to 4 samples of 16 bits.
constexpr tmsize_t kMostPiece = tmsize_t{1} << 31;

/// The file in memory, for libtiff's calls, and the first error that it tells of.
struct Source {
  Bytes bytes;
  uint64_t at = 0;
  char error[256] = "";
};

Source* source_of(thandle_t handle) { return static_cast<Source*>(handle); }

tmsize_t on_read(thandle_t handle, void* out, tmsize_t size) {
  Source* source = source_of(handle);
  if (size <= 0 || source->at >= source->bytes.size()) return 0;
  const size_t count =
      std::min<size_t>(static_cast<size_t>(size), source->bytes.size() - source->at);
  std::memcpy(out, source->bytes.data() + source->at, count);
  source->at += count;
  return static_cast<tmsize_t>(count);
}

tmsize_t on_write(thandle_t, void*, tmsize_t) { return 0; }

toff_t on_seek(thandle_t handle, toff_t offset, int whence) {
  Source* source = source_of(handle);
  if (whence == SEEK_CUR) offset += source->at;
  if (whence == SEEK_END) offset += source->bytes.size();
  source->at = offset;
  return offset;
}

int on_close(thandle_t) { return 0; }
toff_t on_size(thandle_t handle) { return source_of(handle)->bytes.size(); }

int on_map(thandle_t handle, void** base, toff_t* size) {
  // libtiff only reads a file that was opened for reading.
  *base = const_cast<std::byte*>(source_of(handle)->bytes.data());
  *size = source_of(handle)->bytes.size();
  return 1;
}
void on_unmap(thandle_t, void*, toff_t) {}

int on_error(TIFF*, void* user, const char*, const char* format, va_list arguments) {
  auto* source = static_cast<Source*>(user);
  if (source->error[0] == '\0') {
    std::vsnprintf(source->error, sizeof(source->error), format, arguments);
  }
  return 1;
}
int on_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

struct Close {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
using File = std::unique_ptr<TIFF, Close>;
struct FreeOptions {
  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};

File open(Source& source) {
  const std::unique_ptr<TIFFOpenOptions, FreeOptions> options(TIFFOpenOptionsAlloc());
  if (options == nullptr) throw std::bad_alloc();
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMostPiece);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), on_error, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), on_warning, &source);
  return File(TIFFClientOpenExt("TIFF", "r", &source, on_read, on_write, on_seek, on_close, on_size,
                                on_map, on_unmap, options.get()));
}

Status failure(const Source& source) {
  std::string text = source.error[0] != '\0' ? source.error : "the file contradicts itself";
  std::ranges::replace(text, '\n', ' ');
  return invalid_image("damaged TIFF: ", text);
}

struct Size {
  uint32_t width = 0;
  uint32_t height = 0;
};

Result<Size> read_size(TIFF* tiff, const Source& source) {
  Size size;
  if (TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &size.width) == 0 ||
      TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &size.height) == 0) {
    return failure(source);
  }
  return size;
}

int orientation(TIFF* tiff) {
  uint16_t tag = 1;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &tag);
  if (tag >= 2 && tag <= 8) return tag;
  uint16_t unset = 0;
  if (TIFFGetField(tiff, TIFFTAG_ORIENTATION, &unset) != 0) return 1;
  uint32_t size = 0;
  void* xmp = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_XMLPACKET, &size, &xmp) == 0 || xmp == nullptr) return 1;
  OrientationFinder finder;
  finder.xmp({static_cast<const std::byte*>(xmp), std::min<size_t>(size, kMostMetadataBytes)});
  return finder.orientation();
}

bool recognizes(Bytes bytes) {
  if (bytes.size() < 8) return false;
  for (const char* magic : {"II*\0", "MM\0*", "II+\0", "MM\0+"}) {
    if (std::memcmp(bytes.data(), magic, 4) == 0) return true;
  }
  return false;
}

Result<ImageInfo> probe(Bytes bytes) {
  Source source{bytes};
  const File tiff = open(source);
  if (tiff == nullptr) return failure(source);
  DEEPLAB_ASSIGN_OR_RETURN(const Size size, read_size(tiff.get(), source));
  DEEPLAB_RETURN_IF_ERROR(check_size(size.width, size.height, INT64_MAX));
  return ImageInfo{ImageFormat::kTiff, static_cast<int32_t>(size.width),
                   static_cast<int32_t>(size.height), orientation(tiff.get())};
}

/// libtiff premultiplies straight alpha; this is how it was before, as far as 8 bits know.
void unmultiply(uint8_t* rgba) {
  const int alpha = rgba[3];
  if (alpha == 0 || alpha == 255) return;
  for (int c = 0; c < 3; ++c) {
    rgba[c] = static_cast<uint8_t>(std::min(255, (rgba[c] * 255 + alpha / 2) / alpha));
  }
}

bool has_alpha(TIFF* tiff) {
  uint16_t count = 0;
  uint16_t* kinds = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) == 0 || count == 0) return false;
  return kinds[0] == EXTRASAMPLE_ASSOCALPHA || kinds[0] == EXTRASAMPLE_UNASSALPHA;
}

/// All pixels as libtiff gives them, one word each; it fills only what the file holds.
struct FreeRaster {
  void operator()(uint32_t* raster) const { std::free(raster); }
};
using Raster = std::unique_ptr<uint32_t, FreeRaster>;

Result<Decoded> decode(Bytes bytes, const ReadOptions& options) {
  Source source{bytes};
  const File tiff = open(source);
  if (tiff == nullptr) return failure(source);
  DEEPLAB_ASSIGN_OR_RETURN(const Size size, read_size(tiff.get(), source));
  DEEPLAB_RETURN_IF_ERROR(check_size(size.width, size.height, options.max_pixels));
  char reason[1024] = "";
  if (TIFFRGBAImageOK(tiff.get(), reason) == 0) {
    return unsupported("a TIFF of a rare kind: ", reason);
  }
  // calloc(): memory is taken as pixels are written.
  const Raster raster(
      static_cast<uint32_t*>(std::calloc(size_t{size.width} * size.height, sizeof(uint32_t))));
  if (raster == nullptr) throw std::bad_alloc();
  const int turned = orientation(tiff.get());
  // As stored: make_upright() turns it, as it does all others.
  TIFFSetField(tiff.get(), TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  if (TIFFReadRGBAImageOriented(tiff.get(), size.width, size.height, raster.get(),
                                ORIENTATION_TOPLEFT, 1) == 0) {
    return failure(source);
  }
  const int32_t channels = has_alpha(tiff.get()) ? 4 : 3;
  Image image = make_empty_image(size.width, size.height, channels);
  const uint32_t* from = raster.get();
  for (uint32_t y = 0; y < size.height; ++y) {
    uint8_t* to = add_row(image);
    for (uint32_t x = 0; x < size.width; ++x, ++from, to += channels) {
      to[0] = static_cast<uint8_t>(TIFFGetR(*from));
      to[1] = static_cast<uint8_t>(TIFFGetG(*from));
      to[2] = static_cast<uint8_t>(TIFFGetB(*from));
      if (channels == 4) {
        to[3] = static_cast<uint8_t>(TIFFGetA(*from));
        unmultiply(to);
      }
    }
  }
  return Decoded{std::move(image), turned};
}

std::vector<std::byte> profile(Bytes bytes) {
  Source source{bytes};
  const File tiff = open(source);
  uint32_t size = 0;
  void* data = nullptr;
  if (tiff == nullptr || TIFFGetField(tiff.get(), TIFFTAG_ICCPROFILE, &size, &data) == 0 ||
      data == nullptr || size > kMostMetadataBytes) {
    return {};
  }
  const auto* first = static_cast<const std::byte*>(data);
  return {first, first + size};
}

}  // namespace

const Codec kTiffCodec = {recognizes, probe, decode, nullptr, profile};

}  // namespace deeplab::imageio
