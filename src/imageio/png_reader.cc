#include <png.h>

#include <cstring>
#include <utility>
#include <vector>

#include "imageio/c_error.h"
#include "imageio/codec.h"
#include "imageio/png_metadata.h"

namespace deeplab::imageio {
namespace {

constexpr unsigned char kSignature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
constexpr size_t kIhdrEnd = 33;  // signature, then length, "IHDR", 13 bytes and a checksum
constexpr size_t kWidthAt = 16;
constexpr size_t kHeightAt = 20;
// The largest chunk but IDAT that is held in memory. Only palettes and EXIF are kept at all.
constexpr png_alloc_size_t kMostChunkBytes = kMostMetadataBytes;

/// libpng says it in several ways.
bool is_about_memory(png_const_charp message) { return std::strstr(message, "memory") != nullptr; }

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto* error = static_cast<CError*>(png_get_error_ptr(png));
  error->raise(
      is_about_memory(message) ? StatusCode::kResourceExhausted : StatusCode::kInvalidImage,
      message);
}

/// Two warnings of libpng are errors here. Without memory for the EXIF block it continues, and a
/// photo would not be turned; and it takes memory for one over our limit, up to 2 GB of it.
void on_warning(png_structp png, png_const_charp message) {
  const bool is_exif = std::strncmp(message, "eXIf", 4) == 0;
  if (is_about_memory(message) || (is_exif && std::strstr(message, "too large") != nullptr)) {
    on_error(png, message);
  }
}

void on_read(png_structp png, png_bytep out, size_t size) {
  auto* rest = static_cast<Bytes*>(png_get_io_ptr(png));
  if (size > rest->size()) png_error(png, "the data ends early (truncated file)");
  std::memcpy(out, rest->data(), size);
  *rest = rest->subspan(size);
}

class PngDecoder {
 public:
  explicit PngDecoder(Bytes bytes) : rest_(bytes) {}
  ~PngDecoder() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  /// Reads all chunks up to the pixels.
  Status read_header();
  /// Reads all pixels and the end of the file, after `set_transforms` (libpng's png_set_...
  /// calls) has said in what form.
  template <typename SetTransforms>
  Result<Image> read_pixels(SetTransforms set_transforms);

  int64_t width() const { return png_get_image_width(png_, info_); }
  int64_t height() const { return png_get_image_height(png_, info_); }
  int color_type() const { return png_get_color_type(png_, info_); }
  int bit_depth() const { return png_get_bit_depth(png_, info_); }

 private:
  Status failure() const { return {error_.code, str_cat(blame(error_), "PNG: ", error_.message)}; }

  Bytes rest_;
  CError error_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

Status PngDecoder::read_header() {
  const bool done = guarded(error_, [&] {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &error_, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
    if (info_ == nullptr) error_.raise(StatusCode::kResourceExhausted, "Out of memory");
    png_set_read_fn(png_, &rest_, on_read);
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check_size() has looked
    png_set_chunk_malloc_max(png_, kMostChunkBytes);
    // Texts, profiles and the like are skipped unread: some are compressed and may be bombs.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    constexpr png_byte kExif[5] = {'e', 'X', 'I', 'f', '\0'};
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_AS_DEFAULT, kExif, 1);
    png_read_info(png_, info_);
  });
  return done ? Status() : failure();
}

template <typename SetTransforms>
Result<Image> PngDecoder::read_pixels(SetTransforms set_transforms) {
  int passes = 1;
  const bool ready = guarded(error_, [&] {
    set_transforms(png_);
    passes = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
  });
  if (!ready) return failure();

  // Without a transform that strips them, 16-bit samples count as two channels of bytes.
  const int sample_bytes = png_get_bit_depth(png_, info_) / 8;
  Image image = make_empty_image(width(), height(), png_get_channels(png_, info_) * sample_bytes);
  const size_t stride = png_get_rowbytes(png_, info_);
  if (stride != static_cast<size_t>(image.width) * static_cast<size_t>(image.channels)) {
    return internal_error("libpng gives rows of ", stride, " bytes for ", image.width, " pixels");
  }
  const bool done = guarded(error_, [&] {
    for (int32_t y = 0; y < image.height; ++y) png_read_row(png_, add_row(image), nullptr);
    for (int pass = 1; pass < passes; ++pass) {
      uint8_t* row = image.pixels.data();
      for (int32_t y = 0; y < image.height; ++y, row += stride) png_read_row(png_, row, nullptr);
    }
    png_read_end(png_, info_);
  });
  if (!done) return failure();
  return image;
}

/// Looks at the size before libpng does, for a sentence that names it.
Status check_header(Bytes bytes, int64_t max_pixels) {
  if (bytes.size() < kIhdrEnd) {
    return invalid_image("damaged PNG: the data ends early (truncated file)");
  }
  return check_size(load_be32(bytes, kWidthAt), load_be32(bytes, kHeightAt), max_pixels);
}

bool recognizes(Bytes bytes) {
  return bytes.size() >= sizeof(kSignature) &&
         std::memcmp(bytes.data(), kSignature, sizeof(kSignature)) == 0;
}

Result<ImageInfo> probe(Bytes bytes) {
  PngDecoder decoder(bytes);
  DEEPLAB_RETURN_IF_ERROR(decoder.read_header());
  return ImageInfo{ImageFormat::kPng, static_cast<int32_t>(decoder.width()),
                   static_cast<int32_t>(decoder.height()), png_orientation(bytes)};
}

Result<Decoded> decode(Bytes bytes, const ReadOptions& options) {
  DEEPLAB_RETURN_IF_ERROR(check_header(bytes, options.max_pixels));
  PngDecoder decoder(bytes);
  DEEPLAB_RETURN_IF_ERROR(decoder.read_header());
  DEEPLAB_ASSIGN_OR_RETURN(Image image, decoder.read_pixels([](png_structp png) {
    png_set_expand(png);    // palettes, 1/2/4-bit grey, transparent colours
    png_set_scale_16(png);  // v * 255 / 65535, rounded
    png_set_gray_to_rgb(png);
  }));
  return Decoded{std::move(image), png_orientation(bytes)};
}

}  // namespace

