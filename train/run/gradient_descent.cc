#include "train/run/gradient_descent.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace deeplab::train {
namespace {

using torch::Tensor;
using torch::optim::OptimizerParamGroup;

std::unique_ptr<torch::optim::OptimizerOptions> group_options(const TrainOptions& options,
                                                              double decay) {
  if (options.optimizer == Optimizer::kSgd) {
    return std::make_unique<torch::optim::SGDOptions>(
        torch::optim::SGDOptions(options.learning_rate)
            .momentum(options.momentum)
            .weight_decay(decay));
  }
  return std::make_unique<torch::optim::AdamWOptions>(
      torch::optim::AdamWOptions(options.learning_rate)
          .betas({options.momentum, 0.999})
          .weight_decay(decay));
}

std::unique_ptr<torch::optim::Optimizer> make_optimizer(
    const TrainOptions& options, const std::vector<OptimizerParamGroup>& groups) {
  if (options.optimizer == Optimizer::kSgd) {
    return std::make_unique<torch::optim::SGD>(groups,
                                               torch::optim::SGDOptions(options.learning_rate));
  }
  return std::make_unique<torch::optim::AdamW>(groups,
                                               torch::optim::AdamWOptions(options.learning_rate));
}

}  // namespace

GradientDescent::GradientDescent(const TrainOptions& options, const GraphNetwork& network)
    : options_(options) {
  std::vector<OptimizerParamGroup> groups;
  // Checkpoints number the groups and their members in this order.
  for (const bool decays : {true, false}) {
    for (const bool fresh : {false, true}) {
      std::vector<Tensor> members;
      for (const Parameter& parameter : network.parameters()) {
        if (parameter.decays == decays && parameter.fresh == fresh &&
            parameter.value.requires_grad()) {
          members.push_back(parameter.value);
          trained_.push_back(parameter.value);
        }
      }
      groups.emplace_back(members, group_options(options, decays ? options.weight_decay : 0));
      factors_.push_back(fresh ? options.fresh_factor : 1);
    }
  }
  optimizer_ = make_optimizer(options, groups);
}

double GradientDescent::rate_at(int64_t done) const {
  const double part = static_cast<double>(done) / static_cast<double>(options_.steps);
  double rate = options_.learning_rate * std::pow(std::max(0.0, 1 - part), options_.power);
  if (done < options_.warmup) {
    rate *= static_cast<double>(done + 1) / static_cast<double>(options_.warmup);
  }
  return rate;
}

void GradientDescent::step(double rate) {
  auto& groups = optimizer_->param_groups();
  for (size_t i = 0; i < groups.size(); ++i) groups[i].options().set_lr(rate * factors_[i]);
  clip_gradients();
  optimizer_->step();
}

void GradientDescent::clip_gradients() {
  if (options_.clip <= 0) return;
  double square = 0;
  for (const Tensor& parameter : trained_) {
    square += parameter.grad().square().sum(torch::kDouble).item<double>();
  }
  const double norm = std::sqrt(square);
  if (norm <= options_.clip) return;
  for (const Tensor& parameter : trained_) parameter.mutable_grad().mul_(options_.clip / norm);
}

}  // namespace deeplab::train
