// A network that runs: what a segmenter sees of it, and the engine's. See lite_runner.h for the
// other.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "base/status.h"
#include "exec/planned_executor.h"
#include "graph/tensor.h"
#include "passes/label_head.h"
#include "vision/labels.h"

namespace deeplab::api {

/// How long a run may take. Looked at between the steps of the network.
struct RunControl {
  std::optional<std::chrono::steady_clock::time_point> deadline;
  bool (*should_stop)(void* context) = nullptr;
  void* context = nullptr;

  /// kCancelled or kDeadlineExceeded if the run has to end now.
  Status check() const;
};

/// One thread at a time. All memory is taken when it is made.
class Runner {
 public:
  virtual ~Runner() = default;
  /// To be written before every run(): [height][width][channels] of the canvas.
  virtual std::span<std::byte> input() = 0;
  virtual Status run(const RunControl& control) = 0;
  /// Of the last run, valid until the next.
  virtual vision::ScoreView scores() = 0;
};

/// The engine: a plan, step by step.
class EngineRunner final : public Runner {
 public:
  EngineRunner(std::unique_ptr<exec::PlannedExecutor> executor, graph::TensorId input,
               const passes::LabelHead& head);

  std::span<std::byte> input() override { return executor_->tensor(input_); }
  Status run(const RunControl& control) override;
  vision::ScoreView scores() override { return scores_; }

  exec::PlannedExecutor& executor() { return *executor_; }

 private:
  std::unique_ptr<exec::PlannedExecutor> executor_;
  graph::TensorId input_;
  vision::ScoreView scores_;
};

}  // namespace deeplab::api
