#include "apps/deeplab/evaluate/run.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <system_error>

#include "apps/deeplab/common/command.h"
#include "apps/deeplab/common/interrupt.h"
#include "apps/deeplab/common/photos.h"
#include "base/file.h"
#include "imageio/writer.h"
#include "vision/palette.h"

namespace deeplab::app {

namespace fs = std::filesystem;

Result<std::unique_ptr<EvaluateRun>> EvaluateRun::create(std::shared_ptr<const api::Model> model,
                                                         const eval::VocDataset& dataset,
                                                         EvaluateSetup setup) {
  std::unique_ptr<EvaluateRun> self(new EvaluateRun(std::move(model), dataset, std::move(setup)));
  eval::EvaluatorOptions options;
  options.threads = self->setup_.threads;
  options.classes = self->setup_.classes;
  if (!self->setup_.predictions.empty()) {
    options.keep_mask = [run = self.get()](const eval::VocItem& item, size_t,
                                           const vision::MaskView& mask) {
      return run->write_prediction(item, mask);
    };
  }
  DEEPLAB_ASSIGN_OR_RETURN(self->evaluator_,
                           eval::Evaluator::create({{self->model_, self->setup_.protocol}},
                                                   dataset.items.size(), std::move(options)));
  self->setup_.protocol = self->evaluator_->protocol(0);
  return self;
}

EvaluateRun::EvaluateRun(std::shared_ptr<const api::Model> model, const eval::VocDataset& dataset,
                         EvaluateSetup setup)
    : model_(std::move(model)),
      dataset_(dataset),
      setup_(std::move(setup)),
      photos_(dataset.items.size()),
      photo_errors_(dataset.items.size()) {}

Status EvaluateRun::read_state() {
  DEEPLAB_ASSIGN_OR_RETURN(const auto graph, model_->graph_with_weights());
  state_.emplace(setup_.state, *model_, *graph, dataset_, setup_.protocol, setup_.predictions,
                 setup_.classes.get());
  model_->release_weights();
  DEEPLAB_ASSIGN_OR_RETURN(photos_, state_->read());
  // A label map that somebody took away is made again.
  for (size_t i = 0; i < photos_.size(); ++i) {
    std::error_code ignored;
    if (!setup_.predictions.empty() && !fs::exists(prediction_path(dataset_.items[i]), ignored)) {
      photos_[i].reset();
    }
  }
  // Better now than after an hour: can it be written at all?
  return state_->write(photos_);
}

Status EvaluateRun::run(bool show_progress) {
  if (!setup_.state.empty()) DEEPLAB_RETURN_IF_ERROR(read_state());
  for (size_t i = 0; i < photos_.size(); ++i) {
    if (!photos_[i]) todo_.push_back(i);
  }
  progress_ = std::make_unique<Progress>(todo_.size(), show_progress);
  since_saved_.restart();
  const OrderedWorkEnd end = evaluator_->run(
      dataset_, todo_, InterruptGuard::requested,
      [this](size_t photo, eval::EvaluatedPhoto result) { return keep(photo, std::move(result)); });
  begun_ = end.handed_out;
  progress_.reset();
  if (state_) state_error_ = state_->write(photos_);
  DEEPLAB_RETURN_IF_ERROR(end.status);
  return fatal_;
}

std::string EvaluateRun::prediction_path(const eval::VocItem& item) const {
  return (fs::path(setup_.predictions) / (item.id + ".png")).string();
}

Status EvaluateRun::write_prediction(const eval::VocItem& item,
                                     const vision::MaskView& mask) const {
  const std::string path = prediction_path(item);
  std::error_code ignored;  // the write says what is wrong
  fs::create_directories(fs::path(path).parent_path(), ignored);
  const auto size = static_cast<size_t>(mask.width) * static_cast<size_t>(mask.height);
  DEEPLAB_ASSIGN_OR_RETURN(
      const imageio::EncodedImage png,
      imageio::encode_png_indexed(mask.width, mask.height, {mask.data, size}, vision::kVocPalette));
  return write_file_atomically(path, png);
}

/// Photos come in order, so that the first fatal error of the list is the one reported whatever the
/// number of threads.
bool EvaluateRun::keep(size_t photo, eval::EvaluatedPhoto result) {
  if (!result.warning.empty()) {
    progress_->hide();
    print_warning(dataset_.items[photo].image_path, result.warning);
  }
  if (result.is_fatal) {
    fatal_ = std::move(result.error);
    return false;
  }
  if (result.error.ok()) {
    photos_[photo] = std::move(result.scores[0]);
  } else {
    photo_errors_[photo] = std::move(result.error);
  }
  if (state_) save_now_and_then();
  progress_->advance();
  return true;
}

/// At most a second's work is lost when the process is killed, or, with a dataset so large that
/// its state takes long to write, twenty times as long as that takes.
void EvaluateRun::save_now_and_then() {
  using Duration = Stopwatch::Clock::duration;
  if (since_saved_.elapsed() < std::max<Duration>(std::chrono::seconds(1), 20 * saving_took_)) {
    return;
  }
  const Stopwatch watch;
  // A full disk may have room again later: only the last write's error is reported.
  try {
    state_error_ = state_->write(photos_);
  } catch (const std::bad_alloc&) {
    state_error_ = resource_exhausted("not enough memory to write ", setup_.state);
  }
  since_saved_.restart();
  saving_took_ = watch.elapsed();
}

std::vector<Status> EvaluateRun::errors() const {
  std::vector<Status> errors;
  std::ranges::copy_if(photo_errors_, std::back_inserter(errors),
                       [](const Status& error) { return !error.ok(); });
  if (!state_error_.ok()) errors.push_back(state_error_);
  return errors;
}

std::optional<size_t> EvaluateRun::only_class(const eval::Evaluation& evaluation) {
  std::optional<size_t> only;
  for (size_t id = 0; id < evaluation.scores.classes.size(); ++id) {
    if (evaluation.scores.classes[id].predicted == 0) continue;
    if (only) return std::nullopt;
    only = id;
  }
  return only;
}

eval::Evaluation EvaluateRun::evaluation() const {
  eval::Evaluation evaluation;
  evaluation.dataset = dataset_.root;
  evaluation.split = dataset_.split;
  evaluation.model = model_->name();
  evaluation.labels = model_->labels();
  evaluation.protocol = setup_.protocol;
  eval::summarize(photos_, evaluation);
  return evaluation;
}

}  // namespace deeplab::app
