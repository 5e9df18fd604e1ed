// deeplab.cpp for C++20: owning handles over deeplab.h, header-only, so that the library behind
// it can be static, shared, or built by another compiler. The same rules: a Model is immutable
// and may be shared between threads; a Segmenter belongs to one thread at a time; a Stream has its
// own.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deeplab/deeplab.h"
#include "deeplab/status.hpp"

namespace deeplab {

namespace detail {
/// What `body` gives, a Status or a Result; that it is out of memory, where it says so by throwing.
template <typename Body>
auto guarded(const Body& body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kResourceExhausted, "out of memory");  // short: takes none itself
  }
}
inline Status to_status(deeplab_status code, const char* sentence) {
  if (code == DEEPLAB_OK) return {};
  return guarded([&] { return Status(static_cast<StatusCode>(code), sentence); });
}
inline Status to_status(deeplab_status code) { return to_status(code, deeplab_last_error()); }
}  // namespace detail

enum class PixelFormat {
  kRgb8 = DEEPLAB_RGB8,
  kBgr8 = DEEPLAB_BGR8,
  kRgba8 = DEEPLAB_RGBA8,  ///< Alpha is ignored.
  kBgra8 = DEEPLAB_BGRA8,
  kGray8 = DEEPLAB_GRAY8,
};

enum class Fit {
  kPad = DEEPLAB_FIT_PAD,              ///< TensorFlow's evaluation: top-left, shrunk if too large.
  kLetterbox = DEEPLAB_FIT_LETTERBOX,  ///< Scaled to fit, centred, aspect kept.
  kStretch = DEEPLAB_FIT_STRETCH,      ///< Scaled to fill, aspect lost.
};

/// Pixels that the caller owns: read in place, never copied or kept.
struct ImageView {
  const uint8_t* data = nullptr;  ///< First pixel of the top row.
  int32_t width = 0;              ///< Pixels.
  int32_t height = 0;
  ptrdiff_t stride = 0;  ///< Bytes from one row to the next; negative for bottom-up pictures.
  PixelFormat format = PixelFormat::kRgb8;
};

/// tensor value = (pixel - mean) / stddev, pixels 0..255, in R, G, B order.
struct Normalization {
  std::array<float, 3> mean = {127.5f, 127.5f, 127.5f};
  std::array<float, 3> stddev = {127.5f, 127.5f, 127.5f};
};

struct Options {
  int32_t threads = 0;  ///< 0: one per CPU.
  Fit fit = Fit::kPad;
  int32_t width = 0;  ///< Input canvas in pixels; 0, 0: the model's own size.
  int32_t height = 0;
  /// Nothing: what the file's metadata says, else Normalization's defaults.
  std::optional<Normalization> normalization = {};
  /// What a model may ask for, see deeplab_options; 0: the default, 2^30 bytes and 2^40
  /// multiply-accumulates a picture.
  int64_t max_memory_bytes = 0;
  int64_t max_macs = 0;
};

namespace detail {
inline deeplab_options to_c(const Options& options) {
  deeplab_options result;
  deeplab_options_init(&result);
  result.threads = options.threads;
  result.fit = static_cast<deeplab_fit>(options.fit);
  result.width = options.width;
  result.height = options.height;
  result.max_memory_bytes = options.max_memory_bytes;
  result.max_macs = options.max_macs;
  if (options.normalization) {
    result.override_normalization = 1;
    std::copy_n(options.normalization->mean.begin(), 3, result.mean);
    std::copy_n(options.normalization->stddev.begin(), 3, result.stddev);
  }
  return result;
}
inline deeplab_image to_c(const ImageView& image) {
  return {image.data, image.width, image.height, image.stride,
          static_cast<deeplab_pixel_format>(image.format)};
}
}  // namespace detail

/// Timings of one picture's stages, in milliseconds.
using Timing = deeplab_timing;

/// A model file in memory. Copies share it.
class Model {
 public:
  /// Reads a .tflite file.
  static Result<Model> load(const std::string& path) {
    deeplab_model* model = nullptr;
    if (Status s = detail::to_status(deeplab_model_load_file(path.c_str(), &model)); !s.ok()) {
      return s;
    }
    return own(model);
  }
  /// The same from memory; `bytes` may go away afterwards.
  static Result<Model> load(std::span<const std::byte> bytes) {
    deeplab_model* model = nullptr;
    const deeplab_status code = deeplab_model_load_memory(bytes.data(), bytes.size(), &model);
    if (Status s = detail::to_status(code); !s.ok()) return s;
    return own(model);
  }