namespace {

Status is_colour() {
  return unsupported("a colour (RGB) PNG; expected a label map as an indexed or grey PNG");
}

/// Samples of `sample_bytes` each, `colours` equal ones per pixel and an alpha sample after them if
/// `has_alpha`, as `label_bytes` per pixel: an id beyond them or a pixel that is not opaque means
/// something that is not known here.
Status narrow_labels(Image& image, int sample_bytes, int colours, bool has_alpha, int label_bytes) {
  const auto pixel_bytes = static_cast<size_t>(image.channels);
  const auto width = static_cast<size_t>(image.width);
  const size_t count = image.pixels.size() / pixel_bytes;
  const auto sample = [&](const uint8_t* at) {
    return sample_bytes == 1 ? int{at[0]} : int{at[0]} << 8 | at[1];
  };
  const int opaque = sample_bytes == 1 ? 0xFF : 0xFFFF;
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* pixel = image.pixels.data() + i * pixel_bytes;
    const int value = sample(pixel);
    for (int k = 1; k < colours; ++k) {
      if (sample(pixel + k * sample_bytes) != value) return is_colour();
    }
    if (has_alpha && sample(pixel + colours * sample_bytes) != opaque) {
      return unsupported("the alpha at x ", i % width, ", y ", i / width,
                         " is not opaque; expected a label map without transparency");
    }
    if (label_bytes == 2) {  // never more than the sample had
      image.pixels[2 * i] = static_cast<uint8_t>(value >> 8);
      image.pixels[2 * i + 1] = static_cast<uint8_t>(value);
      continue;
    }
    if (value > 255) {
      return unsupported("the 16-bit value ", value, " at x ", i % width, ", y ", i / width,
                         " is out of range; expected labels from 0 to 255");
    }
    image.pixels[i] = static_cast<uint8_t>(value);
  }
  image.channels = label_bytes;
  image.pixels.resize(count * static_cast<size_t>(label_bytes));
  return {};
}

}  // namespace

Result<Image> decode_png_labels(Bytes bytes, const ReadOptions& options, bool wide) {
  DEEPLAB_RETURN_IF_ERROR(check_header(bytes, options.max_pixels));
  PngDecoder decoder(bytes);
  DEEPLAB_RETURN_IF_ERROR(decoder.read_header());
  const int type = decoder.color_type();
  const bool rgb = type == PNG_COLOR_TYPE_RGB || type == PNG_COLOR_TYPE_RGB_ALPHA;
  const int sample_bytes = decoder.bit_depth() > 8 ? 2 : 1;
  if (rgb && !(wide && sample_bytes == 2)) return is_colour();
  const bool has_alpha = type == PNG_COLOR_TYPE_GRAY_ALPHA || type == PNG_COLOR_TYPE_RGB_ALPHA;
  // 1/2/4-bit values into bytes, unscaled.
  DEEPLAB_ASSIGN_OR_RETURN(Image image, decoder.read_pixels(png_set_packing));
  if (sample_bytes > 1 || has_alpha) {
    const int label_bytes = wide ? sample_bytes : 1;
    DEEPLAB_RETURN_IF_ERROR(
        narrow_labels(image, sample_bytes, rgb ? 3 : 1, has_alpha, label_bytes));
  }
  return image;
}

const Codec kPngCodec = {recognizes, probe, decode, nullptr, png_profile};

}  // namespace deeplab::imageio
