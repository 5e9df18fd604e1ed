// TensorFlow Lite's C library, opened while the program runs.
#pragma once

#include <memory>
#include <string>

#include "base/status.h"
#include "tflite_library/abi.h"

namespace deeplab::tflite_library {

/// Whether this platform opens libraries at all.
#if defined(__EMSCRIPTEN__)
inline constexpr bool kCanOpenLibraries = false;
#else
inline constexpr bool kCanOpenLibraries = true;
#endif

/// What is looked for, in this order, if nobody names a file.
inline constexpr const char* kLibraryNames[] = {"libtensorflowlite_c.so", "libtensorflow-lite.so"};

/// A shared object that stays loaded until the process ends: below it there may be drivers whose
/// threads outlive their last use.
class SharedObject {
 public:
  /// Error: what the system's loader says, naming the file.
  static Result<SharedObject> open(const std::string& path);
  /// Null if it exports no such symbol.
  void* symbol(const char* name) const;
  const std::string& path() const { return path_; }

 private:
  SharedObject(void* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  void* handle_;
  std::string path_;
};

/// Immutable; any thread.
class Library {
 public:
  /// `path`: a file, or a name that the loader searches for; empty: kLibraryNames. Errors: every
  /// file tried with what the loader says of it; the function that the file does not have.
  static Result<std::shared_ptr<const Library>> open(const std::string& path);

  const Functions& functions() const { return functions_; }
  /// As it was found.
  const std::string& path() const { return path_; }
  /// "2.9.0".
  std::string version() const { return functions_.TfLiteVersion(); }

 private:
  Library() = default;
  Functions functions_ = {};
  std::string path_;
};

}  // namespace deeplab::tflite_library
