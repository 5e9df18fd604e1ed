#include "apps/video/writer.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace deeplab::video {
namespace {

using ffmpeg_log::Side;

constexpr int kWriteBytes = 1 << 16;

/// Containers that keep any time stamps, and what each holds best.
struct Container {
  const char* extension;
  const char* format;    // as libavformat calls it
  const char* pictures;  // encoders, best first
  const char* cutouts;   // with transparency; nullptr: none
  bool masks;            // whether lossless grey fits in
  bool streams;          // whether it can be written from its beginning to its end
};
constexpr Container kContainers[] = {
    {".mkv", "matroska", "libx264,mpeg4", "ffv1", true, true},
    {".mp4", "mp4", "libx264,mpeg4", nullptr, false, false},
    {".m4v", "mp4", "libx264,mpeg4", nullptr, false, false},
    {".mov", "mov", "libx264,mpeg4", "prores_ks", true, false},
    {".webm", "webm", "libvpx-vp9,libvpx", "libvpx-vp9", false, true},
};

const Container* container_of(const std::string& path) {
  const size_t dot = path.find_last_of("./");
  if (dot == path.npos || path[dot] == '/') return nullptr;
  std::string extension = path.substr(dot);
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto* found = std::ranges::find_if(
      kContainers, [&](const Container& container) { return extension == container.extension; });
  return found != std::end(kContainers) ? found : nullptr;
}

/// The first encoder of a comma-separated list that this FFmpeg has.
const AVCodec* find_encoder(std::string names) {
  while (!names.empty()) {
    const size_t comma = std::min(names.find(','), names.size());
    if (const AVCodec* codec = avcodec_find_encoder_by_name(names.substr(0, comma).c_str())) {
      return codec;
    }
    names.erase(0, comma + 1);
  }
  return nullptr;
}

bool is_lossless(const AVCodec& codec) {
  const AVCodecDescriptor* about = avcodec_descriptor_get(codec.id);
  return about != nullptr && (about->props & AV_CODEC_PROP_LOSSLESS) != 0 &&
         (about->props & AV_CODEC_PROP_LOSSY) == 0;
}

bool takes(const AVCodec& codec, AVPixelFormat format) {
  for (const AVPixelFormat* f = codec.pix_fmts; f != nullptr && *f != AV_PIX_FMT_NONE; ++f) {
    if (*f == format) return true;
  }
  return false;
}

/// Grey as it is; colours in the form that every player shows; of a lossless codec and of a
/// cut-out the one that loses least. AV_PIX_FMT_NONE: the codec has none.
AVPixelFormat pixel_format(const AVCodec& codec, Output output) {
  if (output == Output::kMask) {
    return takes(codec, AV_PIX_FMT_GRAY8) ? AV_PIX_FMT_GRAY8 : AV_PIX_FMT_NONE;
  }
  const bool cutout = output == Output::kCutout;
  // Those of boards, such as h264_v4l2m2m, ask the device, and take this.
  if (codec.pix_fmts == nullptr) return cutout ? AV_PIX_FMT_NONE : AV_PIX_FMT_YUV420P;
  if (!cutout && !is_lossless(codec) && takes(codec, AV_PIX_FMT_YUV420P)) return AV_PIX_FMT_YUV420P;
  const AVPixelFormat wanted = cutout ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24;
  int loss = 0;
  const AVPixelFormat best =
      avcodec_find_best_pix_fmt_of_list(codec.pix_fmts, wanted, cutout ? 1 : 0, &loss);
  return cutout && (loss & FF_LOSS_ALPHA) != 0 ? AV_PIX_FMT_NONE : best;
}

struct Choice {
  const Container* container = nullptr;
  const AVCodec* codec = nullptr;
  AVPixelFormat format = AV_PIX_FMT_NONE;
};

Result<Choice> choose(const std::string& path, Output output, const std::string& name) {
  Choice choice;
  choice.container = container_of(path);
  if (choice.container == nullptr) {
    return invalid_argument("--output: ", path,
                            ": unknown kind of video; expected .mp4, .mov, .mkv or .webm");
  }
  if (!choice.container->streams && is_written_in_place(path)) {
    return invalid_argument(
        "--output: ", path, " is a pipe or a device, where a ", choice.container->extension,
        " file, whose index is written last, cannot be written; .mkv and .webm can");
  }
  const bool mask = output == Output::kMask;
  if (mask && !choice.container->masks) {
    return invalid_argument("--output: ", path, " would not keep class ids exactly; a mask is ",
                            "lossless and needs .mkv");
  }
  const char* usual = mask                        ? "ffv1"
                      : output == Output::kCutout ? choice.container->cutouts
                                                  : choice.container->pictures;
  if (usual == nullptr) {
    return invalid_argument("--output: ", path,
                            " cannot be transparent; a cut-out needs .mkv, .mov or .webm");
  }
  choice.codec = find_encoder(name.empty() ? usual : name);
  if (choice.codec == nullptr || choice.codec->type != AVMEDIA_TYPE_VIDEO) {
    return invalid_argument("--codec: this FFmpeg has no video encoder '",
                            name.empty() ? usual : name, "'; `ffmpeg -encoders` lists them");
  }
  if (mask && !is_lossless(*choice.codec)) {
    return invalid_argument("--codec: ", name, " would not keep class ids exactly; ffv1 does");
  }
  choice.format = pixel_format(*choice.codec, output);
  if (choice.format == AV_PIX_FMT_NONE) {
    return invalid_argument("--codec: ", choice.codec->name, " has no ",
                            mask ? "grey" : "transparent", " pictures");
  }
  const AVOutputFormat* format = av_guess_format(choice.container->format, nullptr, nullptr);
  if (format == nullptr ||
      avformat_query_codec(format, choice.codec->id, FF_COMPLIANCE_NORMAL) == 0) {
    return invalid_argument("--codec: ", choice.codec->name, " does not fit into ", path);
  }
  return choice;
}

/// What is fast enough beside a network on the same CPU, at a quality that one does not see.
void set_quality(AVCodecContext& codec) {
  const std::string name = codec.codec->name;
  void* own = codec.priv_data;
  if (name == "libx264" || name == "libx265") {
    av_opt_set(own, "preset", "veryfast", 0);
    av_opt_set(own, "crf", "20", 0);
    av_opt_set(own, "x265-params", "log-level=error", 0);
  } else if (name == "libvpx-vp9" || name == "libvpx") {
    av_opt_set(own, "crf", "30", 0);
    av_opt_set(own, "deadline", "good", 0);
    av_opt_set(own, "cpu-used", "5", 0);
    av_opt_set(own, "row-mt", "1", 0);
  } else if (name == "ffv1") {
    codec.level = 3;
    // One thread per slice. Without a number FFV1 wants at least four, which do not fit into a mask
    // that is one pixel wide.
    codec.slices = codec.width >= 64 && codec.height >= 64 ? 4 : 1;
    av_opt_set(own, "slicecrc", "1", 0);
  } else if (name == "mpeg4" || name == "mjpeg") {
    codec.flags |= AV_CODEC_FLAG_QSCALE;
    codec.global_quality = 3 * FF_QP2LAMBDA;
  }
}

/// The time base, or of MPEG-4, which has 16 bits for the ticks of a second, one that fits: whole
/// ticks of it become one.
AVRational encoder_time_base(const AVCodec& codec, AVRational time_base) {
  constexpr int kMostTicks = 65535;
  if (codec.id != AV_CODEC_ID_MPEG4 || time_base.den <= kMostTicks) return time_base;
  const int least = time_base.den / kMostTicks + 1;
  for (int ticks = least; ticks <= 2 * least; ++ticks) {
    if (time_base.den % ticks == 0) return {1, time_base.den / ticks};
  }
  return {1, kMostTicks};
}

/// Repeats the last column and the last row of a plane of `width` x `height` up to the larger size.
void extend(uint8_t* plane, int stride, int width, int height, int to_width, int to_height) {
  for (int y = 0; y < height; ++y) {
    uint8_t* row = plane + ptrdiff_t{stride} * y;
    std::fill(row + width, row + to_width, row[width - 1]);
  }
  const uint8_t* last = plane + ptrdiff_t{stride} * (height - 1);
  for (int y = height; y < to_height; ++y) {
    std::copy_n(last, to_width, plane + ptrdiff_t{stride} * y);
  }
}

}  // namespace

