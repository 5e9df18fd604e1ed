// Expected values are worked out by hand from TensorFlow's definitions of SAME and VALID
// (out = ceil(in / stride); out = ceil((in - (filter - 1) * dilation) / stride)).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/graph.h"
#include "tests/graph/graph_builder.h"

namespace deeplab::graph {
namespace {

using ::deeplab::testing::GraphBuilder;
using ::testing::HasSubstr;

struct WindowCase {
  Padding padding;
  int32_t in, filter, stride, dilation;
  int32_t out, before, after;
};

TEST(WindowExtent, IsTensorFlows) {
  const WindowCase cases[] = {
      {Padding::kSame, 513, 3, 2, 1, 257, 1, 1},   // odd: symmetric
      {Padding::kSame, 512, 3, 2, 1, 256, 0, 1},   // even: the extra row comes last
      {Padding::kSame, 224, 7, 2, 1, 112, 2, 3},   // ResNet's stem
      {Padding::kSame, 33, 3, 1, 2, 33, 2, 2},     // atrous
      {Padding::kSame, 33, 3, 1, 18, 33, 18, 18},  // reaches beyond the picture on both sides
      {Padding::kSame, 5, 2, 1, 1, 5, 0, 1},       // even filter
      {Padding::kSame, 5, 1, 2, 1, 3, 0, 0},       // no padding needed
      {Padding::kSame, 4, 1, 3, 1, 2, 0, 0},       // would be negative padding
      {Padding::kSame, 1, 3, 2, 1, 1, 1, 1},
      {Padding::kValid, 33, 33, 1, 1, 1, 0, 0},  // global pooling
      {Padding::kValid, 33, 33, 33, 1, 1, 0, 0},
      {Padding::kValid, 10, 3, 2, 1, 4, 0, 0},
      {Padding::kValid, 11, 3, 2, 1, 5, 0, 0},
      {Padding::kValid, 11, 3, 1, 4, 3, 0, 0},
  };
  for (const WindowCase& c : cases) {
    SCOPED_TRACE(::testing::Message()
                 << padding_name(c.padding) << " in " << c.in << " filter " << c.filter
                 << " stride " << c.stride << " dilation " << c.dilation);
    const auto extent = window_extent(c.padding, c.in, c.filter, c.stride, c.dilation, 9, 9);
    ASSERT_TRUE(extent.ok()) << extent.status().message();
    EXPECT_EQ(extent->out, c.out);
    EXPECT_EQ(extent->pad_before, c.before);
    EXPECT_EQ(extent->pad_after, c.after);
  }
}

TEST(WindowExtent, TakesExplicitPadding) {
  const auto extent = window_extent(Padding::kExplicit, 512, 3, 2, 1, 0, 1);
  ASSERT_TRUE(extent.ok());
  EXPECT_EQ(extent->out, 256);
  EXPECT_EQ(extent->pad_before, 0);
  EXPECT_EQ(extent->pad_after, 1);
  EXPECT_EQ(window_extent(Padding::kExplicit, 512, 3, 2, 1, 1, 0)->out, 256);
  EXPECT_EQ(window_extent(Padding::kExplicit, 512, 3, 2, 1, 1, 2)->out, 257);
}

TEST(WindowExtent, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(window_extent(Padding::kValid, 32, 33, 1, 1, 0, 0).ok());
  EXPECT_FALSE(window_extent(Padding::kValid, 4, 3, 1, 2, 0, 0).ok());
  EXPECT_FALSE(window_extent(Padding::kExplicit, 4, 3, 1, 1, -1, 0).ok());
  EXPECT_FALSE(window_extent(Padding::kSame, 4, 0, 1, 1, 0, 0).ok());
  EXPECT_FALSE(window_extent(Padding::kSame, 4, 3, 0, 1, 0, 0).ok());
  EXPECT_FALSE(window_extent(Padding::kSame, 4, 3, 1, 0, 0, 0).ok());
  EXPECT_FALSE(window_extent(Padding::kSame, 0, 3, 1, 1, 0, 0).ok());
  EXPECT_FALSE(window_extent(Padding::kSame, 1, 1 << 30, 1, 1 << 30, 0, 0).ok());
}

/// The shape of one float op over an input of shape `in`, and constants of the given shapes.
Result<Shape> shape_of(const Attributes& attributes, const Shape& in,
                       const std::vector<Shape>& others = {}) {
  GraphBuilder b;
  Op op{attributes, {b.input(DataType::kFloat32, in)}, {}, 3};
  for (const Shape& other : others) op.inputs.push_back(b.input(DataType::kFloat32, other));
  op.outputs = {b.input(DataType::kFloat32, {1})};
  return infer_shape(b.build({}), op);
}

#define EXPECT_SHAPE(expression, ...)                       \
  do {                                                      \
    const auto shape = (expression);                        \
    ASSERT_TRUE(shape.ok()) << shape.status().message();    \
    EXPECT_EQ(shape_text(*shape), shape_text(__VA_ARGS__)); \
  } while (false)

#define EXPECT_REFUSED(expression, text)                        \
  do {                                                          \
    const auto shape = (expression);                            \
    ASSERT_FALSE(shape.ok()) << shape_text(*shape);             \
    EXPECT_THAT(shape.status().message(), HasSubstr("op 3 (")); \
    EXPECT_THAT(shape.status().message(), HasSubstr(text));     \
  } while (false)

TEST(InferShape, Convolutions) {
  Conv2D conv;
  conv.window.stride_h = conv.window.stride_w = 2;
  EXPECT_SHAPE(shape_of(conv, {1, 513, 640, 3}, {{16, 3, 3, 3}}), Shape{1, 257, 320, 16});
  conv.window.padding = Padding::kValid;
  EXPECT_SHAPE(shape_of(conv, {2, 10, 11, 3}, {{7, 3, 3, 3}, {7}}), Shape{2, 4, 5, 7});
  EXPECT_REFUSED(shape_of(conv, {1, 10, 10, 4}, {{7, 3, 3, 3}}), "4");
  EXPECT_REFUSED(shape_of(conv, {1, 2, 10, 3}, {{7, 3, 3, 3}}), "height");
  EXPECT_REFUSED(shape_of(conv, {10, 10, 3}, {{7, 3, 3, 3}}), "4 dimensions");

  DepthwiseConv2D depthwise;
  EXPECT_SHAPE(shape_of(depthwise, {1, 9, 9, 6}, {{1, 3, 3, 6}}), Shape{1, 9, 9, 6});
  depthwise.depth_multiplier = 2;
  EXPECT_SHAPE(shape_of(depthwise, {1, 9, 9, 3}, {{1, 3, 3, 6}}), Shape{1, 9, 9, 6});
  EXPECT_REFUSED(shape_of(depthwise, {1, 9, 9, 6}, {{1, 3, 3, 6}}), "depth multiplier 2");
}

TEST(InferShape, Reductions) {
  EXPECT_SHAPE(shape_of(Mean{{1, 2}, false}, {1, 4, 5, 6}), Shape{1, 6});
  EXPECT_SHAPE(shape_of(Mean{{1, 2}, true}, {1, 4, 5, 6}), Shape{1, 1, 1, 6});
  EXPECT_SHAPE(shape_of(ArgMax{3}, {1, 4, 5, 6}), Shape{1, 4, 5});
  EXPECT_REFUSED(shape_of(Mean{{4}, true}, {1, 4, 5, 6}), "axis 4");
  EXPECT_REFUSED(shape_of(Mean{{2, 1}, true}, {1, 4, 5, 6}), "sorted");
  EXPECT_REFUSED(shape_of(ArgMax{-1}, {1, 4, 5, 6}), "axis -1");
  EXPECT_SHAPE(shape_of(Softmax{}, {1, 4, 5, 6}), Shape{1, 4, 5, 6});
}

TEST(InferShape, Pooling) {
  AveragePool2D pool;
  pool.filter_h = 33;
  pool.filter_w = 20;
  pool.window.padding = Padding::kValid;
  EXPECT_SHAPE(shape_of(pool, {1, 33, 20, 8}), Shape{1, 1, 1, 8});
  pool.window.padding = Padding::kExplicit;
  pool.window.pad_top = 33;
  EXPECT_REFUSED(shape_of(pool, {1, 33, 20, 8}), "without a single");
}

TEST(InferShape, MovingOps) {
  EXPECT_SHAPE(shape_of(ResizeBilinear{65, 33, true, false}, {1, 9, 9, 4}), Shape{1, 65, 33, 4});
  EXPECT_SHAPE(shape_of(ResizeNearestNeighbor{3, 2, false, true}, {1, 9, 9, 4}), Shape{1, 3, 2, 4});
  EXPECT_REFUSED(shape_of(ResizeBilinear{0, 33, false, false}, {1, 9, 9, 4}), "0x33");
  EXPECT_REFUSED(shape_of(ResizeBilinear{2, 2, true, true}, {1, 9, 9, 4}), "exclude");
  EXPECT_SHAPE(shape_of(Tile{{1, 33, 33, 1}}, {1, 1, 1, 8}), Shape{1, 33, 33, 8});
  EXPECT_REFUSED(shape_of(Tile{{1, 33, 33}}, {1, 1, 1, 8}), "multiples");
  EXPECT_REFUSED(shape_of(Tile{{1, 0, 1, 1}}, {1, 1, 1, 8}), "found 0");
  EXPECT_REFUSED(shape_of(Tile{{1 << 30, 1, 1, 1}}, {4, 1, 1, 8}), "4294967296");
  EXPECT_SHAPE(shape_of(Pad{{{0, 0}, {1, 2}, {3, 4}, {0, 0}}}, {1, 5, 6, 7}), Shape{1, 8, 13, 7});
  EXPECT_REFUSED(shape_of(Pad{{{0, 0}, {-1, 2}, {3, 4}, {0, 0}}}, {1, 5, 6, 7}), "found -1");
  EXPECT_SHAPE(shape_of(Concatenation{3}, {1, 5, 6, 7}, {{1, 5, 6, 2}}), Shape{1, 5, 6, 9});
  EXPECT_SHAPE(shape_of(Concatenation{0}, {1, 5}, {{2, 5}, {4, 5}}), Shape{7, 5});
  EXPECT_REFUSED(shape_of(Concatenation{3}, {1, 5, 6, 7}, {{1, 5, 5, 2}}), "input 1");
  EXPECT_REFUSED(shape_of(Concatenation{1}, {1, 5}, {{1, 5, 5}}), "input 1");
}

TEST(InferShape, Reshape) {
  EXPECT_SHAPE(shape_of(deeplab::graph::Reshape{{1, -1, 8}}, {1, 3, 5, 8}), Shape{1, 15, 8});
  EXPECT_SHAPE(shape_of(deeplab::graph::Reshape{{120}}, {1, 3, 5, 8}), Shape{120});
  EXPECT_REFUSED(shape_of(deeplab::graph::Reshape{{-1, -1}}, {4, 4}), "does not hold");
  EXPECT_REFUSED(shape_of(deeplab::graph::Reshape{{-1, 5}}, {4, 4}), "does not hold");
  EXPECT_REFUSED(shape_of(deeplab::graph::Reshape{{0, -1}}, {4, 4}), "not a shape");
  EXPECT_REFUSED(shape_of(deeplab::graph::Reshape{{1 << 30, 1 << 30, 1 << 30}}, {4, 4}),
                 "not a shape");
}

TEST(InferShape, Addition) {
  EXPECT_SHAPE(shape_of(Add{}, {1, 3, 5, 8}, {{1, 3, 5, 8}}), Shape{1, 3, 5, 8});
  EXPECT_SHAPE(shape_of(Add{}, {1, 3, 5, 8}, {{8}}), Shape{1, 3, 5, 8});
  EXPECT_SHAPE(shape_of(Add{}, {1, 3, 5, 8}, {{1, 1, 1, 1}}), Shape{1, 3, 5, 8});
  EXPECT_REFUSED(shape_of(Add{}, {8}, {{1, 3, 5, 8}}), "broadcastable");
  EXPECT_REFUSED(shape_of(Add{}, {1, 3, 5, 8}, {{3}}), "broadcastable");
}

// The numbers of the TensorFlow documentation of these two ops.
TEST(InferShape, SpaceAndBatch) {
  EXPECT_SHAPE(shape_of(SpaceToBatchNd{2, 2, {0, 0}, {0, 0}}, {1, 2, 2, 3}), Shape{4, 1, 1, 3});
  EXPECT_SHAPE(shape_of(SpaceToBatchNd{2, 2, {0, 0}, {2, 0}}, {2, 2, 4, 1}), Shape{8, 1, 3, 1});
  EXPECT_SHAPE(shape_of(BatchToSpaceNd{2, 2, {0, 0}, {2, 0}}, {8, 1, 3, 1}), Shape{2, 2, 4, 1});
  EXPECT_REFUSED(shape_of(SpaceToBatchNd{2, 2, {0, 0}, {0, 0}}, {1, 3, 2, 3}), "multiple");
  EXPECT_REFUSED(shape_of(BatchToSpaceNd{2, 2, {0, 0}, {0, 0}}, {6, 1, 1, 1}), "multiple");
  EXPECT_REFUSED(shape_of(BatchToSpaceNd{2, 2, {1, 1}, {0, 0}}, {4, 1, 1, 1}), "0 elements");
  EXPECT_REFUSED(shape_of(SpaceToBatchNd{0, 2, {0, 0}, {0, 0}}, {1, 3, 2, 3}), "block");
}

TEST(InferShape, RefusesWrongOperands) {
  EXPECT_REFUSED(shape_of(Conv2D{}, {1, 3, 3, 3}), "inputs");
  EXPECT_REFUSED(shape_of(Relu{}, {1}, {{1}}), "inputs");
}

TEST(Macs, CountConvolutionsOnly) {
  const Graph graph = deeplab::testing::small_deeplab(DataType::kFloat32);
  EXPECT_EQ(macs(graph, graph.ops[0]), 33 * 33 * 8 * 27);
  EXPECT_EQ(macs(graph, graph.ops[1]), 17 * 17 * 8 * 9);
  EXPECT_EQ(macs(graph, graph.ops[4]), 0);
  EXPECT_EQ(macs(graph), 33 * 33 * 8 * 27 + 17 * 17 * (8 * 9 + 32 + 32 + 40));
}

TEST(Graph, KnowsWritersAndReaders) {
  const Graph graph = deeplab::testing::small_deeplab(DataType::kFloat32);
  const TensorId sum = graph.ops[4].output();
  EXPECT_EQ(graph.producer(sum), 4);
  EXPECT_EQ(graph.producer(graph.inputs[0]), -1);
  EXPECT_THAT(graph.consumers(sum), ::testing::ElementsAre(5, 7));
  EXPECT_THAT(graph.consumers(graph.outputs[0]), ::testing::IsEmpty());
}

}  // namespace
}  // namespace deeplab::graph
