#include "apps/deeplab/compare/ops.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace deeplab::app {
namespace {

/// What one stored step is worth in real numbers; nothing for float.
std::optional<double> step_of(const graph::Tensor& tensor) {
  if (tensor.type == graph::DataType::kFloat32) return std::nullopt;
  return tensor.quantization.present() ? tensor.quantization.scale() : 1.0;
}

std::optional<double> coarser(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return std::max(*a, *b);
}

/// NaN equals NaN, and is infinitely far from anything else.
double distance(float a, float b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double d = std::abs(static_cast<double>(a) - static_cast<double>(b));
  return std::isnan(d) ? INFINITY : d;
}

OpDifference compare_op(FileNetwork& a, FileNetwork& b, const graph::Op& op_a,
                        const graph::Op& op_b) {
  const graph::Tensor& tensor_a = a.file_graph().tensor(op_a.output());
  const graph::Tensor& tensor_b = b.file_graph().tensor(op_b.output());
  OpDifference result;
  result.index = op_a.index;
  result.name = graph::op_name(op_a.attributes);
  result.shape = tensor_a.shape;
  result.compared = a.holds(op_a.output()) && b.holds(op_b.output());
  if (!result.compared) return result;

  const std::vector<float> values_a = a.real_values(op_a.output());
  const std::vector<float> values_b = b.real_values(op_b.output());
  const std::optional<double> step = coarser(step_of(tensor_a), step_of(tensor_b));
  const double tolerance = step ? *step / 2 : 0;
  result.elements = static_cast<int64_t>(values_a.size());
  for (size_t i = 0; i < values_a.size(); ++i) {
    const double d = distance(values_a[i], values_b[i]);
    if (d == 0 || d < tolerance) ++result.equal;
    result.max_difference = std::max(result.max_difference, d);
  }
  if (step) {
    const double steps = result.max_difference / *step;
    // Whole steps, if both count in the same ones.
    result.max_steps = step_of(tensor_a) == step_of(tensor_b) ? std::round(steps) : steps;
  }
  return result;
}

/// Every activation of b's file and what stands in its place in a's.
using Counterparts = std::map<graph::TensorId, graph::TensorId>;

Counterparts find_counterparts(const graph::Graph& a, const graph::Graph& b) {
  Counterparts counterparts;
  for (size_t i = 0; i < b.inputs.size(); ++i) counterparts[b.inputs[i]] = a.inputs[i];
  for (size_t i = 0; i < b.ops.size(); ++i) counterparts[b.ops[i].output()] = a.ops[i].output();
  return counterparts;
}

/// Overwrites what `step` of `b` reads by what `a` has there.
Status copy_inputs(FileNetwork& a, FileNetwork& b, int step, const Counterparts& counterparts) {
  const graph::Graph& graph_a = a.executor().graph();
  const graph::Graph& graph_b = b.executor().graph();
  for (graph::TensorId id : graph_b.ops[static_cast<size_t>(b.executor().step_op(step))].inputs) {
    const auto found = counterparts.find(id);
    if (found == counterparts.end()) continue;  // a constant
    const graph::Tensor& from = graph_a.tensor(found->second);
    const graph::Tensor& to = graph_b.tensor(id);
    if (from.type != to.type || from.quantization != to.quantization) {
      return invalid_argument("'", from.name,
                              "' is stored in different ways by the two models, so "
                              "one cannot run on what the other has there");
    }
    std::ranges::copy(a.stored(found->second), b.executor().tensor(id).begin());
  }
  return {};
}

}  // namespace

std::string op_label(const OpDifference& difference) {
  return str_cat("op ", difference.index, " (", difference.name, ")");
}

std::optional<std::string> op_mismatch(const graph::Graph& a, const graph::Graph& b) {
  for (size_t i = 0; i < std::min(a.ops.size(), b.ops.size()); ++i) {
    const graph::Op& op_a = a.ops[i];
    const graph::Op& op_b = b.ops[i];
    const graph::Shape& shape_a = a.tensor(op_a.output()).shape;
    const graph::Shape& shape_b = b.tensor(op_b.output()).shape;
    if (op_a.attributes.index() != op_b.attributes.index() || shape_a != shape_b) {
      return str_cat(graph::op_label(op_a), " gives ", graph::shape_text(shape_a), ", ",
                     graph::op_label(op_b), " gives ", graph::shape_text(shape_b));
    }
  }
  if (a.ops.size() == b.ops.size()) return std::nullopt;
  return str_cat(a.ops.size(), " ops against ", b.ops.size());
}

std::vector<OpDifference> compare_ops(FileNetwork& a, FileNetwork& b) {
  const std::vector<graph::Op>& ops_a = a.file_graph().ops;
  const std::vector<graph::Op>& ops_b = b.file_graph().ops;
  std::vector<OpDifference> differences;
  differences.reserve(ops_a.size());
  for (size_t i = 0; i < ops_a.size(); ++i) {
    differences.push_back(compare_op(a, b, ops_a[i], ops_b[i]));
  }
  return differences;
}

Result<std::vector<OpDifference>> compare_ops_on_same_inputs(FileNetwork& a, FileNetwork& b) {
  const std::vector<graph::Op>& ops_a = a.file_graph().ops;
  const std::vector<graph::Op>& ops_b = b.file_graph().ops;
  const Counterparts counterparts = find_counterparts(a.file_graph(), b.file_graph());
  std::map<graph::TensorId, int> steps;
  for (int i = 0; i < b.executor().step_count(); ++i) steps[b.executor().step_output(i)] = i;
  std::vector<OpDifference> differences;
  differences.reserve(ops_a.size());
  for (size_t i = 0; i < ops_a.size(); ++i) {
    if (const auto step = steps.find(ops_b[i].output()); step != steps.end()) {
      DEEPLAB_RETURN_IF_ERROR(copy_inputs(a, b, step->second, counterparts));
      b.executor().run_step(step->second);
    }
    differences.push_back(compare_op(a, b, ops_a[i], ops_b[i]));
  }
  return differences;
}

const OpDifference* first_difference(const std::vector<OpDifference>& ops) {
  const auto found = std::ranges::find_if(ops, &OpDifference::differs);
  return found == ops.end() ? nullptr : &*found;
}

}  // namespace deeplab::app
