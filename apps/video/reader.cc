#include "apps/video/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>
#include <utility>

#include "apps/deeplab/common/interrupt.h"
#include "base/parallel.h"

namespace deeplab::video {
namespace {

using app::InterruptGuard;
using ffmpeg_log::Side;

// A damaged container may fail for each of its entries without moving on.
constexpr int kMaxFailuresInARow = 100;
constexpr int kMaxComplaints = 10;
constexpr size_t kMaxEarlyPackets = 4096;  // of sound, before the first frame
constexpr int kMaxDecoderThreads = 4;      // each keeps frames of its own
// Decoders that videos of this century use; FFmpeg has 500.
constexpr const char* kDecoders =
    "h264,hevc,libdav1d,av1,vp8,vp9,libvpx-vp9,mpeg4,mpeg1video,mpeg2video,h263,h263p,flv,"
    "msmpeg4v2,msmpeg4,wmv1,wmv2,wmv3,vc1,theora,mjpeg,prores,dnxhd,cfhd,ffv1,huffyuv,ffvhuff,"
    "utvideo,magicyuv,rawvideo,wrapped_avframe,v210,png,gif,qtrle,dvvideo,svq3,rv30,rv40,vp6,vp6f";

}  // namespace

std::optional<Turn> turn_of(const int32_t* matrix) {
  // The picture's x axis goes to (a, b), its y axis to (c, d), with y downwards.
  double a = matrix[0], b = matrix[1];
  const double c = matrix[3], d = matrix[4];
  Turn turn;
  turn.mirror = a * d - b * c < 0;
  if (turn.mirror) a = -a, b = -b;
  const double degrees = std::atan2(b, a) * 180 / M_PI;  // clockwise
  const double quarter = std::round(degrees / 90);
  if (!std::isfinite(degrees) || std::abs(degrees - 90 * quarter) > 1) return std::nullopt;
  turn.rotation = static_cast<Rotation>(90 * ((static_cast<int>(quarter) + 4) % 4));
  return turn;
}

Result<std::unique_ptr<VideoReader>> VideoReader::open(const ReaderOptions& options,
                                                       Complaint complain) {
  DEEPLAB_ASSIGN_OR_RETURN(std::unique_ptr<Source> source,
                           Source::open(options.path, options.allow_rtsp));
  std::unique_ptr<VideoReader> reader(
      new VideoReader(std::move(source), options, std::move(complain)));
  DEEPLAB_RETURN_IF_ERROR(reader->prepare());
  return reader;
}

VideoReader::VideoReader(std::unique_ptr<Source> source, const ReaderOptions& options,
                         Complaint complain)
    : source_(std::move(source)),
      options_(options),
      complain_(std::move(complain)),
      format_(source_->format()) {}

Status VideoReader::check_size(int64_t width, int64_t height) const {
  if (width >= 1 && height >= 1 && width <= kMaxSide && height <= kMaxSide &&
      width * height <= kMaxPixels) {
    return {};
  }
  return resource_exhausted(name(), ": frames of ", width, "x", height, " pixels; the limit is ",
                            kMaxSide, " per side and ", kMaxPixels, " in all");
}

Status VideoReader::prepare() {
  // Looking into the streams may decode, and headers may lie: the limit holds there, too.
  std::vector<AVDictionary*> limits(format_->nb_streams, nullptr);
  for (AVDictionary*& limit : limits) av_dict_set_int(&limit, "max_pixels", kMaxPixels, 0);
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    const AVCodecParameters& about = *format_->streams[i]->codecpar;
    if (about.codec_type != AVMEDIA_TYPE_VIDEO || about.width <= 0) continue;
    if (Status size = check_size(about.width, about.height); !size.ok()) {
      for (AVDictionary*& limit : limits) av_dict_free(&limit);
      return size;
    }
  }
  const size_t known = limits.size();
  ffmpeg_log::take_first(Side::kInput);
  input_errors_ = ffmpeg_log::count(Side::kInput);  // a short file is read to its end here
  const int looked = avformat_find_stream_info(format_, known > 0 ? limits.data() : nullptr);
  for (AVDictionary*& limit : limits) av_dict_free(&limit);
  if (InterruptGuard::requested()) return {StatusCode::kCancelled, str_cat(name(), ": stopped")};
  if (looked < 0) {
    return invalid_image(name(), ": cannot be read: ", reason(Side::kInput, looked));
  }

