#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/graph.h"
#include "tests/graph/graph_builder.h"

namespace deeplab::graph {
namespace {

using ::deeplab::testing::GraphBuilder;
using ::deeplab::testing::per_tensor;
using ::deeplab::testing::small_deeplab;
using ::testing::HasSubstr;

constexpr auto kFloat = DataType::kFloat32;

std::string shape_after(const Graph& graph, size_t op) {
  return shape_text(graph.tensor(graph.ops[op].output()).shape);
}

TEST(ResizeInput, FollowsThePicture) {
  for (const DataType type : {kFloat, DataType::kUInt8, DataType::kInt8}) {
    Graph graph = small_deeplab(type);
    ASSERT_TRUE(resize_input(graph, 50, 37).ok());
    EXPECT_EQ(shape_text(graph.tensor(graph.inputs[0]).shape), "1x50x37x3");
    EXPECT_EQ(shape_after(graph, 0), "1x25x19x8");
    EXPECT_EQ(shape_after(graph, 1), "1x13x10x8");
    EXPECT_EQ(shape_after(graph, 5), "1x1x1x4");    // global pooling stays global
    EXPECT_EQ(shape_after(graph, 6), "1x13x10x4");  // the broadcast follows its sibling
    EXPECT_EQ(shape_after(graph, 9), "1x50x37x5");  // the scores follow the input
    EXPECT_EQ(shape_after(graph, 10), "1x50x37");
    EXPECT_TRUE(validate(graph).ok());
  }
}

TEST(ResizeInput, ToItsOwnSizeChangesNothing) {
  Graph graph = small_deeplab(DataType::kUInt8);
  const std::string before = dump(graph);
  ASSERT_TRUE(resize_input(graph, 65, 65).ok());
  EXPECT_EQ(dump(graph), before);
}

TEST(ResizeInput, ThereAndBack) {
  Graph graph = small_deeplab(DataType::kUInt8);
  const std::string before = dump(graph);
  ASSERT_TRUE(resize_input(graph, 81, 49).ok());
  EXPECT_NE(dump(graph), before);
  ASSERT_TRUE(resize_input(graph, 65, 65).ok());
  EXPECT_EQ(dump(graph), before);
}

TEST(ResizeInput, KeepsTheGraphOnError) {
  Graph graph = small_deeplab(kFloat);
  const std::string before = dump(graph);
  EXPECT_EQ(resize_input(graph, 0, 65).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(resize_input(graph, 65, -1).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(resize_input(graph, 1 << 20, 65).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(resize_input(graph, 60000, 60000).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(dump(graph), before);
}

TEST(ResizeInput, IdentityResizeFollowsItsInput) {
  GraphBuilder b;
  Conv2D strided;
  strided.window = {Padding::kSame, 4, 4};
  const auto x = b.input(kFloat, {1, 64, 64, 1});
  const auto y = b.op(strided, {x, b.constant(kFloat, {2, 3, 3, 1}, 1.0f)}, kFloat);
  const auto same = b.op(ResizeBilinear{16, 16, true, false}, {y}, kFloat);
  Graph graph = b.build({same});
  ASSERT_TRUE(resize_input(graph, 100, 30).ok());
  EXPECT_EQ(shape_after(graph, 1), "1x25x8x2");
}

// A decoder that upsamples by two, to a size that no other tensor has.
TEST(ResizeInput, OtherTargetsScaleWithTheInput) {
  GraphBuilder b;
  Conv2D strided;
  strided.window = {Padding::kSame, 4, 4};
  const auto x = b.input(kFloat, {1, 64, 64, 1});
  const auto y = b.op(strided, {x, b.constant(kFloat, {2, 3, 3, 1}, 1.0f)}, kFloat);
  const auto up = b.op(ResizeNearestNeighbor{32, 32, false, true}, {y}, kFloat);
  Graph graph = b.build({up});
  ASSERT_TRUE(resize_input(graph, 96, 33).ok());
  EXPECT_EQ(shape_after(graph, 1), "1x48x17x2");
}

TEST(ResizeInput, TileFollowsItsSibling) {
  GraphBuilder b;
  Conv2D strided;
  strided.window = {Padding::kSame, 2, 2};
  const auto x = b.input(kFloat, {1, 32, 32, 1});
  const auto y = b.op(strided, {x, b.constant(kFloat, {2, 3, 3, 1}, 1.0f)}, kFloat);
  const auto mean = b.op(Mean{{1, 2}, true}, {y}, kFloat);
  const auto tiled = b.op(Tile{{1, 16, 16, 1}}, {mean}, kFloat);
  const auto joined = b.op(Concatenation{3}, {tiled, y}, kFloat);
  Graph graph = b.build({joined});
  ASSERT_TRUE(resize_input(graph, 20, 50).ok());
  EXPECT_EQ(shape_after(graph, 2), "1x10x25x2");
  EXPECT_EQ(shape_after(graph, 3), "1x10x25x4");
}

TEST(ResizeInput, TileToNowhereIsAnError) {
  GraphBuilder b;
  const auto x = b.input(kFloat, {1, 32, 32, 1});
  const auto mean = b.op(Mean{{1, 2}, true}, {x}, kFloat);
  const auto tiled = b.op(Tile{{1, 7, 7, 1}}, {mean}, kFloat);
  Graph graph = b.build({tiled});
  const Status status = resize_input(graph, 20, 50);
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("op 1 (TILE): cannot follow the input size 20x50"));
}

TEST(ResizeInput, ReshapeFollowsWhereDimensionsStayApart) {
  const auto reshaped = [](Shape target) -> std::string {
    GraphBuilder b;
    const auto x = b.input(kFloat, {1, 6, 10, 4});
    const auto y = b.op(graph::Reshape{std::move(target)}, {x}, kFloat);
    Graph graph = b.build({y});
    const Status status = resize_input(graph, 3, 7);
    return status.ok() ? shape_after(graph, 0) : status.message();
  };
  EXPECT_EQ(reshaped({1, 60, 4}), "1x21x4");
  EXPECT_EQ(reshaped({1, -1, 4}), "1x21x4");
  EXPECT_EQ(reshaped({60, 2, 2}), "21x2x2");
  EXPECT_EQ(reshaped({6, 10, 4}), "3x7x4");
  EXPECT_EQ(reshaped({1, 6, 10, 4, 1}), "1x3x7x4x1");
  EXPECT_EQ(reshaped({1, 1, 6, 1, 10, 4}), "1x1x3x1x7x4");
  EXPECT_EQ(reshaped({240}), "84");
  EXPECT_THAT(reshaped({1, 5, 12, 4}), HasSubstr("op 0 (RESHAPE): cannot follow"));
  EXPECT_THAT(reshaped({1, 3, 2, 10, 4}), HasSubstr("op 0 (RESHAPE): cannot follow"));
  EXPECT_THAT(reshaped({12, 20}), HasSubstr("op 0 (RESHAPE): cannot follow"));
}

TEST(ResizeInput, ReshapeOfWhatDoesNotChangeStays) {
  GraphBuilder b;
  const auto x = b.input(kFloat, {1, 6, 10, 4});
  const auto mean = b.op(Mean{{1, 2}, false}, {x}, kFloat);
  const auto y = b.op(graph::Reshape{{1, 2, 1, 2}}, {mean}, kFloat);
  Graph graph = b.build({y});
  ASSERT_TRUE(resize_input(graph, 3, 7).ok());
  EXPECT_EQ(shape_after(graph, 1), "1x2x1x2");
}

// TensorFlow's atrous convolution by SPACE_TO_BATCH_ND: base padding 2 for a 3x3 filter at rate
// 2, and what is missing to a multiple of the block at the end, cropped again at the end.
TEST(ResizeInput, SpaceToBatchPadsAnew) {
  GraphBuilder b;
  DepthwiseConv2D depthwise;
  depthwise.window.padding = Padding::kValid;
  const auto x = b.input(kFloat, {1, 33, 33, 4});
  const auto in = b.op(SpaceToBatchNd{2, 2, {2, 3}, {2, 3}}, {x}, kFloat);
  const auto y = b.op(depthwise, {in, b.constant(kFloat, {1, 3, 3, 4}, 1.0f)}, kFloat);
  const auto out = b.op(BatchToSpaceNd{2, 2, {0, 1}, {0, 1}}, {y}, kFloat);
  Graph graph = b.build({out});
  ASSERT_EQ(shape_after(graph, 2), "1x33x33x4");
  ASSERT_TRUE(resize_input(graph, 20, 41).ok());
  EXPECT_EQ(shape_after(graph, 2), "1x20x41x4");
  const auto& pad = std::get<SpaceToBatchNd>(graph.ops[0].attributes);
  EXPECT_THAT(pad.pad_h, ::testing::ElementsAre(2, 2));
  EXPECT_THAT(pad.pad_w, ::testing::ElementsAre(2, 3));
}

TEST(ResizeInput, SpaceToBatchAloneIsAnError) {
  GraphBuilder b;
  const auto x = b.input(kFloat, {1, 33, 33, 4});
  const auto in = b.op(SpaceToBatchNd{2, 2, {2, 3}, {2, 3}}, {x}, kFloat);
  Graph graph = b.build({in});
  EXPECT_THAT(resize_input(graph, 20, 20).message(), HasSubstr("op 0 (SPACE_TO_BATCH_ND)"));
}

TEST(ResizeInput, NamesTheOpThatNoLongerFits) {
  GraphBuilder b;
  AveragePool2D pool;
  pool.window = {Padding::kValid, 4, 4};
  pool.filter_h = pool.filter_w = 8;
  const auto x = b.input(kFloat, {1, 32, 32, 1});
  Graph graph = b.build({b.op(pool, {x}, kFloat)});
  EXPECT_TRUE(resize_input(graph, 16, 64).ok());
  const Status status = resize_input(graph, 7, 64);
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_THAT(status.message(), HasSubstr("at an input of 7x64: op 0 (AVERAGE_POOL_2D): height"));
}

TEST(ResizeInput, NeedsAPicture) {
  GraphBuilder b;
  const auto x = b.input(kFloat, {1, 10});
  Graph graph = b.build({b.op(Relu{}, {x}, kFloat)});
  EXPECT_EQ(resize_input(graph, 20, 20).code(), StatusCode::kUnsupported);
}

}  // namespace
}  // namespace deeplab::graph
