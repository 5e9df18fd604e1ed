#include "tflite/op_format.h"

namespace deeplab::tflite {
namespace {

/// ADD, SUB, MUL: their only option is an activation, which may be left out.
template <typename Arithmetic, typename Options>
Result<graph::Attributes> read_arithmetic(const SourceOp& op) {
  Arithmetic a;
  const Options* options = op.op.builtin_options_as<Options>();
  if (options != nullptr) {
    DEEPLAB_ASSIGN_OR_RETURN(a.activation,
                             read_activation(op, options->fused_activation_function()));
  }
  return graph::Attributes(a);
}

template <typename Options, typename Arithmetic>
Options with_activation(const Arithmetic& a) {
  Options options;
  options.fused_activation_function = file_activation(a.activation);
  return options;
}

/// DIV may have an activation.
template <graph::BinaryFunction function>
Result<graph::Attributes> read_binary(const SourceOp& op) {
  graph::Binary a{function};
  if (const auto* options = op.op.builtin_options_as_DivOptions()) {
    DEEPLAB_ASSIGN_OR_RETURN(a.activation,
                             read_activation(op, options->fused_activation_function()));
  }
  return graph::Attributes(a);
}

}  // namespace

OpFormat format(std::type_identity<graph::Add>) {
  static constexpr OpReader kReaders[] = {
      {Code::ADD, read_arithmetic<graph::Add, schema::AddOptions>, 2, kAll}};
  static constexpr OpVersion kVersions[] = {{Code::ADD, 1, {1, 5, 0}}, {Code::ADD, 2, {1, 14, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Add& a) {
  return make_op(Code::ADD, from.since_int8(2), with_activation<schema::AddOptionsT>(a));
}

OpFormat format(std::type_identity<graph::Sub>) {
  static constexpr OpReader kReaders[] = {
      {Code::SUB, read_arithmetic<graph::Sub, schema::SubOptions>, 2, kAll}};
  static constexpr OpVersion kVersions[] = {{Code::SUB, 1, {1, 6, 0}}, {Code::SUB, 2, {1, 14, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Sub& a) {
  FileOp op = make_op(Code::SUB, from.since_int8(2), with_activation<schema::SubOptionsT>(a));
  op.swap_inputs = a.reversed;
  return op;
}

OpFormat format(std::type_identity<graph::Mul>) {
  static constexpr OpReader kReaders[] = {
      {Code::MUL, read_arithmetic<graph::Mul, schema::MulOptions>, 2, kAll}};
  static constexpr OpVersion kVersions[] = {{Code::MUL, 1, {1, 5, 0}}, {Code::MUL, 2, {1, 14, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Mul& a) {
  return make_op(Code::MUL, from.since_int8(2), with_activation<schema::MulOptionsT>(a));
}

OpFormat format(std::type_identity<graph::Prelu>) {
  static constexpr OpReader kReaders[] = {{Code::PRELU, read_plain<graph::Prelu>, 2, kAll}};
  static constexpr OpVersion kVersions[] = {{Code::PRELU, 1, {1, 8, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& /*from*/, const graph::Prelu& /*a*/) {
  return make_op(Code::PRELU, 1);
}

OpFormat format(std::type_identity<graph::Binary>) {
  static constexpr OpReader kReaders[] = {
#define BINARY(function, name, ...) \
  {Code::name, read_binary<graph::BinaryFunction::function>, 2, kAll},
#include "base/function_list.h"
  };
  static constexpr OpVersion kVersions[] = {
#define BINARY(function, name, ordered, major, minor, patch, ...) \
  {Code::name, 1, {major, minor, patch}},
#include "base/function_list.h"
      {Code::MAXIMUM, 2, {1, 14, 0}},
      {Code::MINIMUM, 2, {1, 14, 0}},
  };
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Binary& a) {
  static constexpr Code kCodes[] = {
#define BINARY(function, name, ...) Code::name,
#include "base/function_list.h"
  };
  FileOp op = make_op(kCodes[static_cast<size_t>(a.function)], 1);
  switch (a.function) {
    case graph::BinaryFunction::kMaximum:
    case graph::BinaryFunction::kMinimum:
      op.version = from.since_int8(2);
      op.options.Set(schema::MaximumMinimumOptionsT{});
      break;
    case graph::BinaryFunction::kSquaredDifference:
      op.options.Set(schema::SquaredDifferenceOptionsT{});
      break;
    case graph::BinaryFunction::kDiv:
      op.options.Set(with_activation<schema::DivOptionsT>(a));
      break;
  }
  op.swap_inputs = a.reversed;
  return op;
}

}  // namespace deeplab::tflite
