// What the fuzz targets of this room have in common. A target defines LLVMFuzzerTestOneInput();
// libFuzzer calls it where clang builds the room, replay.cc everywhere else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "base/status.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace deeplab::fuzz {

/// Ends the process when a promise is broken: that is how a fuzzer learns of it.
inline void require(bool kept, const char* promise) {
  if (kept) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

/// What every error owes its reader: one line of some words, of a code that a file or an argument
/// can cause.
inline void require_sentence(const Status& status) {
  const std::string& message = status.message();
  const bool one_line = message.find('\n') == std::string::npos;
  if (status.code() == StatusCode::kInternal || !one_line || message.size() < 10 ||
      message.size() > 2000) {
    std::fprintf(stderr, "code %d: %s\n", static_cast<int>(status.code()), message.c_str());
    require(false, "an error is one sentence and no bug of ours");
  }
}

/// The input as a list of decisions; all are 0 past its end.
class Decisions {
 public:
  Decisions(const uint8_t* data, size_t size) : bytes_(data, size) {}

  bool done() const { return bytes_.empty(); }
  uint8_t byte() {
    if (bytes_.empty()) return 0;
    const uint8_t value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }
  uint32_t word() {
    uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value = value << 8 | byte();
    return value;
  }
  bool flag() { return (byte() & 1) != 0; }
  /// One of [low, high], whose difference is below 256.
  int32_t between(int32_t low, int32_t high) { return low + byte() % (high - low + 1); }
  /// One of a list.
  template <typename T, size_t N>
  T one_of(const T (&list)[N]) {
    return list[byte() % N];
  }
  /// The next `size` bytes, fewer at the end.
  std::span<const uint8_t> take(size_t size) {
    const auto taken = bytes_.first(size < bytes_.size() ? size : bytes_.size());
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }

 private:
  std::span<const uint8_t> bytes_;
};

}  // namespace deeplab::fuzz
