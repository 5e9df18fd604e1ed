// FFmpeg's libraries: their headers, handles that free themselves, and what they say of errors.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/mem.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <cstdint>
#include <memory>
#include <string>

namespace deeplab::video {

struct Free {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
  void operator()(AVIOContext* bytes) const {
    av_freep(&bytes->buffer);
    avio_context_free(&bytes);
  }
};
using FramePtr = std::unique_ptr<AVFrame, Free>;
using PacketPtr = std::unique_ptr<AVPacket, Free>;
using CodecPtr = std::unique_ptr<AVCodecContext, Free>;
using ScalerPtr = std::unique_ptr<SwsContext, Free>;
using BytesPtr = std::unique_ptr<AVIOContext, Free>;

/// Both throw std::bad_alloc.
FramePtr new_frame();
PacketPtr new_packet();

/// FFmpeg's words for an error code.
std::string error_text(int code);

/// What the libraries report as errors, in place of their lines on standard error. A decoder that
/// conceals damage says so nowhere else.
namespace ffmpeg_log {

enum class Side { kInput, kDecoder, kOutput };

/// Once, before anything else of FFmpeg. Also limits the size of any one allocation.
void install();
/// Errors of that side so far. Any thread.
int64_t count(Side side);
/// The first error of that side since the last call, on one line; empty if there was none.
std::string take_first(Side side);

}  // namespace ffmpeg_log

/// The words for an error code, after what the library has just logged of that side.
std::string reason(ffmpeg_log::Side side, int code);

}  // namespace deeplab::video
