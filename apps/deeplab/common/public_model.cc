#include "apps/deeplab/common/public_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/isa.h"
#include "tflite/label_file.h"

namespace deeplab::app {
namespace {

/// --mean, --std and --input-range, each in place of the model's own.
std::optional<Normalization> find_normalization(const ModelFlags& flags, const ModelInfo& model) {
  const auto mean = flags.mean();
  const auto stddev = flags.std();
  if (!mean && !stddev) return std::nullopt;
  Normalization made;
  std::ranges::copy(model.mean, made.mean.begin());
  std::ranges::copy(model.stddev, made.stddev.begin());
  if (mean) made.mean = *mean;
  if (stddev) made.stddev = *stddev;
  return made;
}

}  // namespace

Result<PublicModel> load_public_model(const std::string& path, const ModelFlags& flags) {
  ModelOptions options;
  options.output_tensor = flags.output();
  options.threshold = flags.threshold();
  options.allow_custom_ops = flags.allow_custom_ops();
  const std::string& labels_file = flags.labels_file();
  if (!labels_file.empty()) {
    DEEPLAB_ASSIGN_OR_RETURN(options.labels, tflite::read_label_file(labels_file));
  }
  auto model = path.empty() ? Model::builtin() : Model::load(path, options);
  if (!model.ok()) {
    return labels_file.empty() ? model.status() : annotate(model.status(), labels_file);
  }
  PublicModel loaded{std::move(*model), {}, {}, false};
  for (int32_t id = 0; id < loaded.model.class_count(); ++id) {
    loaded.labels.emplace_back(loaded.model.label(id));
  }
  if (!labels_file.empty()) {
    if (options.labels.size() != loaded.labels.size()) {  // of the built-in model
      return invalid_argument(labels_file, ": expected ", loaded.labels.size(),
                              " labels, one per line, found ", options.labels.size());
    }
    loaded.labels = std::move(options.labels);
  }
  const ModelInfo info = loaded.model.info();
  loaded.normalization = find_normalization(flags, info);
  loaded.normalization_known = loaded.normalization.has_value() || info.normalization_given != 0;
  return loaded;
}

Result<Options> segmenter_options(const PublicModel& model, vision::Fit fit, const CanvasSize& size,
                                  int32_t output_stride, int threads) {
  DEEPLAB_ASSIGN_OR_RETURN(const Isa isa, selected_isa());
  Options options;
  options.isa = isa_name(isa);
  options.threads = threads;
  options.fit = static_cast<Fit>(fit);
  options.width = size.width;
  options.height = size.height;
  options.output_stride = output_stride;
  options.normalization = model.normalization;
  return options;
}

Result<std::vector<int32_t>> find_classes(const std::vector<std::string>& wanted,
                                          const std::vector<std::string>& labels) {
  std::vector<int32_t> ids;
  for (const std::string& item : wanted) {
    const auto count = static_cast<int32_t>(labels.size());
    auto id = static_cast<int32_t>(std::ranges::find(labels, item) - labels.begin());
    if (id == count) {
      const char* end = item.data() + item.size();
      const auto parsed = std::from_chars(item.data(), end, id);
      if (parsed.ec != std::errc() || parsed.ptr != end) id = -1;
    }
    if (id < 0 || id >= count) {
      return invalid_argument("--class: no class '", item, "'; the model has ",
                              fmt::format("{}", fmt::join(labels, ", ")));
    }
    if (std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
  }
  return ids;
}

}  // namespace deeplab::app
