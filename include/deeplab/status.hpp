// Status and Result: how every part of deeplab.cpp, public or internal, reports failure.
// No exception crosses the library boundary; both types are [[nodiscard]].
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace deeplab {

/// What went wrong, coarse enough to branch on. The values are those of `deeplab_status`
/// in deeplab.h and never change meaning.
enum class StatusCode : int {
  kOk = 0,
  kInvalidArgument = 1,    ///< The caller's argument is out of range or inconsistent.
  kInvalidModel = 2,       ///< The model file is damaged or contradicts itself.
  kUnsupported = 3,        ///< Well-formed, but asks for an op, type or format not handled.
  kIoError = 4,            ///< The operating system refused to open, read or write.
  kInvalidImage = 5,       ///< The image file is damaged or not an image.
  kResourceExhausted = 6,  ///< Out of memory, or over a stated limit.
  kInternal = 7,           ///< A bug in deeplab.cpp; please report it.
  kWouldBlock = 8,         ///< A stream had no room, or nothing ready, in the time given.
  kStreamEnded = 9,        ///< A stream takes, or gives, no more pictures.
  kCancelled = 10,         ///< The caller stopped a run, or flushed the stream it waited on.
  kDeadlineExceeded = 11,  ///< A run took longer than its caller allowed.
};

/// Success, or a code with one sentence for a person that names the file, the op or the
/// argument, and what was expected.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
};

/// Either a T or the Status that says why there is none. Reading the value of a failed
/// Result is a programming error; it throws std::bad_variant_access.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}        // NOLINT(google-explicit-constructor)
  Result(Status status) : state_(std::move(status)) {  // NOLINT(google-explicit-constructor)
    assert(!std::get<Status>(state_).ok() && "a Result without a value needs an error");
  }

  bool ok() const { return std::holds_alternative<T>(state_); }
  /// The error, or an OK status when there is a value.
  Status status() const { return ok() ? Status() : std::get<Status>(state_); }

  T& value() & { return std::get<T>(state_); }
  const T& value() const& { return std::get<T>(state_); }
  T&& value() && { return std::get<T>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace deeplab
