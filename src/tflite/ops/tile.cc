#include "tflite/op_format.h"

namespace deeplab::tflite {
namespace {

Result<graph::Attributes> read_tile(const SourceOp& op) {
  graph::Tile a;
  DEEPLAB_ASSIGN_OR_RETURN(a.multiples, op.numbers(1, "multiples", kMaxRank));
  return graph::Attributes(a);
}

/// BROADCAST_TO: a TILE of the dimensions that are 1.
Result<graph::Attributes> read_broadcast_to(const SourceOp& op) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto x, op.shape(0));
  DEEPLAB_ASSIGN_OR_RETURN(const auto to, op.numbers(1, "a shape", kMaxRank));
  graph::Tile a;
  a.multiples = to;
  for (size_t d = 0; d < to.size(); ++d) {
    if (to.size() != x.size() || (x[d] != 1 && x[d] != to[d])) {
      return op.unsupported("cannot broadcast ", graph::shape_text({x.begin(), x.end()}), " to ",
                            graph::shape_text(to));
    }
    if (x[d] != 1) a.multiples[d] = 1;
  }
  return graph::Attributes(a);
}

}  // namespace

OpFormat format(std::type_identity<graph::Tile>) {
  static constexpr OpReader kReaders[] = {{Code::TILE, read_tile, 2, kFirst},
                                          {Code::BROADCAST_TO, read_broadcast_to, 2, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::TILE, 1, {1, 10, 1}},
                                            {Code::TILE, 3, {2, 8, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::Tile& a) {
  return make_op(Code::TILE, from.since_int8(3), schema::TileOptionsT{},
                 {list("multiples", a.multiples)});
}

}  // namespace deeplab::tflite
