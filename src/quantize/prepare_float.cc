#include "quantize/prepare_float.h"

#include <set>
#include <utility>

#include "passes/explicit_padding.h"
#include "passes/fold_batch_norm.h"
#include "passes/fold_space_to_batch.h"
#include "passes/fuse_activation.h"
#include "passes/remove_dead_ops.h"
#include "passes/remove_identity.h"
#include "passes/split_transpose_conv.h"
#include "quantize/constants.h"
#include "quantize/quantize_graph.h"

namespace deeplab::quantize {
namespace {

using graph::Graph;
using graph::Tensor;
using graph::TensorId;

TensorId own(Graph& graph, TensorId id, std::set<TensorId>& used) {
  if (used.insert(id).second) return id;
  Tensor copy = graph.tensor(id);
  copy.name += str_cat("_", graph.tensors.size());
  return append_tensor(graph, std::move(copy));
}

TensorId zero_bias(Graph& graph, const graph::Op& op) {
  const Tensor& output = graph.tensor(op.output());
  Tensor bias;
  bias.name = output.name + "_bias";
  bias.shape = {output.shape.back()};
  bias.data = constant_bytes<float>(std::vector<float>(static_cast<size_t>(bias.shape[0])));
  return append_tensor(graph, std::move(bias));
}

/// A file cannot say every padding: if one has no name, nothing is folded.
void fold_dilations(Graph& graph) {
  Graph folded = graph;
  passes::fold_space_to_batch(folded);
  for (graph::Op& op : folded.ops) {
    if (passes::convolution_window(op) != nullptr && !passes::name_padding(folded, op)) return;
  }
  graph = std::move(folded);
}

/// Convolutions instead, whose padding a file can say: what is neither SAME nor VALID becomes a
/// PAD.
void split_transpose_convs(Graph& graph) {
  passes::split_transpose_conv(graph);
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    graph::Window* window = passes::convolution_window(graph.ops[i]);
    if (window == nullptr || passes::name_padding(graph, graph.ops[i])) continue;
    const graph::Window w = *window;
    const TensorId input = graph.ops[i].inputs.front();
    Tensor padded = graph.tensor(input);
    padded.name += "/padded";
    padded.shape[1] += w.pad_top + w.pad_bottom;
    padded.shape[2] += w.pad_left + w.pad_right;
    window->padding = graph::Padding::kValid;
    window->pad_top = window->pad_bottom = window->pad_left = window->pad_right = 0;
    const TensorId output = append_tensor(graph, std::move(padded));
    graph.ops[i].inputs.front() = output;
    const graph::Pad pad{{{0, 0}, {w.pad_top, w.pad_bottom}, {w.pad_left, w.pad_right}, {0, 0}}};
    const graph::Op op{pad, {input}, {output}, graph.ops[i].index};
    graph.ops.insert(graph.ops.begin() + static_cast<ptrdiff_t>(i), op);
    ++i;
  }
}

}  // namespace

Status prepare_float_graph(Graph& graph) {
  DEEPLAB_RETURN_IF_ERROR(check_float(graph));
  // Each pass may make room for another; all only remove ops.
  for (size_t before = graph.ops.size() + 1; graph.ops.size() < before;) {
    before = graph.ops.size();
    passes::remove_identity(graph);
    passes::fuse_activation(graph);
    fold_dilations(graph);
    passes::fold_batch_norm(graph);
  }
  split_transpose_convs(graph);
  passes::remove_dead_ops(graph);
  std::set<TensorId> used;
  for (graph::Op& op : graph.ops) {
    Convolution conv;
    if (!as_convolution(op, conv)) {
      used.insert(op.inputs.begin(), op.inputs.end());
      continue;
    }
    op.inputs.resize(3, graph::kNoTensor);
    op.inputs[1] = own(graph, conv.filter, used);
    op.inputs[2] =
        conv.bias == graph::kNoTensor ? zero_bias(graph, op) : own(graph, conv.bias, used);
  }
  return {};
}

}  // namespace deeplab::quantize
