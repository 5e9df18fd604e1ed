#include "train/run/weight_average.h"

#include <algorithm>

namespace deeplab::train {

using torch::Tensor;

WeightAverage::WeightAverage(const GraphNetwork& network, const TrainOptions& options)
    : decay_(options.average), blend_(options.blend) {
  for (const Tensor& value : network.values()) {
    averages_.push_back(value.clone());
    if (blend_ < 1) start_.push_back(value.clone());
  }
}

void WeightAverage::update(const GraphNetwork& network, int64_t steps) {
  torch::NoGradGuard no_grad;
  // Early averages forget their random start faster.
  const double done = static_cast<double>(steps);
  const double decay = std::min(decay_, (1 + done) / (10 + done));
  const auto& parameters = network.parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    averages_[i].mul_(decay).add_(parameters[i].value.detach(), 1 - decay);
  }
}

std::vector<Tensor> WeightAverage::exported(const GraphNetwork& network) const {
  std::vector<Tensor> values = decay_ > 0 ? averages_ : network.values();
  torch::NoGradGuard no_grad;
  for (size_t i = 0; i < start_.size(); ++i) {
    // A layer that started at random has no start worth keeping.
    if (!network.parameters()[i].fresh) values[i] = at::lerp(start_[i], values[i], blend_);
  }
  return values;
}

}  // namespace deeplab::train
