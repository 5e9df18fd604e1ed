// What runs the network: the engine, or TensorFlow Lite with a delegate. The same flags in every
// command that runs a model.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "deeplab/deeplab.hpp"
#include "tflite_library/interpreter.h"

namespace deeplab::app {

class BackendFlags {
 public:
  /// --backend and those below. The object must live until the command line has parsed, and be
  /// asked only after that.
  void add_to(CLI::App& app);
  /// --tflite-library, --delegate, --delegate-option, --delegate-cache and --require-delegated.
  void add_library_to(CLI::App& app);
  /// A usage error if there are flags for a backend that was not chosen, or for a delegate that was
  /// not named. `is_tflite`: what --backend says, if another than add_to() has read it.
  void check(std::optional<bool> is_tflite = std::nullopt) const;

  bool is_tflite() const { return is_tflite_; }
  /// Null: the engine.
  std::shared_ptr<const tflite_library::Options> options() const;
  /// The library's options, whatever --backend says.
  const tflite_library::Options& library_options() const { return options_; }
  /// The same for the public interface.
  std::optional<TfLiteOptions> public_options() const;
  /// Whether an accelerator is at work, which does one picture at a time.
  bool has_accelerator() const;

 private:
  bool is_tflite_ = false;
  tflite_library::Options options_;
};

/// "engine" or "tflite": whether it is the second. Throws CLI::ValidationError.
bool parse_backend(const std::string& name);

}  // namespace deeplab::app
