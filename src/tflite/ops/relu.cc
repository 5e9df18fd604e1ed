#include "tflite/op_format.h"

namespace deeplab::tflite {

OpFormat format(std::type_identity<graph::Relu>) {
  static constexpr OpReader kReaders[] = {{Code::RELU, read_plain<graph::Relu>, 1, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::RELU, 1, {1, 5, 0}}, {Code::RELU, 2, {2, 1, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Relu& /*a*/) {
  // The one op of the list whose uint8 form is newer, too.
  return make_op(Code::RELU, from.float32() ? 1 : 2);
}

OpFormat format(std::type_identity<graph::Relu6>) {
  static constexpr OpReader kReaders[] = {{Code::RELU6, read_plain<graph::Relu6>, 1, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::RELU6, 1, {1, 5, 0}},
                                            {Code::RELU6, 2, {1, 14, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Relu6& /*a*/) {
  return make_op(Code::RELU6, from.since_int8(2));
}

}  // namespace deeplab::tflite
