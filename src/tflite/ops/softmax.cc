#include "tflite/op_format.h"

namespace deeplab::tflite {
namespace {

Result<graph::Attributes> read_softmax(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_SoftmaxOptions()));
  return graph::Attributes(graph::Softmax{options->beta()});
}

}  // namespace

OpFormat format(std::type_identity<graph::Softmax>) {
  static constexpr OpReader kReaders[] = {{Code::SOFTMAX, read_softmax, 1, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::SOFTMAX, 1, {1, 5, 0}},
                                            {Code::SOFTMAX, 2, {1, 14, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Softmax& a) {
  schema::SoftmaxOptionsT options;
  options.beta = a.beta;
  return make_op(Code::SOFTMAX, from.since_int8(2), options);
}

}  // namespace deeplab::tflite
