#include "apps/video/source.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "apps/deeplab/common/interrupt.h"

namespace deeplab::video {
namespace {

using app::InterruptGuard;

// FFmpeg knows 300 kinds of input, among them scripts that name other files, pages that name
// servers, and text as pictures of a terminal.
constexpr const char* kDemuxers =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,m4v,obu,ivf,flv,asf,"
    "ogg,mxf,nut,yuv4mpegpipe,gif,mjpeg,dv,wtv,rm";
constexpr const char* kRtspProtocols = "rtsp,rtp,udp,tcp";
constexpr std::chrono::seconds kNetworkPatience{15};
constexpr int kReadBytes = 1 << 16;

std::string system_reason(int error) { return std::generic_category().message(error); }

bool begins_with(const std::string& text, const char* prefix) { return text.rfind(prefix, 0) == 0; }

/// A file that is opened because the input's contents name it.
int refuse_to_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

/// Cameras are in a library of their own, which draws in those of sound and windows: it is loaded
/// only if a camera is asked for.
Status load_cameras() {
  const std::string file =
      "libavdevice.so." + std::to_string(LIBAVFORMAT_VERSION_MAJOR);  // both have the same number
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  void* found = library != nullptr ? ::dlsym(library, "avdevice_register_all") : nullptr;
  if (found == nullptr) {
    return unsupported("cameras need ", file, ", which is in Debian's libavdevice",
                       LIBAVFORMAT_VERSION_MAJOR, ": ", ::dlerror());
  }
  reinterpret_cast<void (*)()>(found)();
  return {};
}

}  // namespace

Result<std::unique_ptr<Source>> Source::open(const std::string& path, bool allow_rtsp) {
  std::unique_ptr<Source> source(new Source(path == "-" ? "standard input" : path));
  const size_t scheme = path.find("://");
  if (begins_with(path, "rtsp://") && allow_rtsp) {
    DEEPLAB_RETURN_IF_ERROR(source->open_rtsp(path));
  } else if (scheme != path.npos && path.find('/') == scheme + 1) {
    return invalid_argument(
        path, ": ",
        begins_with(path, "rtsp://") ? "needs --allow-rtsp" : "of addresses only rtsp:// is read",
        "; a file of that name is ./", path);
  } else if (begins_with(path, "/dev/video")) {
    DEEPLAB_RETURN_IF_ERROR(source->open_camera(path));
  } else {
    DEEPLAB_RETURN_IF_ERROR(source->open_file(path));
  }
  return source;
}

Source::~Source() {
  avformat_close_input(&format_);
  if (file_ > STDIN_FILENO) ::close(file_);
}

void Source::expect_soon() { deadline_ = std::chrono::steady_clock::now() + kNetworkPatience; }

Status Source::open_file(const std::string& path) {
  // Of a named pipe that nobody writes to, open() would wait, and a signal would not end that.
  file_ = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file_ < 0) return io_error("cannot open ", name_, ": ", system_reason(errno));
  struct stat info {};
  if (::fstat(file_, &info) != 0) {
    return io_error("cannot read ", name_, ": ", system_reason(errno));
  }
  if (S_ISDIR(info.st_mode)) return io_error("cannot read ", name_, ": it is a directory");
  seekable_ = S_ISREG(info.st_mode) && ::lseek(file_, 0, SEEK_CUR) >= 0;
  auto* buffer = static_cast<uint8_t*>(av_malloc(kReadBytes));
  if (buffer == nullptr) return out_of_memory();
  bytes_.reset(
      avio_alloc_context(buffer, kReadBytes, 0, this, read, nullptr, seekable_ ? seek : nullptr));
  if (!bytes_) {
    av_free(buffer);
    return out_of_memory();
  }
  return open_input(path, nullptr, nullptr);
}

Status Source::open_camera(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return io_error("cannot open ", name_, ": ", system_reason(errno));
  }
  if (!S_ISCHR(info.st_mode)) return invalid_argument(name_, ": not a camera");
  DEEPLAB_RETURN_IF_ERROR(load_cameras());
  const AVInputFormat* kind = av_find_input_format("video4linux2");
  if (kind == nullptr) return unsupported(name_, ": this FFmpeg reads no cameras");
  live_ = true;
  return open_input(path, kind, nullptr);
}

