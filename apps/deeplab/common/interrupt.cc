#include "apps/deeplab/common/interrupt.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iterator>

#include "apps/deeplab/common/command.h"

namespace deeplab::app {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM};
// `timeout` sends its signal twice, to the process and to its group.
constexpr int64_t kSecondAfter = 1'000'000'000;  // ns

std::atomic<int> received{0};
std::atomic<int64_t> received_at{0};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<int64_t>::is_always_lock_free,
              "a signal handler may not wait");

struct sigaction actions_before[std::size(kSignals)];
char notice[160];  // written before the handler is there

int64_t now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// Calls only what a signal handler may.
void on_signal(int signal) {
  const int error = errno;
  int none = 0;
  if (received.compare_exchange_strong(none, signal)) {
    received_at = now();
    if (::isatty(STDERR_FILENO) == 1) {
      [[maybe_unused]] const ssize_t n = ::write(STDERR_FILENO, notice, std::strlen(notice));
    }
  } else if (now() - received_at >= kSecondAfter) {
    ::signal(signal, SIG_DFL);
    ::raise(signal);  // comes once this returns
  }
  errno = error;
}

}  // namespace

InterruptGuard::InterruptGuard(const char* in_progress) {
  std::snprintf(notice, sizeof notice, "\n%s: finishing %s; once more to stop now\n",
                program_name(), in_progress);
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < std::size(kSignals); ++i) {
    ::sigaction(kSignals[i], nullptr, &actions_before[i]);
    // Who started this program may have it ignore them (nohup, a shell's background jobs).
    if (actions_before[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

InterruptGuard::~InterruptGuard() {
  for (size_t i = 0; i < std::size(kSignals); ++i)
    ::sigaction(kSignals[i], &actions_before[i], nullptr);
}

bool InterruptGuard::requested() { return received != 0; }

const char* interrupt_name() { return received == SIGINT ? "SIGINT" : "SIGTERM"; }

void print_interrupted(size_t done, size_t total, const char* advice) {
  print_error(
      str_cat("stopped by ", interrupt_name(), " after ", done, " of ", total, " photos", advice));
}

void end_by_signal() {
  ::signal(received, SIG_DFL);
  ::raise(received);
  std::_Exit(128 + received);
}

}  // namespace deeplab::app
