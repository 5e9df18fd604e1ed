#include "tflite/op_format.h"

namespace deeplab::tflite {

OpFormat format(std::type_identity<graph::Quantize>) {
  static constexpr OpReader kReaders[] = {{Code::QUANTIZE, read_plain<graph::Quantize>, 1, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::QUANTIZE, 1, {1, 14, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& /*from*/, const graph::Quantize& /*a*/) {
  return make_op(Code::QUANTIZE, 1, schema::QuantizeOptionsT{});
}

OpFormat format(std::type_identity<graph::Dequantize>) {
  static constexpr OpReader kReaders[] = {
      {Code::DEQUANTIZE, read_plain<graph::Dequantize>, 1, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::DEQUANTIZE, 1, {1, 13, 1}},
                                            {Code::DEQUANTIZE, 2, {1, 14, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Dequantize& /*a*/) {
  return make_op(Code::DEQUANTIZE, from.since_int8(2), schema::DequantizeOptionsT{});
}

OpFormat format(std::type_identity<graph::Cast>) {
  static constexpr OpReader kReaders[] = {{Code::CAST, read_plain<graph::Cast>, 1, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::CAST, 1, {1, 5, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Cast& /*a*/) {
  schema::CastOptionsT options;
  options.in_data_type = file_type(from.in().type);
  options.out_data_type = file_type(from.out().type);
  return make_op(Code::CAST, 1, options);
}

}  // namespace deeplab::tflite
