// libjpeg and libpng report errors by a callback that must not return: it leaves by longjmp,
// which skips destructors. This is the one place that calls setjmp.
#pragma once

#include <algorithm>
#include <csetjmp>
#include <cstring>

#include "base/status.h"

namespace deeplab::imageio {

/// Where an error callback jumps to, and what it has to say. Plain memory: no destructor is
/// skipped when it is filled in on the way out.
struct CError {
  std::jmp_buf target;
  StatusCode code = StatusCode::kInvalidImage;
  char message[256] = "";

  [[noreturn]] void raise(StatusCode why, const char* text) {
    code = why;
    const size_t length = std::min(std::strlen(text), sizeof(message) - 1);
    std::memcpy(message, text, length);
    message[length] = '\0';
    std::longjmp(target, 1);
  }
};

/// How a reader's sentence about an error starts.
inline const char* blame(const CError& error) {
  return error.code == StatusCode::kInvalidImage ? "damaged " : "cannot decode the ";
}

/// Runs `body`; false when the library raised an error in it. Neither `body` nor what it calls
/// may own an object with a destructor: such objects live in the caller.
template <typename Body>
[[nodiscard]] bool guarded(CError& error, const Body& body) {
  if (setjmp(error.target) != 0) return false;
  body();
  return true;
}

/// Appends and never throws, so that a C library's write callback may call it. False: no memory.
template <typename Vector, typename Byte>
bool append_bytes(Vector& out, const Byte* data, size_t size) noexcept {
  const auto* first = reinterpret_cast<const typename Vector::value_type*>(data);
  try {
    out.insert(out.end(), first, first + size);
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace deeplab::imageio
