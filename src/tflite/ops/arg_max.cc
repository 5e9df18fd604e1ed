#include "tflite/op_format.h"

namespace deeplab::tflite {
namespace {

Result<graph::Attributes> read_arg_max(const SourceOp& op) {
  graph::ArgMax a;
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  DEEPLAB_ASSIGN_OR_RETURN(const auto axis, op.numbers(1, "an axis", 1));
  if (axis.size() != 1) return op.error("expected one axis, found ", axis.size());
  a.axis = from_front(axis[0], x.size());
  return graph::Attributes(a);
}

}  // namespace

OpFormat format(std::type_identity<graph::ArgMax>) {
  static constexpr OpReader kReaders[] = {{Code::ARG_MAX, read_arg_max, 2, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::ARG_MAX, 1, {1, 9, 0}},
                                            {Code::ARG_MAX, 2, {1, 14, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::ArgMax& a) {
  schema::ArgMaxOptionsT options;
  const bool wide = from.out().type == graph::DataType::kInt64;
  options.output_type = wide ? schema::TensorType::INT64 : schema::TensorType::INT32;
  return make_op(Code::ARG_MAX, from.since_int8(2), options, {{"axis", {a.axis}, {}}});
}

}  // namespace deeplab::tflite
