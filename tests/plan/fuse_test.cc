// Which ops share a step, and which must not.
#include "plan/fuse.h"

#include <gtest/gtest.h>

#include "tests/graph/graph_builder.h"

namespace deeplab::plan {
namespace {

using graph::DataType;
using graph::TensorId;
using testing::GraphBuilder;
using testing::per_tensor;
using Kind = OpGroup::Kind;

const graph::Quantization kQuantization = per_tensor(0.1f, 0);

/// A block on a `size` x `size` picture of 8 channels, 48 wide in the middle.
struct Block : GraphBuilder {
  explicit Block(int32_t size) : x(input(DataType::kInt8, {1, size, size, 8}, kQuantization)) {}

  TensorId weights(graph::Shape shape) {
    return constant(DataType::kInt8, std::move(shape), int8_t{1}, kQuantization);
  }
  TensorId conv(TensorId from, int32_t in, int32_t out) {
    return op(graph::Conv2D{}, {from, weights({out, 1, 1, in}), graph::kNoTensor}, DataType::kInt8,
              kQuantization);
  }
  TensorId depthwise(TensorId from, int32_t channels) {
    return op(graph::DepthwiseConv2D{}, {from, weights({1, 3, 3, channels}), graph::kNoTensor},
              DataType::kInt8, kQuantization);
  }
  TensorId add(TensorId a, TensorId b) {
    return op(graph::Add{}, {a, b}, DataType::kInt8, kQuantization);
  }
  TensorId x;
};

std::vector<std::vector<int>> positions(const std::vector<OpGroup>& groups) {
  std::vector<std::vector<int>> result;
  for (const OpGroup& group : groups) result.push_back(group.ops);
  return result;
}
using Positions = std::vector<std::vector<int>>;

TEST(Fuse, ALargeBlockIsOneStepAndASmallOneKeepsItsExpansion) {
  for (const int32_t size : {129, 33}) {
    Block b(size);
    const auto wide = b.conv(b.x, 8, 48);
    const auto deep = b.depthwise(wide, 48);
    const auto out = b.add(b.conv(deep, 48, 8), b.x);
    const graph::Graph graph = b.build({out});
    const bool large = static_cast<int64_t>(graph.tensor(wide).byte_size()) > kExpandedCacheBytes;
    EXPECT_EQ(large, size == 129);
    const auto groups = fuse(graph);
    EXPECT_EQ(positions(groups), large ? Positions({{0, 1, 2, 3}}) : Positions({{0}, {1, 2, 3}}));
    EXPECT_EQ(groups.back().kind, Kind::kBlock);
    EXPECT_EQ(positions(fuse(graph, 0)), Positions({{0, 1, 2, 3}}));
  }
}

TEST(Fuse, WhatOthersReadStaysATensor) {
  {
    Block b(129);  // Two readers of the expanded tensor.
    const auto wide = b.conv(b.x, 8, 48);
    const auto out = b.conv(b.depthwise(wide, 48), 48, 8);
    const auto other = b.conv(wide, 48, 4);
    EXPECT_EQ(positions(fuse(b.build({out, other}))), Positions({{0}, {1, 2}, {3}}));
  }
  {
    Block b(129);  // The depthwise result is an output.
    const auto deep = b.depthwise(b.conv(b.x, 8, 48), 48);
    const auto out = b.conv(deep, 48, 8);
    EXPECT_EQ(positions(fuse(b.build({out, deep}))), Positions({{0}, {1}, {2}}));
  }
  {
    Block b(33);  // The projection is an output, so its ADD runs by itself.
    const auto narrow = b.conv(b.depthwise(b.x, 8), 8, 8);
    const auto out = b.add(narrow, b.x);
    EXPECT_EQ(positions(fuse(b.build({out, narrow}))), Positions({{0, 1}, {2}}));
  }
  {
    Block b(33);  // An ADD of something to itself.
    const auto narrow = b.conv(b.depthwise(b.x, 8), 8, 8);
    EXPECT_EQ(positions(fuse(b.build({b.add(narrow, narrow)}))), Positions({{0, 1}, {2}}));
  }
}

TEST(Fuse, AnAddThatComesLaterMovesTheBlockThere) {
  Block b(33);
  const auto narrow = b.conv(b.depthwise(b.x, 8), 8, 8);
  const auto other = b.conv(b.x, 8, 8);
  const auto out = b.add(other, narrow);
  EXPECT_EQ(positions(fuse(b.build({out}))), Positions({{2}, {0, 1, 3}}));
}

TEST(Fuse, ThePooledBranchGoesIntoTheConvolutionBehindIt) {
  for (const bool quantized : {false, true}) {
    for (const bool one_pixel : {false, true}) {
      Block b(17);
      graph::AveragePool2D pool;
      pool.window.padding = graph::Padding::kValid;
      pool.filter_h = 17;
      pool.filter_w = one_pixel ? 17 : 16;
      const auto pooled = b.op(pool, {b.x}, DataType::kInt8, kQuantization);
      auto spread = b.op(graph::ResizeBilinear{17, 17, true, false}, {pooled}, DataType::kInt8,
                         quantized ? per_tensor(0.2f, 1) : kQuantization);
      if (quantized) spread = b.op(graph::Quantize{}, {spread}, DataType::kInt8, kQuantization);
      const auto joined =
          b.op(graph::Concatenation{3}, {spread, b.x}, DataType::kInt8, kQuantization);
      const auto out = b.conv(joined, 16, 5);
      const auto groups = fuse(b.build({out}));
      if (one_pixel) {
        EXPECT_EQ(positions(groups),
                  quantized ? Positions({{0}, {1, 2, 3, 4}}) : Positions({{0}, {1, 2, 3}}));
        EXPECT_EQ(groups.back().kind, Kind::kSpreadConcat);
      } else {
        EXPECT_EQ(groups.size(), quantized ? 5u : 4u);
      }
    }
  }
}

TEST(Fuse, APictureOfAnotherScaleIsNotTakenAsItIs) {
  Block b(17);
  graph::AveragePool2D pool;
  pool.window.padding = graph::Padding::kValid;
  pool.filter_h = pool.filter_w = 17;
  const auto pooled = b.op(pool, {b.x}, DataType::kInt8, kQuantization);
  const auto spread =
      b.op(graph::ResizeBilinear{17, 17, true, false}, {pooled}, DataType::kInt8, kQuantization);
  const auto joined =
      b.op(graph::Concatenation{3}, {b.x, spread}, DataType::kInt8, per_tensor(0.2f, 3));
  EXPECT_EQ(fuse(b.build({b.conv(joined, 16, 5)})).size(), 4u);
}

}  // namespace
}  // namespace deeplab::plan
