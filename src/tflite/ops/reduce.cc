#include <algorithm>

#include "tflite/op_format.h"

namespace deeplab::tflite {
namespace {

template <typename Reduction>
Result<graph::Attributes> reduction(const SourceOp& op, Reduction a) {
  if (const auto* options = op.op.builtin_options_as_ReducerOptions()) {
    a.keep_dims = options->keep_dims();
  }
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  DEEPLAB_ASSIGN_OR_RETURN(a.axes, op.numbers(1, "axes", kMaxRank));
  for (int32_t& axis : a.axes) axis = from_front(axis, x.size());
  std::ranges::sort(a.axes);
  a.axes.erase(std::unique(a.axes.begin(), a.axes.end()), a.axes.end());
  return graph::Attributes(a);
}

Result<graph::Attributes> read_mean(const SourceOp& op) { return reduction(op, graph::Mean{}); }
template <graph::ReduceFunction function>
Result<graph::Attributes> read_reduce(const SourceOp& op) {
  return reduction(op, graph::Reduce{function, {}, false});
}

template <typename Reduction>
FileOp write_reduction(Code code, const OpWriter& from, const Reduction& a) {
  schema::ReducerOptionsT options;
  options.keep_dims = a.keep_dims;
  return make_op(code, from.since_int8(2), options, {list("axes", a.axes)});
}

}  // namespace

OpFormat format(std::type_identity<graph::Mean>) {
  static constexpr OpReader kReaders[] = {{Code::MEAN, read_mean, 2, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::MEAN, 1, {1, 6, 0}},
                                            {Code::MEAN, 2, {1, 14, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Mean& a) {
  return write_reduction(Code::MEAN, from, a);
}

OpFormat format(std::type_identity<graph::Reduce>) {
  static constexpr OpReader kReaders[] = {
#define REDUCTION(function, name, ...) \
  {Code::name, read_reduce<graph::ReduceFunction::function>, 2, kFirst},
#include "base/function_list.h"
  };
  static constexpr OpVersion kVersions[] = {
#define REDUCTION(function, name, picks, major, minor, patch, ...) \
  {Code::name, 1, {major, minor, patch}},
#include "base/function_list.h"
      {Code::REDUCE_MAX, 2, {1, 14, 0}},
  };
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Reduce& a) {
  static constexpr Code kCodes[] = {
#define REDUCTION(function, name, ...) Code::name,
#include "base/function_list.h"
  };
  return write_reduction(kCodes[static_cast<size_t>(a.function)], from, a);
}

}  // namespace deeplab::tflite
