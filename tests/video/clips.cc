#include "tests/video/clips.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "tests/apps/program.h"
#include "tests/samples/samples.h"

namespace deeplab::testing {
namespace {

std::string quoted(const std::string& path) { return "'" + path + "'"; }

}  // namespace

bool has_ffmpeg() {
  static const bool has =
      std::system("ffmpeg -version >/dev/null 2>&1 && ffprobe -version >/dev/null 2>&1") == 0;
  return has;
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"),
                                                   [](FILE*) { return 0; });
  if (!pipe) throw std::runtime_error("popen");
  std::string text;
  char buffer[1 << 16];
  for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe.get())) > 0;)
    text.append(buffer, n);
  if (::pclose(pipe.get()) != 0) throw std::runtime_error("failed: " + command);
  return text;
}

void run_ffmpeg(const std::string& arguments) {
  output_of("ffmpeg -nostdin -v error -y -threads 2 " + arguments);
}

void make_clip(const std::string& path, int frames, const std::string& size,
               const std::string& options) {
  const std::string number = std::to_string(frames);
  // The camera moves to the right and down over the photo.
  run_ffmpeg("-loop 1 -framerate 25 -i " + quoted(kCatPhoto) +
             " -vf \"scale=400:400,crop=320:240:'mod(3*n,80)':'mod(2*n,160)',scale=" + size +
             ":flags=bilinear,setsar=1\" -frames:v " + number + " " + options + " " + quoted(path));
}

std::vector<std::string> times_of(const std::string& path) {
  std::vector<std::string> times =
      lines_of(output_of("ffprobe -v error -select_streams v:0 -show_entries frame=pts_time -of "
                         "default=nokey=1:noprint_wrappers=1 " +
                         quoted(path)));
  return times;
}

std::string stream_value(const std::string& path, const std::string& name) {
  const auto lines =
      lines_of(output_of("ffprobe -v error -select_streams v:0 -show_entries stream=" + name +
                         " -of default=nokey=1:noprint_wrappers=1 " + quoted(path)));
  return lines.empty() ? "" : lines.front();
}

std::vector<uint8_t> pixels_of(const std::string& path, const std::string& format) {
  const std::string raw =
      output_of("ffmpeg -nostdin -v error -i " + quoted(path) +
                " -map 0:v:0 -vsync passthrough -f rawvideo -pix_fmt " + format + " -");
  return {raw.begin(), raw.end()};
}

}  // namespace deeplab::testing
