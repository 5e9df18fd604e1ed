// The gradients of a batch: its photos are shared between threads and processes, and what they give
// is added up.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/parallel.h"
#include "base/status.h"
#include "train/data/loader.h"
#include "train/distributed/process_group.h"
#include "train/network/graph_network.h"
#include "train/network/segmentation_loss.h"
#include "train/run/options.h"
#include "train/run/teacher.h"

namespace deeplab::train {

class BatchGradients {
 public:
  /// Of all processes, except the statistics.
  struct Sums {
    double loss = 0;
    double masks = 0;
    double teacher = 0;
    std::vector<BatchStatistics> statistics;  ///< One per micro-batch of this process.
  };

  /// Starts the threads and loads the teachers. Options and group must outlive the object.
  static Result<std::unique_ptr<BatchGradients>> create(const TrainOptions& options, int threads,
                                                        ProcessGroup* group);

  /// Sets the gradients of `trained`, parameters of `network`. `step` is for errors.
  Result<Sums> compute(const GraphNetwork& network, const std::vector<torch::Tensor>& trained,
                       const Batch& batch, int64_t step);

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
    Status status;
  };

  BatchGradients(const TrainOptions& options, ProcessGroup* group)
      : options_(options), group_(group) {}
  Result<LossCounts> global_counts(const Batch& batch) const;
  std::vector<Share> shares_of(const Batch& batch) const;
  template <typename Work>
  Status work_on(std::vector<Share>& shares, const Work& work);
  Status run_share(const GraphNetwork& network, const std::vector<torch::Tensor>& trained,
                   const Batch& batch, const LossCounts& counts, size_t lane, Share& share);
  Result<Sums> add_up(std::vector<Share>& shares, const std::vector<torch::Tensor>& trained);

  const TrainOptions& options_;
  ProcessGroup* group_;
  std::unique_ptr<ThreadPool> pool_;
  std::vector<Teacher> teachers_;  ///< One per thread, or none.
};

}  // namespace deeplab::train
