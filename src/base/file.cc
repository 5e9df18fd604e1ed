#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace deeplab {
namespace {

constexpr size_t kReadChunk = size_t{1} << 16;

std::string system_reason(int error) { return std::generic_category().message(error); }

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

/// The descriptor of this process that `path` leads to; or -1.
int own_descriptor(std::filesystem::path path) {
  namespace fs = std::filesystem;
  const std::array folders = {std::string("/dev/fd"), std::string("/proc/self/fd"),
                              str_cat("/proc/", ::getpid(), "/fd")};
  constexpr int kMaxLinks = 40;  // as in open()
  for (int i = 0; i < kMaxLinks; ++i) {
    const fs::path folder = path.lexically_normal().parent_path();
    if (std::ranges::count(folders, folder.native()) > 0) return std::atoi(path.filename().c_str());
    std::error_code error;
    const fs::path target = fs::read_symlink(path, error);
    if (error) break;  // not a link
    path = path.parent_path() / target;
  }
  return -1;
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
  DEEPLAB_ASSIGN_OR_RETURN(const InputFile file, InputFile::open(path));
  return file.read(max_bytes);
}

Result<InputFile> InputFile::open(const std::string& path) {
  InputFile file;
  const bool is_stdin = path == "-";
  file.name_ = is_stdin ? "standard input" : path;
  file.file_ = is_stdin ? STDIN_FILENO : open_again(AT_FDCWD, path.c_str(), O_RDONLY);
  if (file.file_ < 0) return io_error("cannot open ", file.name_, ": ", system_reason(errno));
  struct stat info {};
  if (::fstat(file.file_, &info) != 0) {
    return io_error("cannot read ", file.name_, ": ", system_reason(errno));
  }
  if (S_ISDIR(info.st_mode)) return io_error("cannot read ", file.name_, ": it is a directory");
  file.size_ = info.st_size;  // 0 of a pipe
  file.is_lasting_ = S_ISREG(info.st_mode) && !is_stdin;
  return file;
}

InputFile::InputFile(InputFile&& other) noexcept { *this = std::move(other); }

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  name_ = std::move(other.name_);
  std::swap(file_, other.file_);
  is_lasting_ = other.is_lasting_;
  size_ = other.size_;
  return *this;
}

InputFile::~InputFile() {
  if (file_ > STDERR_FILENO) ::close(file_);
}

Result<std::vector<std::byte>> InputFile::read(int64_t max_bytes) const {
  if (size_ > max_bytes) {
    return resource_exhausted(name_, " has ", size_, " bytes; the limit is ", max_bytes);
  }
  // The size is a hint only: the file may be a pipe, or grow while it is read.
  std::vector<std::byte> bytes;
  if (size_ > 0) bytes.reserve(static_cast<size_t>(size_) + 1);
  size_t used = 0;
  while (true) {
    if (bytes.size() == used) bytes.resize(std::max(bytes.capacity(), used + kReadChunk));
    std::byte* to = bytes.data() + used;
    const size_t room = bytes.size() - used;
    const ssize_t n =
        is_lasting_ ? ::pread(file_, to, room, static_cast<off_t>(used)) : ::read(file_, to, room);
    if (n < 0) {
      if (errno == EINTR) continue;
      return io_error("cannot read ", name_, ": ", system_reason(errno));
    }
    if (n == 0) break;
    used += static_cast<size_t>(n);
    if (static_cast<int64_t>(used) > max_bytes) {
      return resource_exhausted(name_, " has more than ", max_bytes, " bytes, the limit");
    }
  }
  bytes.resize(used);
  return bytes;
}

bool is_written_in_place(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || S_ISDIR(info.st_mode)) return false;
  return !S_ISREG(info.st_mode) || own_descriptor(path) >= 0;
}

Result<AtomicFile> AtomicFile::create(const std::string& path) {
  AtomicFile file(path);
  if (is_written_in_place(path)) {
    // A copy of our own: the name of a socket cannot be opened, and that of a file begins at 0.
    const int own = own_descriptor(path);
    file.file_ = own >= 0 ? ::fcntl(own, F_DUPFD_CLOEXEC, 0)
                          : open_again(AT_FDCWD, path.c_str(), O_WRONLY | O_NOCTTY);
    if (file.file_ < 0) return io_error("cannot open ", path, ": ", system_reason(errno));
    return file;
  }
  // Beside the target, so that renaming never crosses a filesystem; and in the folder that is there
  // now, whatever it is called when the file is whole.
  const size_t slash = path.rfind('/');
  const std::string parent = slash == path.npos ? "." : path.substr(0, slash + 1);
  file.target_ = slash == path.npos ? path : path.substr(slash + 1);
  file.folder_ = open_again(AT_FDCWD, parent.c_str(), O_PATH | O_DIRECTORY);
  if (file.folder_ < 0) return io_error("cannot create ", path, ": ", system_reason(errno));
  std::string temporary;
  file.file_ = create_beside(file.folder_, file.target_, temporary);
  if (file.file_ < 0) return io_error("cannot create ", path, ": ", system_reason(errno));
  file.temporary_ = std::move(temporary);
  return file;
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, std::string())),
      folder_(std::exchange(other.folder_, -1)),
      file_(std::exchange(other.file_, -1)) {}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() {
  if (file_ >= 0) ::close(std::exchange(file_, -1));
  if (!temporary_.empty()) ::unlinkat(folder_, temporary_.c_str(), 0);
  temporary_.clear();
  if (folder_ >= 0) ::close(std::exchange(folder_, -1));
}

Status AtomicFile::write(std::span<const std::byte> bytes) {
  const int error = write_all(file_, bytes);
  if (error == 0) return {};
  discard();
  return io_error("cannot write ", path_, ": ", system_reason(error));
}

Status AtomicFile::commit() {
  // On some filesystems a full disk shows when a file is closed.
  int error = ::close(std::exchange(file_, -1)) == 0 ? 0 : errno;
  if (error == 0 && !temporary_.empty() &&
      ::renameat(folder_, temporary_.c_str(), folder_, target_.c_str()) != 0) {
    error = errno;
  }
  if (error == 0) temporary_.clear();
  discard();
  if (error == 0) return {};
  return io_error("cannot write ", path_, ": ", system_reason(error));
}

Status write_file_atomically(const std::string& path, std::span<const std::byte> bytes) {
  DEEPLAB_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path));
  DEEPLAB_RETURN_IF_ERROR(file.write(bytes));
  return file.commit();
}

}  // namespace deeplab
