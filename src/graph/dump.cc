// The graph as text. Golden files compare it, so every number is printed exactly and always in
// the same way.
#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "graph/operands.h"

namespace deeplab::graph {
namespace {

/// The shortest decimal that reads back as the same float.
std::string number(float value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::string millions(int64_t value) {
  std::array<char, 64> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(),
                                 static_cast<double>(value) / 1e6, std::chars_format::fixed, 1)
                       .ptr;
  return {text.data(), end};
}

std::string list_text(const std::vector<int32_t>& values) {
  std::string text;
  for (int32_t value : values) text += str_cat(text.empty() ? "" : ",", value);
  return str_cat("[", text, "]");
}

std::string pair_text(const std::array<int32_t, 2>& pair) { return str_cat(pair[0], "+", pair[1]); }

std::string window_text(const Window& w) {
  std::string text = str_cat(" stride ", w.stride_h, "x", w.stride_w);
  if (w.dilation_h != 1 || w.dilation_w != 1) {
    text += str_cat(" dilation ", w.dilation_h, "x", w.dilation_w);
  }
  text += str_cat(" ", padding_name(w.padding));
  if (w.padding == Padding::kExplicit) {
    text += str_cat(" ", w.pad_top, "+", w.pad_bottom, "x", w.pad_left, "+", w.pad_right);
  }
  return text;
}

std::string activation_text(Activation activation) {
  return activation == Activation::kNone ? "" : str_cat(" ", activation_name(activation));
}

template <typename Resize>
std::string resize_text(const Resize& a) {
  return str_cat(" to ", a.height, "x", a.width, a.align_corners ? " align_corners" : "",
                 a.half_pixel_centers ? " half_pixel_centers" : "");
}

/// " name value" for each attribute, in a fixed order.
std::string attribute_text(const Attributes& attributes) {
  return std::visit(
      Overloaded{
          [](const Conv2D& a) { return window_text(a.window) + activation_text(a.activation); },
          [](const DepthwiseConv2D& a) {
            return window_text(a.window) +
                   (a.depth_multiplier == 1 ? "" : str_cat(" multiplier ", a.depth_multiplier)) +
                   activation_text(a.activation);
          },
          [](const Add& a) { return activation_text(a.activation); },
          [](const Sub& a) {
            return (a.reversed ? " reversed" : "") + activation_text(a.activation);
          },
          [](const Mul& a) { return activation_text(a.activation); },
          [](const AveragePool2D& a) {
            return str_cat(" window ", a.filter_h, "x", a.filter_w) + window_text(a.window) +
                   activation_text(a.activation);
          },
          [](const Mean& a) {
            return str_cat(" axes ", list_text(a.axes), a.keep_dims ? " keep_dims" : "");
          },
          [](const ResizeBilinear& a) { return resize_text(a); },
          [](const ResizeNearestNeighbor& a) { return resize_text(a); },
          [](const Concatenation& a) {
            return str_cat(" axis ", a.axis) + activation_text(a.activation);
          },
          [](const Tile& a) { return str_cat(" multiples ", list_text(a.multiples)); },
          [](const Pad& a) {
            std::string text = " by";
            for (const auto& amount : a.amounts) text += str_cat(" ", pair_text(amount));
            return text;
          },
          [](const ArgMax& a) { return str_cat(" axis ", a.axis); },
          [](const Softmax& a) { return str_cat(" beta ", number(a.beta)); },
          [](const Reshape& a) { return str_cat(" to ", list_text(a.shape)); },
          [](const SpaceToBatchNd& a) {
            return str_cat(" block ", a.block_h, "x", a.block_w, " pad ", pair_text(a.pad_h), "x",
                           pair_text(a.pad_w));
          },
          [](const BatchToSpaceNd& a) {
            return str_cat(" block ", a.block_h, "x", a.block_w, " crop ", pair_text(a.crop_h), "x",
                           pair_text(a.crop_w));
          },
          [](const auto&) { return std::string(); },
      },
      attributes);
}

/// "t12 uint8 1x257x257x16 scale 0.0235 zero 128".
std::string tensor_text(const Graph& graph, TensorId id) {
  if (id == kNoTensor) return "none";
  const Tensor& tensor = graph.tensor(id);
  std::string text = str_cat("t", id, " ", type_name(tensor.type), " ", shape_text(tensor.shape));
  if (tensor.file_type != tensor.type) text += str_cat(" (file ", type_name(tensor.file_type), ")");
  const Quantization& q = tensor.quantization;
  if (q.per_channel()) {
    text += str_cat(" scales ", q.scales.size(), " along ", q.axis);
  } else if (q.present()) {
    text += str_cat(" scale ", number(q.scale()), " zero ", q.zero_point());
  }
  return text;
}

std::string border_text(const Graph& graph, const char* what, const std::vector<TensorId>& ids) {
  std::string text;
  for (TensorId id : ids) {
    text += str_cat(what, " ", tensor_text(graph, id), " \"", graph.tensor(id).name, "\"\n");
  }
  return text;
}

std::string op_text(const Graph& graph, const Op& op) {
  std::string text = str_cat(op.index, " ", op_name(op.attributes), attribute_text(op.attributes));
  const char* separator = ": ";
  for (TensorId id : op.inputs) {
    // An activation was described where it was written.
    const bool described = id == kNoTensor || graph.tensor(id).is_constant();
    text += separator + (described ? tensor_text(graph, id) : str_cat("t", id));
    separator = ", ";
  }
  return text + " -> " + tensor_text(graph, op.output()) + "\n";
}

std::string totals_text(const Graph& graph) {
  std::map<std::string_view, int> counts;
  std::set<TensorId> constants;
  int64_t activation_bytes = 0;
  for (const Op& op : graph.ops) {
    ++counts[op_name(op.attributes)];
    activation_bytes += static_cast<int64_t>(graph.tensor(op.output()).byte_size());
    for (TensorId id : op.inputs) {
      if (id != kNoTensor && graph.tensor(id).is_constant()) constants.insert(id);
    }
  }
  int64_t parameters = 0;
  int64_t constant_bytes = 0;
  for (TensorId id : constants) {
    parameters += graph.tensor(id).elements();
    constant_bytes += static_cast<int64_t>(graph.tensor(id).byte_size());
  }
  std::string text = str_cat(graph.ops.size(), " ops:");
  const char* separator = " ";
  for (const auto& [name, count] : counts) {
    text += str_cat(separator, count, " ", name);
    separator = ", ";
  }
  return text + str_cat("\n", parameters, " parameters in ", constant_bytes, " bytes; ",
                        millions(macs(graph)), " M multiply-accumulates; ",
                        millions(activation_bytes), " MB of activations written\n");
}

}  // namespace

std::string dump(const Graph& graph) {
  std::string text = border_text(graph, "input", graph.inputs);
  for (const Op& op : graph.ops) text += op_text(graph, op);
  return text + border_text(graph, "output", graph.outputs) + totals_text(graph);
}

}  // namespace deeplab::graph