Status check_output(const std::string& path, Output output, const std::string& codec) {
  return choose(path, output, codec).status();
}

Result<std::unique_ptr<VideoWriter>> VideoWriter::create(const WriterOptions& options) {
  DEEPLAB_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(options.path));
  std::unique_ptr<VideoWriter> writer(new VideoWriter(options, std::move(file)));
  ffmpeg_log::take_first(Side::kOutput);
  DEEPLAB_RETURN_IF_ERROR(writer->open_encoder());
  DEEPLAB_RETURN_IF_ERROR(writer->open_container());
  return writer;
}

VideoWriter::VideoWriter(const WriterOptions& options, AtomicFile file)
    : options_(options), file_(std::move(file)) {}

VideoWriter::~VideoWriter() {
  if (format_ != nullptr) avformat_free_context(format_);
}

Status VideoWriter::failed(const std::string& what, int code) const {
  if (system_error_ != 0) {
    return io_error("cannot write ", options_.path, ": ",
                    std::generic_category().message(system_error_));
  }
  if (code == AVERROR(ENOMEM)) return out_of_memory();
  return io_error(options_.path, ": ", what, ": ", reason(Side::kOutput, code));
}

Status VideoWriter::open_encoder() {
  DEEPLAB_ASSIGN_OR_RETURN(const Choice choice,
                           choose(options_.path, options_.output, options_.codec));
  codec_.reset(avcodec_alloc_context3(choice.codec));
  if (!codec_) return out_of_memory();
  AVCodecContext& codec = *codec_;
  // These two store colours for 2x2 pixels, and have no odd sizes.
  const bool even =
      (choice.codec->id == AV_CODEC_ID_H264 || choice.codec->id == AV_CODEC_ID_HEVC) &&
      choice.format == AV_PIX_FMT_YUV420P;
  codec.width = even ? (options_.width + 1) / 2 * 2 : options_.width;
  codec.height = even ? (options_.height + 1) / 2 * 2 : options_.height;
  codec.pix_fmt = choice.format;
  codec.time_base = encoder_time_base(*choice.codec, options_.time_base);
  codec.framerate = options_.frame_rate;
  codec.sample_aspect_ratio = options_.sample_aspect_ratio;
  codec.thread_count = 0;
  const AVPixFmtDescriptor* about = av_pix_fmt_desc_get(choice.format);
  if ((about->flags & AV_PIX_FMT_FLAG_RGB) != 0) {
    codec.colorspace = AVCOL_SPC_RGB;
  } else {
    codec.colorspace = options_.matrix;
  }
  const bool whole_bytes = about->nb_components <= 2 || codec.codec_id == AV_CODEC_ID_MJPEG;
  codec.color_range = whole_bytes ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;  // of ids and in JPEG
  codec.color_primaries = options_.primaries;
  codec.color_trc = options_.transfer;
  const AVOutputFormat* format = av_guess_format(choice.container->format, nullptr, nullptr);
  if ((format->flags & AVFMT_GLOBALHEADER) != 0) codec.flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  set_quality(codec);
  if (const int code = avcodec_open2(&codec, choice.codec, nullptr); code < 0) {
    return failed(str_cat("the encoder ", choice.codec->name, " does not start"), code);
  }
  frame_->format = codec.pix_fmt;
  frame_->width = codec.width;
  frame_->height = codec.height;
  frame_->colorspace = codec.colorspace;
  frame_->color_range = codec.color_range;
  frame_->color_primaries = codec.color_primaries;
  frame_->color_trc = codec.color_trc;
  frame_->sample_aspect_ratio = codec.sample_aspect_ratio;
  if (av_frame_get_buffer(frame_.get(), 0) < 0) return out_of_memory();
  return {};
}

