#include "tflite/op_format.h"

namespace deeplab::tflite {
namespace {

template <typename Pool>
Result<graph::Attributes> read_pool(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options, need(op, op.op.builtin_options_as_Pool2DOptions()));
  Pool a;
  DEEPLAB_ASSIGN_OR_RETURN(a.window, read_window(op, *options));
  a.filter_h = options->filter_height();
  a.filter_w = options->filter_width();
  DEEPLAB_ASSIGN_OR_RETURN(a.activation, read_activation(op, options->fused_activation_function()));
  return graph::Attributes(a);
}

template <typename Pool>
FileOp write_pool(Code code, const OpWriter& from, const Pool& a) {
  schema::Pool2DOptionsT options;
  set_window(options, a.window);
  options.filter_height = a.filter_h;
  options.filter_width = a.filter_w;
  options.fused_activation_function = file_activation(a.activation);
  return make_op(code, from.since_int8(2), options);
}

}  // namespace

OpFormat format(std::type_identity<graph::AveragePool2D>) {
  static constexpr OpReader kReaders[] = {
      {Code::AVERAGE_POOL_2D, read_pool<graph::AveragePool2D>, 1, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::AVERAGE_POOL_2D, 1, {1, 5, 0}},
                                            {Code::AVERAGE_POOL_2D, 2, {1, 14, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::AveragePool2D& a) {
  return write_pool(Code::AVERAGE_POOL_2D, from, a);
}

OpFormat format(std::type_identity<graph::MaxPool2D>) {
  static constexpr OpReader kReaders[] = {
      {Code::MAX_POOL_2D, read_pool<graph::MaxPool2D>, 1, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::MAX_POOL_2D, 1, {1, 5, 0}},
                                            {Code::MAX_POOL_2D, 2, {1, 14, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::MaxPool2D& a) {
  return write_pool(Code::MAX_POOL_2D, from, a);
}

}  // namespace deeplab::tflite
