// deeplab.cpp for C++20: owning handles over deeplab.h, header-only, so that the library itself can
// be static, shared, or built by another compiler. The same rules: a Model is immutable
// and may be shared between threads; a Segmenter belongs to one thread at a time; a Stream has a
// thread of its own. deeplab_draw.hpp has overlays, cut-outs and polygons.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
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
/// Runs `body`, which gives a Status or a Result; turns std::bad_alloc into kResourceExhausted.
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

/// A struct that the library fills.
template <typename Struct>
Struct sized() {
  Struct result = {};
  result.struct_size = sizeof(result);
  return result;
}

/// Whether `available` elements hold a mask; the Status says what is wrong.
inline Status check_size(int32_t width, int32_t height, size_t available) {
  if (width > 0 && height > 0 &&
      static_cast<size_t>(width) * static_cast<size_t>(height) <= available) {
    return {};
  }
  return to_status(DEEPLAB_INVALID_ARGUMENT, "the mask's memory is smaller than width * height");
}

inline int32_t to_milliseconds(std::chrono::milliseconds timeout) {
  return static_cast<int32_t>(
      std::clamp<int64_t>(timeout.count(), -1, std::numeric_limits<int32_t>::max()));
}
}  // namespace detail

/// The name of a code, such as "INVALID_ARGUMENT".
inline std::string_view status_name(StatusCode code) {
  return deeplab_status_name(static_cast<deeplab_status>(code));
}

/// The kernel families of this build on this CPU, slowest first.
inline std::vector<std::string_view> isa_names() {
  std::vector<std::string_view> names;
  for (int32_t i = 0; const char* name = deeplab_isa_name(i); ++i) names.emplace_back(name);
  return names;
}

// ---- Pictures ---------------------------------------------------------------------------------

enum class PixelFormat : int32_t {
  kRgb8 = DEEPLAB_RGB8,
  kBgr8 = DEEPLAB_BGR8,
  kRgba8 = DEEPLAB_RGBA8,  ///< Alpha is ignored.
  kBgra8 = DEEPLAB_BGRA8,
  kGray8 = DEEPLAB_GRAY8,
  kNv12 = DEEPLAB_NV12,  ///< Y in `data`; U and V in turn in `chroma`.
  kI420 = DEEPLAB_I420,  ///< Y in `data`; U in `chroma`, V in `chroma_v`.
};

enum class YuvMatrix : int32_t { kBt601 = DEEPLAB_BT601, kBt709 = DEEPLAB_BT709 };
enum class YuvRange : int32_t { kLimited = DEEPLAB_RANGE_LIMITED, kFull = DEEPLAB_RANGE_FULL };

/// Clockwise, what makes a stored picture upright.
enum class Rotation : int32_t { kNone = 0, k90 = 90, k180 = 180, k270 = 270 };

enum class Fit : int32_t {
  kPad = DEEPLAB_FIT_PAD,              ///< TensorFlow's evaluation: top-left, shrunk if too large.
  kLetterbox = DEEPLAB_FIT_LETTERBOX,  ///< Scaled to fit, centred, aspect kept.
  kStretch = DEEPLAB_FIT_STRETCH,      ///< Scaled to fill, aspect lost.
};

/// In pixels.
struct Rect {
  int32_t x = 0;
  int32_t y = 0;
  int32_t width = 0;
  int32_t height = 0;
};

/// Pixels that the caller owns: read in place, never copied or kept. "The picture" is the upright
/// one: the region, mirrored if asked for, then rotated.
struct ImageView {
  const uint8_t* data = nullptr;  ///< First pixel of the top row.
  int32_t width = 0;              ///< Of the stored picture, in pixels.
  int32_t height = 0;
  ptrdiff_t stride = 0;  ///< Bytes from one row to the next; negative for bottom-up pictures.
  PixelFormat format = PixelFormat::kRgb8;
  Rect region = {};  ///< In stored pixels; empty: all of it.
  bool mirror = false;
  Rotation rotation = Rotation::kNone;
  const uint8_t* chroma = nullptr;  ///< Second plane of NV12 and I420.
  ptrdiff_t chroma_stride = 0;      ///< Of the second plane and of the third.
  const uint8_t* chroma_v = nullptr;
  YuvMatrix matrix = YuvMatrix::kBt601;
  YuvRange range = YuvRange::kLimited;
};

