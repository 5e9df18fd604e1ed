#include "evaluate_run.h"

#include <algorithm>
#include <new>
#include <thread>

#include "base/parallel.h"
#include "photos.h"

namespace deeplab::app {

EvaluateRun::EvaluateRun(std::shared_ptr<const api::Model> model, const eval::VocDataset& dataset,
                         const EvaluateSetup& setup)
    : model_(std::move(model)), dataset_(dataset), setup_(setup), results_(dataset.items.size()) {
  if (setup_.size.width == 0) setup_.size = {model_->input_width(), model_->input_height()};
}

Status EvaluateRun::run(bool show_progress) {
  api::SegmenterOptions options;
  options.threads = 1;
  options.fit = setup_.fit;
  options.width = setup_.size.width;
  options.height = setup_.size.height;
  if (setup_.threads == 0) {
    setup_.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  }
  std::vector<std::unique_ptr<api::Segmenter>> segmenters;
  for (int i = 0; i < setup_.threads; ++i) {
    DEEPLAB_ASSIGN_OR_RETURN(segmenters.emplace_back(), api::Segmenter::create(model_, options));
  }
  progress_ = std::make_unique<Progress>(dataset_.items.size(), show_progress);
  std::vector<std::jthread> threads;
  for (size_t i = 1; i < segmenters.size(); ++i) {
    threads.emplace_back([this, &segmenter = *segmenters[i]] { work(segmenter); });
  }
  work(*segmenters[0]);
  threads.clear();
  progress_.reset();
  const auto fatal = std::ranges::find(results_, true, &PhotoResult::fatal);
  return fatal == results_.end() ? Status() : fatal->error;
}

void EvaluateRun::work(api::Segmenter& segmenter) {
  while (const std::optional<size_t> index = next_photo()) {
    PhotoResult result;
    try {
      result = evaluate_photo(dataset_.items[*index], segmenter);
    } catch (const std::bad_alloc&) {
      result.error =
          resource_exhausted("not enough memory for ", dataset_.items[*index].image_path);
    }
    keep(*index, std::move(result));
  }
}

/// Photos are handed out in order, so that the first fatal error of the list is the one reported
/// whatever the number of threads.
std::optional<size_t> EvaluateRun::next_photo() {
  const std::lock_guard lock(mutex_);
  if (stop_ || next_ == results_.size()) return std::nullopt;
  return next_++;
}

EvaluateRun::PhotoResult EvaluateRun::evaluate_photo(const eval::VocItem& item,
                                                     api::Segmenter& segmenter) const {
  PhotoResult result;
  const auto decoded = decode_photo({item.image_path, item.id}, setup_.fit, setup_.size.width,
                                    setup_.size.height, false);
  if (!decoded.ok()) return {std::nullopt, decoded.status()};
  const int32_t width = decoded->small.original_width;
  const int32_t height = decoded->small.original_height;
  const auto truth = eval::read_mask_of(item, width, height);
  if (!truth.ok()) return {std::nullopt, truth.status()};
  if (Status checked = eval::check_class_ids(*truth, item.mask_path, model_->class_count());
      !checked.ok()) {
    return {std::nullopt,
            annotate(std::move(checked), str_cat("the masks do not go with ", model_->name())),
            true};
  }
  std::vector<uint8_t> mask(truth->pixels.size());
  Status status = segmenter.run(view_of(decoded->small));
  if (status.ok()) status = segmenter.category_mask(width, height, mask.data(), width);
  eval::Confusion confusion(model_->class_count());
  if (status.ok()) {
    status = confusion.add({truth->pixels.data(), width, height, width},
                           {mask.data(), width, height, width});
  }
  if (!status.ok()) return {std::nullopt, annotate(std::move(status), item.image_path)};
  result.confusion = std::move(confusion);
  return result;
}

void EvaluateRun::keep(size_t index, PhotoResult result) {
  const std::lock_guard lock(mutex_);
  stop_ = stop_ || result.fatal;
  results_[index] = std::move(result);
  progress_->advance();
}

std::vector<Status> EvaluateRun::errors() const {
  std::vector<Status> errors;
  for (const PhotoResult& result : results_) {
    if (!result.error.ok()) errors.push_back(result.error);
  }
  return errors;
}

Evaluation EvaluateRun::evaluation() const {
  Evaluation evaluation;
  evaluation.dataset = dataset_.root;
  evaluation.split = dataset_.split;
  evaluation.model = model_->name();
  evaluation.labels = model_->labels();
  evaluation.setup = setup_;
  evaluation.confusion = eval::Confusion(model_->class_count());
  for (const PhotoResult& result : results_) {
    if (!result.confusion) {
      ++evaluation.failed;
      continue;
    }
    ++evaluation.images;
    evaluation.confusion.add(*result.confusion);
  }
  evaluation.scores = eval::score(evaluation.confusion);
  return evaluation;
}

}  // namespace deeplab::app
