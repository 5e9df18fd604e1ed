// Runs graphs on calibration photos.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/isa.h"
#include "base/parallel.h"
#include "base/status.h"
#include "exec/planned_executor.h"
#include "graph/graph.h"

namespace deeplab::quantize {

/// The calibration photos, as inputs of the float graph.
struct Samples {
  size_t count = 0;
  /// Fills the graph's float input [1, H, W, C] with sample `i`, the same values at every call.
  std::function<Status(size_t i, std::span<float> input)> load;
};

/// How the graphs are run. Results do not depend on it.
struct Engine {
  ThreadPool* pool = nullptr;  ///< Null: one thread.
  Isa isa = Isa::kScalar;
};

/// Makes `ids` the graph's outputs and removes every op that they do not need.
graph::Graph cut_to(const graph::Graph& graph, const std::vector<graph::TensorId>& ids);

/// A float or a quantized graph, every tensor of it readable after a run.
class GraphRunner {
 public:
  /// `input_shift` is subtracted from each input value before it is quantized; see input_shift() in
  /// quantize_graph.h. Not used if the graph's input is float.
  static Result<std::unique_ptr<GraphRunner>> create(graph::Graph graph, const Engine& engine,
                                                     float input_shift = 0);

  /// One sample through the whole graph.
  Status run(const Samples& samples, size_t i);
  /// The sample as load() gave it.
  std::span<const float> sample() const { return sample_; }

  const graph::Graph& graph() const { return executor_->graph(); }
  bool holds(graph::TensorId id) { return !executor_->tensor(id).empty(); }
  /// The elements as the engine stores them: int8 if the graph has uint8.
  std::span<const std::byte> stored(graph::TensorId id) { return executor_->tensor(id); }
  /// The same as real numbers; `id` is float32 or 8-bit and held.
  void real_values(graph::TensorId id, std::vector<float>& values);

 private:
  GraphRunner() = default;
  void feed();

  std::unique_ptr<exec::PlannedExecutor> executor_;
  std::vector<float> sample_;
  float input_shift_ = 0;
};

/// A buffer of stored values as real numbers by the tensor's type and quantization.
void to_real(const graph::Tensor& tensor, std::span<const std::byte> stored,
             std::vector<float>& values);

}  // namespace deeplab::quantize