namespace detail {
inline deeplab_image to_c(const ImageView& image) {
  deeplab_image result = sized<deeplab_image>();
  result.planes[0] = image.data;
  result.planes[1] = image.chroma;
  result.planes[2] = image.chroma_v;
  result.strides[0] = image.stride;
  result.strides[1] = result.strides[2] = image.chroma_stride;
  result.format = static_cast<int32_t>(image.format);
  result.width = image.width;
  result.height = image.height;
  result.yuv_matrix = static_cast<int32_t>(image.matrix);
  result.yuv_range = static_cast<int32_t>(image.range);
  result.region_x = image.region.x;
  result.region_y = image.region.y;
  result.region_width = image.region.width;
  result.region_height = image.region.height;
  result.mirror = image.mirror ? 1 : 0;
  result.rotation = static_cast<int32_t>(image.rotation);
  return result;
}
}  // namespace detail

/// Width and height of the upright picture, which its masks have.
inline Result<std::pair<int32_t, int32_t>> picture_size(const ImageView& image) {
  const deeplab_image c_image = detail::to_c(image);
  std::pair<int32_t, int32_t> size;
  const deeplab_status code = deeplab_image_size(&c_image, &size.first, &size.second);
  if (Status s = detail::to_status(code); !s.ok()) return s;
  return size;
}

/// Where a picture lies on the canvas, in canvas pixels; the rest of it is grey.
struct Placement {
  int32_t canvas_width = 0;
  int32_t canvas_height = 0;
  Rect content;
  int32_t picture_width = 0;
  int32_t picture_height = 0;
};

namespace detail {
inline Result<Placement> to_placement(deeplab_status code, const deeplab_placement& p) {
  if (Status s = to_status(code); !s.ok()) return s;
  return Placement{p.canvas_width,
                   p.canvas_height,
                   {p.x, p.y, p.width, p.height},
                   p.picture_width,
                   p.picture_height};
}
}  // namespace detail

/// Where a picture of this size would lie.
inline Result<Placement> place(Fit fit, int32_t picture_width, int32_t picture_height,
                               int32_t canvas_width, int32_t canvas_height) {
  auto placement = detail::sized<deeplab_placement>();
  const deeplab_status code =
      deeplab_place(static_cast<int32_t>(fit), picture_width, picture_height, canvas_width,
                    canvas_height, &placement);
  return detail::to_placement(code, placement);
}

// ---- Model ------------------------------------------------------------------------------------

/// What a model file says about itself; strings as long as any copy of the model.
using ModelInfo = deeplab_model_info;

/// What a model file does not say, or says wrongly; see deeplab_model_options.
struct ModelOptions {
  std::vector<std::string> labels = {};  ///< One per class; empty: the file's.
  float threshold = 0;                   ///< Of a network with one class; 0: 0.5.
  std::string output_tensor = {};  ///< Name or index; empty: the one with the largest picture.
  bool allow_custom_ops = false;   ///< For TensorFlow Lite with a delegate that knows them.
};

