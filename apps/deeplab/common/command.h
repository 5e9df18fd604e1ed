// What main() and the commands agree on. A command is a folder whose command.cc has one add_NAME(),
// listed in main.cc.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"

namespace deeplab::app {

/// Exit statuses of the program.
enum class ExitCode : int {
  kDone = 0,           ///< All done.
  kFailed = 1,         ///< Some photo or the model failed; each was named on standard error.
  kUsage = 2,          ///< Wrong usage of the command line.
  kInterrupted = 128,  ///< SIGINT or SIGTERM stopped it; main() ends the process by that signal.
};

/// The work that the command line asks for. The chosen subcommand's callback sets it; main() runs
/// it once the whole line has parsed, so that a wrong flag never leaves work half done. The App is
/// gone by then.
using Action = std::function<ExitCode()>;

void add_segment(CLI::App& app, Action& action);
void add_run(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);
void add_compare(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);
void add_evaluate(CLI::App& app, Action& action);
void add_quantize(CLI::App& app, Action& action);
void add_manual(CLI::App& app, Action& action);
void add_completion(CLI::App& app, Action& action);

/// The subcommand of that name, or nullptr.
const CLI::App* find_subcommand(const CLI::App& app, const std::string& name);

/// What print_error() calls the program, if not "deeplab". Static storage; before any thread
/// starts.
void set_program_name(const char* name);
const char* program_name();

/// "deeplab: MESSAGE" on standard error, on one line whatever the message holds.
void print_error(std::string_view message);

/// print_error() of a status that is not OK, with `subject` (a file) in front if the message
/// does not name it by itself.
void print_error(std::string_view subject, const Status& status);

/// Writes to standard output at once. Error: it is closed or full.
Status print_output(std::string_view text);

}  // namespace deeplab::app
