#include "passes/label_head.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>

#include "passes/remove_dead_ops.h"
#include "passes/remove_identity.h"
#include "passes/rewrite.h"

namespace deeplab::passes {
namespace {

using graph::DataType;
using graph::Graph;
using graph::Op;
using graph::Shape;
using graph::TensorId;

constexpr int32_t kMaxClasses = 255;  // 255 itself is the ignore label.

int64_t product(std::span<const int32_t> dims) {
  int64_t result = 1;
  for (int32_t d : dims) result *= d;
  return result;
}

/// Where dimension `axis` of `out` was in `in`, before a RESHAPE; nothing if it was part of
/// another.
std::optional<size_t> before_reshape(const Shape& in, const Shape& out, size_t axis) {
  const int64_t before = product(std::span(out).first(axis));
  for (size_t d = 0; d < in.size(); ++d) {
    if (in[d] == out[axis] && product(std::span(in).first(d)) == before) return d;
  }
  return std::nullopt;
}

/// Walks from an output towards the scores, noting what it passes.
class HeadFinder {
 public:
  HeadFinder(const Graph& graph, TensorId output) : graph_(graph), at_(output) {}

  /// The head's `scores` are where it got to, whatever they are; their last dimension is the
  /// classes'.
  LabelHead find() {
    pass_labels();
    if (!head_.argmax_in_graph) classes_ = rank() == 0 ? 0 : rank() - 1;
    while (pass<graph::Dequantize>() || pass<graph::Quantize>() || pass_probabilities() ||
           pass_identity() || pass_flat_mask() || pass_reshape() || pass_transpose()) {
    }
    const Shape& canvas = graph_.tensor(at_).shape;
    if (canvas.size() == 4) {
      head_.canvas_height = canvas[1];
      head_.canvas_width = canvas[2];
    }
    pass_resize();
    // Dequantizing is affine, so it commutes with the interpolation.
    while (pass<graph::Dequantize>() || pass_identity()) {
    }
    head_.scores = classes_ + 1 == rank() ? at_ : graph::kNoTensor;
    return head_;
  }

 private:
  const Op* producer() const {
    const int position = graph_.producer(at_);
    return position < 0 ? nullptr : &graph_.ops[static_cast<size_t>(position)];
  }
  template <typename T>
  const T* producer_as() const {
    const Op* op = producer();
    return op == nullptr ? nullptr : std::get_if<T>(&op->attributes);
  }
  void step_over() { at_ = producer()->inputs.front(); }
  size_t rank() const { return graph_.tensor(at_).shape.size(); }
  const Shape& before() const { return graph_.tensor(producer()->inputs.front()).shape; }

  template <typename T>
  bool pass() {
    if (producer_as<T>() == nullptr) return false;
    step_over();
    return true;
  }
  /// Both rise with each score, and a SOFTMAX is along the last dimension.
  bool pass_probabilities() {
    const auto* softmax = producer_as<graph::Softmax>();
    const auto* unary = producer_as<graph::Unary>();
    const bool is_softmax = softmax != nullptr && softmax->beta > 0 && classes_ + 1 == rank();
    const bool is_logistic = unary != nullptr && unary->function == graph::UnaryFunction::kLogistic;
    if (!is_softmax && !is_logistic) return false;
    head_.softmax_in_graph = true;
    sure_ = sure_ || is_softmax;
    step_over();
    return true;
  }
  bool pass_identity() {
    const Op* op = producer();
    if (op == nullptr || !is_identity(graph_, *op)) return false;
    step_over();
    return true;
  }
  bool pass_reshape() {
    // A single number has no dimension that the classes could be along.
    if (producer_as<graph::Reshape>() == nullptr || rank() == 0) return false;
    const auto classes = before_reshape(before(), graph_.tensor(at_).shape, classes_);
    if (!classes) return false;
    classes_ = *classes;
    step_over();
    return true;
  }
  bool pass_transpose() {
    const auto* transpose = producer_as<graph::Transpose>();
    if (transpose == nullptr || rank() == 0) return false;
    // Of scores whose classes nothing has named yet: they are what the network has them along.
    classes_ = sure_ ? static_cast<size_t>(transpose->permutation[classes_]) : rank() - 1;
    sure_ = true;
    step_over();
    return true;
  }
  /// A mask without a dimension for its one class.
  bool pass_flat_mask() {
    if (sure_ || rank() >= 4 || producer_as<graph::Reshape>() == nullptr) return false;
    if (before().size() != 4 || before()[3] != 1) return false;
    step_over();
    classes_ = 3;
    return true;
  }
  /// [ARG_MAX over the classes] -> [RESHAPE | CAST]*: all or nothing.
  void pass_labels() {
    const TensorId output = at_;
    while (pass<graph::Reshape>() || pass<graph::Cast>()) {
    }
    if (const auto* arg_max = producer_as<graph::ArgMax>()) {
      head_.argmax_in_graph = sure_ = true;
      classes_ = static_cast<size_t>(arg_max->axis);
      step_over();
    } else {
      at_ = output;
    }
  }
  void pass_resize() {
    const auto* resize = producer_as<graph::ResizeBilinear>();
    if (resize == nullptr) return;
    // Stored values that change their meaning on the way stay in the graph.
    const Op& op = *producer();
    if (graph_.tensor(op.inputs[0]).quantization != graph_.tensor(op.output()).quantization) return;
    head_.has_resize = true;
    head_.align_corners = resize->align_corners;
    head_.half_pixel_centers = resize->half_pixel_centers;
    step_over();
  }

