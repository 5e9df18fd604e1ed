#include "tflite/op_format.h"

namespace deeplab::tflite {
namespace {

template <graph::UnaryFunction function>
Result<graph::Attributes> read_unary(const SourceOp& op) {
  graph::Unary a{function};
  if (const auto* options = op.op.builtin_options_as_LeakyReluOptions()) a.alpha = options->alpha();
  return graph::Attributes(a);
}

}  // namespace

OpFormat format(std::type_identity<graph::Unary>) {
  static constexpr OpReader kReaders[] = {
#define UNARY(function, name, ...) \
  {Code::name, read_unary<graph::UnaryFunction::function>, 1, kFirst},
#include "base/function_list.h"
  };
  static constexpr OpVersion kVersions[] = {
#define UNARY(function, name, major, minor, patch, ...) {Code::name, 1, {major, minor, patch}},
#include "base/function_list.h"
      {Code::ELU, 2, {2, 3, 0}},
      {Code::LEAKY_RELU, 2, {2, 3, 0}},
      {Code::LOGISTIC, 2, {1, 14, 0}},
      {Code::TANH, 2, {1, 14, 0}},
  };
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Unary& a) {
  static constexpr Code kCodes[] = {
#define UNARY(function, name, ...) Code::name,
#include "base/function_list.h"
  };
  FileOp op = make_op(kCodes[static_cast<size_t>(a.function)], 1);
  switch (a.function) {
    case graph::UnaryFunction::kLogistic:
    case graph::UnaryFunction::kTanh:
    case graph::UnaryFunction::kElu:
      op.version = from.since_int8(2);
      break;
    case graph::UnaryFunction::kLeakyRelu: {
      schema::LeakyReluOptionsT options;
      options.alpha = a.alpha;
      op.version = from.float32() ? 1 : 2;
      op.options.Set(std::move(options));
      break;
    }
    default:
      break;
  }
  return op;
}

}  // namespace deeplab::tflite
