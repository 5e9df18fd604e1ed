#include "train/run/batch_gradients.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/ordered_work.h"
#include "train/run/normalize.h"

namespace deeplab::train {
namespace {

using torch::Tensor;

LossTargets targets_of(const Batch& batch, int64_t first) {
  LossTargets targets;
  targets.height = batch.height;
  targets.width = batch.width;
  targets.labels = batch.labels.data() + first * batch.height * batch.width;
  targets.content_heights = batch.content_height.data() + first;
  targets.content_widths = batch.content_width.data() + first;
  return targets;
}

}  // namespace

Result<std::unique_ptr<BatchGradients>> BatchGradients::create(const TrainOptions& options,
                                                               int threads, ProcessGroup* group) {
  std::unique_ptr<BatchGradients> self(new BatchGradients(options, group));
  DEEPLAB_ASSIGN_OR_RETURN(self->pool_, ThreadPool::create(threads));
  if (!options.teachers.empty()) {
    const AugmentOptions& augment = options.data.augment;
    DEEPLAB_ASSIGN_OR_RETURN(
        self->teachers_,
        Teacher::create({options.teachers, options.teacher_flip, augment.crop_height,
                         augment.crop_width, options.network.classes},
                        threads));
  }
  return self;
}

Result<BatchGradients::Sums> BatchGradients::compute(const GraphNetwork& network,
                                                     const std::vector<Tensor>& trained,
                                                     const Batch& batch, int64_t step) {
  DEEPLAB_ASSIGN_OR_RETURN(const LossCounts counts, global_counts(batch));
  std::vector<Share> shares = shares_of(batch);
  const Status worked = work_on(shares, [&](size_t lane, Share& share) {
    return run_share(network, trained, batch, counts, lane, share);
  });
  if (!worked.ok()) return annotate(worked, str_cat("step ", step));
  return add_up(shares, trained);
}

Result<LossCounts> BatchGradients::global_counts(const Batch& batch) const {
  LossCounts counts = count_pixels(targets_of(batch, 0), batch.count, options_.loss);
  DEEPLAB_ASSIGN_OR_RETURN(counts.labelled, group_->sum(counts.labelled));
  DEEPLAB_ASSIGN_OR_RETURN(counts.taught, group_->sum(counts.taught));
  return counts;
}

std::vector<BatchGradients::Share> BatchGradients::shares_of(const Batch& batch) const {
  std::vector<Share> shares;
  for (int64_t first = 0; first < batch.count; first += options_.micro_batch) {
    Share share;
    share.first = first;
    share.count = std::min<int64_t>(options_.micro_batch, batch.count - first);
    shares.push_back(std::move(share));
  }
  return shares;
}

/// work(lane, share) -> Status for every share, in their order; a lane is one thread's at a time.
/// Not work_in_order(), which would start its threads again for every step.
template <typename Work>
Status BatchGradients::work_on(std::vector<Share>& shares, const Work& work) {
  at::set_num_threads(1);  // also for the caller's part of the step: sums keep one order
  std::atomic<size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto run_lane = [&](size_t lane) {
    at::set_num_threads(1);
    for (size_t i = next++; i < shares.size() && !failed; i = next++) {
      Status& status = shares[i].status;
      try {
        status = work(lane, shares[i]);
      } catch (...) {
        status = internal::status_of_exception("item");
      }
      if (!status.ok()) failed = true;
    }
  };
  pool_->parallel_for(static_cast<size_t>(pool_->threads()), 1, [&](size_t begin, size_t end) {
    for (size_t lane = begin; lane < end; ++lane) run_lane(lane);
  });
  for (Share& share : shares) {
    if (!share.status.ok()) return std::move(share.status);
  }
  return {};
}

Status BatchGradients::run_share(const GraphNetwork& network, const std::vector<Tensor>& trained,
                                 const Batch& batch, const LossCounts& counts, size_t lane,
                                 Share& share) {
  const auto picture = static_cast<size_t>(batch.height) * static_cast<size_t>(batch.width) * 3;
  const uint8_t* pixels = batch.pixels.data() + static_cast<size_t>(share.first) * picture;
  LossTargets targets = targets_of(batch, share.first);
  if (!teachers_.empty() && options_.loss.teacher_weight > 0) {
    DEEPLAB_ASSIGN_OR_RETURN(targets.teacher, teachers_[lane].scores(pixels, share.count));
  }
  Tensor images = torch::empty({share.count, batch.height, batch.width, 3});
  normalize(pixels, static_cast<size_t>(share.count) * picture, images.data_ptr<float>());
  const Tensor scores = network.forward(images, true, &share.statistics);
  const Loss loss =
      segmentation_loss(scores, targets, network.align_corners(), counts, options_.loss);
  share.gradients = torch::autograd::grad({loss.total}, trained, {}, c10::nullopt, false, true);
  share.masks = loss.masks;
  share.teacher = loss.teacher;
  share.total = loss.total.item<double>();
  return {};
}

Result<BatchGradients::Sums> BatchGradients::add_up(std::vector<Share>& shares,
                                                    const std::vector<Tensor>& trained) {
  Sums result;
  std::vector<Tensor> gradients;
  for (const Tensor& parameter : trained) gradients.push_back(torch::zeros_like(parameter));
  // In the order of the photos, so that threads make no difference.
  for (Share& share : shares) {
    for (size_t i = 0; i < gradients.size(); ++i) {
      if (share.gradients[i].defined()) gradients[i] += share.gradients[i];
    }
    result.masks += share.masks;
    result.teacher += share.teacher;
    result.loss += share.total;
    result.statistics.push_back(std::move(share.statistics));
  }
  std::vector<Tensor> losses = {
      torch::tensor({result.loss, result.masks, result.teacher}, torch::kDouble)};
  DEEPLAB_RETURN_IF_ERROR(group_->sum(gradients));
  DEEPLAB_RETURN_IF_ERROR(group_->sum(losses));
  result.loss = losses[0][0].item<double>();
  result.masks = losses[0][1].item<double>();
  result.teacher = losses[0][2].item<double>();
  for (size_t i = 0; i < gradients.size(); ++i) trained[i].mutable_grad() = gradients[i];
  return result;
}

}  // namespace deeplab::train
