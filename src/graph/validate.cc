// The wall between a file's numbers and everything that computes with them.
#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "base/checked.h"
#include "graph/op_view.h"

namespace deeplab::graph {
namespace {

constexpr size_t kMaxRank = 8;

bool in_range(const Graph& graph, TensorId id) {
  return id >= 0 && static_cast<size_t>(id) < graph.tensors.size();
}

std::string tensor_label(const Graph& graph, TensorId id) {
  const std::string& name = graph.tensor(id).name;
  return name.empty() ? str_cat("tensor ", id) : str_cat("tensor ", id, " (\"", name, "\")");
}

Status check_border(const Graph& graph, const std::vector<TensorId>& ids, const char* what) {
  if (ids.empty()) return invalid_model("expected at least one graph ", what, ", found none");
  for (TensorId id : ids) {
    if (!in_range(graph, id)) {
      return invalid_model("graph ", what, " ", id, ": there are only ", graph.tensors.size(),
                           " tensors");
    }
  }
  return {};
}

Status check_ids(const Graph& graph) {
  DEEPLAB_RETURN_IF_ERROR(check_border(graph, graph.inputs, "input"));
  DEEPLAB_RETURN_IF_ERROR(check_border(graph, graph.outputs, "output"));
  for (const Op& op : graph.ops) DEEPLAB_RETURN_IF_ERROR(check_operands(graph, op));
  return {};
}

// Everything is written once, before it is read. This also refuses every cycle.
Status check_order(const Graph& graph) {
  std::vector<bool> written(graph.tensors.size());
  for (TensorId id : graph.inputs) {
    if (graph.tensor(id).is_constant()) {
      return invalid_model(tensor_label(graph, id), ": a graph input cannot be a constant");
    }
    if (written[static_cast<size_t>(id)]) {
      return invalid_model(tensor_label(graph, id), ": listed twice among the graph's inputs");
    }
    written[static_cast<size_t>(id)] = true;
  }
  for (const Op& op : graph.ops) {
    for (TensorId id : op.inputs) {
      if (id == kNoTensor || graph.tensor(id).is_constant()) continue;
      if (!written[static_cast<size_t>(id)]) {
        return op_error(op, "reads ", tensor_label(graph, id), " before any op has written it");
      }
    }
    const TensorId out = op.output();
    if (graph.tensor(out).is_constant()) {
      return op_error(op, "writes ", tensor_label(graph, out), ", which is a constant");
    }
    if (written[static_cast<size_t>(out)]) {
      return op_error(op, "writes ", tensor_label(graph, out),
                      ", which is a graph input or written already");
    }
    written[static_cast<size_t>(out)] = true;
  }
  for (TensorId id : graph.outputs) {
    if (!written[static_cast<size_t>(id)]) {
      return invalid_model(tensor_label(graph, id), ": a graph output that nothing writes");
    }
  }
  return {};
}

struct ZeroPointRange {
  int32_t min;
  int32_t max;
};

ZeroPointRange zero_point_range(DataType type) {
  if (type == DataType::kUInt8) return {0, 255};
  if (type == DataType::kInt8) return {-128, 127};
  return {0, 0};
}

Status check_quantization(const Tensor& tensor) {
  const Quantization& q = tensor.quantization;
  const bool eight_bit = tensor.type == DataType::kUInt8 || tensor.type == DataType::kInt8;
  if (q.scales.size() != q.zero_points.size()) {
    return invalid_model("expected as many zero points as scales, found ", q.zero_points.size(),
                         " and ", q.scales.size());
  }
  if (!q.present()) {
    return eight_bit ? invalid_model("a ", type_name(tensor.type), " tensor without a scale")
                     : Status();
  }
  if (!eight_bit && !(tensor.type == DataType::kInt32 && tensor.is_constant())) {
    return invalid_model("a ", type_name(tensor.type), " tensor with a scale");
  }
  if (q.per_channel()) {
    const bool axis_ok = q.axis >= 0 && static_cast<size_t>(q.axis) < tensor.shape.size();
    if (!axis_ok || q.scales.size() != static_cast<size_t>(tensor.shape[q.axis])) {
      return invalid_model("found ", q.scales.size(), " scales along dimension ", q.axis, " of ",
                           shape_text(tensor.shape));
    }
    if (!tensor.is_constant() || tensor.type == DataType::kUInt8) {
      return unsupported("found ", q.scales.size(), " scales on ",
                         tensor.is_constant() ? "uint8 weights" : "an activation",
                         "; only int8 weights may have one per channel");
    }
  }
  const ZeroPointRange range = zero_point_range(tensor.type);
  // Converters give a filter's channel of zeros the scale 0; the convolutions know who may have it.
  const bool may_be_zero = tensor.type == DataType::kInt8 && tensor.is_constant();
  for (size_t i = 0; i < q.scales.size(); ++i) {
    const bool zero = may_be_zero && q.scales[i] == 0;
    if ((!std::isnormal(q.scales[i]) && !zero) || q.scales[i] < 0) {
      return invalid_model("expected scales that are finite and above 0, found ", q.scales[i]);
    }
    if (q.zero_points[i] < range.min || q.zero_points[i] > range.max) {
      return invalid_model("expected a ", type_name(tensor.type), " zero point in [", range.min,
                           ", ", range.max, "], found ", q.zero_points[i]);
    }
  }
  return {};
}

Status check_tensor(const Tensor& tensor, const Limits& limits) {
  if (tensor.shape.size() > kMaxRank) {
    return unsupported("expected at most ", kMaxRank, " dimensions, found ", tensor.shape.size());
  }
  for (int32_t d : tensor.shape) {
    if (d < 1) {
      return invalid_model("expected dimensions of at least 1, found ", shape_text(tensor.shape));
    }
  }
  const auto elements = checked_product(tensor.shape);
  const auto bytes =
      elements ? checked_mul(*elements, static_cast<int64_t>(size_of(tensor.type))) : elements;
  if (!bytes || *bytes > limits.max_tensor_bytes) {
    return resource_exhausted("shape ", shape_text(tensor.shape), " of ", type_name(tensor.type),
                              " takes more than the limit of ", limits.max_tensor_bytes, " bytes");
  }
  if (tensor.is_constant() && tensor.data->size() != static_cast<size_t>(*bytes)) {
    return invalid_model("shape ", shape_text(tensor.shape), " of ", type_name(tensor.type),
                         " takes ", *bytes, " bytes, but the constant has ", tensor.data->size());
  }
  const bool shifted = tensor.file_type == DataType::kUInt8 && tensor.type == DataType::kInt8;
  if (tensor.file_type != tensor.type && !shifted) {
    return invalid_model("is ", type_name(tensor.type), ", but ", type_name(tensor.file_type),
                         " in the file");
  }
  return check_quantization(tensor);
}

/// All tensors that the graph refers to: those it does not may be anything.
std::set<TensorId> referenced(const Graph& graph) {
  std::set<TensorId> ids(graph.inputs.begin(), graph.inputs.end());
  ids.insert(graph.outputs.begin(), graph.outputs.end());
  for (const Op& op : graph.ops) {
    ids.insert(op.inputs.begin(), op.inputs.end());
    ids.insert(op.outputs.begin(), op.outputs.end());
  }
  ids.erase(kNoTensor);
  return ids;
}

Status check_tensors(const Graph& graph, const Limits& limits) {
  int64_t activations = 0;
  for (TensorId id : referenced(graph)) {
    const Tensor& tensor = graph.tensor(id);
    if (const Status status = check_tensor(tensor, limits); !status.ok()) {
      return annotate(status, tensor_label(graph, id));
    }
    if (tensor.is_constant()) continue;
    // Never overflows: each addend is at most max_tensor_bytes, and the sum stops at its limit.
    const auto sum = checked_add(activations, static_cast<int64_t>(tensor.byte_size()));
    if (!sum || *sum > limits.max_total_bytes) {
      return resource_exhausted("the activations take more than the limit of ",
                                limits.max_total_bytes, " bytes");
    }
    activations = *sum;
  }
  for (TensorId id : graph.inputs) {
    const DataType type = graph.tensor(id).type;
    if (type == DataType::kInt32 || type == DataType::kInt64) {
      return unsupported(tensor_label(graph, id),
                         ": expected a graph input of float32, uint8 or int8, found ",
                         type_name(type));
    }
  }
  return {};
}

Status check_shape(const Graph& graph, const Op& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const Shape expected, infer_shape(graph, op));
  const Shape& found = graph.tensor(op.output()).shape;
  if (expected == found) return {};
  return op_error(op, "expected the output ", shape_text(expected), ", found ", shape_text(found));
}

/// Multiplications or additions of the ops that do more than a few for each element they touch.
std::optional<int64_t> work(const Graph& graph, const Op& op) {
  const int64_t each = std::visit(
      [&](const auto& a) {
        if constexpr (requires(const OpView& view) { a.additions(view); }) {
          return a.additions(OpView(graph, op));
        } else {
          return taps(graph, op);
        }
      },
      op.attributes);
  return checked_mul(graph.tensor(op.output()).elements(), each);
}

/// Weights of a convolution in panels of as many channels and with as much before and after each
/// as any kernel packs them; 0 for all other ops.
std::optional<int64_t> packed_weights(const Graph& graph, const Op& op) {
  constexpr int64_t kChannels = 64;
  constexpr int64_t kDepth = 16;  // Filled up; and biases, scales and the like.
  const int64_t depth = taps(graph, op);
  if (depth == 0) return 0;
  const int64_t channels = graph.tensor(op.output()).shape.back();
  return checked_mul((channels + kChannels - 1) / kChannels * kChannels, depth + kDepth);
}

/// Sums over the ops seen so far. An op is counted before anything is done that takes time with its
/// weights: two ops may share one filter.
class Work {
 public:
  explicit Work(const Limits& limits) : limits_(limits) {}

