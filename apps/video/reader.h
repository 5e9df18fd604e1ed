// A video, frame by frame, in the order in which it is shown.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/video/ffmpeg.h"
#include "apps/video/source.h"
#include "deeplab/deeplab.hpp"

namespace deeplab::video {

// Refused by the header, before a frame is decoded: twice what 8K has.
constexpr int32_t kMaxSide = 16384;
constexpr int64_t kMaxPixels = int64_t{1} << 26;

struct ReaderOptions {
  std::string path;
  bool allow_rtsp = false;
  double start = 0;  ///< Seconds after the video's beginning; frames before are left out.
  double duration = std::numeric_limits<double>::infinity();  ///< Seconds from `start` on.
  bool audio = false;                                         ///< Packets of sound are wanted, too.
};

/// What went wrong in a video that was read nevertheless.
struct Damage {
  int64_t damaged = 0;      ///< Frames that came out, but not as they were made.
  int64_t lost = 0;         ///< Packets of which no frame came.
  bool truncated = false;   ///< It ends before its end.
  bool unreadable = false;  ///< The container is damaged in places.

  bool any() const { return damaged > 0 || lost > 0 || truncated || unreadable; }
};

/// How the stored picture becomes the upright one, as a display matrix says it.
struct Turn {
  bool mirror = false;
  Rotation rotation = Rotation::kNone;

  bool swaps_sides() const { return rotation == Rotation::k90 || rotation == Rotation::k270; }
};

/// Of a display matrix of libavutil (9 numbers); nothing if it turns by no multiple of 90 degrees.
std::optional<Turn> turn_of(const int32_t* matrix);

/// One thread at a time.
class VideoReader {
 public:
  /// Gets each packet of sound of the time that is wanted, in order.
  using AudioSink = std::function<Status(const AVStream& stream, AVPacket& packet)>;
  /// Gets a sentence for each damaged frame.
  using Complaint = std::function<void(const std::string& sentence)>;

  static Result<std::unique_ptr<VideoReader>> open(const ReaderOptions& options,
                                                   Complaint complain);

  /// The next frame, the reader's until the next call; nullptr at the end, or once a signal asks to
  /// stop. Error: of the system, or of the audio sink.
  Result<const AVFrame*> next();

  /// Gives the sink what came before the first frame, and from now on each packet at once.
  Status set_audio_sink(AudioSink sink);

  /// What the header says; the frames may say otherwise.
  const AVStream& stream() const { return *stream_; }
  /// The sound that may be copied, in the order of the file.
  std::vector<const AVStream*> audio_streams() const;
  const std::string& name() const { return source_->name(); }
  const Turn& turn() const { return turn_; }
  AVRational frame_rate() const;

  /// Seconds as the file counts them, for a time stamp of the stream.
  double seconds(int64_t timestamp) const { return av_q2d(stream_->time_base) * double(timestamp); }
  /// What to take from a time stamp of a stream so that the output begins at 0 if it begins in the
  /// middle, or is live. After the first frame.
  int64_t shift(AVRational time_base) const;
  /// An estimate; 0: unknown.
  int64_t frame_count() const;
  /// Whether any frame had no time stamp, or one that is not after the one before.
  int64_t corrected_timestamps() const { return corrected_; }
  const Damage& damage() const { return damage_; }

 private:
  VideoReader(std::unique_ptr<Source> source, const ReaderOptions& options, Complaint complain);
  Status prepare();
  Status check_size(int64_t width, int64_t height) const;
  void seek();
  /// Whether the video's packets from here on have a key frame no later than that; reads them.
  bool key_frame_comes_by(double time);
  /// One step of the demuxer: a packet goes to the decoder or to the audio sink. False: the end.
  Result<bool> read_packet();
  Status read_audio_until_end();
  Status give_audio(AVPacket& packet);
  void finish();
  /// Whether the frame that has just come out is one of those wanted; corrects its time stamp.
  bool accept(AVFrame& frame);
  void note_damage(const AVFrame& frame);
  void note_lost(int code);
  void complain(const std::string& what);

  std::unique_ptr<Source> source_;
  const ReaderOptions options_;
  Complaint complain_;
  AudioSink audio_sink_;
  std::deque<PacketPtr> early_audio_;  // from before there was a sink
  AVFormatContext* format_;
  AVStream* stream_ = nullptr;
  CodecPtr codec_;
  PacketPtr packet_ = new_packet();
  FramePtr frame_ = new_frame();
  Turn turn_;

  double origin_ = 0;  // seconds: where the video begins
  double end_ = std::numeric_limits<double>::infinity();
  bool needs_key_frame_ = false;  // packets before it are left out
  bool fed_ = false;              // the decoder got a packet
  bool started_ = false;          // a frame was accepted
  bool drained_ = false;          // the decoder was told that no more packets come
  bool ended_ = false;
  int64_t first_timestamp_ = 0;
  int64_t last_timestamp_ = AV_NOPTS_VALUE;
  int64_t corrected_ = 0;
  int failures_in_a_row_ = 0;
  int64_t decoder_errors_ = 0;  // of the log, so far
  int64_t input_errors_ = 0;
  int complaints_ = 0;
  Damage damage_;
};

}  // namespace deeplab::video
