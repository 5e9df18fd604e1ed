#include "apps/deeplab/common/backend_flags.h"

#include <filesystem>

#include "apps/deeplab/common/options.h"

namespace deeplab::app {
namespace {

/// A file that is here goes before the loader's search, which passes over the current directory.
std::string file_or_name(const std::string& given) {
  std::error_code error;
  const bool is_here = given.find('/') == given.npos && given != tflite_library::kXnnpack &&
                       std::filesystem::is_regular_file(given, error);
  return is_here ? "./" + given : given;
}

}  // namespace

bool parse_backend(const std::string& name) {
  if (name == "tflite") return true;
  if (name == "engine") return false;
  throw CLI::ValidationError("--backend",
                             "unknown backend '" + name + "'; expected engine or tflite");
}

void BackendFlags::add_to(CLI::App& app) {
  app.add_option_function<std::string>(
         "--backend", [this](const std::string& name) { is_tflite_ = parse_backend(name); },
         "What runs the network: engine, or tflite for TensorFlow Lite's C library [engine]")
      ->type_name("engine|tflite");
  add_library_to(app);
}

void BackendFlags::add_library_to(CLI::App& app) {
  app.add_option("--tflite-library", options_.library,
                 "TensorFlow Lite's library: a file, or a name for the loader to search for "
                 "[libtensorflowlite_c.so, then libtensorflow-lite.so]")
      ->transform(file_or_name)
      ->type_name("PATH");
  app.add_option(
         "--delegate", options_.delegate,
         "The accelerator's plugin for TensorFlow Lite; xnnpack is the one inside the library")
      ->transform(file_or_name)
      ->type_name("PATH");
  app.add_option_function<std::vector<std::string>>(
         "--delegate-option",
         [this](const std::vector<std::string>& items) {
           for (const std::string& item : items) {
             const size_t equals = item.find('=');
             if (equals == item.npos || equals == 0) {
               throw CLI::ValidationError("--delegate-option",
                                          "invalid option '" + item + "'; expected KEY=VALUE");
             }
             options_.delegate_options.emplace_back(item.substr(0, equals),
                                                    item.substr(equals + 1));
           }
         },
         "An option of the delegate, by its own name; may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->type_name("KEY=VALUE");
  app.add_option("--delegate-cache", options_.delegate_cache,
                 "Directory in which the delegate keeps what it has compiled, for the next start")
      ->type_name("DIR");
  app.add_option("--require-delegated", options_.required_percent,
                 "Fail unless the delegate takes this share of the multiply-accumulates")
      ->check(number_from(0, 100))
      ->type_name("PERCENT");
}

void BackendFlags::check(std::optional<bool> is_tflite) const {
  const auto refuse = [](const char* flag, const char* need) {
    throw CLI::ValidationError(flag, std::string("needs ") + need);
  };
  const bool has_delegate = !options_.delegate.empty();
  if (!is_tflite.value_or(is_tflite_)) {
    constexpr const char* kNeed = "--backend tflite";
    if (!options_.library.empty()) refuse("--tflite-library", kNeed);
    if (has_delegate) refuse("--delegate", kNeed);
  }
  if (has_delegate) return;
  constexpr const char* kNeed = "--delegate";
  if (!options_.delegate_options.empty()) refuse("--delegate-option", kNeed);
  if (!options_.delegate_cache.empty()) refuse("--delegate-cache", kNeed);
  if (options_.required_percent > 0) refuse("--require-delegated", kNeed);
}

std::shared_ptr<const tflite_library::Options> BackendFlags::options() const {
  return is_tflite_ ? std::make_shared<const tflite_library::Options>(options_) : nullptr;
}

std::optional<TfLiteOptions> BackendFlags::public_options() const {
  if (!is_tflite_) return std::nullopt;
  TfLiteOptions options;
  options.library = options_.library;
  options.delegate = options_.delegate;
  options.delegate_options = options_.delegate_options;
  options.delegate_cache = options_.delegate_cache;
  options.required_delegated_percent = static_cast<float>(options_.required_percent);
  return options;
}

bool BackendFlags::has_accelerator() const {
  return is_tflite_ && !options_.delegate.empty() && options_.delegate != tflite_library::kXnnpack;
}

}  // namespace deeplab::app