  Status add(const Graph& graph, const Op& op) {
    if (!add_up(weights_, packed_weights(graph, op), limits_.max_weights)) {
      return resource_exhausted("up to ", op_label(op),
                                ", convolutions use more than the limit of ", limits_.max_weights,
                                " weights");
    }
    if (!add_up(macs_, work(graph, op), limits_.max_macs)) {
      return resource_exhausted("up to ", op_label(op), ", one run takes more than the limit of ",
                                limits_.max_macs, " multiply-accumulates");
    }
    return {};
  }

 private:
  static bool add_up(int64_t& total, std::optional<int64_t> more, int64_t most) {
    const auto sum = more ? checked_add(total, *more) : more;
    if (!sum || *sum > most) return false;
    total = *sum;
    return true;
  }

  const Limits& limits_;
  int64_t weights_ = 0;
  int64_t macs_ = 0;
};

Status check_types(const Graph& graph, const Op& op) {
  const OpView view(graph, op);
  return std::visit([&](const auto& a) { return a.check_types(view); }, op.attributes);
}

Status check_op_count(const Graph& graph, const Limits& limits) {
  size_t inputs = 0;
  for (const Op& op : graph.ops) inputs += op.inputs.size();
  if (static_cast<int64_t>(graph.ops.size()) <= limits.max_ops &&
      static_cast<int64_t>(inputs) / 4 <= limits.max_ops) {
    return {};
  }
  return resource_exhausted("the graph has ", graph.ops.size(), " ops with ", inputs,
                            " inputs; the limit is ", limits.max_ops, " and four times as many");
}

}  // namespace