  const AVCodec* decoder = nullptr;
  const int index = av_find_best_stream(format_, AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
  if (index < 0 && index != AVERROR_DECODER_NOT_FOUND) {
    return invalid_image(name(), ": has no video");
  }
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    AVStream* stream = format_->streams[i];
    const bool sound = stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO && options_.audio;
    if (static_cast<int>(i) != index && !sound) stream->discard = AVDISCARD_ALL;
  }
  const auto codec_name = [](AVCodecID id) { return avcodec_get_name(id); };
  if (index < 0) return unsupported(name(), ": no decoder for its video");
  stream_ = format_->streams[index];
  const AVCodecParameters& about = *stream_->codecpar;
  if ((stream_->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0) {
    return invalid_image(name(), ": has no video, only a cover picture");
  }
  DEEPLAB_RETURN_IF_ERROR(check_size(about.width, about.height));
  if (av_match_list(decoder->name, kDecoders, ',') <= 0) {
    return unsupported(name(), ": video of the codec ", codec_name(about.codec_id),
                       ", which is not one of those that are read");
  }

  codec_.reset(avcodec_alloc_context3(decoder));
  if (!codec_ || avcodec_parameters_to_context(codec_.get(), &about) < 0) return out_of_memory();
  codec_->pkt_timebase = stream_->time_base;
  codec_->max_pixels = kMaxPixels;
  DEEPLAB_ASSIGN_OR_RETURN(const int cpus, ThreadPool::count_threads(0));
  codec_->thread_count = std::min(cpus, kMaxDecoderThreads);
  codec_->err_recognition = AV_EF_CRCCHECK;  // checksums, if the format has them
  if (const int code = avcodec_open2(codec_.get(), decoder, nullptr); code < 0) {
    return invalid_image(name(), ": ", reason(Side::kDecoder, code));
  }

  size_t bytes = 0;
  if (const uint8_t* side = av_stream_get_side_data(stream_, AV_PKT_DATA_DISPLAYMATRIX, &bytes);
      side != nullptr && bytes >= 9 * sizeof(int32_t)) {
    if (const auto turn = turn_of(reinterpret_cast<const int32_t*>(side))) {
      turn_ = *turn;
    } else {
      complain("its rotation is not a multiple of 90 degrees, and is ignored");
    }
  }
  if (!source_->live()) {
    if (format_->start_time != AV_NOPTS_VALUE) {
      origin_ = static_cast<double>(format_->start_time) / AV_TIME_BASE;
    }
    end_ = origin_ + options_.start + options_.duration;
    if (options_.start > 0) seek();
  }
  ffmpeg_log::take_first(Side::kDecoder);  // frames are decoded once more
  decoder_errors_ = ffmpeg_log::count(Side::kDecoder);
  return {};
}

void VideoReader::seek() {
  // To a key frame before; if there is no way back and forth, all before is decoded and left out.
  if (!source_->seekable() || format_->start_time == AV_NOPTS_VALUE) return;
  const auto seek_to = [this](double time) {
    const double ticks = std::min(std::floor(time / av_q2d(stream_->time_base)), 9e18);
    const auto timestamp = static_cast<int64_t>(ticks);
    return av_seek_frame(format_, stream_->index, timestamp, AVSEEK_FLAG_BACKWARD) >= 0;
  };
  // MPEG's streams have no index, and a seek leads into the middle of a group of pictures: then
  // further back, where a key frame comes in time.
  const double at = origin_ + options_.start;
  for (double earlier = 0; at - earlier > origin_; earlier = 2 * earlier + 1) {
    if (!seek_to(at - earlier)) return;
    if (key_frame_comes_by(at) && seek_to(at - earlier)) {
      needs_key_frame_ = true;
      return;
    }
  }
  if ((format_->iformat->flags & AVFMT_TS_DISCONT) == 0) {
    seek_to(origin_);
  } else {
    av_seek_frame(format_, -1, 0, AVSEEK_FLAG_BYTE);  // the other way misses the first frames
  }
}

bool VideoReader::key_frame_comes_by(double time) {
  while (av_read_frame(format_, packet_.get()) >= 0 && !InterruptGuard::requested()) {
    const std::unique_ptr<AVPacket, void (*)(AVPacket*)> emptied(packet_.get(), av_packet_unref);
    if (packet_->stream_index != stream_->index) continue;
    const int64_t at = packet_->pts != AV_NOPTS_VALUE ? packet_->pts : packet_->dts;
    if (at == AV_NOPTS_VALUE || seconds(at) > time + av_q2d(stream_->time_base) / 2) return false;
    if ((packet_->flags & AV_PKT_FLAG_KEY) != 0) return true;
  }
  return false;
}

std::vector<const AVStream*> VideoReader::audio_streams() const {
  std::vector<const AVStream*> streams;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    const AVStream* stream = format_->streams[i];
    if (stream->codecpar->codec_type == AVMEDIA_TYPE_AUDIO && stream->discard != AVDISCARD_ALL) {
      streams.push_back(stream);
    }
  }
  return streams;
}

