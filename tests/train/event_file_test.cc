// Event files, read back by a reader that shares nothing with the writer: its own CRC (bit by bit),
// its own framing, its own view of protobuf's wire format.
#include "train/run/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace deeplab::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

uint32_t bitwise_crc32c(std::string_view bytes) {
  uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    for (int bit = 0; bit < 8; ++bit) {
      const uint32_t in = (static_cast<uint8_t>(byte) >> bit) & 1;
      const uint32_t out = (crc & 1) ^ in;
      crc >>= 1;
      if (out != 0) crc ^= 0x82f63b78;
    }
  }
  return crc ^ 0xffffffff;
}

uint32_t masked(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8; }

uint64_t little_endian(std::string_view bytes) {
  uint64_t number = 0;
  for (size_t i = bytes.size(); i-- > 0;) number = number << 8 | static_cast<uint8_t>(bytes[i]);
  return number;
}

struct Records {
  std::vector<std::string> whole;
  bool torn = false;  ///< Bytes were left that make no whole record.
};

std::string file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Stops with a test failure at a CRC that does not match.
Records read_records(const std::string& path) {
  const std::string bytes = file_bytes(path);
  std::string_view rest = bytes;
  Records records;
  while (!rest.empty()) {
    if (rest.size() < 12) break;
    const uint64_t length = little_endian(rest.substr(0, 8));
    EXPECT_EQ(little_endian(rest.substr(8, 4)), masked(bitwise_crc32c(rest.substr(0, 8))));
    if (rest.size() - 12 < length + 4) break;
    const std::string_view data = rest.substr(12, length);
    EXPECT_EQ(little_endian(rest.substr(12 + length, 4)), masked(bitwise_crc32c(data)));
    records.whole.emplace_back(data);
    rest.remove_prefix(length + 16);
  }
  records.torn = !rest.empty();
  return records;
}

/// Field number to contents; varints and fixed numbers as their little-endian value.
struct Fields {
  std::map<uint32_t, uint64_t> numbers;
  std::map<uint32_t, std::string> bytes;
};

Fields parse(std::string_view message) {
  Fields fields;
  size_t at = 0;
  const auto varint = [&] {
    uint64_t number = 0;
    for (int shift = 0; at < message.size(); shift += 7) {
      const auto byte = static_cast<uint8_t>(message[at++]);
      number |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) break;
    }
    return number;
  };
  while (at < message.size()) {
    const uint64_t key = varint();
    const auto field = static_cast<uint32_t>(key >> 3);
    if ((key & 7) == 0) {
      fields.numbers[field] = varint();
    } else if ((key & 7) == 2) {
      const uint64_t length = varint();
      fields.bytes[field] = std::string(message.substr(at, length));
      at += length;
    } else {
      const size_t width = (key & 7) == 1 ? 8 : 4;
      EXPECT_TRUE((key & 7) == 1 || (key & 7) == 5) << "wire type " << (key & 7);
      fields.numbers[field] = little_endian(message.substr(at, width));
      at += width;
    }
  }
  EXPECT_EQ(at, message.size());
  return fields;
}

/// Event.summary.value[0].
Fields value_of(const Fields& event) { return parse(parse(event.bytes.at(5)).bytes.at(1)); }

float as_float(uint64_t bits) {
  const auto low = static_cast<uint32_t>(bits);
  float number = 0;
  std::memcpy(&number, &low, sizeof number);
  return number;
}

double as_double(uint64_t bits) {
  double number = 0;
  std::memcpy(&number, &bits, sizeof number);
  return number;
}

class EventFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = ::testing::TempDir() + "events_" + std::to_string(::getpid()) + "_" +
                 ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      list.push_back(entry.path().filename().string());
    }
    std::sort(list.begin(), list.end());
    return list;
  }

  std::string directory_;
};

TEST(Crc32c, MatchesPublishedValues) {
  const auto crc = [](std::string_view text) {
    return crc32c(std::as_bytes(std::span(text.data(), text.size())));
  };
  EXPECT_EQ(crc("123456789"), 0xE3069283u);
  EXPECT_EQ(crc(""), 0u);
  // RFC 3720, appendix B.4: 32 bytes of zeros, and of ones.
  EXPECT_EQ(crc(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc(std::string(32, '\xff')), 0x62A8AB43u);
  EXPECT_EQ(bitwise_crc32c("123456789"), 0xE3069283u);
}

TEST_F(EventFileTest, StartsWithItsVersion) {
  Result<EventFile> file = EventFile::open(directory_ + "/made/here");
  ASSERT_TRUE(file.ok()) << file.status().message();
  const Records records = read_records(file->path());
  ASSERT_EQ(records.whole.size(), 1u);
  const Fields event = parse(records.whole[0]);
  EXPECT_EQ(event.bytes.at(3), "brain.Event:2");
  EXPECT_NEAR(as_double(event.numbers.at(1)), static_cast<double>(::time(nullptr)), 60);
  const std::string name = std::filesystem::path(file->path()).filename().string();
  EXPECT_EQ(name.rfind("events.out.tfevents.", 0), 0u) << name;
  EXPECT_EQ(name.find('.', 20), 30u) << name;
}

TEST_F(EventFileTest, ScalarsKeepTagStepAndValue) {
  Result<EventFile> file = EventFile::open(directory_);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->add_scalar("loss/masks", 0, 1.25).ok());
  ASSERT_TRUE(file->add_scalar("loss/masks", 300, -0.1).ok());
  ASSERT_TRUE(file->add_scalar("loss/masks", int64_t{1} << 40, std::nan("")).ok());

  const Records records = read_records(file->path());
  ASSERT_EQ(records.whole.size(), 4u);
  EXPECT_FALSE(records.torn);
  const std::vector<int64_t> steps = {0, 300, int64_t{1} << 40};
  const std::vector<float> values = {1.25F, -0.1F, std::nanf("")};
  for (size_t i = 0; i < 3; ++i) {
    const Fields event = parse(records.whole[i + 1]);
    EXPECT_EQ(static_cast<int64_t>(event.numbers.at(2)), steps[i]);
    EXPECT_GT(as_double(event.numbers.at(1)), 1.6e9);
    const Fields value = value_of(event);
    EXPECT_EQ(value.bytes.at(1), "loss/masks");
    const float got = as_float(value.numbers.at(2));
    EXPECT_TRUE(got == values[i] || (std::isnan(got) && std::isnan(values[i]))) << got;
  }
}

