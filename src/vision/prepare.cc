#include "vision/prepare.h"

#include <algorithm>
#include <new>

namespace deeplab::vision {
namespace {

/// `count` pixels through the tables; returns the end of what it wrote.
template <typename T>
T* write_pixels(const uint8_t* in, PixelLayout layout, int32_t count,
                const std::array<std::array<T, 256>, 3>& lut, T* out) {
  for (int32_t x = 0; x < count; ++x, in += layout.bytes, out += 3) {
    out[0] = lut[0][in[layout.red]];
    out[1] = lut[1][in[layout.green]];
    out[2] = lut[2][in[layout.blue]];
  }
  return out;
}

/// 0.299 R + 0.587 G + 0.114 B in 16-bit fixed point.
uint8_t luma(uint8_t red, uint8_t green, uint8_t blue) {
  return static_cast<uint8_t>((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16);
}

/// The same for a tensor of one channel.
template <typename T>
T* write_grey(const uint8_t* in, PixelLayout layout, int32_t count,
              const std::array<std::array<T, 256>, 3>& lut, T* out) {
  for (int32_t x = 0; x < count; ++x, in += layout.bytes) {
    *out++ = lut[0][luma(in[layout.red], in[layout.green], in[layout.blue])];
  }
  return out;
}

using ByteLut = std::array<std::array<uint8_t, 256>, 3>;

/// The bits to flip in a pixel to get what all three tables have for it, or -1: 0 and 128 are the
/// quantized inputs that are the pixels themselves.
int flipped_bits(const ByteLut& lut) {
  const int flip = lut[0][0];
  for (const auto& table : lut) {
    for (int p = 0; p < 256; ++p) {
      if (table[static_cast<size_t>(p)] != (p ^ flip)) return -1;
    }
  }
  return flip;
}
int flipped_bits(const std::array<std::array<float, 256>, 3>& /*lut*/) { return -1; }

/// As write_pixels() of RGB pixels: sixteen bytes at a time instead of three.
template <typename T>
T* write_flipped(const uint8_t* in, int32_t count, int flip, T* out) {
  const auto bits = static_cast<uint8_t>(flip);
  const int32_t bytes = 3 * count;
  for (int32_t i = 0; i < bytes; ++i) out[i] = static_cast<T>(in[i] ^ bits);
  return out + bytes;
}

template <typename T>
T* write_fill(int64_t count, int32_t channels, const std::array<std::array<T, 256>, 3>& lut,
              T* out) {
  if (channels == 1) return std::fill_n(out, count, lut[0][kFillPixel]);
  static constexpr uint8_t kFill[1] = {kFillPixel};
  constexpr PixelLayout kInPlace{0, 0, 0, 0};
  for (; count > 0; count -= kMaxSide) {
    const auto n = static_cast<int32_t>(std::min<int64_t>(count, kMaxSide));
    out = write_pixels(kFill, kInPlace, n, lut, out);
  }
  return out;
}

/// The rows of a photo, as they lie.
struct StoredRows {
  const ImageView& photo;
  PixelLayout layout() const { return pixel_layout(photo.format); }
  const uint8_t* row(int32_t y) const { return photo.row(y); }
};

/// The rows of a picture, each made when it is asked for.
struct ReadRows {
  const RowReader& reader;
  uint8_t* pixels;
  PixelLayout layout() const { return pixel_layout(PixelFormat::kRgb8); }
  const uint8_t* row(int32_t y) const {
    reader.read(y, pixels);
    return pixels;
  }
};

}  // namespace

Preparer::Preparer(Fit fit, int32_t canvas_width, int32_t canvas_height, double pad_limit, Isa isa)
    : fit_(fit),
      canvas_width_(canvas_width),
      canvas_height_(canvas_height),
      pad_limit_(pad_limit),
      columns_kernel_(kernels::best_for(isa, kernels::resample_columns_kernels())),
      rows_kernel_(kernels::best_for(isa, kernels::resample_rows_kernels())) {}

Status Preparer::configure(int32_t photo_width, int32_t photo_height) {
  if (placement_.photo_width == photo_width && placement_.photo_height == photo_height) return {};
  DEEPLAB_ASSIGN_OR_RETURN(
      const Placement placement,
      place(fit_, photo_width, photo_height, canvas_width_, canvas_height_, pad_limit_));
  const Rect& content = placement.content;
  resizes_ = content.width != photo_width || content.height != photo_height;
  placement_ = {};  // stays so if memory runs out below
  if (resizes_) {
    try {
      columns_.compute(photo_width, content.width);
      columns_.split();
      rows_.compute(photo_height, content.height);
      const size_t row = static_cast<size_t>(content.width) * 3;
      ring_.resize(row * static_cast<size_t>(rows_.taps));
      ring_rows_.resize(static_cast<size_t>(rows_.taps));
      sums_.resize(row);
      pixels_.resize(row);
    } catch (const std::bad_alloc&) {
      return resource_exhausted("no memory to resize a photo of ", photo_width, "x", photo_height,
                                " to ", content.width, "x", content.height);
    }
  }
  placement_ = placement;
  return {};
}

Status Preparer::run(const ImageView& photo, const PixelLut& lut, void* tensor) {
  DEEPLAB_RETURN_IF_ERROR(validate(photo));
  if (tensor == nullptr) return invalid_argument("prepare: tensor is null");
  DEEPLAB_RETURN_IF_ERROR(configure(photo.width, photo.height));
  write_tensor(StoredRows{photo}, lut, tensor);
  return {};
}

Status Preparer::run(const PictureView& picture, const PixelLut& lut, void* tensor) {
  DEEPLAB_RETURN_IF_ERROR(validate(picture));
  if (const auto photo = as_image_view(picture)) return run(*photo, lut, tensor);
  if (tensor == nullptr) return invalid_argument("prepare: tensor is null");
  DEEPLAB_RETURN_IF_ERROR(configure(picture.width(), picture.height()));
  try {
    read_.resize(static_cast<size_t>(picture.width()) * 3);
  } catch (const std::bad_alloc&) {
    return resource_exhausted("no memory for a row of ", picture.width(), " pixels");
  }
  const RowReader reader(picture);
  write_tensor(ReadRows{reader, read_.data()}, lut, tensor);
  return {};
}

template <typename Rows>
void Preparer::write_tensor(const Rows& photo, const PixelLut& lut, void* tensor) {
  if (lut.type == ElementType::kFloat32) {
    write_canvas(photo, lut.channels, lut.values, static_cast<float*>(tensor));
  } else {
    write_canvas(photo, lut.channels, lut.bytes, static_cast<uint8_t*>(tensor));
  }
}

template <typename Rows, typename T>
void Preparer::write_canvas(const Rows& photo, int32_t channels,
                            const std::array<std::array<T, 256>, 3>& lut, T* out) {
  const Rect& content = placement_.content;
  const int32_t right = canvas_width_ - content.x - content.width;
  const int32_t below = canvas_height_ - content.y - content.height;
  const int flip = flipped_bits(lut);
  const PixelLayout rgb = pixel_layout(PixelFormat::kRgb8);
  const auto write_row = [&](const uint8_t* row, PixelLayout layout) {
    if (channels == 1) {
      out = write_grey(row, layout, content.width, lut, out);
      return;
    }
    out = layout == rgb && flip >= 0 ? write_flipped(row, content.width, flip, out)
                                     : write_pixels(row, layout, content.width, lut, out);
  };
  ring_end_ = 0;
  out = write_fill(int64_t{content.y} * canvas_width_, channels, lut, out);
  for (int32_t y = 0; y < content.height; ++y) {
    out = write_fill(content.x, channels, lut, out);
    if (resizes_) {
      write_row(resized_row(photo, y), rgb);
    } else {
      write_row(photo.row(y), photo.layout());
    }
    out = write_fill(right, channels, lut, out);
  }
  write_fill(int64_t{below} * canvas_width_, channels, lut, out);
}

/// Row y of the content, RGB. Rows must be asked for from the top down.
template <typename Rows>
const uint8_t* Preparer::resized_row(const Rows& photo, int32_t y) {
  const size_t row = pixels_.size();
  const auto ring_row = [&](int32_t photo_y) {
    return ring_.data() + row * static_cast<size_t>(photo_y % rows_.taps);
  };
  const int32_t first = rows_.first[static_cast<size_t>(y)];
  const int32_t count = rows_.count[static_cast<size_t>(y)];
  for (ring_end_ = std::max(ring_end_, first); ring_end_ < first + count; ++ring_end_) {
    resize_columns(photo.row(ring_end_), photo.layout(), ring_row(ring_end_));
  }

  for (int32_t k = 0; k < count; ++k) ring_rows_[static_cast<size_t>(k)] = ring_row(first + k);
  rows_kernel_(static_cast<int32_t>(row), ring_rows_.data(), rows_.weights_of(y), count,
               sums_.data(), pixels_.data());
  return pixels_.data();
}

/// The horizontal pass over a row of the photo: content.width RGB pixels.
void Preparer::resize_columns(const uint8_t* row, PixelLayout layout, uint8_t* out) const {
  kernels::ResampleColumns op;
  op.out = columns_.out;
  op.taps = columns_.taps;
  op.first = columns_.first.data();
  op.count = columns_.count.data();
  op.weights = columns_.weights.data();
  op.groups = columns_.groups.data();
  op.group_begin = columns_.group_begin.data();
  op.row_bytes = columns_.in * layout.bytes;
  op.pixel_bytes = layout.bytes;
  op.red = layout.red;
  op.green = layout.green;
  op.blue = layout.blue;
  columns_kernel_(op, row, out);
}

}  // namespace deeplab::vision
