#include "quantize/graph_runner.h"

#include <cstring>
#include <utility>

#include "passes/remove_dead_ops.h"
#include "passes/shift_uint8.h"
#include "plan/plan.h"
#include "quantize/parameters.h"

namespace deeplab::quantize {

using graph::DataType;
using graph::Graph;
using graph::TensorId;

Graph cut_to(const Graph& graph, const std::vector<TensorId>& ids) {
  Graph cut = graph;
  cut.outputs = ids;
  passes::remove_dead_ops(cut);
  return cut;
}

Result<std::unique_ptr<GraphRunner>> GraphRunner::create(Graph graph, const Engine& engine,
                                                         float input_shift) {
  DEEPLAB_RETURN_IF_ERROR(passes::shift_uint8(graph));
  plan::PlanOptions options;
  options.isa = engine.isa;
  options.threads = engine.pool != nullptr ? engine.pool->threads() : 1;
  options.keep_all_tensors = true;
  const auto samples = static_cast<size_t>(graph.tensor(graph.inputs.front()).elements());
  DEEPLAB_ASSIGN_OR_RETURN(auto plan, plan::Plan::build(std::move(graph), options));
  std::unique_ptr<GraphRunner> runner(new GraphRunner());
  DEEPLAB_ASSIGN_OR_RETURN(runner->executor_,
                           exec::PlannedExecutor::create(std::move(plan), engine.pool));
  runner->sample_.resize(samples);
  runner->input_shift_ = input_shift;
  return runner;
}

Status GraphRunner::run(const Samples& samples, size_t i) {
  DEEPLAB_RETURN_IF_ERROR(samples.load(i, sample_));
  feed();
  executor_->run();
  return {};
}

void GraphRunner::feed() {
  const TensorId id = graph().inputs.front();
  const graph::Tensor& input = graph().tensor(id);
  const std::span<std::byte> bytes = executor_->tensor(id);
  if (bytes.empty()) return;  // nothing that was asked for needs it
  if (input.type == DataType::kFloat32) {
    std::memcpy(bytes.data(), sample_.data(), bytes.size());
    return;
  }
  const ActivationQuantization q{input.quantization.scale(), input.quantization.zero_point()};
  for (size_t k = 0; k < bytes.size(); ++k) {
    bytes[k] = static_cast<std::byte>(quantize_activation(sample_[k] - input_shift_, q));
  }
}

void GraphRunner::real_values(TensorId id, std::vector<float>& values) {
  to_real(graph().tensor(id), stored(id), values);
}

void to_real(const graph::Tensor& tensor, std::span<const std::byte> stored,
             std::vector<float>& values) {
  values.resize(static_cast<size_t>(tensor.elements()));
  if (tensor.type == DataType::kFloat32) {
    std::memcpy(values.data(), stored.data(), stored.size());
    return;
  }
  const auto* from = reinterpret_cast<const int8_t*>(stored.data());
  const float scale = tensor.quantization.scale();
  const int32_t zero_point = tensor.quantization.zero_point();
  for (size_t k = 0; k < values.size(); ++k) {
    values[k] = scale * static_cast<float>(from[k] - zero_point);
  }
}

}  // namespace deeplab::quantize
