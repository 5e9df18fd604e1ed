#include "eval/evaluator.h"

#include <algorithm>
#include <numeric>

#include "base/parallel.h"
#include "eval/boundary.h"

namespace deeplab::eval {

Result<std::shared_ptr<const ClassMap>> read_class_map(const std::string& path,
                                                       const api::Model& model) {
  if (path.empty()) return std::shared_ptr<const ClassMap>();
  DEEPLAB_ASSIGN_OR_RETURN(ClassMap map, ClassMap::read(path));
  if (model.has_label_names()) {
    DEEPLAB_ASSIGN_OR_RETURN(map, map.for_model(model.labels()));
  }
  return std::make_shared<const ClassMap>(std::move(map));
}

Result<std::unique_ptr<Evaluator>> Evaluator::create(std::vector<Candidate> candidates,
                                                     size_t photos, EvaluatorOptions options) {
  DEEPLAB_ASSIGN_OR_RETURN(const int threads, ThreadPool::count_threads(options.threads));
  for (Candidate& candidate : candidates) {
    Protocol& protocol = candidate.protocol;
    if (protocol.width != 0) continue;
    protocol.width = candidate.model->input_width();
    protocol.height = candidate.model->input_height();
  }
  std::unique_ptr<Evaluator> self(new Evaluator(std::move(candidates), std::move(options)));
  const size_t workers = std::clamp<size_t>(photos, 1, static_cast<size_t>(threads));
  for (size_t i = 0; i < workers; ++i) {
    Worker& worker = self->workers_.emplace_back();
    for (const Candidate& candidate : self->candidates_) {
      DEEPLAB_ASSIGN_OR_RETURN(worker.emplace_back(),
                               Predictor::create(candidate.model, candidate.protocol));
    }
  }
  return self;
}

OrderedWorkEnd Evaluator::run(const VocDataset& dataset, std::span<const size_t> which,
                              const std::function<bool()>& should_stop,
                              const std::function<bool(size_t, EvaluatedPhoto)>& hand_out) {
  OrderedWorkOptions options;
  options.workers = static_cast<int>(workers_.size());
  options.should_stop = should_stop;
  options.item_name = "photo";
  return work_in_order(
      which.size(), options,
      [&](int worker, size_t i) -> Result<EvaluatedPhoto> {
        return evaluate(dataset.items[which[i]], workers_[static_cast<size_t>(worker)]);
      },
      [&](size_t i, Result<EvaluatedPhoto> result) {
        const size_t photo = which[i];
        if (result.ok()) return hand_out(photo, std::move(*result));
        EvaluatedPhoto failed;
        failed.error = annotate(result.status(), dataset.items[photo].image_path);
        return hand_out(photo, std::move(failed));
      });
}

Result<std::vector<Scores>> Evaluator::scores(
    const VocDataset& dataset,
    const std::function<void(const VocItem&, const std::string&)>& advance) {
  std::vector<Confusion> confusions;
  for (const Candidate& candidate : candidates_) {
    confusions.emplace_back(candidate.model->class_count());
  }
  std::vector<size_t> all(dataset.items.size());
  std::iota(all.begin(), all.end(), size_t{0});
  Status error;
  const OrderedWorkEnd end = run(dataset, all, nullptr, [&](size_t i, EvaluatedPhoto photo) {
    if (advance) advance(dataset.items[i], photo.warning);
    error = std::move(photo.error);
    if (!error.ok()) return false;
    for (size_t c = 0; c < confusions.size(); ++c) confusions[c].add(photo.scores[c].counts);
    return true;
  });
  DEEPLAB_RETURN_IF_ERROR(end.status);
  DEEPLAB_RETURN_IF_ERROR(error);
  std::vector<Scores> scores;
  for (const Confusion& confusion : confusions) scores.push_back(eval::score(confusion));
  return scores;
}

EvaluatedPhoto Evaluator::evaluate(const VocItem& item, Worker& worker) const {
  EvaluatedPhoto result;
  const auto failed = [&result](Status error) {
    result.scores.clear();
    result.error = std::move(error);
    return std::move(result);
  };
  const auto widest = std::ranges::max_element(
      worker, {}, [](const std::unique_ptr<Predictor>& p) { return p->canvas_width(); });
  const auto photo = (*widest)->read_photo(item.image_path);
  if (!photo.ok()) return failed(photo.status());
  result.warning = photo->warning;
  const auto truth = read_mask(item, *photo);
  if (!truth.ok()) return failed(truth.status());
  for (size_t i = 0; i < candidates_.size(); ++i) {
    auto photo_score = score(item, *photo, *truth, i, worker, result.is_fatal);
    if (!photo_score.ok()) return failed(photo_score.status());
    result.scores.push_back(std::move(*photo_score));
  }
  return result;
}

Result<imageio::Image> Evaluator::read_mask(const VocItem& item,
                                            const imageio::Image& photo) const {
  DEEPLAB_ASSIGN_OR_RETURN(imageio::Image mask,
                           options_.read_mask ? options_.read_mask(item)
                                              : eval::read_mask(item, options_.classes.get()));
  DEEPLAB_RETURN_IF_ERROR(check_mask_size(mask, item, photo.original_width, photo.original_height));
  return mask;
}

Result<PhotoScore> Evaluator::score(const VocItem& item, const imageio::Image& photo,
                                    const imageio::Image& truth, size_t candidate, Worker& worker,
                                    bool& is_fatal) const {
  const api::Model& model = *candidates_[candidate].model;
  const int32_t classes = model.class_count();
  if (const Status ids = check_class_ids(truth, item.mask_path, classes); !ids.ok()) {
    is_fatal = true;
    return annotate(ids, str_cat("the masks do not go with ", model.name()));
  }
  const auto labels = worker[candidate]->predict(photo);
  if (!labels.ok()) return annotate(labels.status(), item.image_path);

  const vision::MaskView true_mask{truth.pixels.data(), truth.width, truth.height, truth.width};
  const vision::MaskView predicted{labels->data(), truth.width, truth.height, truth.width};
  PhotoScore result;
  auto counts = count_pixels(true_mask, predicted, classes);
  if (!counts.ok()) return annotate(counts.status(), item.image_path);
  result.counts = std::move(*counts);
  if (options_.boundaries) {
    auto boundary = boundary_scores(true_mask, predicted);
    if (!boundary.ok()) return annotate(boundary.status(), item.image_path);
    result.boundary = std::move(*boundary);
  }
  if (options_.keep_mask) {
    if (Status kept = options_.keep_mask(item, candidate, predicted); !kept.ok()) {
      is_fatal = true;
      return kept;
    }
  }
  return result;
}

}  // namespace deeplab::eval
