#include "tflite/op_format.h"

namespace deeplab::tflite {
namespace {

/// The block and the two pairs that both ops take.
struct Block {
  std::vector<int32_t> size;
  graph::Amounts amounts;
};
Result<Block> read_block(const SourceOp& op, const char* what) {
  Block b;
  DEEPLAB_ASSIGN_OR_RETURN(b.size, op.numbers(1, "a block shape", kMaxRank));
  DEEPLAB_ASSIGN_OR_RETURN(b.amounts, read_pairs(op, 2, what, kMaxRank));
  if (b.size.size() != 2 || b.amounts.size() != 2) {
    return op.unsupported("expected a block of height and width, found ", b.size.size(),
                          " block dimensions and ", b.amounts.size(), " pairs of ", what);
  }
  return b;
}

Result<graph::Attributes> read_space_to_batch_nd(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const Block b, read_block(op, "paddings"));
  return graph::Attributes(graph::SpaceToBatchNd{b.size[0], b.size[1], b.amounts[0], b.amounts[1]});
}

Result<graph::Attributes> read_batch_to_space_nd(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const Block b, read_block(op, "crops"));
  return graph::Attributes(graph::BatchToSpaceNd{b.size[0], b.size[1], b.amounts[0], b.amounts[1]});
}

}  // namespace

OpFormat format(std::type_identity<graph::SpaceToBatchNd>) {
  static constexpr OpReader kReaders[] = {
      {Code::SPACE_TO_BATCH_ND, read_space_to_batch_nd, 3, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::SPACE_TO_BATCH_ND, 1, {1, 6, 0}},
                                            {Code::SPACE_TO_BATCH_ND, 2, {1, 14, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::SpaceToBatchNd& a) {
  const std::array<int32_t, 2> paddings[] = {a.pad_h, a.pad_w};
  return make_op(Code::SPACE_TO_BATCH_ND, from.since_int8(2), schema::SpaceToBatchNDOptionsT{},
                 {list("block", {a.block_h, a.block_w}), pairs("paddings", paddings)});
}

OpFormat format(std::type_identity<graph::BatchToSpaceNd>) {
  static constexpr OpReader kReaders[] = {
      {Code::BATCH_TO_SPACE_ND, read_batch_to_space_nd, 3, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::BATCH_TO_SPACE_ND, 1, {1, 6, 0}},
                                            {Code::BATCH_TO_SPACE_ND, 2, {1, 14, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::BatchToSpaceNd& a) {
  const std::array<int32_t, 2> crops[] = {a.crop_h, a.crop_w};
  return make_op(Code::BATCH_TO_SPACE_ND, from.since_int8(2), schema::BatchToSpaceNDOptionsT{},
                 {list("block", {a.block_h, a.block_w}), pairs("crops", crops)});
}

}  // namespace deeplab::tflite
