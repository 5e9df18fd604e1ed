// One op of a graph. The list of ops is op_list.h.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "graph/op_list.h"
#include "graph/tensor.h"

namespace deeplab::graph {

struct Op {
  Attributes attributes;
  std::vector<TensorId> inputs;
  std::vector<TensorId> outputs;  ///< Exactly one, for every op of the list.
  /// Position in the model file, kept by every pass so that messages and dumps can name it.
  int32_t index = 0;

  TensorId output() const { return outputs.front(); }
};

/// The activation at the end of an op: kNone for those that cannot have one.
Activation fused_activation(const Attributes& attributes);
/// The same, where RELU and RELU6 are activations of their own.
Activation activation_of(const Attributes& attributes);

/// The name the file format uses: "CONV_2D", "RESIZE_BILINEAR", ...
std::string_view op_name(const Attributes& attributes);
/// "op 12 (CONV_2D)": how every message names an op.
std::string op_label(const Op& op);

/// Every op of the list once, with the attributes that it has by default.
std::vector<Attributes> all_ops();
/// How many inputs it takes.
Arity arity(const Attributes& attributes);
/// Whether the int8 op has its inputs' parameters on its output: pooling, RESIZE_*, CONCATENATION,
/// and those that only move values.
bool keeps_parameters(const Attributes& attributes);
/// Whether 8-bit numbers need no scale here: no value is computed from them.
bool ignores_scales(const Attributes& attributes);
/// Whether an int8 filter of float32 numbers has to be read as float32.
bool needs_float_filter(const Attributes& attributes);
/// Says that the op's two inputs have changed places. False, and nothing done, if they cannot.
bool swap_inputs(Attributes& attributes);

/// Calls visit(FieldName, value) for each field of whatever op it is: see op_list.h. The text dump,
/// the JSON of `deeplab inspect` and the fuzz mutator know no op by name.
template <typename AnyAttributes, typename Visit>
void visit_fields(AnyAttributes& attributes, Visit&& visit) {
  std::visit([&](auto& a) { a.fields(a, visit); }, attributes);
}

// Every op of the list has what op_list.h asks for.
namespace described {

struct AnyVisit {
  template <typename Value>
  void operator()(const FieldName& name, Value&& value) const;
};

template <typename A>
constexpr bool op() {
  static_assert(
      requires(const A& a) { a.function; } || requires { std::string_view(A::kName); },
      "an op needs a name: static constexpr std::string_view kName (see graph/op_list.h)");
  static_assert(
      requires(const A& a) { A::fields(a, AnyVisit()); },
      "an op needs its fields: static void fields(auto& a, auto&& visit) (see graph/op_list.h)");
  static_assert(
      requires(const A& a, const OpView& op) {
        { a.output_shape(op) } -> std::same_as<Result<Shape>>;
      },
      "an op needs a shape: Result<Shape> output_shape(const OpView&) const "
      "(see graph/op_list.h)");
  static_assert(
      requires(const A& a, const OpView& op) {
        { a.check_types(op) } -> std::same_as<Status>;
      },
      "an op needs types: Status check_types(const OpView&) const (see graph/op_list.h)");
  return true;
}
#define DEEPLAB_DESCRIBED(Name) static_assert(op<Name>());
DEEPLAB_OPS(DEEPLAB_DESCRIBED)
#undef DEEPLAB_DESCRIBED

}  // namespace described
}  // namespace deeplab::graph
