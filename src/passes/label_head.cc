#include "passes/label_head.h"

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

/// Walks from the output towards the scores, noting what it passes.
class HeadFinder {
 public:
  explicit HeadFinder(Graph& graph) : graph_(graph), at_(graph.outputs.front()) {}

  LabelHead find() {
    pass_labels();
    while (pass<graph::Dequantize>() || pass<graph::Quantize>() || pass_softmax() ||
           pass_identity()) {
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
    head_.scores = at_;
    return head_;
  }

 private:
  Op* producer() {
    const int position = graph_.producer(at_);
    return position < 0 ? nullptr : &graph_.ops[static_cast<size_t>(position)];
  }
  template <typename T>
  const T* producer_as() {
    Op* op = producer();
    return op == nullptr ? nullptr : std::get_if<T>(&op->attributes);
  }
  void step_over() { at_ = producer()->inputs.front(); }

  template <typename T>
  bool pass() {
    if (producer_as<T>() == nullptr) return false;
    step_over();
    return true;
  }
  bool pass_softmax() {
    const auto* softmax = producer_as<graph::Softmax>();
    if (softmax == nullptr || !(softmax->beta > 0)) return false;
    head_.softmax_in_graph = true;
    step_over();
    return true;
  }
  bool pass_identity() {
    const Op* op = producer();
    if (op == nullptr || !is_identity(graph_, *op)) return false;
    step_over();
    return true;
  }
  /// [ARG_MAX over the classes] -> [RESHAPE]: both or neither.
  void pass_labels() {
    const TensorId output = at_;
    while (pass<graph::Reshape>()) {
    }
    const auto* arg_max = producer_as<graph::ArgMax>();
    if (arg_max != nullptr && arg_max->axis == 3 &&
        graph_.tensor(producer()->inputs.front()).shape.size() == 4) {
      head_.argmax_in_graph = true;
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

  Graph& graph_;
  TensorId at_;
  LabelHead head_;
};

Status not_segmentation(const graph::Tensor& output) {
  return unsupported("not a segmentation network: its output '", output.name, "' is ",
                     graph::type_name(output.type), " ", graph::shape_text(output.shape),
                     ", expected scores 1xHxWxCLASSES or labels 1xHxW from an ARG_MAX over the "
                     "classes");
}

}  // namespace

Result<LabelHead> cut_label_head(Graph& graph) {
  if (graph.outputs.size() != 1) {
    return unsupported("not a segmentation network: it has ", graph.outputs.size(),
                       " outputs, expected one");
  }
  const graph::Tensor& output = graph.tensor(graph.outputs.front());
  LabelHead head = HeadFinder(graph).find();
  const graph::Tensor& scores = graph.tensor(head.scores);
  const bool score_type = scores.type == DataType::kFloat32 || scores.type == DataType::kInt8 ||
                          scores.type == DataType::kUInt8;
  if (scores.shape.size() != 4 || scores.shape[0] != 1 || scores.is_constant() || !score_type) {
    return not_segmentation(output);
  }
  head.height = scores.shape[1];
  head.width = scores.shape[2];
  head.classes = scores.shape[3];
  if (head.classes < 2 || head.classes > kMaxClasses) {
    return unsupported("a segmentation network of ", head.classes, " classes; expected 2 to ",
                       kMaxClasses);
  }
  graph.outputs = {head.scores};
  remove_dead_ops(graph);
  return head;
}

}  // namespace deeplab::passes
