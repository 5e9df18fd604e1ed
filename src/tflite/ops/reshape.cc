#include <algorithm>

#include "tflite/op_format.h"

namespace deeplab::tflite {
namespace {

/// EXPAND_DIMS: a RESHAPE with one more dimension.
Result<graph::Attributes> read_expand_dims(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  DEEPLAB_ASSIGN_OR_RETURN(const auto axis, op.numbers(1, "an axis", 1));
  const int32_t at = axis.empty() ? -1 : from_front(axis[0], x.size() + 1);
  if (at < 0 || static_cast<size_t>(at) > x.size()) {
    return op.error("cannot add a dimension at ", axis.empty() ? 0 : axis[0]);
  }
  graph::Reshape a;
  a.shape.assign(x.begin(), x.end());
  a.shape.insert(a.shape.begin() + at, 1);
  return graph::Attributes(a);
}

/// SQUEEZE: a RESHAPE without dimensions of 1, all or those listed.
Result<graph::Attributes> read_squeeze(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  std::vector<int32_t> axes;
  if (const auto* options = op.op.builtin_options_as_SqueezeOptions()) {
    for (int32_t axis : elements(options->squeeze_dims())) {
      axes.push_back(from_front(axis, x.size()));
    }
  }
  graph::Reshape a;
  for (size_t d = 0; d < x.size(); ++d) {
    const bool listed = std::ranges::find(axes, static_cast<int32_t>(d)) != axes.end();
    if (listed && x[d] != 1) return op.error("dimension ", d, " has ", x[d], " elements, not 1");
    if (axes.empty() ? x[d] != 1 : !listed) a.shape.push_back(x[d]);
  }
  return graph::Attributes(a);
}

Result<graph::Attributes> read_reshape(const SourceOp& op) {
  graph::Reshape a;
  if (elements(op.op.inputs()).size() > 1) {
    DEEPLAB_ASSIGN_OR_RETURN(a.shape, op.numbers(1, "a new shape", kMaxRank));
    return graph::Attributes(a);
  }
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_ReshapeOptions()));
  const auto shape = elements(options->new_shape());
  if (shape.size() > kMaxRank) {
    return op.unsupported("the new shape has ", shape.size(), " dimensions, more than ", kMaxRank);
  }
  a.shape.assign(shape.begin(), shape.end());
  return graph::Attributes(a);
}

}  // namespace

OpFormat format(std::type_identity<graph::Reshape>) {
  static constexpr OpReader kReaders[] = {{Code::RESHAPE, read_reshape, 2, kFirst},
                                          {Code::EXPAND_DIMS, read_expand_dims, 2, kFirst},
                                          {Code::SQUEEZE, read_squeeze, 1, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::RESHAPE, 1, {1, 5, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& /*from*/, const graph::Reshape& a) {
  schema::ReshapeOptionsT options;
  options.new_shape = a.shape;
  // A scalar's shape has no numbers: the options alone say it.
  std::vector<ListOperand> operands;
  if (!a.shape.empty()) operands.push_back(list("shape", a.shape));
  return make_op(Code::RESHAPE, 1, options, std::move(operands));
}

}  // namespace deeplab::tflite
