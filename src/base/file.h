// Whole files in, whole files out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

namespace deeplab {

/// The bytes of the regular file or pipe at `path` ("-" is standard input). An error names the
/// path and the system's reason: missing, a directory, no permission, more than `max_bytes`.
Result<std::vector<std::byte>> read_file(const std::string& path, int64_t max_bytes);

/// The same for a file that is read more than once. It stays open: another file may take its name.
class InputFile {
 public:
  static Result<InputFile> open(const std::string& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  /// Whether read() may be called again: not of pipes and standard input.
  bool is_lasting() const { return is_lasting_; }
  /// All of it, from its beginning. Thread-safe if it is lasting.
  Result<std::vector<std::byte>> read(int64_t max_bytes) const;

 private:
  InputFile() = default;

  std::string name_;
  int file_ = -1;
  bool is_lasting_ = false;
  int64_t size_ = 0;  // when it was opened
};

/// Whether `path` is written into as it is, never replaced: a pipe, a device, or what this process
/// has open (/dev/stdout, /dev/fd/3), also at the end of links.
bool is_written_in_place(const std::string& path);

/// Writes `bytes` to a temporary file beside `path`, then renames it over `path`: the file
/// appears whole or not at all, and on any error the temporary file is removed, even if the
/// folder was renamed meanwhile. What is_written_in_place() gets the bytes as they come; a named
/// pipe is waited for until somebody reads it.
Status write_file_atomically(const std::string& path, std::span<const std::byte> bytes);

/// The same for a file whose bytes come one piece after another. Destroyed without commit(), it
/// leaves nothing.
class AtomicFile {
 public:
  static Result<AtomicFile> create(const std::string& path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  Status write(std::span<const std::byte> bytes);
  /// For a writer that seeks, if can_seek(): the open file, which stays this object's.
  int descriptor() const { return file_; }
  /// Not in what is written in place.
  bool can_seek() const { return !temporary_.empty(); }
  /// The file appears under its name. Nothing may be written afterwards.
  Status commit();

 private:
  explicit AtomicFile(std::string path) : path_(std::move(path)) {}
  void discard();

  std::string path_;
  std::string target_;     // the name in the folder
  std::string temporary_;  // the name until then; empty: there is no such file, or not any more
  int folder_ = -1;
  int file_ = -1;
};

}  // namespace deeplab
