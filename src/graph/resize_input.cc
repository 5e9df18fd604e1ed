// The same network over another canvas. Convolutions follow by themselves; what has to be
// rewritten are the sizes that the converter baked into attributes: see resize() in ops/.
#include <algorithm>

#include "graph/canvas.h"

namespace deeplab::graph {

std::optional<Size> size_of_picture(const Shape& shape) {
  if (shape.size() != 4) return std::nullopt;
  return Size{shape[1], shape[2]};
}

Canvas::Canvas(Graph& graph, int32_t batch, Size to) : graph_(graph), batch_(batch), to_(to) {
  for (const Tensor& tensor : graph.tensors) old_shapes_.push_back(tensor.shape);
  readers_.resize(graph.tensors.size());
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    for (TensorId id : graph.ops[i].inputs) {
      if (id != kNoTensor) readers_[static_cast<size_t>(id)].push_back(i);
    }
  }
}

Status Canvas::run() {
  Shape& input = graph_.tensor(graph_.inputs[0]).shape;
  input[0] = batch_;
  input[1] = to_.height;
  input[2] = to_.width;
  pictures_.push_back(graph_.inputs[0]);
  for (Op& op : graph_.ops) {
    DEEPLAB_RETURN_IF_ERROR(std::visit(
        [&](auto& a) {
          if constexpr (requires { a.resize(*this, op); }) {
            return a.resize(*this, op);
          } else {
            return Status();
          }
        },
        op.attributes));
    auto shape = infer_shape(graph_, op);
    if (!shape.ok()) {
      return unsupported("at an input of ", to_text(), ": ", shape.status().message());
    }
    graph_.tensor(op.output()).shape = std::move(shape).value();
    pictures_.push_back(op.output());
  }
  return {};
}

std::optional<Size> Canvas::followed(Size target, TensorId own_input) const {
  const auto matches = [&](TensorId id) { return size_of_picture(old(id)) == target; };
  if (matches(graph_.inputs[0])) return to_;
  if (matches(own_input)) return size_of_picture(now(own_input));
  const auto latest = std::find_if(pictures_.rbegin(), pictures_.rend(), matches);
  if (latest == pictures_.rend()) return std::nullopt;
  return size_of_picture(now(*latest));
}

Size Canvas::scaled(Size size) const {
  const Shape& from = old(graph_.inputs[0]);
  const auto scale = [](int32_t extent, int32_t to, int32_t was) {
    const int64_t rounded = (int64_t{extent} * to + was / 2) / was;
    return static_cast<int32_t>(std::clamp<int64_t>(rounded, 1, 1 << 30));
  };
  return {scale(size.height, to_.height, from[1]), scale(size.width, to_.width, from[2])};
}

Op* Canvas::sole_reader(const Op& op) {
  const std::vector<size_t>& readers = readers_[static_cast<size_t>(op.output())];
  return readers.size() == 1 ? &graph_.ops[readers[0]] : nullptr;
}

Status Canvas::cannot_follow(const Op& op, const std::string& why) const {
  return unsupported(op_label(op), ": cannot follow the input size ", to_text(), ": ", why);
}

namespace {

Status resize(Graph& graph, int32_t batch, Size to, const Limits& limits) {
  Graph resized = graph;
  DEEPLAB_RETURN_IF_ERROR(Canvas(resized, batch, to).run());
  DEEPLAB_RETURN_IF_ERROR(validate(resized, limits));
  graph = std::move(resized);
  return {};
}

bool has_picture_input(const Graph& graph) {
  return !graph.inputs.empty() && graph.tensor(graph.inputs[0]).shape.size() == 4;
}

}  // namespace

Status resize_input(Graph& graph, int32_t height, int32_t width, const Limits& limits) {
  if (std::min(height, width) < 1 || std::max(height, width) > kMaxSide) {
    return invalid_argument("expected an input size of 1x1 to ", kMaxSide, "x", kMaxSide,
                            ", found ", height, "x", width);
  }
  if (!has_picture_input(graph)) {
    return unsupported("the input size can be chosen for a model with an input [N,H,W,C] only");
  }
  return resize(graph, graph.tensor(graph.inputs[0]).shape[0], {height, width}, limits);
}

Status make_batch_one(Graph& graph, const Limits& limits) {
  if (!has_picture_input(graph)) return {};
  const Shape input = graph.tensor(graph.inputs[0]).shape;
  if (input[0] == 1) return {};
  return resize(graph, 1, {input[1], input[2]}, limits);
}

}  // namespace deeplab::graph
