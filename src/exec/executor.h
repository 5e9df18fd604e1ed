// What the naive and the planned executor have in common: a graph, its tensors, its steps.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "graph/graph.h"

namespace deeplab::exec {

/// One run of one graph on one thread of control. Not thread-safe; make one per thread. All
/// memory is taken when the executor is made: running neither allocates nor fails.
///
/// Tensor ids are those of the model file: passes never renumber tensors, so an id names the
/// same value in the naive and in the planned executor of one model, and the two can be
/// compared tensor by tensor.
class Executor {
 public:
  virtual ~Executor() = default;

  /// The graph that is executed (for the planned executor: after its passes).
  virtual const graph::Graph& graph() const = 0;

  /// The storage of an activation, in the engine's types (int8 if the file had uint8).
  /// Empty if this executor does not hold the tensor, or holds it only while it is needed
  /// (planned, without `keep_all_tensors`). Inputs and outputs are always held. Valid as long
  /// as the executor.
  virtual std::span<std::byte> tensor(graph::TensorId id) = 0;

  /// Steps in execution order. A step may run several ops; it writes `step_output(i)`.
  virtual int step_count() const = 0;
  virtual graph::TensorId step_output(int step) const = 0;
  /// The op (by position in graph().ops) whose result the step gives: the last one it runs.
  virtual int step_op(int step) const = 0;
  /// Which kernel runs it: "naive", "gemm/avx2", ...
  virtual std::string step_kernel(int step) const = 0;
  virtual void run_step(int step) = 0;

  void run() {
    for (int i = 0; i < step_count(); ++i) run_step(i);
  }
};

}  // namespace deeplab::exec
