// One op at a time on the reference kernels, every activation in memory of its own: the slow
// road that the fast one is judged by.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "exec/executor.h"
#include "kernels/requantize.h"
#include "plan/lower.h"

namespace deeplab::exec {

/// See Executor. Step i is op i of the graph, and tensor() gives every activation at any time.
class NaiveExecutor final : public Executor {
 public:
  /// Takes a validated graph without uint8 tensors (see passes::shift_uint8). With
  /// Rounding::kTfLite and no other pass every tensor has the bytes that TensorFlow Lite's
  /// reference kernels give. Errors: uint8 tensors (kInvalidArgument), what plan::lower()
  /// refuses, allocation failure.
  static Result<std::unique_ptr<NaiveExecutor>> create(graph::Graph graph,
                                                       kernels::Rounding rounding);

  const graph::Graph& graph() const override { return graph_; }
  std::span<std::byte> tensor(graph::TensorId id) override {
    return activations_[static_cast<size_t>(id)].bytes();
  }
  int step_count() const override { return static_cast<int>(steps_.size()); }
  graph::TensorId step_output(int step) const override {
    return graph_.ops[static_cast<size_t>(step)].output();
  }
  int step_op(int step) const override { return step; }
  std::string step_kernel(int) const override { return "naive"; }
  void run_step(int step) override;

 private:
  struct Step {
    plan::Lowered lowered;
    std::vector<const std::byte*> inputs;
    std::byte* output = nullptr;
  };

  NaiveExecutor(graph::Graph graph, kernels::Rounding rounding)
      : graph_(std::move(graph)), rounding_(rounding) {}
  Status allocate(graph::TensorId id);
  Result<Step> make_step(const graph::Op& op);

  graph::Graph graph_;
  kernels::Rounding rounding_;
  std::vector<AlignedBuffer> activations_;  ///< By tensor id; empty for constants and unused ids.
  std::vector<Step> steps_;
};

}  // namespace deeplab::exec
