#include "base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

namespace deeplab {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kNoLimit = int64_t{1} << 40;

class File : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "deeplab-file-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { fs::remove_all(dir_); }

  std::string path(const std::string& name) const { return dir_ / name; }
  size_t entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(dir_), {}));
  }

  fs::path dir_;
};

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + text.size()};
}

TEST_F(File, RoundTripsAndReplaces) {
  for (const std::string& text : {std::string(), std::string("abc"), std::string(200'000, 'x')}) {
    ASSERT_TRUE(write_file_atomically(path("f"), bytes_of(text)).ok());
    const auto read = read_file(path("f"), kNoLimit);
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(*read, bytes_of(text));
    EXPECT_EQ(entries(), 1u) << "a temporary file is left";
  }
}

TEST_F(File, AppearsWithTheModeOfAPlainFile) {
  ASSERT_TRUE(write_file_atomically(path("ours"), bytes_of("a")).ok());
  std::ofstream(path("plain")) << "a";
  EXPECT_EQ(fs::status(path("ours")).permissions(), fs::status(path("plain")).permissions());
}

TEST_F(File, ThatIsOpenIsReadAgainWhateverBecomesOfItsName) {
  ASSERT_TRUE(write_file_atomically(path("f"), bytes_of("old")).ok());
  auto file = InputFile::open(path("f"));
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_TRUE(file->is_lasting());
  const auto expect_old = [&] {
    const auto read = file->read(kNoLimit);
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_EQ(*read, bytes_of("old"));
  };
  expect_old();
  ASSERT_TRUE(write_file_atomically(path("f"), bytes_of("new one")).ok());
  expect_old();
  fs::remove(path("f"));
  expect_old();
  EXPECT_EQ(file->read(2).status().code(), StatusCode::kResourceExhausted);
}

TEST_F(File, ThatIsOpenIsReadWithWhatWasWrittenToIt) {
  std::ofstream(path("f")) << "abc";
  const auto file = InputFile::open(path("f"));
  ASSERT_TRUE(file.ok());
  std::ofstream(path("f"), std::ios::app) << "d";
  const auto longer = file->read(kNoLimit);
  ASSERT_TRUE(longer.ok()) << longer.status().message();
  EXPECT_EQ(*longer, bytes_of("abcd"));
  fs::resize_file(path("f"), 1);
  const auto shorter = file->read(kNoLimit);
  ASSERT_TRUE(shorter.ok()) << shorter.status().message();
  EXPECT_EQ(*shorter, bytes_of("a"));
  const auto pipe = InputFile::open("-");
  ASSERT_TRUE(pipe.ok());
  EXPECT_FALSE(pipe->is_lasting());
}

TEST_F(File, ReadErrorsNameThePathAndTheReason) {
  const Status missing = read_file(path("missing"), kNoLimit).status();
  EXPECT_EQ(missing.code(), StatusCode::kIoError);
  EXPECT_EQ(missing.message(), "cannot open " + path("missing") + ": No such file or directory");

  const Status directory = read_file(dir_, kNoLimit).status();
  EXPECT_EQ(directory.message(), "cannot read " + dir_.string() + ": it is a directory");

  // A file that opens and cannot be read: nothing is mapped at address 0.
  const Status unreadable = read_file("/proc/self/mem", kNoLimit).status();
  EXPECT_EQ(unreadable.message(), "cannot read /proc/self/mem: Input/output error");

  std::ofstream(path("large")) << std::string(100, 'x');
  const Status large = read_file(path("large"), 99).status();
  EXPECT_EQ(large.code(), StatusCode::kResourceExhausted);
  EXPECT_NE(large.message().find("limit is 99"), std::string::npos);
  EXPECT_TRUE(read_file(path("large"), 100).ok());
}

TEST_F(File, ReadsAPipeUpToTheLimit) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const auto feed = [&](size_t size) {
    const pid_t child = ::fork();
    if (child == 0) {
      std::signal(SIGPIPE, SIG_IGN);
      std::ofstream(path("pipe")) << std::string(size, 'x');
      ::_exit(0);
    }
    return child;
  };
  pid_t child = feed(300'000);
  const auto read = read_file(path("pipe"), 300'000);
  ::waitpid(child, nullptr, 0);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(read->size(), 300'000u);

  child = feed(300'000);
  EXPECT_EQ(read_file(path("pipe"), 299'999).status().code(), StatusCode::kResourceExhausted);
  ::waitpid(child, nullptr, 0);
}

TEST_F(File, GoesOnAfterSignalsThatInterruptItsCalls) {
  static volatile std::sig_atomic_t signals = 0;
  struct sigaction action {
  }, before{};
  action.sa_handler = [](int) { signals = signals + 1; };  // without SA_RESTART
  ASSERT_EQ(::sigaction(SIGALRM, &action, &before), 0);
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const pid_t child = ::fork();
  if (child == 0) {  // slow: the reader waits in open() first, then in each read()
    for (int i = 0; i < 5; ++i) {
      ::usleep(20'000);
      static const int fd = ::open(path("pipe").c_str(), O_WRONLY);
      if (::write(fd, "abcdefgh", 8) != 8) ::_exit(1);
    }
    ::_exit(0);
  }
  const itimerval often{{0, 500}, {0, 500}};
  ::setitimer(ITIMER_REAL, &often, nullptr);
  const auto read = read_file(path("pipe"), kNoLimit);
  const Status written = write_file_atomically(path("f"), bytes_of(std::string(20'000'000, 'x')));
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
  ::kill(child, SIGKILL);  // done, unless it waits for a reader that gave up
  ::waitpid(child, nullptr, 0);
  EXPECT_GT(signals, 10);
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(*read, bytes_of("abcdefghabcdefghabcdefghabcdefghabcdefgh"));
  EXPECT_TRUE(written.ok()) << written.message();
  EXPECT_EQ(fs::file_size(path("f")), 20'000'000u);
}

TEST_F(File, ThatShrinksOrGrowsMeanwhileIsReadAsFarAsItGoes) {
  constexpr size_t kLarge = 30'000'000;
  for (const size_t end : {size_t{1000}, 2 * kLarge}) {
    std::ofstream(path("f")) << std::string(kLarge, 'x');
    std::thread other([&] { fs::resize_file(path("f"), end); });
    const auto read = read_file(path("f"), kNoLimit);
    other.join();
    ASSERT_TRUE(read.ok()) << read.status().message();
    EXPECT_GE(read->size(), std::min(end, kLarge));
    EXPECT_LE(read->size(), std::max(end, kLarge));
    EXPECT_EQ(std::ranges::count(*read, std::byte{'x'}),
              static_cast<std::ptrdiff_t>(std::min(read->size(), kLarge)));
  }
}

TEST_F(File, ManyThreadsWriteTheSameNameAndTheModeStays) {
  const mode_t before = ::umask(027);
  {
    std::vector<std::jthread> threads;
    for (const char c : {'a', 'b', 'c', 'd'}) {
      threads.emplace_back([&, c] {
        for (int i = 0; i < 100; ++i) {
          EXPECT_TRUE(write_file_atomically(path("f"), bytes_of(std::string(5000, c))).ok());
        }
      });
    }
    for (int i = 0; i < 100; ++i) {
      const auto read = read_file(path("f"), kNoLimit);
      if (!read.ok()) continue;  // not there yet
      EXPECT_EQ(read->size(), 5000u);
      EXPECT_EQ(std::ranges::count(*read, read->front()), 5000);
    }
  }
  EXPECT_EQ(fs::status(path("f")).permissions(), fs::perms(0640));
  EXPECT_EQ(::umask(before), 027u);
  EXPECT_EQ(entries(), 1u);
}

TEST_F(File, AFailedWriteLeavesTheOldFileAndNothingElse) {
  ASSERT_TRUE(write_file_atomically(path("f"), bytes_of("old")).ok());
  // A limit on file size stands in for a full disk: write() fails half-way.
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{4096, 4096};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(3);
    const Status status = write_file_atomically(path("f"), bytes_of(std::string(100'000, 'n')));
    const bool named = status.message().find(path("f") + ": File too large") != std::string::npos;
    ::_exit(!status.ok() && status.code() == StatusCode::kIoError && named ? 0 : 1);
  }
  int result = -1;
  ::waitpid(child, &result, 0);
  ASSERT_TRUE(WIFEXITED(result));
  EXPECT_EQ(WEXITSTATUS(result), 0);
  EXPECT_EQ(*read_file(path("f"), kNoLimit), bytes_of("old"));
  EXPECT_EQ(entries(), 1u);
}

TEST_F(File, AFolderThatIsRenamedMeanwhileKeepsNothingOfAFailedWrite) {
  fs::create_directory(path("out"));
  static std::string from, to;  // for a signal handler
  from = path("out");
  to = path("elsewhere");
  const pid_t child = ::fork();
  if (child == 0) {
    // Comes when write() is at the limit on file size.
    std::signal(SIGXFSZ, [](int) { ::rename(from.c_str(), to.c_str()); });
    const rlimit limit{4096, 4096};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(3);
    const bool written =
        write_file_atomically(from + "/f", bytes_of(std::string(100'000, 'n'))).ok();
    ::_exit(written ? 1 : 0);
  }
  int result = -1;
  ::waitpid(child, &result, 0);
  ASSERT_TRUE(WIFEXITED(result));
  EXPECT_EQ(WEXITSTATUS(result), 0);
  EXPECT_FALSE(fs::exists(from));
  EXPECT_TRUE(fs::is_empty(to));
}

/// All that lies in a pipe now.
std::string drain(int pipe) {
  char buffer[4096];
  const ssize_t n = ::read(pipe, buffer, sizeof buffer);
  return n > 0 ? std::string(buffer, static_cast<size_t>(n)) : std::string();
}

TEST_F(File, APipeIsWrittenIntoAndStaysOne) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  fs::create_symlink("pipe", path("link"));
  const int reader = ::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  for (const char* name : {"pipe", "link"}) {
    EXPECT_TRUE(is_written_in_place(path(name)));
    ASSERT_TRUE(write_file_atomically(path(name), bytes_of("through it")).ok());
    EXPECT_EQ(drain(reader), "through it") << name;
  }
  {  // nothing is left to remove of one that is given up
    auto file = AtomicFile::create(path("pipe"));
    ASSERT_TRUE(file.ok()) << file.status().message();
    EXPECT_FALSE(file->can_seek());
    ASSERT_TRUE(file->write(bytes_of("half")).ok());
  }
  EXPECT_EQ(drain(reader), "half");
  ::close(reader);
  EXPECT_TRUE(fs::is_fifo(path("pipe")));
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(entries(), 2u);
}

TEST_F(File, ADeviceIsWrittenInto) {
  fs::create_symlink("/dev/null", path("null"));
  fs::create_symlink("/dev/full", path("full"));
  EXPECT_TRUE(write_file_atomically(path("null"), bytes_of("gone")).ok());
  EXPECT_EQ(write_file_atomically(path("full"), bytes_of("x")).message(),
            "cannot write " + path("full") + ": No space left on device");
  EXPECT_TRUE(fs::is_character_file(path("null")));
  EXPECT_TRUE(fs::is_character_file(path("full")));
  EXPECT_EQ(entries(), 2u);
}

TEST_F(File, WhatIsOpenContinuesUnderItsNumber) {
  const int file = ::open(path("f").c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_GE(file, 0);
  ASSERT_EQ(::write(file, "before ", 7), 7);
  const std::string name = "/dev/fd/" + std::to_string(file);
  fs::create_symlink(name, path("link"));  // as /dev/stdout is one
  EXPECT_TRUE(write_file_atomically(name, bytes_of("by number ")).ok());
  EXPECT_TRUE(write_file_atomically(path("link"), bytes_of("by link ")).ok());
  ASSERT_EQ(::write(file, "after", 5), 5);
  ::close(file);
  EXPECT_EQ(*read_file(path("f"), kNoLimit), bytes_of("before by number by link after"));
  EXPECT_TRUE(fs::is_symlink(path("link")));

  int ends[2];  // the name of a socket cannot be opened
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  EXPECT_TRUE(
      write_file_atomically("/proc/self/fd/" + std::to_string(ends[0]), bytes_of("hello")).ok());
  EXPECT_EQ(drain(ends[1]), "hello");
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(File, ALinkToAFileIsReplaced) {
  std::ofstream(path("f")) << "old";
  fs::create_symlink("f", path("link"));
  fs::create_symlink("round", path("round"));
  for (const char* name : {"f", "link", "round", "missing"}) {
    EXPECT_FALSE(is_written_in_place(path(name))) << name;
  }
  ASSERT_TRUE(write_file_atomically(path("link"), bytes_of("new")).ok());
  EXPECT_FALSE(fs::is_symlink(path("link")));
  EXPECT_EQ(*read_file(path("f"), kNoLimit), bytes_of("old"));
  EXPECT_FALSE(is_written_in_place(dir_));
  EXPECT_FALSE(write_file_atomically(dir_, bytes_of("x")).ok());
}

TEST_F(File, WritesToNamesWithoutAFolder) {
  const fs::path before = fs::current_path();
  fs::current_path(dir_);
  EXPECT_TRUE(write_file_atomically("f", bytes_of("here")).ok());
  fs::current_path(before);
  EXPECT_EQ(*read_file(path("f"), kNoLimit), bytes_of("here"));
  EXPECT_EQ(entries(), 1u);
}

TEST_F(File, WritingIntoAMissingFolderNamesTheFile) {
  const Status status = write_file_atomically(path("no/f"), bytes_of("x"));
  EXPECT_EQ(status.message(), "cannot create " + path("no/f") + ": No such file or directory");
}

}  // namespace
}  // namespace deeplab
