#include "shared_model.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <system_error>
#include <tuple>
#include <utility>

namespace deeplab::gstreamer {
namespace {

namespace fs = std::filesystem;

deeplab_status load(const std::string& path, bool allow_custom_ops, deeplab_model** model) {
  if (path.empty()) return deeplab_model_load_builtin(model);
  deeplab_model_options options;
  deeplab_model_options_init(&options, sizeof options);
  options.allow_custom_ops = allow_custom_ops ? 1 : 0;
  return deeplab_model_load_file_with_options(path.c_str(), &options, model);
}

/// What tells files apart: where one is, when it was written, its bytes.
using FileKey = std::tuple<fs::path, fs::file_time_type, uintmax_t>;

/// Of a file that cannot be looked at, which then cannot be loaded either: its name.
FileKey key_of(const std::string& path) {
  std::error_code error;
  const fs::path place = fs::canonical(path, error);
  if (error) return {path, {}, 0};
  const auto written = fs::last_write_time(place, error);
  const uintmax_t size = error ? 0 : fs::file_size(place, error);
  return error ? FileKey{path, {}, 0} : FileKey{place, written, size};
}

}  // namespace

std::shared_ptr<const deeplab_model> share_model(const std::string& path, bool allow_custom_ops,
                                                 deeplab_status& status) {
  static std::mutex mutex;
  static std::map<std::pair<FileKey, bool>, std::weak_ptr<const deeplab_model>> models;
  const std::lock_guard lock(mutex);
  std::erase_if(models, [](const auto& entry) { return entry.second.expired(); });
  const FileKey key = path.empty() ? FileKey() : key_of(path);
  std::weak_ptr<const deeplab_model>& known = models[{key, allow_custom_ops}];
  status = DEEPLAB_OK;
  if (auto model = known.lock()) return model;
  deeplab_model* loaded = nullptr;
  status = load(path, allow_custom_ops, &loaded);
  if (status != DEEPLAB_OK) return nullptr;
  std::shared_ptr<const deeplab_model> model(
      loaded, [](deeplab_model* unused) { deeplab_model_free(unused); });
  known = model;
  return model;
}

}  // namespace deeplab::gstreamer
