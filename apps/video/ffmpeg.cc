#include "apps/video/ffmpeg.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <mutex>
#include <new>
#include <utility>

namespace deeplab::video {
namespace ffmpeg_log {
namespace {

// A picture of kMaxPixels in the widest format fits; what a header claims beyond that does not.
constexpr size_t kMaxAllocation = size_t{1} << 30;

struct Errors {
  int64_t count = 0;
  std::string first;
};
std::mutex mutex;
std::array<Errors, 3> errors;  // by Side

Side side_of(void* context) {
  if (context == nullptr) return Side::kInput;
  const AVClass* about = *static_cast<AVClass**>(context);
  if (about == nullptr) return Side::kInput;
  switch (about->get_category != nullptr ? about->get_category(context) : about->category) {
    case AV_CLASS_CATEGORY_DECODER:
      return Side::kDecoder;
    case AV_CLASS_CATEGORY_ENCODER:
    case AV_CLASS_CATEGORY_MUXER:
      return Side::kOutput;
    default:
      return Side::kInput;
  }
}

void on_log(void* context, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_ERROR) return;
  char text[300];
  std::vsnprintf(text, sizeof text, format, arguments);
  try {
    const std::lock_guard lock(mutex);
    Errors& side = errors[static_cast<size_t>(side_of(context))];
    ++side.count;
    if (!side.first.empty()) return;
    side.first = text;
    while (!side.first.empty() && (std::isspace(static_cast<unsigned char>(side.first.back())) ||
                                   side.first.back() == '.')) {
      side.first.pop_back();
    }
    std::ranges::replace_if(
        side.first, [](char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; }, ' ');
  } catch (const std::bad_alloc&) {  // the count is there; C code called us
  }
}

}  // namespace

void install() {
  av_log_set_callback(on_log);
  av_max_alloc(kMaxAllocation);
}

int64_t count(Side side) {
  const std::lock_guard lock(mutex);
  return errors[static_cast<size_t>(side)].count;
}

std::string take_first(Side side) {
  const std::lock_guard lock(mutex);
  return std::exchange(errors[static_cast<size_t>(side)].first, std::string());
}

}  // namespace ffmpeg_log

FramePtr new_frame() {
  FramePtr frame(av_frame_alloc());
  if (!frame) throw std::bad_alloc();
  return frame;
}

PacketPtr new_packet() {
  PacketPtr packet(av_packet_alloc());
  if (!packet) throw std::bad_alloc();
  return packet;
}

std::string error_text(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = "";
  av_strerror(code, text, sizeof text);
  return text;
}

std::string reason(ffmpeg_log::Side side, int code) {
  const std::string logged = ffmpeg_log::take_first(side);
  const std::string text = error_text(code);
  if (logged.empty()) return text;
  return logged.find(text) != logged.npos ? logged : logged + " (" + text + ")";
}

}  // namespace deeplab::video
