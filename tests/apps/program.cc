#include "tests/apps/program.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace deeplab::testing {
namespace {

namespace fs = std::filesystem;

int checked(int result, const char* what) {
  if (result < 0) throw std::runtime_error(what);
  return result;
}

int open_file(const std::string& path, int flags) {
  return checked(::open(path.c_str(), flags | O_CLOEXEC, 0600), path.c_str());
}

int closed_pipe() {
  int ends[2];
  checked(::pipe2(ends, O_CLOEXEC), "pipe");
  ::close(ends[0]);
  return ends[1];
}

/// Both ends of a new terminal; the program gets the second.
struct Terminal {
  int controller = checked(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), "posix_openpt");
  int device = -1;

  Terminal() {
    checked(::grantpt(controller), "grantpt");
    checked(::unlockpt(controller), "unlockpt");
    device = open_file(::ptsname(controller), O_RDWR | O_NOCTTY);
  }
  ~Terminal() {
    ::close(controller);
    ::close(device);
  }
  std::string read_all() const {
    checked(::fcntl(controller, F_SETFL, O_NONBLOCK), "fcntl");
    std::string text;
    char buffer[4096];
    for (ssize_t n; (n = ::read(controller, buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<size_t>(n));
    }
    return text;
  }
};

/// The program's name and, if it is for another CPU, the emulator's before it.
std::vector<std::string> program_words() {
  std::istringstream emulator(DEEPLAB_EMULATOR);
  std::vector<std::string> words;
  for (std::string word; emulator >> word;) words.push_back(word);
  words.emplace_back(DEEPLAB_PROGRAM);
  return words;
}

[[noreturn]] void become(const std::vector<std::string>& words, const RunOptions& options, int in,
                         int out, int err) {
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  std::signal(SIGPIPE, SIG_DFL);
  if (options.max_file_bytes > 0) {
    const auto limit = static_cast<rlim_t>(options.max_file_bytes);
    const rlimit both{limit, limit};
    ::setrlimit(RLIMIT_FSIZE, &both);
  }
  if (options.max_memory_bytes > 0) {
    const auto limit = static_cast<rlim_t>(options.max_memory_bytes);
    const rlimit both{limit, limit};
    ::setrlimit(RLIMIT_AS, &both);
  }
  constexpr uid_t kNobody = 65534;
  if (options.unprivileged && ::geteuid() == 0 &&
      (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) {
    ::_exit(125);
  }
  if (!options.directory.empty() && ::chdir(options.directory.c_str()) != 0) ::_exit(126);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

int wait_for(pid_t child, const RunOptions& options, rusage& usage) {
  int status = 0;
  if (options.kill_when) {
    bool killed = false;
    while (checked(::wait4(child, &status, WNOHANG, &usage), "wait4") == 0) {
      if (!killed && options.kill_when()) {
        ::kill(child, options.kill_with);
        killed = true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  } else {
    checked(::wait4(child, &status, 0, &usage), "wait4");
  }
  return status;
}

}  // namespace

TempDir::TempDir() {
  std::string name = (fs::temp_directory_path() / "deeplab-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

NamedPipe::NamedPipe(const std::string& path) {
  checked(::mkfifo(path.c_str(), 0600), "mkfifo");
  file_ = checked(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC), "open");
}

NamedPipe::~NamedPipe() { ::close(file_); }

std::string NamedPipe::text() const {
  std::string text(64 << 10, '\0');
  const ssize_t n = ::read(file_, text.data(), text.size());
  text.resize(n > 0 ? static_cast<size_t>(n) : 0);
  return text;
}

ProgramRun run_deeplab(const std::vector<std::string>& arguments, const RunOptions& options) {
  std::vector<std::string> words = program_words();
  words.insert(words.end(), arguments.begin(), arguments.end());
  // Files, not pipes: the program can never wait for this one to read.
  const TempDir captured;
  const std::string out_path = options.output.empty() ? captured / "out" : options.output;
  const std::string err_path = captured / "err";
  const int in = open_file(options.input.empty() ? "/dev/null" : options.input, O_RDONLY);
  const int out = options.closed_output ? closed_pipe() : open_file(out_path, O_WRONLY | O_CREAT);
  const int err = open_file(err_path, O_WRONLY | O_CREAT);
  // Only if asked for: a bare container has no /dev/pts.
  std::optional<Terminal> terminal;
  if (options.terminal_error) terminal.emplace();

  const pid_t child = checked(::fork(), "fork");
  if (child == 0) become(words, options, in, out, terminal ? terminal->device : err);
  for (int fd : {in, out, err}) ::close(fd);
  rusage usage{};
  const int status = wait_for(child, options, usage);

  ProgramRun run;
  run.peak_bytes = int64_t{usage.ru_maxrss} * 1024;
  if (WIFEXITED(status)) run.status = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) run.signal = WTERMSIG(status);
  if (options.output.empty() && !options.closed_output) run.out = file_text(out_path);
  run.err = terminal ? terminal->read_all() : file_text(err_path);
  return run;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_text(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::vector<std::string> files_below(const fs::path& directory) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_directory()) names.push_back(fs::relative(entry.path(), directory).string());
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace deeplab::testing
