#include "apps/deeplab/common/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <new>
#include <string>
#include <system_error>

namespace deeplab::app {
namespace {

const char* the_name = "deeplab";

}  // namespace

void set_program_name(const char* name) { the_name = name; }
const char* program_name() { return the_name; }

const CLI::App* find_subcommand(const CLI::App& app, const std::string& name) {
  const auto found =
      app.get_subcommands([&](const CLI::App* command) { return command->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

void print_error(std::string_view message) {
  try {
    std::string line = fmt::format("{}: {}\n", the_name, message);
    std::replace_if(
        line.begin(), line.end() - 1, [](char c) { return c == '\n' || c == '\r'; }, ' ');
    std::fwrite(line.data(), 1, line.size(), stderr);  // at once: others write there, too
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "%s: not enough memory to say what went wrong\n", the_name);
  }
}

void print_error(std::string_view subject, const Status& status) {
  if (status.message().find(subject) != std::string::npos) {
    print_error(status.message());
  } else {
    print_error(fmt::format("{}: {}", subject, status.message()));
  }
}

Status print_output(std::string_view text) {
  errno = 0;
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (written && std::fflush(stdout) == 0) return {};
  return io_error("cannot write to standard output: ", std::generic_category().message(errno));
}

}  // namespace deeplab::app
