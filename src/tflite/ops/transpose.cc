#include "tflite/op_format.h"

namespace deeplab::tflite {
namespace {

Result<graph::Attributes> read_transpose(const SourceOp& op) {
  graph::Transpose a;
  DEEPLAB_ASSIGN_OR_RETURN(a.permutation, op.numbers(1, "a permutation", kMaxRank));
  for (int32_t& d : a.permutation) d = from_front(d, a.permutation.size());
  return graph::Attributes(a);
}

}  // namespace

OpFormat format(std::type_identity<graph::Transpose>) {
  static constexpr OpReader kReaders[] = {{Code::TRANSPOSE, read_transpose, 2, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::TRANSPOSE, 1, {1, 6, 0}},
                                            {Code::TRANSPOSE, 2, {1, 14, 0}},
                                            {Code::TRANSPOSE, 4, {2, 3, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Transpose& a) {
  FileOp op = make_op(Code::TRANSPOSE, from.rank() > 4 ? 4 : from.since_int8(2));
  op.operands = {list("permutation", a.permutation)};
  return op;
}

}  // namespace deeplab::tflite
