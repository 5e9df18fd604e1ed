#include "apps/deeplab/bench/first.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <string>
#include <system_error>
#include <vector>

namespace deeplab::app {
namespace {

/// What the child sends first; the sentence of an error follows.
struct Answer {
  StatusCode code = StatusCode::kOk;
  FirstPhoto photo;
};

Status system_error(const char* what) {
  return io_error("cannot measure the first photo: ", what, ": ",
                  std::generic_category().message(errno));
}

Status run_body(const std::function<Status(FirstPhoto&)>& body, FirstPhoto& photo) {
  try {
    return body(photo);
  } catch (const std::bad_alloc&) {
    return resource_exhausted("not enough memory for the first photo");
  }
}

[[noreturn]] void run_child(const std::function<Status(FirstPhoto&)>& body, int out) {
  Answer answer;
  answer.photo.start_rss_mib = peak_rss_mib();
  const Status status = run_body(body, answer.photo);
  answer.code = status.code();
  answer.photo.peak_rss_mib = peak_rss_mib();
  // Less than a pipe holds, so that it goes whole or, if the parent has gone, not at all.
  const std::string message = status.message().substr(0, 2048);
  std::vector<char> bytes(sizeof(answer) + message.size());
  std::memcpy(bytes.data(), &answer, sizeof(answer));
  std::memcpy(bytes.data() + sizeof(answer), message.data(), message.size());
  const bool sent = ::write(out, bytes.data(), bytes.size()) == std::ssize(bytes);
  ::_exit(sent ? 0 : 1);  // neither flushes nor destroys what is the parent's
}

std::vector<char> read_all(int in) {
  std::vector<char> bytes;
  char buffer[4096];
  while (true) {
    const ssize_t count = ::read(in, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return bytes;
    bytes.insert(bytes.end(), buffer, buffer + count);
  }
}

}  // namespace

double peak_rss_mib() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;  // Linux counts in KiB
}

Result<FirstPhoto> measure_first_photo(const std::function<Status(FirstPhoto&)>& body) {
  int ends[2];
  if (::pipe(ends) != 0) return system_error("pipe");
  const pid_t child = ::fork();
  if (child < 0) {
    const Status failed = system_error("fork");
    ::close(ends[0]);
    ::close(ends[1]);
    return failed;
  }
  if (child == 0) {
    ::close(ends[0]);
    run_child(body, ends[1]);
  }
  ::close(ends[1]);
  const std::vector<char> bytes = read_all(ends[0]);
  ::close(ends[0]);
  int how = 0;
  while (::waitpid(child, &how, 0) < 0 && errno == EINTR) {
  }
  Answer answer;
  if (bytes.size() < sizeof(answer) || !WIFEXITED(how) || WEXITSTATUS(how) != 0) {
    return internal_error("the process that measures the first photo did not finish",
                          WIFSIGNALED(how) ? str_cat(": signal ", WTERMSIG(how)) : "");
  }
  std::memcpy(&answer, bytes.data(), sizeof(answer));
  if (answer.code == StatusCode::kOk) return answer.photo;
  return Status(answer.code, std::string(bytes.begin() + sizeof(answer), bytes.end()));
}

}  // namespace deeplab::app