AVRational VideoReader::frame_rate() const {
  const AVRational rate = av_guess_frame_rate(format_, stream_, nullptr);
  return rate.num > 0 && rate.den > 0 ? rate : AVRational{25, 1};
}

int64_t VideoReader::shift(AVRational time_base) const {
  if (source_->live()) return av_rescale_q(first_timestamp_, stream_->time_base, time_base);
  if (options_.start <= 0) return 0;
  return static_cast<int64_t>(std::llround((origin_ + options_.start) / av_q2d(time_base)));
}

int64_t VideoReader::frame_count() const {
  if (source_->live()) return 0;
  const double rate = av_q2d(frame_rate());
  double length = -1;  // seconds
  if (stream_->duration > 0) length = seconds(stream_->duration);
  if (length < 0 && format_->duration > 0) {
    length = static_cast<double>(format_->duration) / AV_TIME_BASE;
  }
  double count = stream_->nb_frames > 0 ? static_cast<double>(stream_->nb_frames) : length * rate;
  if (options_.start > 0) count -= options_.start * rate;
  count = std::min(count, options_.duration * rate);
  return count > 0 && count < 1e15 ? static_cast<int64_t>(std::llround(count)) : 0;
}

// ---- Damage ------------------------------------------------------------------------------------

void VideoReader::complain(const std::string& what) {
  if (complaints_ >= kMaxComplaints) return;
  const bool last = ++complaints_ == kMaxComplaints;
  complain_(fmt::format("{}: {}{}", name(), what, last ? "; the next ones are only counted" : ""));
}