  /// Number of classes, background (class 0) included.
  int32_t class_count() const { return deeplab_model_class_count(handle()); }
  /// Name of a class; empty for an id out of range. Valid as long as any copy of the model.
  std::string_view label(int32_t class_id) const {
    const char* text = deeplab_model_label(handle(), class_id);
    return text != nullptr ? text : "";
  }
  /// Width and height the file was made for, in pixels.
  std::pair<int32_t, int32_t> input_size() const {
    std::pair<int32_t, int32_t> size;
    deeplab_model_input_size(handle(), &size.first, &size.second);
    return size;
  }

  const deeplab_model* handle() const { return model_.get(); }

 private:
  explicit Model(deeplab_model* model) : model_(model, deeplab_model_free) {}
  static Result<Model> own(deeplab_model* model) {
    return detail::guarded([&]() -> Result<Model> { return Model(model); });
  }
  std::shared_ptr<deeplab_model> model_;
};

/// What a picture shows, at the picture's own size. Owns its memory.
struct Segmentation {
  int32_t width = 0;
  int32_t height = 0;
  std::vector<uint8_t> category_mask;  ///< Class ids, height rows of width.

  uint8_t category(int32_t x, int32_t y) const {
    return category_mask[static_cast<size_t>(y) * static_cast<size_t>(width) +
                         static_cast<size_t>(x)];
  }
  /// Pixels of each class: element i counts class i.
  std::array<int64_t, 256> class_pixels() const {
    std::array<int64_t, 256> counts{};
    for (uint8_t id : category_mask) ++counts[id];
    return counts;
  }
};

/// Runs a model on pictures; one a thread. Move-only.
class Segmenter {
 public:
  /// Plans the network for the canvas and takes all memory it needs. Keeps what it needs of
  /// `model` alive.
  static Result<Segmenter> create(const Model& model, const Options& options = {}) {
    const deeplab_options c_options = detail::to_c(options);
    deeplab_segmenter* segmenter = nullptr;
    const deeplab_status code = deeplab_segmenter_create(model.handle(), &c_options, &segmenter);
    if (Status s = detail::to_status(code); !s.ok()) return s;
    return Segmenter(segmenter);
  }

  /// Photo in, label map out.
  Result<Segmentation> segment(const ImageView& image) {
    if (Status s = run(image); !s.ok()) return s;
    return detail::guarded([&]() -> Result<Segmentation> {
      Segmentation result{image.width, image.height, {}};
      result.category_mask.resize(static_cast<size_t>(image.width) *
                                  static_cast<size_t>(image.height));
      if (Status s = category_mask(image.width, image.height, result.category_mask); !s.ok()) {
        return s;
      }
      return result;
    });
  }

  /// Runs the network only; the calls below then speak of this picture until the next run.
  Status run(const ImageView& image) {
    const deeplab_image c_image = detail::to_c(image);
    return detail::to_status(deeplab_segmenter_run(segmenter_.get(), &c_image));
  }

  /// Class ids at any size, rows tight; `mask` holds at least width * height bytes.
  Status category_mask(int32_t width, int32_t height, std::span<uint8_t> mask) {
    if (Status s = check_size(width, height, mask.size()); !s.ok()) return s;
    return detail::to_status(
        deeplab_segmenter_category_mask(segmenter_.get(), width, height, mask.data(), width));
  }

  /// Confidence 0..1 of one class at any size, rows tight; `mask` holds at least width * height.
  Status confidence_mask(int32_t class_id, int32_t width, int32_t height, std::span<float> mask) {
    if (Status s = check_size(width, height, mask.size()); !s.ok()) return s;
    return detail::to_status(
        deeplab_segmenter_confidence_mask(segmenter_.get(), class_id, width, height, mask.data(),
                                          static_cast<ptrdiff_t>(sizeof(float)) * width));
  }

  Timing timing() const { return deeplab_segmenter_timing(segmenter_.get()); }
  deeplab_segmenter* handle() { return segmenter_.get(); }

