// Which ops run together as one step. Fusing changes no byte: every op of a group still rounds to
// its own tensor, of which only some rows exist at a time, in scratch.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"

namespace deeplab::plan {

struct OpGroup {
  enum class Kind : uint8_t {
    kSingle,
    /// [CONV_2D], DEPTHWISE_CONV_2D, [MUL], [ADD], 1x1 CONV_2D, [ADD]: an inverted residual block
    /// (Sandler et al., MobileNetV2, 2018), a strip of rows at a time. The ops in the middle have a
    /// constant per channel: a batch norm that the converter left as it was.
    kBlock,
    /// One or two of MUL, ADD and SUB with a constant per channel, int8.
    kChannelwise,
    /// An op that spreads one pixel over the picture, [QUANTIZE], CONCATENATION with another
    /// picture, 1x1 CONV_2D: the pixel's part of the product is computed once.
    kSpreadConcat,
  };
  Kind kind = Kind::kSingle;
  std::vector<int> ops;  ///< Positions in graph.ops, rising; the last one writes the step's output.
};

/// About a third of the 1 MB second-level cache of a current core.
inline constexpr int64_t kExpandedCacheBytes = 320 * 1024;

/// A partition of the graph's ops, in an order in which they can run: a group is placed where its
/// last op was. Tensors between the ops of a group have no reader outside it.
///
/// The expansion of a block (its first convolution) is fused only if its output is larger than
/// kExpandedCacheBytes times the dilation, which is the measured limit. Smaller ones stay in the
/// cache anyway, and then no row of it is computed by two workers. In int8 blocks without dilation
/// the limit is `int8_bytes`: on an instruction set whose kernel of whole blocks is faster than
/// those of their ops even then, 0.
std::vector<OpGroup> fuse(const graph::Graph& graph, int64_t int8_bytes = kExpandedCacheBytes);

/// The same ops, each by itself.
std::vector<OpGroup> do_not_fuse(const graph::Graph& graph);

/// The order of fuse().
void sort_by_last_op(std::vector<OpGroup>& groups);

}  // namespace deeplab::plan
