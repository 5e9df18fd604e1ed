#include "train/run/validation.h"

#include <utility>

#include "eval/evaluator.h"
#include "tflite/writer.h"
#include "train/data/mask.h"

namespace deeplab::train {

Result<eval::Scores> validate_model(const tflite::ModelFile& file, const eval::VocDataset& dataset,
                                    const eval::ClassMap* class_map, int threads) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto bytes, tflite::write_model(file));
  DEEPLAB_ASSIGN_OR_RETURN(const auto model, api::Model::parse(bytes, "the model in training"));
  eval::EvaluatorOptions options;
  options.threads = threads;
  options.boundaries = false;
  options.read_mask = [&](const eval::VocItem& item) {
    return read_training_mask(item.mask_path, class_map, model->class_count());
  };
  DEEPLAB_ASSIGN_OR_RETURN(
      const auto evaluator,
      eval::Evaluator::create({{model, {}}}, dataset.items.size(), std::move(options)));
  DEEPLAB_ASSIGN_OR_RETURN(std::vector<eval::Scores> scores, evaluator->scores(dataset));
  return std::move(scores[0]);
}

}  // namespace deeplab::train