/// A model file in memory. Copies share it.
class Model {
 public:
  /// Reads a .tflite file, which stays open and may be read again for another segmenter: it may be
  /// renamed, replaced or removed, but its bytes may not change.
  static Result<Model> load(const std::string& path) {
    deeplab_model* model = nullptr;
    return own(deeplab_model_load_file(path.c_str(), &model), model);
  }
  /// The same with what the caller says of the file.
  static Result<Model> load(const std::string& path, const ModelOptions& given) {
    return detail::guarded([&]() -> Result<Model> {
      std::vector<const char*> texts;
      for (const std::string& label : given.labels) texts.push_back(label.c_str());
      deeplab_model_options options;
      deeplab_model_options_init(&options, sizeof(options));
      if (!texts.empty()) options.labels = texts.data();
      options.label_count = static_cast<int32_t>(texts.size());
      options.threshold = given.threshold;
      options.allow_custom_ops = given.allow_custom_ops ? 1 : 0;
      if (!given.output_tensor.empty()) options.output_tensor = given.output_tensor.c_str();
      deeplab_model* model = nullptr;
      return own(deeplab_model_load_file_with_options(path.c_str(), &options, &model), model);
    });
  }
  /// The same from memory; `bytes` may go away afterwards.
  static Result<Model> load(std::span<const std::byte> bytes) {
    deeplab_model* model = nullptr;
    return own(deeplab_model_load_memory(bytes.data(), bytes.size(), &model), model);
  }
  /// The same without a copy. `release` is called once, by the thread that drops the last handle
  /// that reads the bytes, or before this returns if loading fails; it must not throw. Empty: the
  /// bytes live as long as the program.
  static Result<Model> borrow(std::span<const std::byte> bytes, std::function<void()> release) {
    return detail::guarded([&]() -> Result<Model> {
      deeplab_model* model = nullptr;
      std::unique_ptr<std::function<void()>> keeper;
      if (release) keeper = std::make_unique<std::function<void()>>(std::move(release));
      const auto give_back = [](void* context) {
        const std::unique_ptr<std::function<void()>> kept(
            static_cast<std::function<void()>*>(context));
        (*kept)();
      };
      const bool keeps = keeper != nullptr;
      return own(
          deeplab_model_load_borrowed(bytes.data(), bytes.size(), keeps ? +give_back : nullptr,
                                      keeper.release(), &model),
          model);
    });
  }
  /// The model that is part of the library.
  static Result<Model> builtin() {
    deeplab_model* model = nullptr;
    return own(deeplab_model_load_builtin(&model), model);
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
  ModelInfo info() const {
    auto info = detail::sized<deeplab_model_info>();
    deeplab_model_get_info(handle(), &info);
    return info;
  }
  /// See deeplab_model_keep_plans().
  Status keep_plans(int32_t count) const {
    return detail::to_status(deeplab_model_keep_plans(model_.get(), count));
  }

  const deeplab_model* handle() const { return model_.get(); }

 private:
  explicit Model(deeplab_model* model) : model_(model, deeplab_model_free) {}
  static Result<Model> own(deeplab_status code, deeplab_model* const& model) {
    if (Status s = detail::to_status(code); !s.ok()) return s;
    return detail::guarded([&]() -> Result<Model> { return Model(model); });
  }
  std::shared_ptr<deeplab_model> model_;
};

// ---- Threads and memory -----------------------------------------------------------------------

/// The caller's own threads and memory, as deeplab.h says.
using Runner = deeplab_runner;
using Allocator = deeplab_allocator;

/// Threads that several segmenters and streams share. Copies share it.
class WorkerPool {
 public:
  /// `threads` counts the calling one; 0: one per CPU.
  static Result<WorkerPool> create(int32_t threads = 0) {
    deeplab_thread_pool* pool = nullptr;
    return own(deeplab_thread_pool_create(threads, &pool), pool);
  }
  /// Starts no thread: hands its work to the runner, whose struct_size is set here.
  static Result<WorkerPool> create(Runner runner) {
    runner.struct_size = sizeof(runner);
    deeplab_thread_pool* pool = nullptr;
    return own(deeplab_thread_pool_create_with_runner(&runner, &pool), pool);
  }
  deeplab_thread_pool* handle() const { return pool_.get(); }

