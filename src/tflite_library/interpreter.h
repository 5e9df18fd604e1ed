// A model at work in TensorFlow Lite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "tflite_library/delegate.h"
#include "tflite_library/library.h"

namespace deeplab::tflite_library {

struct Options {
  std::string library;   ///< See Library::open().
  std::string delegate;  ///< Its library's path, kXnnpack, or empty: none.
  std::vector<std::pair<std::string, std::string>> delegate_options;
  std::string delegate_cache;  ///< A directory; see cache_options(). Empty: none.
  /// Of a model's multiply-accumulates, or of its ops if those are not known: how many per cent the
  /// delegate has to take at least.
  double required_percent = 0;
  bool operator==(const Options&) const = default;
};

/// "TensorFlow Lite", or "TensorFlow Lite with libx_delegate.so": for messages.
std::string description(const Options& options);

/// A tensor of the interpreter.
struct TensorView {
  TfLiteType type = TfLiteType::kFloat32;
  std::vector<int32_t> shape;
  std::span<std::byte> bytes;
  std::string name;
};

/// One thread at a time. The library computes on `threads` threads of its own.
class Interpreter {
 public:
  /// `model`: a .tflite file that was verified, which `owner` keeps; `ops` is their number in it.
  /// `input_shape` is that of input 0. Errors: those of Library::open() and Delegate::create(); a
  /// model that the library or the delegate refuses, with what they said.
  static Result<std::unique_ptr<Interpreter>> create(std::shared_ptr<const void> owner,
                                                     std::span<const std::byte> model, int ops,
                                                     std::span<const int32_t> input_shape,
                                                     const Options& options, int threads);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  int input_count() const;
  int output_count() const;
  /// Where it lies is asked for after each run: a delegate may move it.
  TensorView input(int index) const;
  TensorView output(int index) const;

  /// Error: the library or the delegate failed, with what they said.
  Status run();

  const Library& library() const { return *library_; }
  /// Null without one.
  const Delegate* delegate() const { return delegate_.get(); }

 private:
  Interpreter() = default;
  Status failed(const char* what);
  static void keep_message(void* context, const char* format, va_list arguments);
  TensorView view(const TfLiteTensor* tensor) const;

  std::shared_ptr<const void> owner_;
  std::shared_ptr<const Library> library_;
  std::unique_ptr<Delegate> delegate_;
  TfLiteModel* model_ = nullptr;
  TfLiteInterpreterOptions* options_ = nullptr;
  TfLiteInterpreter* interpreter_ = nullptr;
  std::string name_;
  std::string messages_;       // of the library, since the last error
  std::mutex messages_mutex_;  // a delegate's threads may have something to say, too
};

}  // namespace deeplab::tflite_library
