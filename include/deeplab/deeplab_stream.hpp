// deeplab::Stream, a part of deeplab.hpp, which includes it: pictures in, masks out in order.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "deeplab/deeplab.hpp"

namespace deeplab {

/// What the frames of a stream hold.
struct StreamOptions {
  int32_t capacity = 0;  ///< Most pictures pushed and not pulled, 1 to 64; 0: three.
  bool category_mask = true;
  int32_t mask_width = 0;  ///< Of all masks, in pixels; 0, 0: each picture's own.
  int32_t mask_height = 0;
  bool all_confidences = false;               ///< One mask per class; else, if not empty,
  std::vector<int32_t> confidence_class_ids;  ///< one mask: any of these classes.
};

/// A picture that has come out of a Stream. Move-only; its memory is its own, and stays valid
/// after later pulls and after the stream.
struct Frame {
  uint64_t id = 0;  ///< As given to push().
  Status status;    ///< Of this picture; an error ends nothing but this picture.
  int32_t width = 0;
  int32_t height = 0;
  int32_t mask_width = 0;  ///< Of the masks; the picture's own unless StreamOptions says another.
  int32_t mask_height = 0;
  std::span<const uint8_t> category_mask;  ///< Rows tight; empty if status is an error.
  std::span<const float> confidence;       ///< [masks][mask_height][mask_width]
  Timing timing = {};
  std::unique_ptr<deeplab_frame, void (*)(deeplab_frame*)> handle{nullptr, deeplab_frame_free};
};

/// Pictures in, masks out in the same order; the network runs on a thread of the stream's own, so
/// decoding the next picture, inference and use of the previous mask run in parallel. push() and
/// finish() belong to one thread at a time, pull() to one at a time, the same or another; flush()
/// and cancel() may come from anywhere. Move-only.
///
///     std::thread reader([&] { for (auto f = stream.pull(); f.ok(); f = stream.pull()) use(*f);
///     }); while (camera >> picture) if (Status s = stream.push(view(picture), n++); !s.ok())
///     break; stream.finish(); reader.join();
class Stream {
 public:
  static constexpr std::chrono::milliseconds kForever{-1};
  static constexpr std::chrono::milliseconds kNoWait{0};

  /// At most `capacity` pictures (1 to 64; 0: three) are inside, pushed and not pulled.
  static Result<Stream> create(const Model& model, const Options& options = {},
                               int32_t capacity = 0) {
    StreamOptions stream_options;
    stream_options.capacity = capacity;
    return create(model, options, stream_options);
  }
  static Result<Stream> create(const Model& model, const Options& options,
                               const StreamOptions& stream_options) {
    const detail::COptions c_options(options);
    deeplab_stream_options c_stream;
    deeplab_stream_options_init(&c_stream, sizeof(c_stream));
    c_stream.segmenter = &c_options.c;
    c_stream.capacity = stream_options.capacity;
    c_stream.category_mask = stream_options.category_mask ? 1 : 0;
    c_stream.mask_width = stream_options.mask_width;
    c_stream.mask_height = stream_options.mask_height;
    c_stream.class_ids = stream_options.confidence_class_ids.data();
    c_stream.class_count = static_cast<int32_t>(stream_options.confidence_class_ids.size());
    c_stream.confidence = stream_options.all_confidences ? DEEPLAB_CONFIDENCE_ALL
                          : c_stream.class_count > 0     ? DEEPLAB_CONFIDENCE_SET
                                                         : DEEPLAB_CONFIDENCE_NONE;
    deeplab_stream* stream = nullptr;
    const deeplab_status code = deeplab_stream_create(model.handle(), &c_stream, &stream);
    if (Status s = detail::to_status(code); !s.ok()) return s;
    return Stream(stream);
  }

  /// Reads the pixels before it returns; waits for room. Errors: kWouldBlock (no room in time),
  /// kStreamEnded (finished or cancelled), kCancelled (flushed meanwhile), or what is wrong with
  /// the picture; the stream continues.
  Status push(const ImageView& image, uint64_t id = 0,
              std::chrono::milliseconds timeout = kForever) {
    const deeplab_image c_image = detail::to_c(image);
    return detail::to_status(
        deeplab_stream_push(stream_.get(), &c_image, id, detail::to_milliseconds(timeout)));
  }

  /// The next picture. Errors: kWouldBlock (none was ready in time), kCancelled (flushed while this
  /// waited), kStreamEnded (cancelled, or finished and all are out).
  Result<Frame> pull(std::chrono::milliseconds timeout = kForever) {
    deeplab_frame* handle = nullptr;
    const deeplab_status code =
        deeplab_stream_pull(stream_.get(), &handle, detail::to_milliseconds(timeout));
    if (Status s = detail::to_status(code); !s.ok()) return s;
    Frame frame;
    frame.handle.reset(handle);
    auto info = detail::sized<deeplab_frame_info>();
    if (Status s = detail::to_status(deeplab_frame_get_info(handle, &info)); !s.ok()) return s;
    frame.id = info.id;
    frame.width = info.width;
    frame.height = info.height;
    frame.mask_width = info.mask_width;
    frame.mask_height = info.mask_height;
    frame.timing = {info.prepare_ms, info.infer_ms, info.labels_ms};
    frame.status = detail::to_status(static_cast<deeplab_status>(info.status), info.error);
    const size_t pixels =
        static_cast<size_t>(info.mask_width) * static_cast<size_t>(info.mask_height);
    if (info.category_mask != nullptr) frame.category_mask = {info.category_mask, pixels};
    if (info.confidence != nullptr) {
      frame.confidence = {info.confidence, pixels * static_cast<size_t>(info.confidence_count)};
    }
    return frame;
  }

  /// Drops what is inside; the next picture pushed is the next one pulled, also after finish().
  void flush() { deeplab_stream_flush(stream_.get()); }
  /// No more pictures: those inside still come out.
  void finish() { deeplab_stream_finish(stream_.get()); }
  /// Drops what is inside and wakes who waits, for good.
  void cancel() { deeplab_stream_cancel(stream_.get()); }
  deeplab_stream* handle() { return stream_.get(); }

 private:
  explicit Stream(deeplab_stream* stream) : stream_(stream, deeplab_stream_free) {}

  std::unique_ptr<deeplab_stream, void (*)(deeplab_stream*)> stream_;
};

}  // namespace deeplab
