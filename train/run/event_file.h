// TensorBoard event files: what a training run writes so that TensorBoard, or anything else that
// reads its files, can draw the run's curves while it is running.
//
// A file is a row of TFRecords, each a serialized `Event` message:
//
//   uint64 length, uint32 masked CRC of those 8 bytes, `length` bytes, uint32 masked CRC of them
//
// all little-endian; a CRC is CRC-32C, masked as mask(c) = rotate_right(c, 15) + 0xa282ead8. The
// formats are TensorFlow's: tensorflow/core/lib/io/record_writer.h (framing) and, for the messages,
// event.proto, summary.proto, tensor.proto, tensor_shape.proto of tensorboard/compat/proto.
//
// The handful of protobuf fields is encoded by hand. Linking protobuf for them would mean a
// generator in the build, and a second protobuf runtime in a process where libtorch already
// brings its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/status.h"

namespace deeplab::train {

/// CRC-32C (Castagnoli, reflected, initial and final value all ones): 0xE3069283 for "123456789".
uint32_t crc32c(std::span<const std::byte> bytes);

/// One event file, open for appending. A record is handed to the kernel in one write as it is
/// added, so a process that is killed loses none and tears at most the last; readers skip a torn
/// tail. Not for use from two threads at once.
class EventFile {
 public:
  /// A new `events.out.tfevents.SECONDS.HOST` in `directory`, which is made if it is missing.
  /// Its name sorts after the names of the event files that are there, which is the order in which
  /// TensorBoard reads them. `first_step` is where the run resumes: with files of an earlier part
  /// of the run beside it, TensorBoard drops what they say from that step on, so that steps which
  /// are run again are not drawn twice.
  static Result<EventFile> open(const std::string& directory, int64_t first_step = 0);

  EventFile(EventFile&& other) noexcept;
  EventFile& operator=(EventFile&& other) noexcept;
  ~EventFile();

  /// One point of the curve `tag`; slashes in tags group curves ("loss/masks"). TensorBoard keeps
  /// float32. Not-a-number and infinities are kept, since they are what a reader looks for.
  Status add_scalar(std::string_view tag, int64_t step, double value);

  /// A text in Markdown, for instance the options of the run.
  Status add_text(std::string_view tag, int64_t step, std::string_view text);

  const std::string& path() const { return path_; }

 private:
  EventFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  Status append(std::string_view event);

  int fd_ = -1;
  std::string path_;
  int64_t size_ = 0;  ///< Bytes of whole records.
};

}  // namespace deeplab::train
