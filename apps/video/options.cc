#include "apps/video/options.h"

#include <charconv>
#include <limits>

#include "apps/video/writer.h"

namespace deeplab::video {
namespace {

void add_time(CLI::App& app, const char* flag, double& value, const char* description) {
  app.add_option_function<std::string>(
         flag,
         [flag, &value](const std::string& text) {
           const auto time = parse_time(text);
           if (!time.ok()) throw CLI::ValidationError(flag, time.status().message());
           value = *time;
         },
         description)
      ->type_name("TIME");
}

void add_count(CLI::App& app, const char* flag, int64_t& value, const char* description) {
  app.add_option(flag, value, description)
      ->check(CLI::Range(int64_t{1}, std::numeric_limits<int64_t>::max()).description(""))
      ->type_name("N");
}

/// What a single flag cannot know.
void check(const VideoOptions& options) {
  if (options.output.empty()) {
    if (!options.json) throw CLI::RequiredError("--output (or --json)");
    if (options.input.audio) throw CLI::ValidationError("--copy-audio", "needs --output");
    if (!options.codec.empty()) throw CLI::ValidationError("--codec", "needs --output");
  } else if (const Status fits = check_output(options.output, options.write, options.codec);
             !fits.ok()) {
    throw CLI::ValidationError(fits.message());
  }
  const bool uses_classes = options.write == Output::kCutout || options.write == Output::kBlur;
  if (!options.classes.empty() && !uses_classes) {
    throw CLI::ValidationError("--class", "needs --write cutout or --write blur");
  }
  options.backend.check();
  if (options.fps > 0 && options.size.width > 0) {
    throw CLI::ValidationError("--fps", "chooses the canvas; leave out --size");
  }
  if (options.input.duration <= 0) throw CLI::ValidationError("--duration", "expected more than 0");
}

constexpr const char* kFooter =
    "--write:\n"
    "  overlay  the mask over the frame, with a legend\n"
    "  mask     class ids as grey values, lossless (FFV1), in .mkv\n"
    "  cutout   the frame's classes with soft edges, transparent elsewhere, in .mkv, .mov or "
    ".webm\n"
    "  blur     the frame's classes as they are, blurred elsewhere\n"
    "\n"
    "TIME is seconds or [HOURS:]MINUTES:SECONDS. Frames keep their time stamps, which count from\n"
    "--start if that is given, and are turned upright as the file says.\n"
    "\n"
    "Exit status: 0 all done; 1 it failed, or the input is damaged or truncated: the frames that\n"
    "could be read are written, and the others reported; 2 wrong usage. The output appears whole "
    "or\n"
    "not at all; after SIGINT or SIGTERM (Ctrl-C, kill) it is ended properly and has all frames "
    "so\n"
    "far.\n";

}  // namespace

Result<double> parse_time(const std::string& text) {
  const auto wrong = [&] {
    return invalid_argument("invalid time '", text,
                            "'; expected seconds or [HOURS:]MINUTES:SECONDS");
  };
  double seconds = 0;
  size_t begin = 0;
  for (int part = 0; part < 3; ++part) {
    const size_t colon = text.find(':', begin);
    const char* first = text.data() + begin;
    const char* last = text.data() + (colon == text.npos ? text.size() : colon);
    double value = 0;
    const auto [end, error] = std::from_chars(first, last, value, std::chars_format::fixed);
    const bool whole = colon == text.npos || std::string_view(first, last).find('.') == text.npos;
    if (error != std::errc() || end != last || !(value >= 0 && value < 1e9) || !whole ||
        (part > 0 && value >= 60)) {
      return wrong();
    }
    seconds = 60 * seconds + value;
    if (colon == text.npos) return seconds;
    begin = colon + 1;
  }
  return wrong();
}

void add_options(CLI::App& app, VideoOptions& options) {
  app.add_option("IN", options.input.path,
                 "A video file, - for standard input, a camera (/dev/video0), or rtsp://... with "
                 "--allow-rtsp")
      ->required()
      ->type_name("");
  app.add_option("-o,--output", options.output,
                 "The video to write: .mp4, .mov, .mkv or .webm; may be left out with --json")
      ->type_name("OUT");
  app.add_option_function<std::string>(
         "--write",
         [&options](const std::string& name) {
           const auto output = output_from_name(name);
           if (!output.ok()) throw CLI::ValidationError("--write", output.status().message());
           options.write = *output;
         },
         "What to write, see below [overlay]")
      ->type_name("overlay|mask|cutout|blur");
  add_count(app, "--every", options.every, "Take every Nth frame only, from the first on [1]");
  add_time(app, "--start", options.input.start, "Leave out what is before this time");
  add_time(app, "--duration", options.input.duration, "Stop after that much time");
  add_count(app, "--max-frames", options.max_frames, "Stop after N frames taken");
  app.add_option(
         "--fps", options.fps,
         "Choose the largest canvas on which this machine keeps up with N frames per second")
      ->check(app::number_from(0.001, 10000))
      ->type_name("N");
  app.add_option("--temporal", options.temporal,
                 "Less flicker: the weight of the frames before, 0 to 0.99 [0]")
      ->check(app::number_from(0, 0.99))
      ->type_name("F");
  app.add_flag("--copy-audio", options.input.audio, "Copy the sound into the output as it is");
  app.add_option("--codec", options.codec,
                 "An encoder of FFmpeg, such as libx265 [by --write and the kind of file]")
      ->type_name("NAME");
  app.add_flag("--allow-rtsp", options.input.allow_rtsp,
               "Let IN be an rtsp:// address; nothing else is ever read from a network");

  app::add_model_option(app, options.model);
  app::add_fit_option(app, options.fit);
  app::add_size_option(app, options.size);
  app::add_output_stride_option(app, options.output_stride);
  app::add_threads_option(app, options.threads);
  options.model_flags.add_to(app);
  options.backend.add_to(app);
  app::add_class_option(app, options.classes)
      ->description("Classes of cutout and blur, by name or id [all but the background]");
  app::add_palette_option(app, options.palette);
  app::add_json_flag(app, options.json)
      ->description("Results as JSON, one object per frame and line");
  app::add_quiet_flag(app, options.quiet);
  app.footer(kFooter);
  app.callback([&options] { check(options); });
}

}  // namespace deeplab::video
