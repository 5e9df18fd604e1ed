// The graph as text. Golden files compare it, so every number is printed exactly and always in
// the same way.
#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>

#include "graph/graph.h"

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

/// " name value" for each field, in a fixed order.
class AttributeText {
 public:
  std::string text() const { return leading_ + rest_; }

  void operator()(const FieldName& /*name*/, const Window& w) {
    rest_ += str_cat(" stride ", w.stride_h, "x", w.stride_w);
    if (w.dilation_h != 1 || w.dilation_w != 1) {
      rest_ += str_cat(" dilation ", w.dilation_h, "x", w.dilation_w);
    }
    rest_ += str_cat(" ", padding_name(w.padding));
    if (w.padding == Padding::kExplicit) {
      rest_ += str_cat(" ", w.pad_top, "+", w.pad_bottom, "x", w.pad_left, "+", w.pad_right);
    }
  }
  void operator()(const FieldName& /*name*/, Activation activation) {
    if (activation != Activation::kNone) rest_ += str_cat(" ", activation_name(activation));
  }
  void operator()(const FieldName& name, bool value) {
    if (value) append(name);
  }
  void operator()(const FieldName& name, int32_t value) {
    if (value != name.unsaid) append(name, " ", value);
  }
  void operator()(const FieldName& name, float value) {
    if (value != static_cast<float>(name.unsaid)) append(name, " ", number(value));
  }
  void operator()(const FieldName& name, const std::vector<int32_t>& values) {
    std::string list;
    for (int32_t value : values) list += str_cat(list.empty() ? "" : ",", value);
    append(name, " [", list, "]");
  }
  void operator()(const FieldName& name, const Amounts& amounts) {
    append(name);
    for (const auto& amount : amounts) rest_ += str_cat(" ", one(amount));
  }
  template <typename T>
  void operator()(const FieldName& name, const FieldPair<T>& pair) {
    append(name, " ", one(pair.h), "x", one(pair.w));
  }

 private:
  template <typename... Parts>
  void append(const FieldName& name, const Parts&... value) {
    (name.leads ? leading_ : rest_) += str_cat(" ", name.text, value...);
  }
  static int32_t one(int32_t value) { return value; }
  static std::string one(const std::array<int32_t, 2>& amount) {
    return str_cat(amount[0], "+", amount[1]);
  }

  std::string leading_;
  std::string rest_;
};

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
  AttributeText attributes;
  visit_fields(op.attributes, attributes);
  std::string text = str_cat(op.index, " ", op_name(op.attributes), attributes.text());
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