TEST_F(EventFileTest, TextIsAStringTensorOfTheTextPlugin) {
  Result<EventFile> file = EventFile::open(directory_);
  ASSERT_TRUE(file.ok());
  const std::string text =
      "| option | value |\n|---|---|\n| crop | 321 |\n" + std::string(300, 'x');
  ASSERT_TRUE(file->add_text("options", 0, text).ok());
  const Fields value = value_of(parse(read_records(file->path()).whole.at(1)));
  const Fields tensor = parse(value.bytes.at(8));
  EXPECT_EQ(tensor.numbers.at(1), 7u);  // DT_STRING
  EXPECT_EQ(tensor.bytes.at(2), "");    // rank 0
  EXPECT_EQ(tensor.bytes.at(8), text);
  const Fields metadata = parse(value.bytes.at(9));
  EXPECT_EQ(parse(metadata.bytes.at(1)).bytes.at(1), "text");
}

TEST_F(EventFileTest, ResumeAddsAFileThatSortsBehindAndNamesItsFirstStep) {
  std::string first_path;
  {
    Result<EventFile> first = EventFile::open(directory_);
    ASSERT_TRUE(first.ok());
    ASSERT_TRUE(first->add_scalar("loss", 1, 1).ok());
    first_path = first->path();
  }
  const std::string before = file_bytes(first_path);
  // A clock that was ahead when an earlier part of the run started must not hide this part.
  std::ofstream(directory_ + "/events.out.tfevents.9000000000.elsewhere") << "";
  Result<EventFile> second = EventFile::open(directory_, 1000);
  ASSERT_TRUE(second.ok());
  Result<EventFile> third = EventFile::open(directory_, 2000);
  ASSERT_TRUE(third.ok());
  const auto name = [](const EventFile& file) {
    return std::filesystem::path(file.path()).filename().string();
  };
  EXPECT_THAT(names(),
              ElementsAre(std::filesystem::path(first_path).filename().string(),
                          "events.out.tfevents.9000000000.elsewhere", name(*second), name(*third)));
  EXPECT_EQ(file_bytes(first_path), before);
  EXPECT_EQ(read_records(first_path).whole.size(), 2u) << "a new run has no SessionLog";

  const Records records = read_records(second->path());
  ASSERT_EQ(records.whole.size(), 2u);
  const Fields start = parse(records.whole[1]);
  EXPECT_EQ(start.numbers.at(2), 1000u);
  EXPECT_EQ(parse(start.bytes.at(7)).numbers.at(1), 1u);  // SessionLog START
}

TEST_F(EventFileTest, AKilledWriterLosesNothing) {
  const pid_t child = ::fork();
  if (child == 0) {
    Result<EventFile> file = EventFile::open(directory_);
    if (!file.ok()) ::_exit(1);
    for (int step = 0; step < 50; ++step) {
      if (!file->add_scalar("loss", step, step).ok()) ::_exit(2);
    }
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_EQ(names().size(), 1u);
  const Records records = read_records(directory_ + "/" + names()[0]);
  EXPECT_EQ(records.whole.size(), 51u);
  EXPECT_FALSE(records.torn);
}

TEST_F(EventFileTest, AFullDiskLeavesWholeRecords) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{200, 200};  // bytes per file: stops the writer within a record
    Result<EventFile> file = EventFile::open(directory_);
    if (!file.ok() || ::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(1);
    for (int step = 0; step < 50; ++step) {
      const Status status = file->add_scalar("loss", step, step);
      if (status.ok()) continue;
      ::_exit(status.message().find("cannot write") == 0 ? 42 : 3);
    }
    ::_exit(4);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 42);
  const Records records = read_records(directory_ + "/" + names().at(0));
  EXPECT_GT(records.whole.size(), 2u);
  EXPECT_FALSE(records.torn);
}

TEST_F(EventFileTest, ADirectoryThatCannotBeIsAnError) {
  std::filesystem::create_directories(directory_);
  std::ofstream(directory_ + "/file") << "";
  const Result<EventFile> file = EventFile::open(directory_ + "/file");
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.status().code(), StatusCode::kIoError);
  EXPECT_THAT(file.status().message(), HasSubstr(directory_ + "/file"));
}

}  // namespace
}  // namespace deeplab::train