Status Source::open_rtsp(const std::string& url) {
  live_ = from_network_ = true;
  avformat_network_init();
  AVDictionary* options = nullptr;
  av_dict_set(&options, "protocol_whitelist", kRtspProtocols, 0);
  const Status opened = open_input(url, av_find_input_format("rtsp"), &options);
  av_dict_free(&options);
  return opened;
}

Status Source::open_input(const std::string& url, const AVInputFormat* kind,
                          AVDictionary** options) {
  format_ = avformat_alloc_context();
  if (format_ == nullptr) return out_of_memory();
  format_->interrupt_callback = {should_stop, this};
  if (bytes_) {
    format_->pb = bytes_.get();
    format_->io_open = refuse_to_open;
    format_->format_whitelist = av_strdup(kDemuxers);
    format_->protocol_whitelist = av_strdup("none");
  }
  expect_soon();
  ffmpeg_log::take_first(ffmpeg_log::Side::kInput);
  const int code = avformat_open_input(&format_, url.c_str(), kind, options);
  if (code >= 0) return {};
  const std::string why = reason(ffmpeg_log::Side::kInput, code);
  if (InterruptGuard::requested()) return {StatusCode::kCancelled, str_cat(name_, ": stopped")};
  if (from_network_ && std::chrono::steady_clock::now() > deadline_) {
    return io_error("cannot open ", name_, ": no answer within ", kNetworkPatience.count(), " s");
  }
  if (!bytes_) return io_error("cannot open ", name_, ": ", why);
  if (why.find("whitelist") != why.npos) {
    return invalid_image(name_, ": not a video of a kind that is read here");
  }
  if (why.find("moov atom not found") != why.npos) {
    if (!begins_like_mp4()) return invalid_image(name_, ": not a video of a known kind");
    if (!seekable_) return index_comes_too_late();
    return invalid_image(
        name_, ": the file is truncated: its index, which would be at its end, is not there");
  }
  return invalid_image(name_, ": not a video of a known kind: ", why);
}

Status Source::index_comes_too_late() const {
  return invalid_image(
      name_, ": its index is at its end, which a pipe reaches too late; give the file itself");
}

/// A name alone makes FFmpeg take a file for an MP4.
bool Source::begins_like_mp4() const {
  char head[8] = {};
  if (!seekable_) return true;
  if (::pread(file_, head, sizeof head, 0) != ssize_t{sizeof head}) return false;
  const std::string_view box(head + 4, 4);
  for (const char* known : {"ftyp", "mdat", "free", "skip", "wide", "pnot", "moov", "moof"}) {
    if (box == known) return true;
  }
  return false;
}

int Source::read(void* self, uint8_t* to, int size) {
  auto& source = *static_cast<Source*>(self);
  while (true) {
    // A pipe may be silent for long: a signal has to be noticed nevertheless.
    pollfd ready{source.file_, POLLIN, 0};
    const int polled = ::poll(&ready, 1, 100);
    if (InterruptGuard::requested()) return AVERROR_EXIT;
    if (polled == 0 || (polled < 0 && errno == EINTR)) continue;
    const ssize_t n = ::read(source.file_, to, static_cast<size_t>(size));
    if (n > 0) return static_cast<int>(n);
    if (n == 0) return AVERROR_EOF;
    if (errno != EINTR && errno != EAGAIN) return AVERROR(errno);
  }
}

int64_t Source::seek(void* self, int64_t offset, int whence) {
  const int file = static_cast<Source*>(self)->file_;
  if (whence == AVSEEK_SIZE) {
    struct stat info {};
    return ::fstat(file, &info) == 0 ? int64_t{info.st_size} : AVERROR(errno);
  }
  const off_t at = ::lseek(file, offset, whence & ~AVSEEK_FORCE);
  return at >= 0 ? int64_t{at} : AVERROR(errno);
}

int Source::should_stop(void* self) {
  const auto& source = *static_cast<Source*>(self);
  if (InterruptGuard::requested()) return 1;
  return source.from_network_ && std::chrono::steady_clock::now() > source.deadline_ ? 1 : 0;
}

}  // namespace deeplab::video
