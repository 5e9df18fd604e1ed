#include <algorithm>

#include "tflite/op_format.h"

namespace deeplab::tflite {
namespace {

/// All of it.
graph::Slice whole(std::span<const int32_t> shape) {
  graph::Slice a;
  a.begin.assign(shape.size(), 0);
  a.size.assign(shape.begin(), shape.end());
  a.step.assign(shape.size(), 1);
  return a;
}

/// SLICE: a size of -1 is what is left.
Result<graph::Attributes> read_slice(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  graph::Slice a = whole(x);
  DEEPLAB_ASSIGN_OR_RETURN(a.begin, op.numbers(1, "a begin", kMaxRank));
  DEEPLAB_ASSIGN_OR_RETURN(a.size, op.numbers(2, "a size", kMaxRank));
  if (a.begin.size() != x.size() || a.size.size() != x.size()) {
    return op.error("expected a begin and a size for ", x.size(), " dimensions, found ",
                    a.begin.size(), " and ", a.size.size());
  }
  for (size_t d = 0; d < x.size(); ++d) {
    if (a.size[d] == -1 && a.begin[d] >= 0 && a.begin[d] <= x[d]) a.size[d] = x[d] - a.begin[d];
  }
  return graph::Attributes(a);
}

/// STRIDED_SLICE, by numpy's rules for begin:end:step; a bit of a mask is about one dimension.
Result<graph::Attributes> read_strided_slice(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_StridedSliceOptions()));
  if (options->ellipsis_mask() != 0 || options->new_axis_mask() != 0) {
    return op.unsupported("an ellipsis or a new axis is not supported");
  }
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  graph::Slice a = whole(x);
  DEEPLAB_ASSIGN_OR_RETURN(const auto begin, op.numbers(1, "a begin", kMaxRank));
  DEEPLAB_ASSIGN_OR_RETURN(const auto end, op.numbers(2, "an end", kMaxRank));
  DEEPLAB_ASSIGN_OR_RETURN(const auto step, op.numbers(3, "a step", kMaxRank));
  if (begin.size() > x.size() || end.size() != begin.size() || step.size() != begin.size()) {
    return op.error("expected begin, end and step for at most ", x.size(), " dimensions, found ",
                    begin.size(), ", ", end.size(), " and ", step.size());
  }
  for (size_t d = 0; d < begin.size(); ++d) {
    const auto has = [&](int32_t mask) { return (mask >> d & 1) != 0; };
    const int64_t extent = x[d];
    int64_t stride = step[d];
    if (stride == 0 || extent < 1) return op.error("cannot take steps of ", stride);
    const int64_t low = stride > 0 ? 0 : -1;
    const int64_t high = stride > 0 ? extent : extent - 1;
    const auto place = [&](int64_t at) { return std::clamp(at < 0 ? at + extent : at, low, high); };
    int64_t first = has(options->begin_mask()) ? (stride > 0 ? 0 : extent - 1) : place(begin[d]);
    int64_t past = has(options->end_mask()) ? (stride > 0 ? extent : -1) : place(end[d]);
    if (has(options->shrink_axis_mask())) {
      first = begin[d] < 0 ? begin[d] + extent : begin[d];
      stride = 1;
      past = first + 1;
      a.dropped.push_back(static_cast<int32_t>(d));
    }
    const int64_t count = (past - first + stride - (stride > 0 ? 1 : -1)) / stride;
    if (count < 1) return op.unsupported("nothing is left along dimension ", d);
    a.begin[d] = static_cast<int32_t>(first);
    a.size[d] = static_cast<int32_t>(count);
    a.step[d] = static_cast<int32_t>(std::clamp<int64_t>(stride, -extent, extent));
  }
  return graph::Attributes(a);
}

