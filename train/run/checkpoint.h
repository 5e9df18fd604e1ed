// The file that a run resumes from.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "quantize/statistics.h"
#include "train/network/graph_network.h"

namespace deeplab::train {

/// Everything that the next step depends on. The tensors are the trainer's own.
struct TrainingState {
  GraphNetwork& network;
  const std::vector<torch::Tensor>& averages;  ///< By parameter of the network.
  torch::optim::Optimizer& optimizer;
  quantize::ActivationRanges ranges;  ///< Empty: float training.
  int64_t step = 0;                   ///< Steps done.
};

/// The file appears whole or not at all.
Status save_checkpoint(const std::string& path, const TrainingState& state);

/// Overwrites all of `state`. Error: another network, or a damaged file; then the state is of no
/// more use.
Status load_checkpoint(const std::string& path, TrainingState& state);

}  // namespace deeplab::train
