#include "passes/explicit_padding.h"

namespace deeplab::passes {

graph::Window* convolution_window(graph::Op& op) {
  if (auto* conv = std::get_if<graph::Conv2D>(&op.attributes)) return &conv->window;
  if (auto* conv = std::get_if<graph::DepthwiseConv2D>(&op.attributes)) return &conv->window;
  return nullptr;
}

std::optional<graph::Window> with_explicit_padding(const graph::Graph& graph, const graph::Op& op,
                                                   const graph::Window& window) {
  // Both ops have the filter's height and width in dimensions 1 and 2.
  const graph::Shape& input = graph.tensor(op.inputs[0]).shape;
  const graph::Shape& filter = graph.tensor(op.inputs[1]).shape;
  const auto rows = graph::window_extent(window.padding, input[1], filter[1], window.stride_h,
                                         window.dilation_h, window.pad_top, window.pad_bottom);
  const auto columns = graph::window_extent(window.padding, input[2], filter[2], window.stride_w,
                                            window.dilation_w, window.pad_left, window.pad_right);
  if (!rows.ok() || !columns.ok()) return std::nullopt;
  graph::Window result = window;
  result.padding = graph::Padding::kExplicit;
  result.pad_top = rows->pad_before;
  result.pad_bottom = rows->pad_after;
  result.pad_left = columns->pad_before;
  result.pad_right = columns->pad_after;
  return result;
}

bool name_padding(const graph::Graph& graph, graph::Op& op) {
  graph::Window& window = *convolution_window(op);
  if (window.padding != graph::Padding::kExplicit) return true;
  for (graph::Padding padding : {graph::Padding::kSame, graph::Padding::kValid}) {
    graph::Window named = window;
    named.padding = padding;
    if (with_explicit_padding(graph, op, named) != window) continue;
    named.pad_top = named.pad_bottom = named.pad_left = named.pad_right = 0;
    window = named;
    return true;
  }
  return false;
}

}  // namespace deeplab::passes
