// The optimizer: which parameters learn, at which rate, and its step.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "train/network/graph_network.h"
#include "train/run/options.h"

namespace deeplab::train {

class GradientDescent {
 public:
  /// The options must outlive the object.
  GradientDescent(const TrainOptions& options, const GraphNetwork& network);

  /// The parameters that learn; step() reads their gradients.
  const std::vector<torch::Tensor>& trained() const { return trained_; }

  /// The learning rate after `done` steps, of layers that are not fresh.
  double rate_at(int64_t done) const;

  /// Clips the gradients and moves the weights.
  void step(double rate);

  /// For checkpoints.
  torch::optim::Optimizer& optimizer() { return *optimizer_; }

 private:
  void clip_gradients();

  const TrainOptions& options_;
  std::vector<torch::Tensor> trained_;
  std::vector<double> factors_;  ///< By group of the optimizer: of the learning rate.
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
};

}  // namespace deeplab::train
