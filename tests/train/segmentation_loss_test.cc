// The loss in one pass against the same written with libtorch's functions.
#include "train/network/segmentation_loss.h"

#include <gtest/gtest.h>

#include <vector>

namespace deeplab::train {
namespace {

using torch::Tensor;

constexpr int64_t kPhotos = 2, kSide = 33, kMap = 5, kClasses = 21;

struct Data {
  std::vector<uint8_t> labels;
  Tensor teacher;
  std::vector<int32_t> heights = {33, 20};
  std::vector<int32_t> widths = {33, 27};
  LossTargets targets;
};

Data make_data() {
  Data data;
  torch::manual_seed(3);
  const Tensor drawn = torch::randint(0, 25, {kPhotos * kSide * kSide}, torch::kLong);
  for (int64_t i = 0; i < drawn.numel(); ++i) {
    const auto label = drawn[i].item<int64_t>();
    data.labels.push_back(static_cast<uint8_t>(label < kClasses ? label : 255));
  }
  data.teacher = torch::randn({kPhotos, kMap, kMap, kClasses}) * 3;
  data.targets.height = data.targets.width = kSide;
  data.targets.labels = data.labels.data();
  data.targets.teacher = data.teacher;
  data.targets.content_heights = data.heights.data();
  data.targets.content_widths = data.widths.data();
  return data;
}

/// Log-probabilities at the sampled pixels, [N, classes, h, w].
Tensor log_probabilities(const Tensor& scores, int64_t stride) {
  const int64_t sampled = (kSide - 1) / stride + 1;
  return at::upsample_bilinear2d(scores.permute({0, 3, 1, 2}).contiguous(), {sampled, sampled},
                                 true)
      .log_softmax(1);
}

Tensor label_tensor(const Data& data, int64_t stride) {
  std::vector<int64_t> wide(data.labels.begin(), data.labels.end());
  return torch::tensor(wide)
      .view({kPhotos, kSide, kSide})
      .slice(1, 0, kSide, stride)
      .slice(2, 0, kSide, stride);
}

TEST(SegmentationLoss, EqualsCrossEntropyAndDivergence) {
  for (const int32_t stride : {1, 2}) {
    const Data data = make_data();
    const Tensor scores = torch::randn({kPhotos, kMap, kMap, kClasses}).requires_grad_();
    LossOptions options;
    options.mask_weight = 0.7;
    options.teacher_weight = 1.3;
    options.pixel_stride = stride;
    const LossCounts counts = count_pixels(data.targets, kPhotos, options);
    const Loss loss = segmentation_loss(scores, data.targets, true, counts, options);
    loss.total.backward();

    const Tensor again = scores.detach().clone().requires_grad_();
    const Tensor log_p = log_probabilities(again, stride);
    const Tensor labels = label_tensor(data, stride);
    const Tensor masks = at::nll_loss2d(log_p, labels, {}, at::Reduction::Mean, 255);
    const Tensor log_q = log_probabilities(data.teacher, stride);
    Tensor inside = torch::zeros({kPhotos, log_p.size(2), log_p.size(3)});
    for (int64_t n = 0; n < kPhotos; ++n) {
      const auto rows = (data.heights[static_cast<size_t>(n)] + stride - 1) / stride;
      const auto columns = (data.widths[static_cast<size_t>(n)] + stride - 1) / stride;
      inside[n].slice(0, 0, rows).slice(1, 0, columns).fill_(1);
    }
    const Tensor divergence =
        ((log_q.exp() * (log_q - log_p)).sum(1) * inside).sum() / inside.sum();
    (0.7 * masks + 1.3 * divergence).backward();

    EXPECT_EQ(counts.labelled, (labels != 255).sum().item<double>());
    EXPECT_EQ(counts.taught, inside.sum().item<double>());
    EXPECT_NEAR(loss.masks, masks.item<double>(), 1e-5);
    EXPECT_NEAR(loss.teacher, divergence.item<double>(), 1e-5);
    EXPECT_LT((scores.grad() - again.grad()).abs().max().item<double>(), 1e-6);
  }
}

TEST(SegmentationLoss, ClassWeightsAndHardPixels) {
  const Data data = make_data();
  const Tensor scores = torch::randn({kPhotos, kMap, kMap, kClasses});
  LossOptions options;
  options.pixel_stride = 1;
  options.class_weights.assign(kClasses, 1.0f);
  options.class_weights[3] = 5.0f;
  LossCounts counts = count_pixels(data.targets, kPhotos, options);
  Loss loss = segmentation_loss(scores, data.targets, true, counts, options);
  const Tensor log_p = log_probabilities(scores, 1);
  const Tensor labels = label_tensor(data, 1);
  const Tensor weights = torch::tensor(options.class_weights);
  const Tensor sum = at::nll_loss2d(log_p, labels, weights, at::Reduction::Sum, 255);
  EXPECT_NEAR(loss.masks, sum.item<double>() / counts.labelled, 1e-5);

  options.class_weights.clear();
  options.hard_fraction = 0.25;
  counts = count_pixels(data.targets, kPhotos, options);
  loss = segmentation_loss(scores, data.targets, true, counts, options);
  const Tensor each = at::nll_loss2d(log_p, labels, {}, at::Reduction::None, 255);
  double hardest = 0;
  double kept = 0;
  for (int64_t n = 0; n < kPhotos; ++n) {
    const Tensor losses = each[n].masked_select(labels[n] != 255);
    const auto count = std::llround(static_cast<double>(losses.numel()) * 0.25);
    hardest += std::get<0>(losses.topk(count)).sum().item<double>();
    kept += static_cast<double>(count);
  }
  EXPECT_EQ(counts.labelled, kept);
  EXPECT_NEAR(loss.masks, hardest / kept, 1e-4);
}

TEST(SegmentationLoss, NoLabelNoLoss) {
  Data data = make_data();
  std::fill(data.labels.begin(), data.labels.end(), uint8_t{255});
  data.targets.teacher = Tensor();
  const Tensor scores = torch::randn({kPhotos, kMap, kMap, kClasses}).requires_grad_();
  const LossCounts counts = count_pixels(data.targets, kPhotos, {});
  const Loss loss = segmentation_loss(scores, data.targets, true, counts, {});
  loss.total.backward();
  EXPECT_EQ(loss.masks, 0);
  EXPECT_EQ(scores.grad().abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace deeplab::train
