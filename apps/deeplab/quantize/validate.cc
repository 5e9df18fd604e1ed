#include "apps/deeplab/quantize/validate.h"

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "apps/deeplab/common/photos.h"
#include "apps/deeplab/common/progress.h"
#include "eval/evaluator.h"
#include "eval/voc_dataset.h"

namespace deeplab::app {

Result<Validation> validate_models(const std::string& dataset, const std::string& mask_map,
                                   std::shared_ptr<const api::Model> float_model,
                                   std::shared_ptr<const api::Model> int8_model, vision::Fit fit,
                                   const photos::DecodeOptions& decode, int32_t float_stride,
                                   int threads, bool show_progress) {
  Validation validation{dataset, "val", 0, {}, {}};
  std::error_code ignored;
  const size_t colon = dataset.rfind(':');
  if (colon != std::string::npos && !std::filesystem::is_directory(dataset, ignored)) {
    validation.dataset = dataset.substr(0, colon);
    validation.split = dataset.substr(colon + 1);
  }
  DEEPLAB_ASSIGN_OR_RETURN(const eval::VocDataset voc,
                           eval::open_voc_dataset(validation.dataset, validation.split,
                                                  eval::MaskRequirement::kRequired));
  eval::EvaluatorOptions options;
  DEEPLAB_ASSIGN_OR_RETURN(options.classes, eval::read_class_map(mask_map, *float_model));
  DEEPLAB_RETURN_IF_ERROR(eval::check_not_black_and_white(voc, options.classes.get()));
  std::vector<eval::Candidate> candidates(2);
  candidates[0].model = std::move(float_model);
  candidates[0].protocol.output_stride = float_stride;
  candidates[1].model = std::move(int8_model);
  for (eval::Candidate& candidate : candidates) {
    candidate.protocol.fit = fit;
    candidate.protocol.decode = decode;
  }
  options.threads = threads;
  options.boundaries = false;
  DEEPLAB_ASSIGN_OR_RETURN(
      const auto evaluator,
      eval::Evaluator::create(std::move(candidates), voc.items.size(), std::move(options)));
  Progress progress(voc.items.size(), show_progress);
  const auto advance = [&](const eval::VocItem& item, const std::string& warning) {
    if (!warning.empty()) {
      progress.hide();
      print_warning(item.image_path, warning);
    }
    progress.advance();
  };
  DEEPLAB_ASSIGN_OR_RETURN(std::vector<eval::Scores> scores, evaluator->scores(voc, advance));
  validation.images = static_cast<int64_t>(voc.items.size());
  validation.float_scores = std::move(scores[0]);
  validation.int8_scores = std::move(scores[1]);
  return validation;
}

}  // namespace deeplab::app
