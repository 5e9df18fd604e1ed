// Pictures through a segmenter one after the other, while the caller makes the next ones and reads
// the last ones: what deeplab_stream points to.
#pragma once

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

/// A picture that has come out.
struct StreamFrame {
  uint64_t id = 0;  ///< As given to push().
  Status status;    ///< Of this picture; the stream goes on in any case.
  int32_t width = 0;
  int32_t height = 0;
  std::vector<uint8_t> mask;  ///< Category mask, rows tight; empty where status is an error.
  Timing timing;
};

/// push() converts a picture to the network's input in the calling thread; a thread of the
/// stream's own runs the network and makes the label map; pull() hands the results out in the
/// order of the pictures. One thread at a time pushes and finishes, one at a time pulls; cancel()
/// may come from anywhere.
///
/// Memory is taken by create(), but for masks and resize tables, which grow with the pictures.
class Stream {
 public:
  static constexpr int kDefaultCapacity = 3;  ///< One in work, one before it, one behind it.
  static constexpr int kMaxCapacity = 64;

  /// At most `capacity` pictures are pushed and not pulled at any time; 0 is the default.
  static Result<std::unique_ptr<Stream>> create(std::shared_ptr<const Model> model,
                                                const SegmenterOptions& options, int capacity);
  /// Cancels. No other thread may be in a call.
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Pixels are read before this returns. Waits for room for `timeout_ms`, for ever where that is
  /// negative. Errors: kWouldBlock (no room in that time), kStreamEnded (finished or cancelled),
  /// what is wrong with the picture; it is then not in the stream, and nothing else has changed.
  Status push(const vision::ImageView& image, uint64_t id, int timeout_ms);

  /// The next picture, valid until the next pull(), which gives it back whatever comes of that
  /// call. Errors: kWouldBlock (none was ready in time), kStreamEnded (cancelled, or finished and
  /// all are out).
  Result<const StreamFrame*> pull(int timeout_ms);

  /// No more pictures: those inside still come out.
  void finish();
  /// Drops what is inside and wakes who waits.
  void cancel();

 private:
  struct Slot {
    std::vector<std::byte> input;  ///< The network's input tensor.
    vision::Placement placement;
    StreamFrame frame;
  };

  Stream(std::unique_ptr<Segmenter> segmenter, int capacity);
  Status prepare(const vision::ImageView& image, uint64_t id, Slot& slot) noexcept;
  void work();
  void run(Slot& slot) noexcept;

  std::unique_ptr<Segmenter> segmenter_;  // the worker's
  vision::Preparer preparer_;             // the pushing thread's
  std::vector<Slot> slots_;               // capacity, and one that the reader looks at

  std::mutex mutex_;  // for all below
  std::condition_variable room_, queued_, done_;
  std::vector<Slot*> free_;
  std::vector<Slot*> queue_;     // prepared
  std::vector<Slot*> finished_;  // to be pulled
  Slot* held_ = nullptr;         // the reader looks at it
  int inside_ = 0;               // pushed and not pulled
  const int capacity_;
  bool no_more_ = false;  // finish() was called
  bool cancelled_ = false;
  bool worker_ended_ = false;
  std::thread worker_;
};

}  // namespace deeplab::api