 private:
  explicit WorkerPool(deeplab_thread_pool* pool) : pool_(pool, deeplab_thread_pool_free) {}
  static Result<WorkerPool> own(deeplab_status code, deeplab_thread_pool* const& pool) {
    if (Status s = detail::to_status(code); !s.ok()) return s;
    return detail::guarded([&]() -> Result<WorkerPool> { return WorkerPool(pool); });
  }
  std::shared_ptr<deeplab_thread_pool> pool_;
};

// ---- Segmenter --------------------------------------------------------------------------------

/// tensor value = (pixel - mean) / stddev, pixels 0..255, in R, G, B order.
struct Normalization {
  std::array<float, 3> mean = {127.5f, 127.5f, 127.5f};
  std::array<float, 3> stddev = {127.5f, 127.5f, 127.5f};
};

/// TensorFlow Lite instead of the engine; see deeplab_tflite_options.
struct TfLiteOptions {
  std::string library = {};   ///< Empty: the two usual names.
  std::string delegate = {};  ///< Empty: none.
  std::vector<std::pair<std::string, std::string>> delegate_options = {};
  float required_delegated_percent = 0;
  std::string delegate_cache = {};  ///< A directory; empty: none.
};

struct Options {
  int32_t threads = 0;  ///< 0: one per CPU. Unused with a pool.
  Fit fit = Fit::kPad;
  int32_t width = 0;  ///< Input canvas in pixels; 0, 0: the model's own size.
  int32_t height = 0;
  int32_t output_stride = 0;  ///< 0: the file's own; see deeplab_segmenter_options.
  float temporal = 0;         ///< Weight of the pictures before, 0 to below 1; see there, too.
  /// Nothing: what the file's metadata says, else Normalization's defaults.
  std::optional<Normalization> normalization = {};
  /// Limits against hostile models, see deeplab_segmenter_options; 0: the default, 2^30 bytes and
  /// 2^40 multiply-accumulates per picture.
  int64_t max_memory_bytes = 0;
  int64_t max_macs = 0;
  std::string isa = {};  ///< Kernel family, see isa_names(); empty: the fastest.
  std::optional<WorkerPool> pool = {};
  std::optional<Allocator> allocator = {};   ///< struct_size need not be set.
  std::optional<TfLiteOptions> tflite = {};  ///< Nothing: the engine.
};

namespace detail {
/// Options for one call; points into what it was made of.
struct COptions {
  explicit COptions(const Options& options) {
    deeplab_segmenter_options_init(&c, sizeof(c));
    c.threads = options.threads;
    c.fit = static_cast<int32_t>(options.fit);
    c.width = options.width;
    c.height = options.height;
    c.output_stride = options.output_stride;
    c.temporal = options.temporal;
    c.max_memory_bytes = options.max_memory_bytes;
    c.max_macs = options.max_macs;
    if (options.normalization) {
      c.override_normalization = 1;
      std::copy_n(options.normalization->mean.begin(), 3, c.mean);
      std::copy_n(options.normalization->stddev.begin(), 3, c.stddev);
    }
    if (!options.isa.empty()) c.isa = options.isa.c_str();
    if (options.pool) c.thread_pool = options.pool->handle();
    if (options.allocator) {
      allocator = *options.allocator;
      allocator.struct_size = sizeof(allocator);
      c.allocator = &allocator;
    }
    if (options.tflite) {
      const TfLiteOptions& given = *options.tflite;
      deeplab_tflite_options_init(&tflite, sizeof(tflite));
      const auto text = [](const std::string& s) { return s.empty() ? nullptr : s.c_str(); };
      tflite.library = text(given.library);
      tflite.delegate = text(given.delegate);
      tflite.delegate_cache = text(given.delegate_cache);
      tflite.required_delegated_percent = given.required_delegated_percent;
      for (const auto& [key, value] : given.delegate_options) {
        keys.push_back(key.c_str());
        values.push_back(value.c_str());
      }
      tflite.delegate_keys = keys.data();
      tflite.delegate_values = values.data();
      tflite.delegate_option_count = static_cast<int32_t>(keys.size());
      c.backend = DEEPLAB_BACKEND_TFLITE;
      c.tflite = &tflite;
    }
  }
  COptions(const COptions&) = delete;
  COptions& operator=(const COptions&) = delete;

