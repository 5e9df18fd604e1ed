// A video file: frames encoded, sound copied, there as a whole or not at all. Into a pipe it goes
// as it comes.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "apps/video/ffmpeg.h"
#include "apps/video/painter.h"
#include "base/file.h"
#include "base/status.h"

namespace deeplab::video {

struct WriterOptions {
  std::string path;  ///< .mp4, .m4v, .mov, .mkv or .webm
  Output output = Output::kOverlay;
  std::string codec;  ///< An encoder of FFmpeg; empty: what fits output and container.
  int32_t width = 0;  ///< Of the frames, in pixels.
  int32_t height = 0;
  AVRational time_base{1, 1000};  ///< Of time stamps.
  AVRational frame_rate{25, 1};   ///< A hint for rate control: time stamps count.
  AVRational sample_aspect_ratio{0, 1};
  /// Of the frames that the pictures were made of: what a player should make of the new ones.
  AVColorSpace matrix = AVCOL_SPC_UNSPECIFIED;
  AVColorPrimaries primaries = AVCOL_PRI_UNSPECIFIED;
  AVColorTransferCharacteristic transfer = AVCOL_TRC_UNSPECIFIED;
  std::vector<const AVStream*> audio;  ///< To be copied.
};

/// What the options alone say is wrong: an unknown container, an encoder that is not there or does
/// not fit, a pipe or device for a container that needs to seek. These are errors of usage.
Status check_output(const std::string& path, Output output, const std::string& codec);

/// write() belongs to one thread at a time, write_audio() to one, the same or another.
class VideoWriter {
 public:
  /// Opens the encoder and begins a temporary file beside the path.
  static Result<std::unique_ptr<VideoWriter>> create(const WriterOptions& options);
  ~VideoWriter();
  VideoWriter(const VideoWriter&) = delete;
  VideoWriter& operator=(const VideoWriter&) = delete;

  /// Time stamps, in units of the time base, grow from frame to frame. Pixels have the size of the
  /// options and the painter's format.
  Status write(const Pixels& pixels, int64_t timestamp);
  /// A packet of one of the audio streams, its times counted from `shift` (in its time base) on.
  Status write_audio(const AVStream& from, const AVPacket& packet, int64_t shift);
  /// Nothing may be written afterwards; the file appears under its name. Without this, none does.
  Status finish();

 private:
  explicit VideoWriter(const WriterOptions& options, AtomicFile file);
  Status open_encoder();
  Status open_container();
  Status add_audio(const AVStream& from);
  Status fill_frame(const Pixels& pixels);
  /// Gives a frame, or nullptr for the end, to the encoder, and its packets to the container.
  Status encode(const AVFrame* frame);
  Status write_packet(AVPacket& packet);
  Status failed(const std::string& what, int code) const;
  static int write_bytes(void* self, uint8_t* bytes, int size);
  static int64_t seek(void* self, int64_t offset, int whence);

  const WriterOptions options_;
  AtomicFile file_;
  std::atomic<int> system_error_ = 0;   // of writing the file
  int64_t last_timestamp_ = INT64_MIN;  // in the encoder's time base
  BytesPtr bytes_;
  AVFormatContext* format_ = nullptr;
  AVStream* stream_ = nullptr;
  std::map<const AVStream*, AVStream*> audio_;
  CodecPtr codec_;
  FramePtr frame_ = new_frame();
  PacketPtr packet_ = new_packet();
  PacketPtr audio_packet_ = new_packet();
  ScalerPtr scaler_;
  std::mutex container_;  // frames and sound come from two threads
};

}  // namespace deeplab::video