  const Graph& graph_;
  TensorId at_;
  size_t classes_ = 0;  ///< The dimension of at_ that the classes are along.
  bool sure_ = false;   ///< An op has said so.
  LabelHead head_;
};

/// Whether the values of `id` were made by a SOFTMAX or a LOGISTIC, and only moved or mixed since.
bool are_probabilities(const Graph& graph, TensorId id) {
  for (int at = graph.producer(id); at >= 0;) {
    const Op& op = graph.ops[static_cast<size_t>(at)];
    const auto* unary = std::get_if<graph::Unary>(&op.attributes);
    if (std::holds_alternative<graph::Softmax>(op.attributes) ||
        (unary != nullptr && unary->function == graph::UnaryFunction::kLogistic)) {
      return true;
    }
    const bool keeps = std::holds_alternative<graph::Slice>(op.attributes) ||
                       std::holds_alternative<graph::Reshape>(op.attributes) ||
                       std::holds_alternative<graph::Transpose>(op.attributes) ||
                       std::holds_alternative<graph::ResizeBilinear>(op.attributes) ||
                       std::holds_alternative<graph::ResizeNearestNeighbor>(op.attributes) ||
                       std::holds_alternative<graph::Quantize>(op.attributes) ||
                       std::holds_alternative<graph::Dequantize>(op.attributes);
    if (!keeps) return false;
    at = graph.producer(op.inputs.front());
  }
  return false;
}

/// A background in front of the one class: the score that a pixel has to exceed.
void add_background(Graph& graph, LabelHead& head, float threshold) {
  const float score =
      are_probabilities(graph, head.scores) ? threshold : std::log(threshold / (1 - threshold));
  graph::Tensor scores = graph.tensor(head.scores);
  scores.name += "/background";
  scores.shape[3] = 2;
  int32_t index = 0;
  for (const Op& op : graph.ops) index = std::max(index, op.index + 1);
  const auto id = static_cast<TensorId>(graph.tensors.size());
  graph.tensors.push_back(std::move(scores));
  graph.ops.push_back(
      {graph::Pad{{{0, 0}, {0, 0}, {0, 0}, {1, 0}}, score}, {head.scores}, {id}, index});
  head.scores = id;
  head.classes = 2;
  head.one_class = true;
}

Status not_segmentation(const Graph& graph) {
  std::string outputs;
  for (TensorId id : graph.outputs) {
    const graph::Tensor& output = graph.tensor(id);
    outputs += str_cat(outputs.empty() ? "its output '" : ", '", output.name, "' is ",
                       graph::type_name(output.type), " ", graph::shape_text(output.shape));
  }
  return unsupported("not a segmentation network: ", outputs,
                     ", expected scores 1xHxWxCLASSES or labels 1xHxW from an ARG_MAX over the "
                     "classes");
}

/// [1, height, width, classes] of numbers that can be compared.
bool is_score_map(const graph::Tensor& tensor) {
  const bool comparable = tensor.type == DataType::kFloat32 || tensor.type == DataType::kInt8 ||
                          tensor.type == DataType::kUInt8;
  return tensor.shape.size() == 4 && tensor.shape[0] == 1 && !tensor.is_constant() && comparable;
}

}  // namespace

Result<LabelHead> cut_label_head(Graph& graph, float threshold) {
  if (!(threshold > 0 && threshold < 1)) {
    return invalid_argument("expected a threshold between 0 and 1, found ", threshold);
  }
  std::optional<LabelHead> best;
  const auto pixels = [](const LabelHead& head) {
    return int64_t{head.canvas_height} * head.canvas_width;
  };
  for (TensorId output : graph.outputs) {
    LabelHead head = HeadFinder(graph, output).find();
    head.output = output;
    if (head.scores == graph::kNoTensor || !is_score_map(graph.tensor(head.scores))) continue;
    if (!best || pixels(head) > pixels(*best)) best = head;
  }
  if (!best) return not_segmentation(graph);
  LabelHead head = *best;
  const graph::Tensor& scores = graph.tensor(head.scores);
  head.height = scores.shape[1];
  head.width = scores.shape[2];
  head.classes = scores.shape[3];
  if (head.classes > kMaxClasses) {
    return unsupported("a segmentation network of ", head.classes, " classes; expected 1 to ",
                       kMaxClasses);
  }
  if (head.classes == 1) {
    if (head.argmax_in_graph) {
      return unsupported("a segmentation network that chooses among one class");
    }
    add_background(graph, head, threshold);
  }
  graph.outputs = {head.scores};
  remove_dead_ops(graph);
  return head;
}

}  // namespace deeplab::passes
