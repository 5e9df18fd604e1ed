// A training run: batches in, a model out; resumes where it stopped.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "eval/scores.h"
#include "train/data/loader.h"
#include "train/distributed/process_group.h"
#include "train/network/build_network.h"
#include "train/network/graph_network.h"
#include "train/network/segmentation_loss.h"
#include "train/run/options.h"
#include "train/run/teacher.h"

namespace deeplab::train {

/// What a step did.
struct StepReport {
  int64_t step = 0;  ///< Counted from 1.
  double loss = 0;
  double masks = 0;
  double teacher = 0;
  double learning_rate = 0;
};

class Trainer {
 public:
  /// Builds or loads everything. `threads` share the photos of a batch. The group must outlive the
  /// trainer. Errors name the file or the option.
  static Result<std::unique_ptr<Trainer>> create(const TrainOptions& options, int threads,
                                                 ProcessGroup* group);

  /// Layers that no file filled, for a person to read; empty if all or none came from one.
  const std::vector<std::string>& fresh_layers() const { return fresh_; }

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
  Status save(const std::string& path) const;
  /// Error: another network, or a damaged file.
  Status load(const std::string& path);

 private:
  /// Some photos of a batch, and what they gave.
  struct Share {
    int64_t first = 0;
    int64_t count = 0;
    std::vector<torch::Tensor> gradients;
    double masks = 0;
    double teacher = 0;
    double total = 0;
    BatchStatistics statistics;
  };

  Trainer() = default;
  Status make_network();
  Status calibrate();
  Status set_ranges(const quantize::ActivationRanges& ranges);
  void make_optimizer();
  Result<LossCounts> global_counts(const Batch& batch) const;
  LossTargets targets_of(const Batch& batch, int64_t first) const;
  Status run_share(const Batch& batch, const LossCounts& counts, size_t thread, Share& share);
  Status add_up(std::vector<Share>& shares, StepReport& report);
  void clip_gradients();
  void average_weights();
  double rate_at(int64_t step) const;
  std::vector<torch::Tensor> exported_values() const;

  TrainOptions options_;
  int threads_ = 1;
  ProcessGroup* group_ = nullptr;
  std::optional<GraphNetwork> network_;
  std::vector<std::string> fresh_;
  std::vector<torch::Tensor> trained_;   ///< Those parameters that learn.
  std::vector<torch::Tensor> averages_;  ///< Of all parameters.
  std::vector<torch::Tensor> start_;     ///< Of all parameters, if the export is a blend.
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  std::vector<Teacher> teachers_;
  std::unique_ptr<Loader> loader_;
  quantize::ActivationRanges ranges_;
  int64_t done_ = 0;
};

}  // namespace deeplab::train