Status VideoWriter::open_container() {
  const Container& container = *container_of(options_.path);
  if (avformat_alloc_output_context2(&format_, nullptr, container.format, options_.path.c_str()) <
      0) {
    return out_of_memory();
  }
  auto* buffer = static_cast<uint8_t*>(av_malloc(kWriteBytes));
  if (buffer == nullptr) return out_of_memory();
  bytes_.reset(avio_alloc_context(buffer, kWriteBytes, 1, this, nullptr, write_bytes,
                                  file_.can_seek() ? seek : nullptr));
  if (!bytes_) {
    av_free(buffer);
    return out_of_memory();
  }
  format_->pb = bytes_.get();
  // Sound may begin a little before 0; for Matroska all would be shifted.
  format_->avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED;
  stream_ = avformat_new_stream(format_, nullptr);
  if (stream_ == nullptr || avcodec_parameters_from_context(stream_->codecpar, codec_.get()) < 0) {
    return out_of_memory();
  }
  stream_->time_base = codec_->time_base;
  stream_->avg_frame_rate = options_.frame_rate;
  stream_->sample_aspect_ratio = codec_->sample_aspect_ratio;
  if (codec_->pix_fmt == AV_PIX_FMT_YUVA420P) av_dict_set(&stream_->metadata, "alpha_mode", "1", 0);
  for (const AVStream* audio : options_.audio) DEEPLAB_RETURN_IF_ERROR(add_audio(*audio));
  if (const int code = avformat_write_header(format_, nullptr); code < 0) {
    return failed("the file cannot be begun", code);
  }
  return {};
}