  deeplab_segmenter_options c;
  deeplab_allocator allocator = {};
  deeplab_tflite_options tflite = {};
  std::vector<const char*> keys, values;  // of tflite
};
}  // namespace detail

/// Wall time of one picture's stages, in milliseconds.
struct Timing {
  double prepare_ms = 0;  ///< Pixels -> input tensor.
  double infer_ms = 0;    ///< Input tensor -> scores.
  double labels_ms = 0;   ///< Scores -> masks.
};

/// What a segmenter is, or would be.
using SegmenterInfo = deeplab_segmenter_info;

/// A canvas, and the time that a picture takes on it.
using Canvas = deeplab_canvas;

/// The largest canvas on which this machine segments pictures of that size as often as
/// `frames_per_second` per second, measured now: see deeplab_choose_canvas().
inline Result<Canvas> choose_canvas(const Model& model, const Options& options,
                                    int32_t picture_width, int32_t picture_height,
                                    double frames_per_second) {
  const detail::COptions c_options(options);
  auto canvas = detail::sized<deeplab_canvas>();
  const deeplab_status code = deeplab_choose_canvas(model.handle(), &c_options.c, picture_width,
                                                    picture_height, frames_per_second, &canvas);
  if (Status s = detail::to_status(code); !s.ok()) return s;
  return canvas;
}

/// How long a run may take, and who may stop it; looked at between the steps of the network.
struct RunOptions {
  std::chrono::milliseconds timeout{0};    ///< 0: no limit. kDeadlineExceeded after it.
  std::function<bool()> should_stop = {};  ///< kCancelled once it gives true.
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

/// The network's own scores (logits), before any interpolation, over the whole canvas.
struct Scores {
  std::span<const float> values;  ///< [height][width][classes], the segmenter's until its next run.
  int32_t width = 0;
  int32_t height = 0;
  int32_t classes = 0;
};

/// Runs a model on pictures; one per thread. Move-only.
class Segmenter {
 public:
  /// Plans the network for the canvas and takes all memory that it needs. Keeps what it needs of
  /// `model` alive.
  static Result<Segmenter> create(const Model& model, const Options& options = {}) {
    const detail::COptions c_options(options);
    deeplab_segmenter* segmenter = nullptr;
    const deeplab_status code = deeplab_segmenter_create(model.handle(), &c_options.c, &segmenter);
    if (Status s = detail::to_status(code); !s.ok()) return s;
    return Segmenter(segmenter);
  }
  /// What create() would make: plans, but takes none of the segmenter's own memory.
  static Result<SegmenterInfo> estimate(const Model& model, const Options& options = {}) {
    const detail::COptions c_options(options);
    auto info = detail::sized<deeplab_segmenter_info>();
    const deeplab_status code = deeplab_segmenter_estimate(model.handle(), &c_options.c, &info);
    if (Status s = detail::to_status(code); !s.ok()) return s;
    return info;
  }

  /// Photo in, label map out.
  Result<Segmentation> segment(const ImageView& image) {
    if (Status s = run(image); !s.ok()) return s;
    return detail::guarded([&]() -> Result<Segmentation> {
      auto size = picture_size(image);
      if (!size.ok()) return size.status();
      Segmentation result{size->first, size->second, {}};
      result.category_mask.resize(static_cast<size_t>(result.width) *
                                  static_cast<size_t>(result.height));
      if (Status s = category_mask(result.width, result.height, result.category_mask); !s.ok()) {
        return s;
      }
      return result;
    });
  }

  /// Runs the network only; the calls below then refer to this picture until the next run.
  Status run(const ImageView& image) {
    const deeplab_image c_image = detail::to_c(image);
    return detail::to_status(deeplab_segmenter_run(segmenter_.get(), &c_image, nullptr));
  }
  /// The same with a time limit, or with somebody who may stop it.
  Status run(const ImageView& image, const RunOptions& options) {
    const deeplab_image c_image = detail::to_c(image);
    auto c_options = detail::sized<deeplab_run_options>();
    c_options.timeout_ms = detail::to_milliseconds(options.timeout);
    if (options.should_stop) {
      c_options.context = const_cast<void*>(static_cast<const void*>(&options.should_stop));
      c_options.should_stop = [](void* context) -> int32_t {
        return (*static_cast<const std::function<bool()>*>(context))() ? 1 : 0;
      };
    }
    return detail::to_status(deeplab_segmenter_run(segmenter_.get(), &c_image, &c_options));
  }

  /// The next picture starts a sequence: for Options::temporal, nothing comes before it.
  void reset() { deeplab_segmenter_reset(segmenter_.get()); }

  /// Where the last picture lies on the canvas.
  Result<Placement> placement() const {
    auto placement = detail::sized<deeplab_placement>();
    const deeplab_status code = deeplab_segmenter_placement(segmenter_.get(), &placement);
    return detail::to_placement(code, placement);
  }