void VideoReader::note_damage(const AVFrame& frame) {
  const int64_t errors = ffmpeg_log::count(Side::kDecoder);
  const std::string logged = ffmpeg_log::take_first(Side::kDecoder);
  const bool damaged = errors > decoder_errors_ || frame.decode_error_flags != 0 ||
                       (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0;
  decoder_errors_ = errors;
  if (!damaged) return;
  ++damage_.damaged;
  complain(fmt::format("damaged frame at {:.3f} s{}{}", seconds(frame.best_effort_timestamp),
                       logged.empty() ? "" : ": ", logged));
}

void VideoReader::note_lost(int code) {
  ++damage_.lost;
  const std::string why = reason(Side::kDecoder, code);
  decoder_errors_ = ffmpeg_log::count(Side::kDecoder);
  complain(last_timestamp_ == AV_NOPTS_VALUE
               ? fmt::format("no frame could be made of a packet: {}", why)
               : fmt::format("a frame after {:.3f} s is lost: {}", seconds(last_timestamp_), why));
}

// ---- Packets -----------------------------------------------------------------------------------

Status VideoReader::set_audio_sink(AudioSink sink) {
  audio_sink_ = std::move(sink);
  for (; !early_audio_.empty(); early_audio_.pop_front()) {
    DEEPLAB_RETURN_IF_ERROR(give_audio(*early_audio_.front()));
  }
  return {};
}

Status VideoReader::give_audio(AVPacket& packet) {
  const AVStream& from = *format_->streams[packet.stream_index];
  const int64_t at = packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
  if (at == AV_NOPTS_VALUE) return {};
  const double time = av_q2d(from.time_base) * static_cast<double>(at);
  // Without --start, what comes before the first frame may be a codec's preparation.
  const bool before = options_.start > 0 && time < origin_ + options_.start;
  if (!source_->live() && (before || time >= end_)) return {};
  return audio_sink_(from, packet);
}

Result<bool> VideoReader::read_packet() {
  source_->expect_soon();
  const int code = av_read_frame(format_, packet_.get());
  const int64_t errors = ffmpeg_log::count(Side::kInput);
  if (errors > input_errors_) {
    input_errors_ = errors;
    const std::string logged = ffmpeg_log::take_first(Side::kInput);
    // The end of a file that was cut short looks like an end, and is only logged.
    const bool partial = logged.find("partial file") != logged.npos;
    const bool end = code == AVERROR_EOF || logged.find("prematurely") != logged.npos || partial;
    if (partial && code < 0 && !fed_ && !source_->seekable())
      return source_->index_comes_too_late();
    (end ? damage_.truncated : damage_.unreadable) = true;
    complain(fmt::format("{}: {}", end ? "truncated" : "damaged", logged));
  }
  if (code == AVERROR(EAGAIN)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return true;
  }
  if (code == AVERROR_EOF || InterruptGuard::requested()) return false;
  if (code == AVERROR_INVALIDDATA && ++failures_in_a_row_ < kMaxFailuresInARow) {
    damage_.unreadable = true;
    return true;
  }
  if (code < 0) {
    damage_.truncated = true;
    complain(fmt::format("cannot be read any further: {}", reason(Side::kInput, code)));
    return false;
  }
  failures_in_a_row_ = 0;
  const std::unique_ptr<AVPacket, void (*)(AVPacket*)> emptied(packet_.get(), av_packet_unref);
  if (packet_->stream_index != stream_->index) {
    if (audio_sink_) {
      DEEPLAB_RETURN_IF_ERROR(give_audio(*packet_));
    } else if (early_audio_.size() < kMaxEarlyPackets) {
      early_audio_.emplace_back(av_packet_clone(packet_.get()));
      if (!early_audio_.back()) return out_of_memory();
    }
    return true;
  }
  if (needs_key_frame_ && (packet_->flags & AV_PKT_FLAG_KEY) == 0) return true;
  needs_key_frame_ = false;
  fed_ = true;
  const int sent = avcodec_send_packet(codec_.get(), packet_.get());
  if (sent == AVERROR(ENOMEM)) return out_of_memory();
  if (sent < 0 && sent != AVERROR_EOF) note_lost(sent);
  return true;
}

/// Sound lies a little after the frames that it belongs to.
Status VideoReader::read_audio_until_end() {
  if (!audio_sink_ || source_->live() || !std::isfinite(end_)) return {};
  while (!InterruptGuard::requested() && av_read_frame(format_, packet_.get()) >= 0) {
    const std::unique_ptr<AVPacket, void (*)(AVPacket*)> emptied(packet_.get(), av_packet_unref);
    if (packet_->stream_index != stream_->index) {
      DEEPLAB_RETURN_IF_ERROR(give_audio(*packet_));
    } else if (packet_->dts != AV_NOPTS_VALUE && seconds(packet_->dts) > end_ + 1) {
      break;
    }
  }
  return {};
}

// ---- Frames ------------------------------------------------------------------------------------

bool VideoReader::accept(AVFrame& frame) {
  const int64_t step =
      std::max<int64_t>(1, av_rescale_q(1, av_inv_q(frame_rate()), stream_->time_base));
  int64_t at = frame.best_effort_timestamp;
  if (at == AV_NOPTS_VALUE) {
    at = last_timestamp_ == AV_NOPTS_VALUE ? 0 : last_timestamp_ + step;
    ++corrected_;
  } else if (last_timestamp_ != AV_NOPTS_VALUE && at <= last_timestamp_) {
    at = last_timestamp_ + 1;  // what players and containers need
    ++corrected_;
  }
  last_timestamp_ = frame.best_effort_timestamp = at;
  if (source_->live() && !started_) {
    origin_ = seconds(at);
    end_ = origin_ + options_.duration;
  }
  // Half a tick: a start that was typed is seldom exactly a time stamp.
  const double time = seconds(at) + av_q2d(stream_->time_base) / 2;
  if (!source_->live() && time < origin_ + options_.start) {
    // Frames after a seek may lack what they refer to; nobody sees these.
    decoder_errors_ = ffmpeg_log::count(Side::kDecoder);
    ffmpeg_log::take_first(Side::kDecoder);
    return false;
  }
  if (time >= end_) {
    ended_ = true;
    return false;
  }
  if (Status size = check_size(frame.width, frame.height); !size.ok()) {
    ++damage_.lost;
    complain(size.message());
    return false;
  }
  if (!started_) first_timestamp_ = at;
  started_ = true;
  note_damage(frame);
  return true;
}

Result<const AVFrame*> VideoReader::next() {
  while (!ended_) {
    const int code = avcodec_receive_frame(codec_.get(), frame_.get());
    if (code == 0) {
      if (accept(*frame_)) return frame_.get();
    } else if (code == AVERROR_EOF) {
      finish();
      return nullptr;
    } else if (code == AVERROR(ENOMEM)) {
      return out_of_memory();
    } else if (code != AVERROR(EAGAIN)) {
      note_lost(code);
      if (++failures_in_a_row_ > kMaxFailuresInARow) ended_ = drained_ = true;
    } else {
      DEEPLAB_ASSIGN_OR_RETURN(const bool more, read_packet());
      if (InterruptGuard::requested()) break;
      if (!more) {
        if (std::exchange(drained_, true)) break;
        avcodec_send_packet(codec_.get(), nullptr);
      }
    }
  }
  if (ended_) DEEPLAB_RETURN_IF_ERROR(read_audio_until_end());
  return nullptr;
}

void VideoReader::finish() {
  ended_ = true;
  if (ffmpeg_log::count(Side::kDecoder) > decoder_errors_) note_lost(AVERROR_INVALIDDATA);
}

}  // namespace deeplab::video
