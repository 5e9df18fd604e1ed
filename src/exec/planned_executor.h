// Runs a Plan: owns one arena and little else.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/parallel.h"
#include "exec/executor.h"
#include "plan/plan.h"

namespace deeplab::exec {

/// See Executor. Without `keep_all_tensors` the memory of a model input is used again once its
/// last reader has run: write the inputs before every run().
class PlannedExecutor final : public Executor {
 public:
  /// Allocates everything. `pool` may be null (one thread) and must outlive the executor; its
  /// thread count may not exceed the plan's. Several executors may share a pool as long as only
  /// one runs at a time.
  static Result<std::unique_ptr<PlannedExecutor>> create(std::shared_ptr<const plan::Plan> plan,
                                                         ThreadPool* pool);

  const plan::Plan& plan() const { return *plan_; }
  const graph::Graph& graph() const override { return plan_->graph(); }
  std::span<std::byte> tensor(graph::TensorId id) override;
  int step_count() const override { return static_cast<int>(plan_->steps().size()); }
  graph::TensorId step_output(int step) const override { return planned(step).output; }
  int step_op(int step) const override { return planned(step).ops.back(); }
  /// All the ops that the step runs, by position in graph().ops.
  std::span<const int> step_ops(int step) const { return planned(step).ops; }
  std::string step_kernel(int step) const override { return planned(step).kernel; }
  void run_step(int step) override;

  /// If plan().input_is_pixels(), before the first run: the values of bytes 0 to 255 in each
  /// channel of input 0. tensor() of it then has a byte for each element.
  void set_pixel_values(std::span<const float> values);

  /// Off by default. While on, every run_step() adds its steady-clock time to step_nanoseconds().
  void set_profiling(bool on) { profiling_ = on; }
  /// Nanoseconds per step since the executor was made or reset_profile() was called.
  std::span<const int64_t> step_nanoseconds() const { return nanoseconds_; }
  void reset_profile();

 private:
  PlannedExecutor(std::shared_ptr<const plan::Plan> plan, ThreadPool* pool);
  const plan::PlannedStep& planned(int step) const {
    return plan_->steps()[static_cast<size_t>(step)];
  }

  std::shared_ptr<const plan::Plan> plan_;
  AlignedBuffer arena_;
  std::vector<float> pixel_values_;
  plan::RunContext context_;
  std::vector<int64_t> nanoseconds_;
  bool profiling_ = false;
};

}  // namespace deeplab::exec