  /// Class ids at any size, rows tight; `mask` holds at least width * height bytes.
  Status category_mask(int32_t width, int32_t height, std::span<uint8_t> mask) {
    if (Status s = detail::check_size(width, height, mask.size()); !s.ok()) return s;
    return detail::to_status(
        deeplab_segmenter_category_mask(segmenter_.get(), width, height, mask.data(), width));
  }

  /// Probability 0..1 of one class at any size, rows tight; `mask` holds at least width * height.
  Status confidence_mask(int32_t class_id, int32_t width, int32_t height, std::span<float> mask) {
    return confidence_mask({&class_id, 1}, width, height, mask);
  }
  /// The same of any class of a set.
  Status confidence_mask(std::span<const int32_t> class_ids, int32_t width, int32_t height,
                         std::span<float> mask) {
    if (Status s = detail::check_size(width, height, mask.size()); !s.ok()) return s;
    return detail::to_status(deeplab_segmenter_confidence_mask(
        segmenter_.get(), class_ids.data(), static_cast<int32_t>(class_ids.size()), width, height,
        mask.data(), row_bytes(width)));
  }
  /// The same of the rows [row_begin, row_end) alone, tight.
  Status confidence_mask(std::span<const int32_t> class_ids, int32_t width, int32_t height,
                         int32_t row_begin, int32_t row_end, std::span<float> mask) {
    const int32_t rows = row_begin < row_end ? row_end - row_begin : 0;
    if (Status s = detail::check_size(width, rows, mask.size()); !s.ok()) return s;
    return detail::to_status(deeplab_segmenter_confidence_rows(
        segmenter_.get(), class_ids.data(), static_cast<int32_t>(class_ids.size()), width, height,
        row_begin, row_end, mask.data(), row_bytes(width)));
  }
  /// The probability of the most probable class.
  Status certainty_mask(int32_t width, int32_t height, std::span<float> mask) {
    if (Status s = detail::check_size(width, height, mask.size()); !s.ok()) return s;
    return detail::to_status(deeplab_segmenter_certainty_mask(segmenter_.get(), width, height,
                                                              mask.data(), row_bytes(width)));
  }
  /// Every class at once: rows [row_begin, row_end) of masks of width x height, into
  /// [class][row][column], tight.
  Status all_confidences(int32_t width, int32_t height, int32_t row_begin, int32_t row_end,
                         std::span<float> masks) {
    const int32_t rows = row_begin < row_end ? row_end - row_begin : 0;
    const auto planes = static_cast<size_t>(std::max(info().class_count, 1));
    if (Status s = detail::check_size(width, rows, masks.size() / planes); !s.ok()) return s;
    return detail::to_status(
        deeplab_segmenter_all_confidences(segmenter_.get(), width, height, row_begin, row_end,
                                          masks.data(), row_bytes(width), row_bytes(width) * rows));
  }

  /// Of the last picture.
  Result<Scores> scores() {
    Scores scores;
    const float* values = nullptr;
    const deeplab_status code = deeplab_segmenter_scores(segmenter_.get(), &values, &scores.width,
                                                         &scores.height, &scores.classes);
    if (Status s = detail::to_status(code); !s.ok()) return s;
    scores.values = {values, static_cast<size_t>(scores.width) *
                                 static_cast<size_t>(scores.height) *
                                 static_cast<size_t>(scores.classes)};
    return scores;
  }

  Timing timing() const {
    auto timing = detail::sized<deeplab_timing>();
    deeplab_segmenter_timing(segmenter_.get(), &timing);
    return {timing.prepare_ms, timing.infer_ms, timing.labels_ms};
  }
  SegmenterInfo info() const {
    auto info = detail::sized<deeplab_segmenter_info>();
    deeplab_segmenter_get_info(segmenter_.get(), &info);
    return info;
  }
  deeplab_segmenter* handle() { return segmenter_.get(); }

 private:
  explicit Segmenter(deeplab_segmenter* segmenter)
      : segmenter_(segmenter, deeplab_segmenter_free) {}
  static ptrdiff_t row_bytes(int32_t width) {
    return static_cast<ptrdiff_t>(sizeof(float)) * width;
  }

  std::unique_ptr<deeplab_segmenter, void (*)(deeplab_segmenter*)> segmenter_;
};

}  // namespace deeplab

#include "deeplab/deeplab_stream.hpp"
