// Runs the real command and looks at what it left.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace deeplab::testing {

/// A new directory, removed with all in it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// A new named pipe, with a reader from now on: what is written to it, up to 64 KiB, waits for
/// text(), and neither side for the other.
class NamedPipe {
 public:
  explicit NamedPipe(const std::string& path);
  ~NamedPipe();
  NamedPipe(const NamedPipe&) = delete;
  NamedPipe& operator=(const NamedPipe&) = delete;

  /// All that was written and not yet read.
  std::string text() const;

 private:
  int file_ = -1;
};

struct RunOptions {
  std::string input;             ///< File for standard input; empty: /dev/null.
  std::string output;            ///< File for standard output instead of ProgramRun::out.
  bool closed_output = false;    ///< Standard output is a pipe that nobody reads.
  bool terminal_error = false;   ///< Standard error is a terminal.
  int64_t max_file_bytes = 0;    ///< RLIMIT_FSIZE if not 0: a disk that is full.
  std::string directory;         ///< To run in; empty: the test's own.
  int64_t max_memory_bytes = 0;  ///< RLIMIT_AS if not 0: a small machine.
  bool unprivileged = false;     ///< As nobody if this is root, to whom all is permitted.
  /// Asked again and again while the program runs; `kill_with` once it says true.
  std::function<bool()> kill_when;
  int kill_with = 9;  ///< SIGKILL
};

struct ProgramRun {
  int status = -1;  ///< Exit status, or -1 if a signal ended it.
  int signal = 0;
  /// The most memory that was resident; at least what this process has itself, since the program
  /// begins as a copy of it.
  int64_t peak_bytes = 0;
  std::string out;
  std::string err;
};

/// `deeplab ARGUMENTS...`, to its end.
ProgramRun run_deeplab(const std::vector<std::string>& arguments, const RunOptions& options = {});

/// The text's lines, without their newlines.
std::vector<std::string> lines_of(const std::string& text);

std::string file_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);

/// Names of all files below a directory, relative to it, sorted.
std::vector<std::string> files_below(const std::filesystem::path& directory);

}  // namespace deeplab::testing