 private:
  explicit Segmenter(deeplab_segmenter* segmenter)
      : segmenter_(segmenter, deeplab_segmenter_free) {}

  static Status check_size(int32_t width, int32_t height, size_t available) {
    if (width > 0 && height > 0 &&
        static_cast<size_t>(width) * static_cast<size_t>(height) <= available) {
      return {};
    }
    return detail::to_status(DEEPLAB_INVALID_ARGUMENT,
                             "the mask's memory is smaller than width * height");
  }

  std::unique_ptr<deeplab_segmenter, void (*)(deeplab_segmenter*)> segmenter_;
};

/// A picture that has come out of a Stream, at its own size. Its memory is the stream's.
struct Frame {
  uint64_t id = 0;  ///< As given to push().
  Status status;    ///< Of this picture; an error ends nothing but this picture.
  int32_t width = 0;
  int32_t height = 0;
  std::span<const uint8_t> category_mask;  ///< Rows tight; empty where status is an error.
  Timing timing = {};
};

/// Pictures in, masks out in the same order; the network runs on a thread of the stream's own, so
/// that decoding the next picture and using the last mask happen meanwhile. push() and finish()
/// belong to one thread at a time, pull() to one at a time, the same or another. Move-only.
///
///     std::thread reader([&] { while (auto frame = stream.pull(); frame.ok()) use(*frame); });
///     while (camera >> picture) if (Status s = stream.push(view(picture), n++); !s.ok()) break;
///     stream.finish();
///     reader.join();
class Stream {
 public:
  static constexpr std::chrono::milliseconds kForever{-1};
  static constexpr std::chrono::milliseconds kNoWait{0};

  /// At most `capacity` pictures (1 to 64; 0: three) are inside, pushed and not pulled.
  static Result<Stream> create(const Model& model, const Options& options = {},
                               int32_t capacity = 0) {
    const deeplab_options c_options = detail::to_c(options);
    deeplab_stream* stream = nullptr;
    const deeplab_status code =
        deeplab_stream_create(model.handle(), &c_options, capacity, &stream);
    if (Status s = detail::to_status(code); !s.ok()) return s;
    return Stream(stream);
  }

  /// Reads the pixels before it returns; waits for room. Errors: kWouldBlock (no room in time),
  /// kStreamEnded (finished or cancelled), or what is wrong with the picture; the stream goes on.
  Status push(const ImageView& image, uint64_t id = 0,
              std::chrono::milliseconds timeout = kForever) {
    const deeplab_image c_image = detail::to_c(image);
    return detail::to_status(deeplab_stream_push(stream_.get(), &c_image, id, to_c(timeout)));
  }

  /// The next picture, valid until the next pull(). Errors: kWouldBlock (none was ready in time),
  /// kStreamEnded (cancelled, or finished and all are out).
  Result<Frame> pull(std::chrono::milliseconds timeout = kForever) {
    deeplab_frame c_frame;
    const deeplab_status code = deeplab_stream_pull(stream_.get(), &c_frame, to_c(timeout));
    if (Status s = detail::to_status(code); !s.ok()) return s;
    Frame frame{c_frame.id, {}, c_frame.width, c_frame.height, {}, c_frame.timing};
    if (c_frame.status == DEEPLAB_OK) {
      frame.category_mask = {c_frame.mask,
                             static_cast<size_t>(frame.width) * static_cast<size_t>(frame.height)};
    } else {
      frame.status = detail::to_status(c_frame.status, c_frame.error);
    }
    return frame;
  }

  /// No more pictures: those inside still come out.
  void finish() { deeplab_stream_finish(stream_.get()); }
  /// Drops what is inside and wakes who waits. From any thread, at any time.
  void cancel() { deeplab_stream_cancel(stream_.get()); }
  deeplab_stream* handle() { return stream_.get(); }

 private:
  explicit Stream(deeplab_stream* stream) : stream_(stream, deeplab_stream_free) {}

  static int32_t to_c(std::chrono::milliseconds timeout) {
    return static_cast<int32_t>(
        std::clamp<int64_t>(timeout.count(), -1, std::numeric_limits<int32_t>::max()));
  }

  std::unique_ptr<deeplab_stream, void (*)(deeplab_stream*)> stream_;
};

}  // namespace deeplab
