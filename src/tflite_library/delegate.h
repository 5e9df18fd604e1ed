// A delegate: code that somebody else wrote for an accelerator, and that takes ops from TensorFlow
// Lite. Trusted code: what it does to the process nobody can take back.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "tflite_library/library.h"
#include "tflite_library/placement.h"

namespace deeplab::tflite_library {

/// The name of the delegate that is part of the library itself, if it was built with it.
inline constexpr const char* kXnnpack = "xnnpack";

struct DelegateOptions {
  std::string path;  ///< Of the delegate's library, or kXnnpack.
  std::vector<std::pair<std::string, std::string>> options;  ///< As the delegate names them.
};

/// What the delegate of that path calls the file in which it keeps what it has compiled, with the
/// file's name in `directory` and what turns it on. `model_hash` tells models apart. Error: a
/// delegate that is not known to keep any.
Result<std::vector<std::pair<std::string, std::string>>> cache_options(
    const std::string& delegate_path, const std::string& directory, uint64_t model_hash);

/// One delegate of one interpreter, which must not outlive it.
class Delegate {
 public:
  /// Opens the delegate's library and asks it for a delegate. Errors: what the loader says, the
  /// function that it does not have, that it refused, with what it reported.
  static Result<std::unique_ptr<Delegate>> create(const Library& library,
                                                  const DelegateOptions& options, int threads);
  ~Delegate();
  Delegate(const Delegate&) = delete;
  Delegate& operator=(const Delegate&) = delete;

  /// What to give to the library: asks the delegate, then notes which ops it took. `ops` is the
  /// number of ops in the file.
  TfLiteDelegate* handle(int ops);

  const std::string& path() const { return path_; }
  /// After the library has asked it: whether it was, whether it agreed, what it took.
  bool was_asked() const { return was_asked_; }
  bool has_refused() const { return has_refused_; }
  /// False: the library does not say what runs where.
  bool is_placement_known() const { return is_placement_known_; }
  const Placement& placement() const { return placement_; }

 private:
  Delegate() = default;
  static int prepare(TfLiteContext* context, TfLiteDelegate* delegate);

  std::string path_;
  TfLiteDelegate* inner_ = nullptr;
  DestroyDelegate destroy_ = nullptr;
  TfLiteDelegate wrapper_ = {};
  int ops_ = 0;
  bool was_asked_ = false;
  bool has_refused_ = false;
  bool is_placement_known_ = false;
  Placement placement_;
};

}  // namespace deeplab::tflite_library
