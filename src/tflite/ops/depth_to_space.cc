#include "tflite/op_format.h"

namespace deeplab::tflite {
namespace {

template <typename Attribute, typename Options>
Result<graph::Attributes> read_block_size(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto* options, need(op, op.op.builtin_options_as<Options>()));
  return graph::Attributes(Attribute{options->block_size()});
}

}  // namespace

OpFormat format(std::type_identity<graph::DepthToSpace>) {
  static constexpr OpReader kReaders[] = {
      {Code::DEPTH_TO_SPACE, read_block_size<graph::DepthToSpace, schema::DepthToSpaceOptions>, 1,
       kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::DEPTH_TO_SPACE, 1, {2, 1, 0}},
                                            {Code::DEPTH_TO_SPACE, 2, {2, 1, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::DepthToSpace& a) {
  schema::DepthToSpaceOptionsT options;
  options.block_size = a.block;
  return make_op(Code::DEPTH_TO_SPACE, from.since_int8(2), options);
}

OpFormat format(std::type_identity<graph::SpaceToDepth>) {
  static constexpr OpReader kReaders[] = {
      {Code::SPACE_TO_DEPTH, read_block_size<graph::SpaceToDepth, schema::SpaceToDepthOptions>, 1,
       kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::SPACE_TO_DEPTH, 1, {1, 5, 0}},
                                            {Code::SPACE_TO_DEPTH, 2, {1, 14, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::SpaceToDepth& a) {
  schema::SpaceToDepthOptionsT options;
  options.block_size = a.block;
  return make_op(Code::SPACE_TO_DEPTH, from.since_int8(2), options);
}

}  // namespace deeplab::tflite