Status check_work(const Graph& graph, const Limits& limits) {
  DEEPLAB_RETURN_IF_ERROR(check_op_count(graph, limits));
  Work work(limits);
  for (const Op& op : graph.ops) DEEPLAB_RETURN_IF_ERROR(work.add(graph, op));
  return {};
}

Status settle_shapes(Graph& graph, const Limits& limits) {
  DEEPLAB_RETURN_IF_ERROR(check_op_count(graph, limits));
  DEEPLAB_RETURN_IF_ERROR(check_ids(graph));
  DEEPLAB_RETURN_IF_ERROR(check_order(graph));
  const auto check = [&](TensorId id) {
    return annotate(check_tensor(graph.tensor(id), limits), tensor_label(graph, id));
  };
  for (TensorId id : graph.inputs) DEEPLAB_RETURN_IF_ERROR(check(id));
  for (const Op& op : graph.ops) {
    for (TensorId id : op.inputs) {
      if (id != kNoTensor && graph.tensor(id).is_constant()) DEEPLAB_RETURN_IF_ERROR(check(id));
    }
    DEEPLAB_ASSIGN_OR_RETURN(graph.tensor(op.output()).shape, infer_shape(graph, op));
    DEEPLAB_RETURN_IF_ERROR(check(op.output()));
  }
  return {};
}

Status validate(const Graph& graph, const Limits& limits) {
  DEEPLAB_RETURN_IF_ERROR(check_op_count(graph, limits));
  DEEPLAB_RETURN_IF_ERROR(check_ids(graph));
  DEEPLAB_RETURN_IF_ERROR(check_order(graph));
  DEEPLAB_RETURN_IF_ERROR(check_tensors(graph, limits));
  Work work(limits);
  for (const Op& op : graph.ops) {
    DEEPLAB_RETURN_IF_ERROR(check_shape(graph, op));
    DEEPLAB_RETURN_IF_ERROR(work.add(graph, op));
    DEEPLAB_RETURN_IF_ERROR(check_types(graph, op));
  }
  return {};
}

}  // namespace deeplab::graph
