// deeplab: one program, a folder per command. Exit statuses are in common/command.h.
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "apps/deeplab/common/command.h"
#include "apps/deeplab/common/external.h"
#include "apps/deeplab/common/interrupt.h"
#include "deeplab/deeplab.h"
#include "imageio/file_kind.h"
#include "imageio/reader.h"

namespace {

using deeplab::app::Action;
using deeplab::app::ExitCode;

// In the order of --help.
constexpr void (*kSubcommands[])(CLI::App&, Action&) = {
    deeplab::app::add_segment,  deeplab::app::add_run,    deeplab::app::add_inspect,
    deeplab::app::add_compare,  deeplab::app::add_bench,  deeplab::app::add_evaluate,
    deeplab::app::add_quantize, deeplab::app::add_manual, deeplab::app::add_completion,
};

/// CLI11 would say of `deeplab paint` that a subcommand is missing.
std::string usage_message(const CLI::App* app, const CLI::Error& error) {
  std::string reason = error.what();
  const std::vector<std::string> unknown = app->remaining();
  if (app->get_subcommands().empty() && !unknown.empty()) {
    reason = "unknown subcommand '" + unknown.front() + "'";
  }
  return "deeplab: " + reason + " (see --help)\n";
}

/// The version on a line of its own, then what this build reads.
std::string version_text() {
  using deeplab::imageio::missing_formats;
  const bool colors = deeplab::imageio::has_color_management();
  std::string text = std::string(deeplab_version()) +
                     "\nphotos: " + deeplab::imageio::readable_formats() +
                     (colors ? "; ICC profiles" : "");
  std::string missing = missing_formats();
  if (!colors) missing += missing.empty() ? "ICC profiles" : ", ICC profiles";
  if (!missing.empty()) text += "\nnot built in: " + missing + " (./build.sh --with codecs)";
  return text;
}

/// Sets what there is to do, or returns the status to end with. The flags' memory, 0.2 MB, is free
/// again before the work begins.
std::optional<int> parse(int argc, char** argv, Action& action) {
  CLI::App app("Semantic segmentation with DeepLab models on the CPU", "deeplab");
  app.set_version_flag("--version", version_text);
  app.require_subcommand(1);
  app.get_formatter()->column_width(32);
  app.failure_message(usage_message);
  app.footer(
      "`deeplab NAME ...` for any other NAME runs deeplab-NAME (deeplab-train, deeplab-video, if\n"
      "they were built), which is beside this program or on PATH.");
  for (const auto add : kSubcommands) add(app, action);
  if (argc < 2) {
    std::fputs(app.help().c_str(), stderr);
    return static_cast<int>(ExitCode::kUsage);
  }
  if (argv[1][0] != '-' && deeplab::app::find_subcommand(app, argv[1]) == nullptr) {
    deeplab::app::run_external(argv);
    if (const std::string why = deeplab::app::missing_program(argv[1]); !why.empty()) {
      deeplab::app::print_error(why);
      return static_cast<int>(ExitCode::kFailed);
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // --help and --version come this way, too
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  return std::nullopt;
}

int run_command_line(int argc, char** argv) {
  Action action;
  if (const std::optional<int> status = parse(argc, argv, action)) return *status;
  const ExitCode code = action();
  if (code == ExitCode::kInterrupted) deeplab::app::end_by_signal();
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  // A file size limit then is an error of write(), with a message, instead of the process's end.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return run_command_line(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("deeplab: not enough memory\n", stderr);  // takes none
  } catch (const std::exception& error) {
    deeplab::app::print_error(error.what());
  }
  return static_cast<int>(ExitCode::kFailed);
}
