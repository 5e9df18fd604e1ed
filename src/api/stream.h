// Pictures through a segmenter one after the other, while the caller makes the next ones and reads
// the last ones: what deeplab_stream points to.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "api/segmenter.h"
#include "base/status.h"

namespace deeplab::api {

/// What frames hold.
struct StreamOptions {
  enum class Confidence : uint8_t { kNone, kSet, kAll };

  int capacity = 0;  ///< Most pictures that are pushed and not pulled; 0: the default.
  bool category_mask = true;
  int32_t mask_width = 0;  ///< 0, 0: each picture's own size.
  int32_t mask_height = 0;
  Confidence confidence = Confidence::kNone;
  std::vector<int32_t> class_ids;  ///< Of the set.
};

class FrameStore;

/// A picture that has come out.
struct StreamFrame {
  uint64_t id = 0;  ///< As given to push().
  Status status;    ///< Of this picture; the stream continues in any case.
  int32_t width = 0;
  int32_t height = 0;
  int32_t mask_width = 0;  ///< 0 if status is an error, as the masks are empty then.
  int32_t mask_height = 0;
  std::vector<uint8_t> mask;      ///< Category mask, rows tight.
  int32_t confidence_count = 0;   ///< Masks in `confidence`.
  std::vector<float> confidence;  ///< [confidence_count][mask_height][mask_width]
  Timing timing;
  std::shared_ptr<FrameStore> store;  ///< Where the frame goes back to, once it was pulled.
};

/// Frames that are not in use, with the memory of their masks.
class FrameStore {
 public:
  /// Keeps `most` of them.
  explicit FrameStore(size_t most) { frames_.reserve(most); }
  std::unique_ptr<StreamFrame> take();
  /// Returns a frame to its store; frees it if the store has enough.
  static void give_back(std::unique_ptr<StreamFrame> frame) noexcept;

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<StreamFrame>> frames_;
};

/// push() converts a picture to the network's input in the calling thread; a thread of the
/// stream's own runs the network and makes the masks; pull() hands the results out in the order of
/// the pictures. One thread at a time pushes and finishes, one at a time pulls; flush() and
/// cancel() may come from anywhere.
///
/// Memory is taken by create(), except for masks and resize tables, which grow with the pictures.
class Stream {
 public:
  static constexpr int kDefaultCapacity = 3;  ///< One in the network, one before it, one after it.
  static constexpr int kMaxCapacity = 64;

  static Result<std::unique_ptr<Stream>> create(std::shared_ptr<const Model> model,
                                                const SegmenterOptions& options,
                                                StreamOptions stream_options);
  /// Cancels. No other thread may be in a call.
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Pixels are read before this returns. Waits for room for `timeout_ms`, without limit if that is
  /// negative. Errors: kWouldBlock (no room in that time), kStreamEnded (finished or cancelled),
  /// kCancelled (flushed meanwhile), what is wrong with the picture; it is then not in the stream,
  /// and nothing else has changed.
  Status push(const vision::PictureView& picture, uint64_t id, int timeout_ms);

  /// The next picture; the caller's, who may give it back to its store. Takes no memory. Errors:
  /// kWouldBlock (none was ready in time), kCancelled (flushed while this waited), kStreamEnded
  /// (cancelled, or finished and all are out).
  Result<std::unique_ptr<StreamFrame>> pull(int timeout_ms);

  /// No more pictures: those inside still come out.
  void finish();
  /// Drops what is inside; the stream then takes pictures again, even if it was finished.
  void flush();
  /// Drops what is inside and wakes all waiting calls, for good.
  void cancel();

 private:
  struct Slot {
    std::vector<std::byte> input;  ///< The network's input tensor.
    vision::Placement placement;
    uint64_t flushes = 0;  ///< The stream's when the picture came in.
    std::unique_ptr<StreamFrame> frame;
  };

  Stream(std::unique_ptr<Segmenter> segmenter, StreamOptions options);
  Status prepare(const vision::PictureView& picture, uint64_t id, Slot& slot) noexcept;
  void work();
  void run(Slot& slot) noexcept;
  Status make_masks(StreamFrame& frame);
  void drop(Slot* slot);

  std::unique_ptr<Segmenter> segmenter_;  // the worker's
  vision::Preparer preparer_;             // the pushing thread's
  const StreamOptions options_;
  uint64_t sequence_ = 0;    // the worker's: flushes before the picture that it ran last
  std::vector<Slot> slots_;  // capacity of them
  std::shared_ptr<FrameStore> store_;
  std::atomic<bool> stop_run_{false};  // nobody needs the picture in the network any more

  std::mutex mutex_;  // for all below
  std::condition_variable room_, queued_, done_;
  std::vector<Slot*> free_;
  std::vector<Slot*> queue_;     // prepared
  std::vector<Slot*> finished_;  // to be pulled
  int inside_ = 0;               // pushed and not pulled
  uint64_t flushes_ = 0;         // calls of flush() so far
  bool no_more_ = false;         // finish() was called
  bool cancelled_ = false;
  std::thread worker_;
};

}  // namespace deeplab::api
