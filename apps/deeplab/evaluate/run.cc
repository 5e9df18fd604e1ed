#include "apps/deeplab/evaluate/run.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <system_error>
#include <thread>

#include "apps/deeplab/common/interrupt.h"
#include "base/file.h"
#include "imageio/writer.h"
#include "vision/palette.h"

namespace deeplab::app {

namespace fs = std::filesystem;

Result<std::unique_ptr<EvaluateRun>> EvaluateRun::create(std::shared_ptr<const api::Model> model,
                                                         const eval::VocDataset& dataset,
                                                         EvaluateSetup setup) {
  eval::Protocol& protocol = setup.protocol;
  if (protocol.width == 0) {
    protocol.width = model->input_width();
    protocol.height = model->input_height();
  }
  if (setup.threads == 0) {
    setup.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  }
  std::unique_ptr<EvaluateRun> self(new EvaluateRun(std::move(model), dataset, std::move(setup)));
  const auto photos = static_cast<int>(std::min<size_t>(dataset.items.size(), 256));
  for (int i = 0; i < std::min(self->setup_.threads, photos); ++i) {
    DEEPLAB_ASSIGN_OR_RETURN(self->predictors_.emplace_back(),
                             Predictor::create(self->model_, self->setup_.protocol));
  }
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
  state_.emplace(setup_.state, *model_, dataset_, setup_.protocol, setup_.predictions);
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
  saved_ = Clock::now();
  {
    std::vector<std::jthread> threads;
    threads.reserve(predictors_.size());
    try {
      for (size_t i = 1; i < predictors_.size(); ++i) {
        threads.emplace_back([this, i] { work(*predictors_[i]); });
      }
    } catch (const std::system_error&) {  // the system gives no more threads: fewer will do
    } catch (const std::bad_alloc&) {
    }
    work(*predictors_[0]);
  }
  progress_.reset();
  if (state_) state_error_ = state_->write(photos_);
  if (out_of_memory_) return out_of_memory();
  return fatal_ ? fatal_->second : Status();
}

/// noexcept: nobody could catch it on a thread of its own.
void EvaluateRun::work(Predictor& predictor) noexcept {
  try {
    work_on_photos(predictor);
  } catch (const std::bad_alloc&) {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    out_of_memory_ = true;
  }
}

void EvaluateRun::work_on_photos(Predictor& predictor) {
  while (const std::optional<size_t> index = next_photo()) {
    const eval::VocItem& item = dataset_.items[*index];
    PhotoResult result;
    try {
      result = evaluate_photo(item, predictor);
    } catch (const std::bad_alloc&) {
      result.error = resource_exhausted("not enough memory for ", item.image_path);
    }
    keep(*index, std::move(result));
  }
}

/// Photos are handed out in order, so that the first fatal error of the list is the one reported
/// whatever the number of threads.
std::optional<size_t> EvaluateRun::next_photo() {
  const std::lock_guard lock(mutex_);
  if (stop_ || next_ == todo_.size() || InterruptGuard::requested()) return std::nullopt;
  return todo_[next_++];
}

EvaluateRun::PhotoResult EvaluateRun::evaluate_photo(const eval::VocItem& item,
                                                     Predictor& predictor) const {
  const auto failed = [](Status error, bool fatal = false) {
    return PhotoResult{std::nullopt, std::move(error), fatal};
  };
  const auto photo = predictor.read_photo(item.image_path);
  if (!photo.ok()) return failed(photo.status());
  const int32_t width = photo->original_width;
  const int32_t height = photo->original_height;
  const auto truth_image = eval::read_mask_of(item, width, height);
  if (!truth_image.ok()) return failed(truth_image.status());
  const int32_t classes = model_->class_count();
  if (const Status ids = eval::check_class_ids(*truth_image, item.mask_path, classes); !ids.ok()) {
    return failed(annotate(ids, str_cat("the masks do not go with ", model_->name())), true);
  }
  const auto labels = predictor.predict(*photo);
  if (!labels.ok()) return failed(annotate(labels.status(), item.image_path));

  const vision::MaskView truth{truth_image->pixels.data(), width, height, width};
  const vision::MaskView predicted{labels->data(), width, height, width};
  PhotoResult result{eval::PhotoScore(), {}, false};
  auto counts = eval::count_pixels(truth, predicted, classes);
  if (!counts.ok()) return failed(annotate(counts.status(), item.image_path));
  auto boundary = eval::boundary_scores(truth, predicted);
  if (!boundary.ok()) return failed(annotate(boundary.status(), item.image_path));
  result.score->counts = std::move(*counts);
  result.score->boundary = std::move(*boundary);
  if (!setup_.predictions.empty()) {
    if (Status written = write_prediction(item, predicted); !written.ok()) {
      return failed(std::move(written), true);
    }
  }
  return result;
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

void EvaluateRun::keep(size_t index, PhotoResult result) {
  const std::lock_guard lock(mutex_);
  if (result.fatal) {
    stop_ = true;
    if (!fatal_ || index < fatal_->first) fatal_.emplace(index, result.error);
  }
  photo_errors_[index] = std::move(result.error);
  photos_[index] = std::move(result.score);
  if (state_) save_now_and_then();
  progress_->advance();
}

/// At most a second's work is lost when the process is killed, or, with a dataset so large that
/// its state takes long to write, twenty times as long as that takes.
void EvaluateRun::save_now_and_then() {
  const Clock::time_point now = Clock::now();
  if (now - saved_ < std::max<Clock::duration>(std::chrono::seconds(1), 20 * saving_took_)) return;
  // A full disk may have room again later: only the last write's error is reported.
  try {
    state_error_ = state_->write(photos_);
  } catch (const std::bad_alloc&) {
    state_error_ = resource_exhausted("not enough memory to write ", setup_.state);
  }
  saved_ = Clock::now();
  saving_took_ = saved_ - now;
}

std::vector<Status> EvaluateRun::errors() const {
  std::vector<Status> errors;
  std::ranges::copy_if(photo_errors_, std::back_inserter(errors),
                       [](const Status& error) { return !error.ok(); });
  if (!state_error_.ok()) errors.push_back(state_error_);
  return errors;
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
