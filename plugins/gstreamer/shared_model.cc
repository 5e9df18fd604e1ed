#include "shared_model.h"

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

namespace deeplab::gstreamer {
namespace {

deeplab_status load(const std::string& path, bool allow_custom_ops, deeplab_model** model) {
  if (path.empty()) return deeplab_model_load_builtin(model);
  deeplab_model_options options;
  deeplab_model_options_init(&options, sizeof options);
  options.allow_custom_ops = allow_custom_ops ? 1 : 0;
  return deeplab_model_load_file_with_options(path.c_str(), &options, model);
}

/// What tells files apart: a model keeps its own open, so that no other one gets its number; when
/// it was written; its bytes. Of anything that is not a regular file: its name.
using FileKey = std::tuple<std::string, uint64_t, uint64_t, int64_t, int64_t, int64_t>;

FileKey key_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return {path, 0, 0, 0, 0, 0};
  return {std::string(),       info.st_dev,          info.st_ino,
          info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_size};
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