Status VideoWriter::add_audio(const AVStream& from) {
  // Matroska answers no for sound that it takes in a form of Windows'.
  const AVOutputFormat& format = *format_->oformat;
  if (std::string_view(format.name) != "matroska" &&
      avformat_query_codec(&format, from.codecpar->codec_id, FF_COMPLIANCE_NORMAL) == 0) {
    return unsupported("--copy-audio: sound of the codec ",
                       avcodec_get_name(from.codecpar->codec_id), " does not fit into ",
                       options_.path, "; .mkv takes any");
  }
  AVStream* to = avformat_new_stream(format_, nullptr);
  if (to == nullptr || avcodec_parameters_copy(to->codecpar, from.codecpar) < 0) {
    return out_of_memory();
  }
  to->codecpar->codec_tag = 0;  // the container's own
  to->time_base = from.time_base;
  av_dict_copy(&to->metadata, from.metadata, 0);  // the language
  audio_[&from] = to;
  return {};
}

int VideoWriter::write_bytes(void* self, uint8_t* bytes, int size) {
  auto& writer = *static_cast<VideoWriter*>(self);
  for (int done = 0; done < size;) {
    const ssize_t n =
        ::write(writer.file_.descriptor(), bytes + done, static_cast<size_t>(size - done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      writer.system_error_ = errno;
      return AVERROR(errno);
    }
    done += static_cast<int>(n);
  }
  return size;
}

int64_t VideoWriter::seek(void* self, int64_t offset, int whence) {
  const int file = static_cast<VideoWriter*>(self)->file_.descriptor();
  if (whence == AVSEEK_SIZE) {
    const off_t here = ::lseek(file, 0, SEEK_CUR);
    const off_t end = ::lseek(file, 0, SEEK_END);
    ::lseek(file, here, SEEK_SET);
    return end;
  }
  const off_t at = ::lseek(file, offset, whence & ~AVSEEK_FORCE);
  return at >= 0 ? int64_t{at} : AVERROR(errno);
}

Status VideoWriter::fill_frame(const Pixels& pixels) {
  if (av_frame_make_writable(frame_.get()) < 0) return out_of_memory();
  if (pixels.format == frame_->format) {
    const int row = pixels.width * av_get_bits_per_pixel(av_pix_fmt_desc_get(pixels.format)) / 8;
    av_image_copy_plane(frame_->data[0], frame_->linesize[0], pixels.data, pixels.stride, row,
                        pixels.height);
    return {};
  }
  const ScalerSide from{pixels.width, pixels.height, pixels.format, true};
  const ScalerSide to{pixels.width, pixels.height, static_cast<AVPixelFormat>(frame_->format),
                      frame_->color_range == AVCOL_RANGE_JPEG};
  const int matrix = frame_->colorspace == AVCOL_SPC_RGB ? SWS_CS_DEFAULT : frame_->colorspace;
  DEEPLAB_RETURN_IF_ERROR(prepare_scaler(scaler_, from, to, matrix));
  const uint8_t* const rows[4] = {pixels.data, nullptr, nullptr, nullptr};
  const int strides[4] = {pixels.stride, 0, 0, 0};
  const int done =
      sws_scale(scaler_.get(), rows, strides, 0, pixels.height, frame_->data, frame_->linesize);
  if (done < 0) return internal_error("a frame could not be converted: ", error_text(done));
  // Of an odd size the colours are there already, since two pixels share them.
  if (pixels.width != frame_->width || pixels.height != frame_->height) {
    extend(frame_->data[0], frame_->linesize[0], pixels.width, pixels.height, frame_->width,
           frame_->height);
  }
  return {};
}

Status VideoWriter::write(const Pixels& pixels, int64_t timestamp) {
  DEEPLAB_RETURN_IF_ERROR(fill_frame(pixels));
  const int64_t at = av_rescale_q(timestamp, options_.time_base, codec_->time_base);
  frame_->pts = last_timestamp_ = std::max(at, last_timestamp_ + 1);
  return encode(frame_.get());
}

Status VideoWriter::encode(const AVFrame* frame) {
  int code = avcodec_send_frame(codec_.get(), frame);
  if (code < 0) return failed("a frame cannot be encoded", code);
  while ((code = avcodec_receive_packet(codec_.get(), packet_.get())) >= 0) {
    av_packet_rescale_ts(packet_.get(), codec_->time_base, stream_->time_base);
    packet_->stream_index = stream_->index;
    DEEPLAB_RETURN_IF_ERROR(write_packet(*packet_));
  }
  if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return {};
  return failed("a frame cannot be encoded", code);
}

Status VideoWriter::write_audio(const AVStream& from, const AVPacket& packet, int64_t shift) {
  const auto found = audio_.find(&from);
  if (found == audio_.end()) return {};
  if (av_packet_ref(audio_packet_.get(), &packet) < 0) return out_of_memory();
  AVPacket& copy = *audio_packet_;
  if (copy.pts != AV_NOPTS_VALUE) copy.pts -= shift;
  if (copy.dts != AV_NOPTS_VALUE) copy.dts -= shift;
  av_packet_rescale_ts(&copy, from.time_base, found->second->time_base);
  copy.stream_index = found->second->index;
  copy.pos = -1;
  return write_packet(copy);
}

Status VideoWriter::write_packet(AVPacket& packet) {
  const std::lock_guard lock(container_);
  const int code = av_interleaved_write_frame(format_, &packet);  // takes the packet's bytes
  if (code >= 0) return {};
  return failed("a packet cannot be written", code);
}

Status VideoWriter::finish() {
  DEEPLAB_RETURN_IF_ERROR(encode(nullptr));
  const int code = av_write_trailer(format_);
  avio_flush(bytes_.get());
  if (code < 0 || system_error_ != 0) return failed("the file cannot be ended", code);
  return file_.commit();
}

}  // namespace deeplab::video
