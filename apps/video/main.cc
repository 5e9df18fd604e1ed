// deeplab-video: a video in; overlay, mask, cut-out or blurred background out. It stands on the
// library's public interface and alone links FFmpeg.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <string>

#include "apps/deeplab/common/command.h"
#include "apps/deeplab/common/interrupt.h"
#include "apps/deeplab/manual/pages.h"
#include "apps/video/ffmpeg.h"
#include "apps/video/options.h"
#include "apps/video/run.h"
#include "deeplab/deeplab.h"

namespace {

using deeplab::app::ExitCode;

std::string usage_message(const CLI::App*, const CLI::Error& error) {
  return std::string("deeplab-video: ") + error.what() + " (see --help)\n";
}

std::string version_text() {
  return std::string(deeplab_version()) + "\nFFmpeg " + av_version_info();
}

int run_command_line(int argc, char** argv) {
  CLI::App app("Segments videos with DeepLab models on the CPU", "deeplab-video");
  app.set_version_flag("--version", version_text);
  app.get_formatter()->column_width(32);
  app.failure_message(usage_message);
  deeplab::video::VideoOptions options;
  deeplab::video::add_options(app, options);
  app.add_flag_callback(
      "--manual",
      [&app] {
        constexpr const char* kFailed =
            "The video or the model failed, or some frames did, which are counted on standard "
            "error; the output may be there, with all frames that could be read.";
        std::fputs(deeplab::app::program_page(app, kFailed).c_str(), stdout);
        throw CLI::Success();
      },
      "Print the man page and exit");
  if (argc < 2) {
    std::fputs(app.help().c_str(), stderr);
    return static_cast<int>(ExitCode::kUsage);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // --help and --version come this way, too
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  const ExitCode code = deeplab::video::run_video(options);
  if (code == ExitCode::kInterrupted) deeplab::app::end_by_signal();
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  // A file size limit then is an error of write(), with a message, instead of the process's end.
  std::signal(SIGXFSZ, SIG_IGN);
  deeplab::app::set_program_name("deeplab-video");
  deeplab::video::ffmpeg_log::install();
  try {
    return run_command_line(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("deeplab-video: not enough memory\n", stderr);  // takes none
  } catch (const std::exception& error) {
    deeplab::app::print_error(error.what());
  }
  return static_cast<int>(ExitCode::kFailed);
}
