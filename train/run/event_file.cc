#include "train/run/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

namespace deeplab::train {
namespace {

constexpr std::string_view kNamePrefix = "events.out.tfevents.";
constexpr uint32_t kCastagnoli = 0x82f63b78;  // the polynomial 0x1edc6f41, bits reversed
constexpr uint32_t kMaskDelta = 0xa282ead8;

// Field numbers of the messages, as the .proto files have them.
namespace event {
constexpr uint32_t kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
}
namespace session_log {
constexpr uint32_t kStatus = 1;
constexpr uint64_t kStart = 1;
}  // namespace session_log
namespace summary {
constexpr uint32_t kValue = 1;
}
namespace value {
constexpr uint32_t kTag = 1, kSimpleValue = 2, kTensor = 8, kMetadata = 9;
}
namespace metadata {
constexpr uint32_t kPluginData = 1, kDataClass = 4;
constexpr uint64_t kDataClassTensor = 2;
}  // namespace metadata
namespace plugin_data {
constexpr uint32_t kName = 1;
}
namespace tensor {
constexpr uint32_t kType = 1, kShape = 2, kStringValue = 8;
constexpr uint64_t kString = 7;  // DT_STRING
}  // namespace tensor

template <typename Unsigned>
void put_little_endian(std::string& out, Unsigned number) {
  for (size_t i = 0; i < sizeof(Unsigned); ++i) {
    out.push_back(static_cast<char>(static_cast<uint8_t>(number >> (8 * i))));
  }
}

/// A protobuf message under construction. Wire types: 0 varint, 1 fixed64, 2 length and bytes,
/// 5 fixed32.
class Message {
 public:
  Message& varint(uint32_t field, uint64_t number) {
    put_varint(field << 3);
    put_varint(number);
    return *this;
  }
  Message& fixed64(uint32_t field, double number) {
    put_varint(field << 3 | 1);
    put_little_endian(bytes_, std::bit_cast<uint64_t>(number));
    return *this;
  }
  Message& bytes(uint32_t field, std::string_view content) {
    put_varint(field << 3 | 2);
    put_varint(content.size());
    bytes_.append(content);
    return *this;
  }
  Message& message(uint32_t field, const Message& inner) { return bytes(field, inner.bytes_); }
  Message& fixed32(uint32_t field, float number) {
    put_varint(field << 3 | 5);
    put_little_endian(bytes_, std::bit_cast<uint32_t>(number));
    return *this;
  }
  const std::string& str() const { return bytes_; }

 private:
  void put_varint(uint64_t number) {
    for (; number >= 0x80; number >>= 7) bytes_.push_back(static_cast<char>(number | 0x80));
    bytes_.push_back(static_cast<char>(number));
  }
  std::string bytes_;
};

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Message event_at(int64_t step) {
  Message event;
  event.fixed64(event::kWallTime, wall_time());
  // A negative int64 takes ten bytes on the wire; the conversion is what the format asks for.
  event.varint(event::kStep, static_cast<uint64_t>(step));
  return event;
}

Message summary_event(int64_t step, const Message& value) {
  return event_at(step).message(event::kSummary, Message().message(summary::kValue, value));
}

Message value_with_tag(std::string_view tag) { return Message().bytes(value::kTag, tag); }

std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string system_reason(int error) { return std::generic_category().message(error); }

/// This machine's name, with everything that a file name should not hold replaced.
std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  std::string host = name.data();
  for (char& c : host) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-';
    if (!plain) c = '_';
  }
  return host;
}

/// The largest SECONDS among the event files of a directory; -1 if there are none.
int64_t newest_seconds(const std::string& directory, std::error_code& error) {
  int64_t newest = -1;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(kNamePrefix)) continue;
    int64_t seconds = -1;
    std::from_chars(name.data() + kNamePrefix.size(), name.data() + name.size(), seconds);
    newest = std::max(newest, seconds);
  }
  return newest;
}

/// CRC-32C as TFRecords store it. The mask keeps a CRC of data that holds CRCs from being weak.
uint32_t masked_crc32c(std::span<const std::byte> bytes) {
  return std::rotr(crc32c(bytes), 15) + kMaskDelta;
}

}  // namespace

