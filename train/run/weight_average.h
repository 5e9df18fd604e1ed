// The weights that are exported: averages over the steps, or a blend of them with the start.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "train/network/graph_network.h"
#include "train/run/options.h"

namespace deeplab::train {

class WeightAverage {
 public:
  /// Starts at the weights that the network has now. Needs options.average and options.blend.
  WeightAverage(const GraphNetwork& network, const TrainOptions& options);

  /// After a step; `steps` are done.
  void update(const GraphNetwork& network, int64_t steps);

  /// By parameter of the network.
  std::vector<torch::Tensor> exported(const GraphNetwork& network) const;

  /// Of all parameters: what a checkpoint holds.
  const std::vector<torch::Tensor>& averages() const { return averages_; }

 private:
  double decay_;
  double blend_;
  std::vector<torch::Tensor> averages_;
  std::vector<torch::Tensor> start_;  ///< Of all parameters, if the export is a blend.
};

}  // namespace deeplab::train
