// A Plan is everything about running one graph that can be decided before it runs: which kernel
// runs each op, its packed weights, and where each tensor lives. Immutable after build(), and
// shared by any number of executors and threads.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/isa.h"
#include "base/status.h"
#include "graph/graph.h"
#include "plan/arena.h"
#include "plan/fuse.h"
#include "plan/step.h"

namespace deeplab::plan {

struct PlanOptions {
  /// The best kernel family that may be used; see selected_isa().
  Isa isa = Isa::kScalar;
  /// Workers that a step is split between: the size of the executors' pool.
  int threads = 1;
  /// Gives every tensor memory of its own, so that all of them can be read after a run. No ops are
  /// fused then.
  bool keep_all_tensors = false;
  /// A float32 input may come as bytes, a quarter of the memory, of which PlannedExecutor gets the
  /// values as a table; see Plan::input_is_pixels().
  bool pixel_input = false;
  /// Enforced while planning, except max_total_bytes, which a plan does not need.
  graph::Limits limits;
};

/// One step and what the dump and the profile say about it.
struct PlannedStep {
  /// Positions in graph().ops of the ops that it runs, in their order; the last one writes
  /// `output`.
  std::vector<int> ops;
  graph::TensorId output = graph::kNoTensor;
  std::string kernel;  ///< "gemm/avx2", "reference", "3x3/avx512vnni + gemm/avx512vnni + add", ...
  std::unique_ptr<const Step> step;
  int64_t scratch_offset = 0;  ///< In the arena.
  int64_t scratch_stride = 0;  ///< Bytes of one worker, a multiple of 64.
};

/// Where an activation lives. Tensors without memory (constants, dead ones, those inside a fused
/// step) have offset -1.
struct ArenaPlace {
  int64_t offset = -1;
  int64_t bytes = 0;
  int first_step = 0;  ///< The step that writes it; -1: written by the caller.
  int last_step = 0;   ///< The last step that reads it; step count: read by the caller.
};

class Plan {
 public:
  /// Plans a validated int8 or float32 graph (see passes::optimize). Errors: an op that no step
  /// can run, more work or memory than the limits allow, allocation failure.
  static Result<std::shared_ptr<const Plan>> build(graph::Graph graph, const PlanOptions& options);

  /// Without keep_all_tensors its constants have no bytes any more (ConstantBytes::drop()).
  const graph::Graph& graph() const { return graph_; }
  const PlanOptions& options() const { return options_; }
  std::span<const PlannedStep> steps() const { return steps_; }
  const ArenaPlace& place(graph::TensorId id) const { return places_[static_cast<size_t>(id)]; }

  /// With PlanOptions::pixel_input: whether input 0 is bytes, since the first step takes them.
  bool input_is_pixels() const { return input_is_pixels_; }

  /// Activations of one run, and between those of each step the scratch of all workers; an executor
  /// allocates this much, 64-byte aligned.
  int64_t arena_bytes() const { return arena_bytes_; }
  /// The most scratch that one worker needs in any step, a multiple of 64.
  int64_t scratch_bytes() const { return scratch_bytes_; }
  int64_t packed_weight_bytes() const;
  /// Packed weights and arena.
  int64_t required_bytes() const;

 private:
  Plan() = default;
  bool may_read_pixels() const;
  Result<bool> make_steps();  ///< False: groups were dissolved, or pixels refused: start again.
  void dissolve(std::span<const size_t> groups);
  Status check_bytes(int64_t packed) const;
  Status place_tensors();
  void place_scratch();

  graph::Graph graph_;
  PlanOptions options_;
  std::vector<OpGroup> groups_;  ///< One per step.
  std::vector<PlannedStep> steps_;
  std::vector<ArenaPlace> places_;
  int64_t arena_bytes_ = 0;
  int64_t scratch_bytes_ = 0;
  bool input_is_pixels_ = false;
};

/// The plan as a table, one line per step: op, kernel, tensors with shape and place, MACs; then the
/// arena against the sum of its tensors and the least that any layout could take.
std::string dump(const Plan& plan);

}  // namespace deeplab::plan