uint32_t crc32c(std::span<const std::byte> bytes) {
  static constexpr auto kTable = [] {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kCastagnoli : 0);
      table[i] = crc;
    }
    return table;
  }();
  uint32_t crc = ~uint32_t{0};
  for (const std::byte byte : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<uint32_t>(byte)) & 0xff];
  }
  return ~crc;
}

Result<EventFile> EventFile::open(const std::string& directory, int64_t first_step) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return io_error("cannot make the directory ", directory, ": ", error.message());
  const int64_t newest = newest_seconds(directory, error);
  if (error) return io_error("cannot list the directory ", directory, ": ", error.message());

  int64_t seconds = std::max(static_cast<int64_t>(wall_time()), newest + 1);
  const std::string host = host_name();
  while (true) {
    // Ten digits, so that the order of names is the order of times.
    std::array<char, 24> digits{};
    std::snprintf(digits.data(), digits.size(), "%010lld", static_cast<long long>(seconds));
    std::string path = str_cat(directory, "/", kNamePrefix, digits.data(), ".", host);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) {
      if (errno == EEXIST && seconds < std::numeric_limits<int64_t>::max()) {
        ++seconds;
        continue;
      }
      return io_error("cannot create ", path, ": ", system_reason(errno));
    }
    EventFile file(fd, std::move(path));
    DEEPLAB_RETURN_IF_ERROR(file.append(Message()
                                            .fixed64(event::kWallTime, wall_time())
                                            .bytes(event::kFileVersion, "brain.Event:2")
                                            .str()));
    if (newest >= 0) {
      const Message start = Message().varint(session_log::kStatus, session_log::kStart);
      DEEPLAB_RETURN_IF_ERROR(
          file.append(event_at(first_step).message(event::kSessionLog, start).str()));
    }
    return file;
  }
}

EventFile::EventFile(EventFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)), size_(other.size_) {}

EventFile& EventFile::operator=(EventFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(size_, other.size_);
  return *this;
}

EventFile::~EventFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status EventFile::append(std::string_view event) {
  std::string record;
  record.reserve(event.size() + 16);
  put_little_endian(record, uint64_t{event.size()});
  put_little_endian(record, masked_crc32c(as_bytes(record)));
  record.append(event);
  put_little_endian(record, masked_crc32c(as_bytes(event)));

  for (size_t written = 0; written < record.size();) {
    const ssize_t n = ::write(fd_, record.data() + written, record.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int reason = errno;
      // After half a record a reader finds nothing more: take the half back.
      const bool restored = written == 0 || ::ftruncate(fd_, size_) == 0;
      return io_error("cannot write ", path_, ": ", system_reason(reason),
                      restored ? "" : "; it ends in half a record now");
    }
    written += static_cast<size_t>(n);
  }
  size_ += static_cast<int64_t>(record.size());
  return {};
}

Status EventFile::add_scalar(std::string_view tag, int64_t step, double value) {
  if (tag.empty()) return invalid_argument("a scalar for ", path_, " has an empty tag");
  Message point = value_with_tag(tag);
  point.fixed32(value::kSimpleValue, static_cast<float>(value));
  return append(summary_event(step, point).str());
}

Status EventFile::add_text(std::string_view tag, int64_t step, std::string_view text) {
  if (tag.empty()) return invalid_argument("a text for ", path_, " has an empty tag");
  // What TensorBoard's text plugin takes: a string tensor of rank 0, marked as the plugin's.
  Message content;
  content.varint(tensor::kType, tensor::kString).message(tensor::kShape, Message());
  content.bytes(tensor::kStringValue, text);
  Message mark;
  mark.message(metadata::kPluginData, Message().bytes(plugin_data::kName, "text"));
  mark.varint(metadata::kDataClass, metadata::kDataClassTensor);
  Message value = value_with_tag(tag);
  value.message(value::kTensor, content).message(value::kMetadata, mark);
  return append(summary_event(step, value).str());
}

}  // namespace deeplab::train