/// SPLIT and SPLIT_V: a slice for each output. `sizes` along `axis`; one -1 is what is left.
Status split(const SourceOp& op, ReadOps& to, size_t x_input, int32_t axis,
             std::vector<int32_t> sizes) {
  DEEPLAB_ASSIGN_OR_RETURN(const size_t x, op.input(x_input, "a tensor"));
  DEEPLAB_ASSIGN_OR_RETURN(const auto shape, op.shape(x_input));
  const auto outputs = elements(op.op.outputs());
  axis = from_front(axis, shape.size());
  if (axis < 0 || static_cast<size_t>(axis) >= shape.size()) {
    return op.error("axis ", axis, " is outside the input");
  }
  const auto d = static_cast<size_t>(axis);
  if (sizes.empty() && !outputs.empty()) {
    if (shape[d] % static_cast<int64_t>(outputs.size()) != 0) {
      return op.error("cannot split ", shape[d], " elements into ", outputs.size());
    }
    sizes.assign(outputs.size(), shape[d] / static_cast<int32_t>(outputs.size()));
  }
  if (outputs.empty() || sizes.size() != outputs.size()) {
    return op.error("expected as many sizes as outputs, found ", sizes.size(), " and ",
                    outputs.size());
  }
  int64_t known = 0;
  for (int32_t size : sizes) known += std::max(size, 0);
  int64_t at = 0;
  for (size_t k = 0; k < outputs.size(); ++k) {
    graph::Slice a = whole(shape);
    const int64_t size = sizes[k] < 0 ? shape[d] - known : sizes[k];
    if (size < 1 || at + size > shape[d]) {
      return op.error("output ", k, " would take ", size, " of ", shape[d], " elements from ", at,
                      " on");
    }
    a.begin[d] = static_cast<int32_t>(at);
    a.size[d] = static_cast<int32_t>(size);
    add_op(op, to, std::move(a), {static_cast<graph::TensorId>(x)}, outputs[k]);
    at += size;
  }
  return {};
}

Status expand_split(const SourceOp& op, ReadOps& to) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto axis, op.numbers(0, "an axis", 1));
  return axis.size() == 1 ? split(op, to, 1, axis[0], {}) : op.error("expected one axis");
}
Status expand_split_v(const SourceOp& op, ReadOps& to) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto sizes, op.numbers(1, "sizes", kMaxOperands));
  DEEPLAB_ASSIGN_OR_RETURN(const auto axis, op.numbers(2, "an axis", 1));
  return axis.size() == 1 ? split(op, to, 0, axis[0], sizes) : op.error("expected one axis");
}

/// UNPACK: a slice of one element for each output, without that dimension.
Status expand_unpack(const SourceOp& op, ReadOps& to) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options, need(op, op.op.builtin_options_as_UnpackOptions()));
  DEEPLAB_ASSIGN_OR_RETURN(const auto shape, op.shape(0));
  const size_t before = to.ops.size();
  const auto outputs = elements(op.op.outputs());
  DEEPLAB_RETURN_IF_ERROR(split(op, to, 0, options->axis(), {}));
  const int32_t axis = from_front(options->axis(), shape.size());
  if (shape[static_cast<size_t>(axis)] != static_cast<int64_t>(outputs.size())) {
    return op.error("expected ", shape[static_cast<size_t>(axis)], " outputs, found ",
                    outputs.size());
  }
  for (size_t i = before; i < to.ops.size(); ++i) {
    std::get<graph::Slice>(to.ops[i].attributes).dropped = {axis};
  }
  return {};
}

}  // namespace

OpFormat format(std::type_identity<graph::Slice>) {
  static constexpr OpReader kReaders[] = {{Code::SLICE, read_slice, 3, kFirst},
                                          {Code::STRIDED_SLICE, read_strided_slice, 4, kFirst},
                                          {Code::SPLIT, nullptr, 2, kAll, expand_split},
                                          {Code::SPLIT_V, nullptr, 3, kAll, expand_split_v},
                                          {Code::UNPACK, nullptr, 1, kAll, expand_unpack}};
  static constexpr OpVersion kVersions[] = {{Code::STRIDED_SLICE, 1, {1, 6, 0}},
                                            {Code::STRIDED_SLICE, 2, {1, 14, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Slice& a) {
  schema::StridedSliceOptionsT options;
  std::vector<int32_t> end;
  for (size_t d = 0; d < a.size.size(); ++d) {
    end.push_back(a.begin[d] + a.size[d] * a.step[d]);
    // Below 0 would count from the end.
    if (end.back() < 0) options.end_mask |= 1 << d;
  }
  for (int32_t d : a.dropped) options.shrink_axis_mask |= 1 << d;
  return make_op(Code::STRIDED_SLICE, from.since_int8(2), options,
                 {list("begin", a.begin), list("end", std::move(end)), list("strides", a.step)});
}

}  // namespace deeplab::tflite
