#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <system_error>

namespace deeplab {
namespace {

constexpr size_t kReadChunk = size_t{1} << 16;

std::string system_reason(int error) { return std::generic_category().message(error); }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ > STDERR_FILENO) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  /// Closes now and gives errno (0 on success): on some filesystems a full disk shows here.
  int close() {
    const int result = ::close(fd_) == 0 ? 0 : errno;
    fd_ = -1;
    return result;
  }

 private:
  int fd_;
};

/// openat() again if a signal came in between, as it does when a pipe has no writer yet.
int open_again(int folder, const char* path, int flags, mode_t mode = 0) {
  int fd = -1;
  do {
    fd = ::openat(folder, path, flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

/// Creates a file that was not there in `folder`, named after `path`, with the mode that a plain
/// open() gives; `name` becomes its own. -1 with errno if that fails.
int create_beside(int folder, const std::string& path, std::string& name) {
  static std::atomic<uint32_t> count{0};
  int fd = -1;
  do {  // others are of processes that were killed, or of another machine's
    name = str_cat(path, ".", ::getpid(), "-", ++count);
    fd = open_again(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666);
  } while (fd < 0 && errno == EEXIST);
  return fd;
}

/// 0 or errno.
int write_all(int fd, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return 0;
}

}  // namespace

Result<std::vector<std::byte>> read_file(const std::string& path, int64_t max_bytes) {
  const bool is_stdin = path == "-";
  const std::string name = is_stdin ? "standard input" : path;
  Descriptor fd(is_stdin ? STDIN_FILENO : open_again(AT_FDCWD, path.c_str(), O_RDONLY));
  if (fd.get() < 0) return io_error("cannot open ", name, ": ", system_reason(errno));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) {
    return io_error("cannot read ", name, ": ", system_reason(errno));
  }
  if (S_ISDIR(info.st_mode)) return io_error("cannot read ", name, ": it is a directory");
  if (S_ISREG(info.st_mode) && info.st_size > max_bytes) {
    return resource_exhausted(name, " has ", info.st_size, " bytes; the limit is ", max_bytes);
  }
  // The size is a hint only: the file may be a pipe, or grow while it is read.
  std::vector<std::byte> bytes;
  if (S_ISREG(info.st_mode)) bytes.reserve(static_cast<size_t>(info.st_size) + 1);
  size_t used = 0;
  while (true) {
    if (bytes.size() == used) bytes.resize(std::max(bytes.capacity(), used + kReadChunk));
    const ssize_t n = ::read(fd.get(), bytes.data() + used, bytes.size() - used);
    if (n < 0) {
      if (errno == EINTR) continue;
      return io_error("cannot read ", name, ": ", system_reason(errno));
    }
    if (n == 0) break;
    used += static_cast<size_t>(n);
    if (static_cast<int64_t>(used) > max_bytes) {
      return resource_exhausted(name, " has more than ", max_bytes, " bytes, the limit");
    }
  }
  bytes.resize(used);
  return bytes;
}

Status write_file_atomically(const std::string& path, std::span<const std::byte> bytes) {
  // Beside the target, so that renaming never crosses a filesystem; and in the folder that is there
  // now, whatever it is called when the file is whole.
  const size_t slash = path.rfind('/');
  const std::string parent = slash == path.npos ? "." : path.substr(0, slash + 1);
  const std::string target = slash == path.npos ? path : path.substr(slash + 1);
  const Descriptor folder(open_again(AT_FDCWD, parent.c_str(), O_PATH | O_DIRECTORY));
  if (folder.get() < 0) return io_error("cannot create ", path, ": ", system_reason(errno));
  std::string temporary;
  Descriptor fd(create_beside(folder.get(), target, temporary));
  if (fd.get() < 0) return io_error("cannot create ", path, ": ", system_reason(errno));
  int error = write_all(fd.get(), bytes);
  if (const int close_error = fd.close(); error == 0) error = close_error;
  if (error == 0 &&
      ::renameat(folder.get(), temporary.c_str(), folder.get(), target.c_str()) != 0) {
    error = errno;
  }
  if (error != 0) {
    ::unlinkat(folder.get(), temporary.c_str(), 0);
    return io_error("cannot write ", path, ": ", system_reason(error));
  }
  return {};
}

}  // namespace deeplab
