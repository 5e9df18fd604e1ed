#include "tflite/op_format.h"

namespace deeplab::tflite {
namespace {

Result<graph::Attributes> read_concatenation(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_ConcatenationOptions()));
  graph::Concatenation a;
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  a.axis = from_front(options->axis(), x.size());
  DEEPLAB_ASSIGN_OR_RETURN(a.activation, read_activation(op, options->fused_activation_function()));
  return graph::Attributes(a);
}

/// PACK: each input with one more dimension, joined along it.
Status expand_pack(const SourceOp& op, ReadOps& to) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options, need(op, op.op.builtin_options_as_PackOptions()));
  const auto outputs = elements(op.op.outputs());
  if (outputs.size() != 1 || op.input_count() == 0 || op.input_count() > kMaxOperands) {
    return op.error("expected 1 to ", kMaxOperands, " inputs and 1 output, found ",
                    op.input_count(), " and ", outputs.size());
  }
  graph::Concatenation joined;
  std::vector<graph::TensorId> parts;
  for (size_t k = 0; k < op.input_count(); ++k) {
    DEEPLAB_ASSIGN_OR_RETURN(const size_t x, op.input(k, "a tensor"));
    DEEPLAB_ASSIGN_OR_RETURN(const auto shape, op.shape(k));
    joined.axis = from_front(options->axis(), shape.size() + 1);
    if (joined.axis < 0 || static_cast<size_t>(joined.axis) > shape.size()) {
      return op.error("axis ", options->axis(), " is outside the input");
    }
    graph::Reshape wider;
    wider.shape.assign(shape.begin(), shape.end());
    wider.shape.insert(wider.shape.begin() + joined.axis, 1);
    parts.push_back(add_tensor(op, to, x));
    add_op(op, to, std::move(wider), {static_cast<graph::TensorId>(x)}, parts.back());
  }
  add_op(op, to, joined, std::move(parts), outputs[0]);
  return {};
}

}  // namespace

OpFormat format(std::type_identity<graph::Concatenation>) {
  static constexpr OpReader kReaders[] = {
      {Code::CONCATENATION, read_concatenation, kMaxOperands, kAll},
      {Code::PACK, nullptr, kMaxOperands, kAll, expand_pack}};
  static constexpr OpVersion kVersions[] = {{Code::CONCATENATION, 1, {1, 5, 0}},
                                            {Code::CONCATENATION, 2, {1, 14, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Concatenation& a) {
  schema::ConcatenationOptionsT options;
  options.axis = a.axis;
  options.fused_activation_function = file_activation(a.activation);
  return make_op(Code::CONCATENATION, from.since_int8(2), options);
}

}  // namespace deeplab::tflite
