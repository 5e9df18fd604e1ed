#include "tflite/op_format.h"

namespace deeplab::tflite {
namespace {

Result<graph::Attributes> read_pad(const SourceOp& op) {
  graph::Pad a;
  DEEPLAB_ASSIGN_OR_RETURN(a.amounts, read_pairs(op, 1, "paddings", kMaxRank));
  return graph::Attributes(a);
}

/// PAD with a value of its own: a scalar of the input's type and scale.
Result<graph::Attributes> read_pad_v2(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(graph::Attributes attributes, read_pad(op));
  DEEPLAB_ASSIGN_OR_RETURN(std::get<graph::Pad>(attributes).value, op.real(2, "a value"));
  return attributes;
}

Result<graph::Attributes> read_mirror_pad(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options,
                           need(op, op.op.builtin_options_as_MirrorPadOptions()));
  graph::MirrorPad a;
  DEEPLAB_ASSIGN_OR_RETURN(a.amounts, read_pairs(op, 1, "paddings", kMaxRank));
  if (options->mode() != schema::MirrorPadMode::REFLECT &&
      options->mode() != schema::MirrorPadMode::SYMMETRIC) {
    return op.error("unknown mode ", static_cast<int>(options->mode()));
  }
  a.symmetric = options->mode() == schema::MirrorPadMode::SYMMETRIC;
  return graph::Attributes(a);
}

}  // namespace

OpFormat format(std::type_identity<graph::Pad>) {
  static constexpr OpReader kReaders[] = {{Code::PAD, read_pad, 2, kFirst},
                                          {Code::PADV2, read_pad_v2, 3, kFirst}};
  static constexpr OpVersion kVersions[] = {
      {Code::PAD, 1, {1, 5, 0}},   {Code::PAD, 2, {1, 14, 0}},   {Code::PAD, 4, {2, 6, 0}},
      {Code::PADV2, 1, {1, 9, 0}}, {Code::PADV2, 2, {1, 14, 0}}, {Code::PADV2, 4, {2, 6, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Pad& a) {
  const int32_t version = from.rank() > 4 ? 4 : from.since_int8(2);
  if (a.value == 0) {
    return make_op(Code::PAD, version, schema::PadOptionsT{}, {pairs("paddings", a.amounts)});
  }
  FileOp op = make_op(Code::PADV2, version);
  op.operands = {pairs("paddings", a.amounts)};
  op.fill = a.value;
  return op;
}

OpFormat format(std::type_identity<graph::MirrorPad>) {
  static constexpr OpReader kReaders[] = {{Code::MIRROR_PAD, read_mirror_pad, 2, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::MIRROR_PAD, 1, {1, 13, 1}},
                                            {Code::MIRROR_PAD, 2, {2, 3, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::MirrorPad& a) {
  schema::MirrorPadOptionsT options;
  options.mode = a.symmetric ? schema::MirrorPadMode::SYMMETRIC : schema::MirrorPadMode::REFLECT;
  return make_op(Code::MIRROR_PAD, from.since_int8(2), options, {pairs("paddings", a.amounts)});
}

}  // namespace deeplab::tflite
