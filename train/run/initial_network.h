// The network that a run starts from.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "train/network/graph_network.h"
#include "train/run/options.h"

namespace deeplab::train {

struct InitialNetwork {
  GraphNetwork network;
  std::vector<std::string> fresh_layers;  ///< Those that `init` did not fill; empty without one.
};

/// Random weights, or those of options.init where they fit; frozen as the options have it. Errors
/// name the file or the option.
Result<InitialNetwork> make_initial_network(const TrainOptions& options);

}  // namespace deeplab::train
