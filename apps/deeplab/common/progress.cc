#include "apps/deeplab/common/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>

namespace deeplab::app {
namespace {

constexpr size_t kBarCells = 24;
constexpr std::chrono::milliseconds kRedrawInterval{100};

size_t terminal_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

/// "1:05", "2:00:09".
std::string clock_text(double seconds) {
  const auto s = static_cast<int64_t>(std::ceil(seconds));
  if (s < 3600) return fmt::format("{}:{:02}", s / 60, s % 60);
  return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
}

}  // namespace

Progress::Progress(size_t total, bool wanted, const char* things)
    : total_(total), enabled_(wanted && ::isatty(STDERR_FILENO) == 1), things_(things) {
  if (enabled_ && total_ > 0) draw();
}

void Progress::advance() {
  ++done_;
  if (!enabled_) return;
  if (visible_ && done_ != total_ && since_drawn_.elapsed() < kRedrawInterval) return;
  draw();
}

void Progress::hide() {
  if (!visible_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  visible_ = false;
}

void Progress::draw() {
  const double seconds = since_start_.seconds();
  std::string line = fmt::format("{} {}", done_, things_);
  if (total_ > 0) {
    const size_t filled = kBarCells * std::min(done_, total_) / total_;
    line = fmt::format("[{:#>{}}{:.>{}}] {}/{}", "", filled, "", kBarCells - filled, done_, total_);
  }
  if (done_ > 0 && seconds > 0) {
    const double rate = static_cast<double>(done_) / seconds;
    line += fmt::format("  {:.1f} {}/s", rate, things_);
    if (total_ >= done_) {
      line += fmt::format("  {} left", clock_text(static_cast<double>(total_ - done_) / rate));
    }
  }
  // A line that wraps could not be cleared again.
  line.resize(std::min(line.size(), terminal_columns() - 1));
  line = "\r" + line + "\x1b[K";
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  visible_ = true;
  since_drawn_.restart();
}

}  // namespace deeplab::app
