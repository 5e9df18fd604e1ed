// A training run: batches in, a model out; resumes where it stopped.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "train/data/loader.h"
#include "train/distributed/process_group.h"
#include "train/run/batch_gradients.h"
#include "train/run/gradient_descent.h"
#include "train/run/initial_network.h"
#include "train/run/options.h"
#include "train/run/quantization.h"
#include "train/run/weight_average.h"

namespace deeplab::train {

/// What a step did.
struct StepReport {
  int64_t step = 0;  ///< Counted from 1.
  double loss = 0;
  double masks = 0;
  double teacher = 0;
  double learning_rate = 0;
};

/// Takes the steps, in the order of its members: a network, the gradients of a batch, the
/// optimizer, the averages that are exported.
class Trainer {
 public:
  /// Builds or loads everything. `threads` share the photos of a batch. The group must outlive the
  /// trainer. Errors name the file or the option.
  static Result<std::unique_ptr<Trainer>> create(const TrainOptions& options, int threads,
                                                 ProcessGroup* group);

  /// Layers that no file filled, for a person to read; empty if all or none came from one.
  const std::vector<std::string>& fresh_layers() const { return network_->fresh_layers; }

  /// Starts or continues to load batches; called by step() if need be.
  Result<StepReport> step();
  int64_t steps_done() const { return done_; }
  /// Of this process, since the trainer was made.
  double seconds_waited() const { return loader_ ? loader_->seconds_waited() : 0; }

  /// The float network with the averaged weights.
  graph::Graph float_graph() const;
  /// The int8 network of quantization-aware training: float32 in, scores out.
  Result<graph::Graph> int8_graph() const;

  /// Everything that the next step depends on, in one file that appears whole or not at all.
  Status save(const std::string& path);
  /// Error: another network, or a damaged file.
  Status load(const std::string& path);

 private:
  Trainer() = default;

  TrainOptions options_;
  ProcessGroup* group_ = nullptr;
  std::optional<InitialNetwork> network_;
  std::unique_ptr<BatchGradients> gradients_;
  std::optional<GradientDescent> descent_;
  std::optional<WeightAverage> average_;
  quantize::ActivationRanges ranges_;  ///< Empty: float training.
  std::unique_ptr<Loader> loader_;
  int64_t done_ = 0;
};

}  // namespace deeplab::train
