// Where the bytes of a video come from, and what FFmpeg may open: nothing but that.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "apps/video/ffmpeg.h"
#include "base/status.h"

namespace deeplab::video {

/// An input that FFmpeg has opened and recognised, not yet looked into. A file is read through our
/// own descriptor, and no name that its contents mention is ever opened: a playlist or a "concat"
/// script is refused, as are all but the usual containers.
class Source {
 public:
  /// `path` is a file, "-" for standard input, /dev/videoN, or, with `allow_rtsp`, rtsp://...
  /// Errors: no such input, or not a video.
  static Result<std::unique_ptr<Source>> open(const std::string& path, bool allow_rtsp);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  AVFormatContext* format() { return format_; }
  /// As messages call it.
  const std::string& name() const { return name_; }
  /// A camera or a network stream: it has no beginning and no length.
  bool live() const { return live_; }
  bool seekable() const { return seekable_; }
  /// The error of an MP4 from a pipe whose index lies after what it points at.
  Status index_comes_too_late() const;
  /// Starts the clock of a stream from the network: whatever follows has that long.
  void expect_soon();

 private:
  explicit Source(std::string name) : name_(std::move(name)) {}
  Status open_file(const std::string& path);
  Status open_camera(const std::string& path);
  Status open_rtsp(const std::string& url);
  Status open_input(const std::string& url, const AVInputFormat* kind, AVDictionary** options);
  bool begins_like_mp4() const;
  static int read(void* self, uint8_t* to, int size);
  static int64_t seek(void* self, int64_t offset, int whence);
  static int should_stop(void* self);

  std::string name_;
  int file_ = -1;
  bool live_ = false;
  bool seekable_ = false;
  bool from_network_ = false;
  std::chrono::steady_clock::time_point deadline_;
  BytesPtr bytes_;
  AVFormatContext* format_ = nullptr;
};

}  // namespace deeplab::video
