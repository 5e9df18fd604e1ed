// The cuts at the two ends of a graph: the label head and the input's QUANTIZE.
#include <gtest/gtest.h>

#include <cmath>

#include "passes/fold_input_quantize.h"
#include "passes/label_head.h"
#include "passes/pipeline.h"
#include "tests/passes/pass_testing.h"

namespace deeplab::passes {
namespace {

using graph::DataType;
using graph::Graph;
using graph::TensorId;
using testing::GraphBuilder;
using testing::op_names;
using testing::per_tensor;

const graph::Quantization kQuantization = per_tensor(0.05f, -7);
const graph::Quantization kProbability = per_tensor(1.0f / 256, -128);

/// x (5x7, `classes` classes) -> ADD, whose result the tails below start from.
struct Scores {
  explicit Scores(DataType type, int32_t classes = 4, int32_t batch = 1) {
    const auto q = type == DataType::kInt8 ? kQuantization : graph::Quantization{};
    const TensorId x = b.input(type, {batch, 5, 7, classes}, q);
    id = b.op(graph::Add{}, {x, x}, type, q);
  }
  GraphBuilder b;
  TensorId id;
};

TEST(LabelHead, IdentityResizeThenArgMax) {
  Scores s(DataType::kInt8);
  auto t = s.b.op(graph::ResizeBilinear{5, 7, true, false}, {s.id}, DataType::kInt8, kQuantization);
  t = s.b.op(graph::ResizeBilinear{65, 97, true, false}, {t}, DataType::kInt8, kQuantization);
  t = s.b.op(graph::ArgMax{3}, {t}, DataType::kInt64);
  Graph graph = s.b.build({t});
  const auto head = cut_label_head(graph);
  ASSERT_TRUE(head.ok()) << head.status().message();
  EXPECT_EQ(head->scores, s.id);
  EXPECT_EQ(head->height, 5);
  EXPECT_EQ(head->width, 7);
  EXPECT_EQ(head->classes, 4);
  EXPECT_EQ(head->canvas_height, 65);
  EXPECT_EQ(head->canvas_width, 97);
  EXPECT_TRUE(head->has_resize && head->align_corners && head->argmax_in_graph);
  EXPECT_FALSE(head->half_pixel_centers || head->softmax_in_graph);
  EXPECT_EQ(graph.outputs, std::vector<TensorId>{s.id});
  EXPECT_EQ(op_names(graph), "ADD");
  EXPECT_TRUE(graph::validate(graph).ok());
}

TEST(LabelHead, SoftmaxDequantizeAndReshapeBehindTheResize) {
  Scores s(DataType::kInt8);
  auto t =
      s.b.op(graph::ResizeBilinear{20, 28, false, true}, {s.id}, DataType::kInt8, kQuantization);
  t = s.b.op(graph::Softmax{}, {t}, DataType::kInt8, kProbability);
  t = s.b.op(graph::Dequantize{}, {t}, DataType::kFloat32);
  t = s.b.op(graph::ArgMax{3}, {t}, DataType::kInt32);
  t = s.b.op(graph::Reshape{{1, 20, 28, 1}}, {t}, DataType::kInt32);
  Graph graph = s.b.build({t});
  const auto head = cut_label_head(graph);
  ASSERT_TRUE(head.ok()) << head.status().message();
  EXPECT_EQ(head->scores, s.id);
  EXPECT_TRUE(head->has_resize && head->half_pixel_centers && head->softmax_in_graph);
  EXPECT_TRUE(head->argmax_in_graph);
  EXPECT_FALSE(head->align_corners);
  EXPECT_EQ(op_names(graph), "ADD");
}

TEST(LabelHead, ChannelsFirst) {
  Scores s(DataType::kFloat32);
  auto t = s.b.op(graph::ResizeBilinear{20, 28, true, false}, {s.id}, DataType::kFloat32);
  t = s.b.op(graph::Transpose{{0, 3, 1, 2}}, {t}, DataType::kFloat32);
  for (const bool labels : {false, true}) {
    GraphBuilder b = s.b;
    auto out = t;
    if (labels) {
      out = b.op(graph::ArgMax{1}, {t}, DataType::kInt64);
      out = b.op(graph::Cast{}, {out}, DataType::kUInt8, per_tensor(1.0f / 128, 128));
      out = b.op(graph::Reshape{{1, 1, 20, 28}}, {out}, DataType::kUInt8,
                 per_tensor(1.0f / 128, 128));
    }
    Graph graph = b.build({out});
    const auto head = cut_label_head(graph);
    ASSERT_TRUE(head.ok()) << head.status().message();
    EXPECT_EQ(head->scores, s.id);
    EXPECT_EQ(head->canvas_height, 20);
    EXPECT_EQ(head->canvas_width, 28);
    EXPECT_EQ(head->argmax_in_graph, labels);
  }
}

TEST(LabelHead, PixelsInOneDimension) {
  Scores s(DataType::kFloat32);
  auto t = s.b.op(graph::ResizeBilinear{20, 28, true, false}, {s.id}, DataType::kFloat32);
  t = s.b.op(graph::Reshape{{1, 560, 4}}, {t}, DataType::kFloat32);
  t = s.b.op(graph::Softmax{}, {t}, DataType::kFloat32);
  Graph graph = s.b.build({t});
  const auto head = cut_label_head(graph);
  ASSERT_TRUE(head.ok()) << head.status().message();
  EXPECT_EQ(head->scores, s.id);
  EXPECT_EQ(head->canvas_width, 28);
  EXPECT_TRUE(head->softmax_in_graph);
}

TEST(LabelHead, OneClassGetsABackgroundAtTheThreshold) {
  for (DataType type : {DataType::kFloat32, DataType::kInt8}) {
    for (const bool flat : {false, true}) {
      Scores s(type, 1);
      const auto q = type == DataType::kInt8 ? kQuantization : graph::Quantization{};
      auto t = s.b.op(graph::Unary{graph::UnaryFunction::kLogistic}, {s.id}, type,
                      type == DataType::kInt8 ? kProbability : q);
      if (flat) {
        t = s.b.op(graph::Reshape{{1, 35}}, {t}, type, type == DataType::kInt8 ? kProbability : q);
      }
      Graph graph = s.b.build({t});
      const auto head = cut_label_head(graph, 0.75f);
      ASSERT_TRUE(head.ok()) << head.status().message();
      EXPECT_TRUE(head->one_class && head->softmax_in_graph);
      EXPECT_EQ(head->classes, 2);
      EXPECT_EQ(op_names(graph), "ADD PAD");
      EXPECT_TRUE(graph::validate(graph).ok()) << graph::validate(graph).message();
      // Of logits: log(p / (1 - p)).
      EXPECT_NEAR(std::get<graph::Pad>(graph.ops[1].attributes).value, std::log(3.0f), 1e-6f);
    }
  }
}

// As int8 files have it, whose scores become floats at the very end; or the other way round.
TEST(LabelHead, AFlatMaskUnderOtherOps) {
  for (const bool logistic_last : {false, true}) {
    Scores s(DataType::kInt8, 1);
    auto t = s.id;
    if (!logistic_last) {
      const graph::Unary logistic{graph::UnaryFunction::kLogistic};
      t = s.b.op(logistic, {t}, DataType::kInt8, kProbability);
    }
    const auto q = s.b.quantization_of(t);
    t = s.b.op(graph::Reshape{{1, 5, 7}}, {t}, DataType::kInt8, q);
    t = s.b.op(graph::Dequantize{}, {t}, DataType::kFloat32);
    if (logistic_last) {
      t = s.b.op(graph::Unary{graph::UnaryFunction::kLogistic}, {t}, DataType::kFloat32);
    }
    Graph graph = s.b.build({t});
    const auto head = cut_label_head(graph);
    ASSERT_TRUE(head.ok()) << head.status().message();
    EXPECT_TRUE(head->one_class && head->softmax_in_graph);
    EXPECT_EQ(head->width, 7);
    EXPECT_EQ(op_names(graph), "ADD PAD");
  }
}

TEST(LabelHead, ProbabilitiesThatStayAreComparedAsSuch) {
  Scores s(DataType::kFloat32, 1);
  auto t = s.b.op(graph::Unary{graph::UnaryFunction::kLogistic}, {s.id}, DataType::kFloat32);
  t = s.b.op(graph::ResizeBilinear{20, 28, true, false}, {t}, DataType::kFloat32);
  Graph graph = s.b.build({t});
  const auto head = cut_label_head(graph);
  ASSERT_TRUE(head.ok()) << head.status().message();
  EXPECT_EQ(op_names(graph), "ADD LOGISTIC PAD");
  EXPECT_EQ(std::get<graph::Pad>(graph.ops[2].attributes).value, 0.5f);
  for (float threshold : {0.0f, 1.0f, -1.0f, std::nanf("")}) {
    Graph again = s.b.build({t});
    EXPECT_FALSE(cut_label_head(again, threshold).ok());
  }
}

TEST(LabelHead, TheLargestOfSeveralOutputs) {
  Scores s(DataType::kFloat32);
  const auto large = s.b.op(graph::ResizeBilinear{20, 28, true, false}, {s.id}, DataType::kFloat32);
  const auto mean = s.b.op(graph::Mean{{1, 2, 3}}, {s.id}, DataType::kFloat32);
  Graph graph = s.b.build({mean, s.id, large});
  const auto head = cut_label_head(graph);
  ASSERT_TRUE(head.ok()) << head.status().message();
  EXPECT_EQ(head->canvas_width, 28);
  EXPECT_EQ(op_names(graph), "ADD");
}

TEST(LabelHead, DequantizeBeforeTheResizeCommutes) {
  Scores s(DataType::kInt8);
  auto t = s.b.op(graph::Dequantize{}, {s.id}, DataType::kFloat32);
  t = s.b.op(graph::ResizeBilinear{20, 28, true, false}, {t}, DataType::kFloat32);
  Graph graph = s.b.build({t});
  const auto head = cut_label_head(graph);
  ASSERT_TRUE(head.ok()) << head.status().message();
  EXPECT_EQ(head->scores, s.id);
  EXPECT_FALSE(head->argmax_in_graph);
  EXPECT_EQ(head->canvas_width, 28);
}

TEST(LabelHead, SoftmaxBeforeTheResizeStays) {
  Scores s(DataType::kFloat32);
  const auto p = s.b.op(graph::Softmax{}, {s.id}, DataType::kFloat32);
  auto t = s.b.op(graph::ResizeBilinear{20, 28, true, false}, {p}, DataType::kFloat32);
  t = s.b.op(graph::ArgMax{3}, {t}, DataType::kInt64);
  Graph graph = s.b.build({t});
  const auto head = cut_label_head(graph);
  ASSERT_TRUE(head.ok()) << head.status().message();
  EXPECT_EQ(head->scores, p);
  EXPECT_FALSE(head->softmax_in_graph);
  EXPECT_EQ(op_names(graph), "ADD SOFTMAX");
}

TEST(LabelHead, OnlyTheLastOfTwoRealResizes) {
  Scores s(DataType::kFloat32);
  const auto middle =
      s.b.op(graph::ResizeBilinear{10, 14, true, false}, {s.id}, DataType::kFloat32);
  const auto large =
      s.b.op(graph::ResizeBilinear{40, 56, false, false}, {middle}, DataType::kFloat32);
  Graph graph = s.b.build({large});
  const auto head = cut_label_head(graph);
  ASSERT_TRUE(head.ok()) << head.status().message();
  EXPECT_EQ(head->scores, middle);
  EXPECT_FALSE(head->align_corners);
  EXPECT_EQ(op_names(graph), "ADD RESIZE_BILINEAR");
}

TEST(LabelHead, PlainScoresAtTheirOwnSize) {
  Scores s(DataType::kFloat32);
  Graph graph = s.b.build({s.id});
  const auto head = cut_label_head(graph);
  ASSERT_TRUE(head.ok()) << head.status().message();
  EXPECT_EQ(head->scores, s.id);
  EXPECT_FALSE(head->has_resize);
  EXPECT_EQ(head->canvas_height, 5);
  EXPECT_EQ(head->canvas_width, 7);
}

void expect_refused(Graph graph, const std::string& part) {
  const auto head = cut_label_head(graph);
  ASSERT_FALSE(head.ok());
  EXPECT_EQ(head.status().code(), StatusCode::kUnsupported);
  EXPECT_NE(head.status().message().find(part), std::string::npos) << head.status().message();
}

TEST(LabelHead, RefusesOtherNetworks) {
  {  // A classifier.
    Scores s(DataType::kFloat32);
    const auto t = s.b.op(graph::Mean{{1, 2}, false}, {s.id}, DataType::kFloat32);
    expect_refused(s.b.build({t}), "1x4");
  }
  {  // Two pictures.
    Scores s(DataType::kFloat32, 4, 2);
    expect_refused(s.b.build({s.id}), "2x5x7x4");
  }
  {  // The largest along the rows, not the classes.
    Scores s(DataType::kFloat32);
    const auto t = s.b.op(graph::ArgMax{1}, {s.id}, DataType::kInt64);
    expect_refused(s.b.build({t}), "int64 1x7x4");
  }
  // A single number, which has no dimension at all.
  for (const bool transposed : {false, true}) {
    Scores s(DataType::kFloat32, 1);
    const auto t = s.b.op(graph::Mean{{1, 2}, false}, {s.id}, DataType::kFloat32);
    auto u = s.b.op(graph::Reshape{{}}, {t}, DataType::kFloat32);
    if (transposed) u = s.b.op(graph::Transpose{}, {u}, DataType::kFloat32);
    const graph::Graph graph = s.b.build({u});
    EXPECT_EQ(graph.tensor(u).shape.size(), 0u);
    expect_refused(graph, "not a segmentation network");
  }
  {  // More classes than a label map can hold.
    Scores many(DataType::kFloat32, 256);
    expect_refused(many.b.build({many.id}), "256 classes");
  }
  {  // Two outputs, none of them a picture's: both are named.
    Scores s(DataType::kFloat32);
    const auto t = s.b.op(graph::Mean{{1, 2}, false}, {s.id}, DataType::kFloat32);
    const auto u = s.b.op(graph::Mean{{1}, false}, {s.id}, DataType::kFloat32);
    expect_refused(s.b.build({t, u}), "1x7x4");
  }
}

TEST(FoldInputQuantize, CutsTheQuantize) {
  GraphBuilder b;
  const auto x = b.input(DataType::kFloat32, {1, 5, 7, 3});
  const auto q = b.op(graph::Quantize{}, {x}, DataType::kInt8, kQuantization);
  const auto y = b.op(graph::Relu{}, {q}, DataType::kInt8, kQuantization);
  Graph graph = b.build({y});
  const auto cut = fold_input_quantize(graph);
  ASSERT_TRUE(cut.has_value());
  EXPECT_EQ(cut->float_input, x);
  EXPECT_EQ(cut->quantized_input, q);
  EXPECT_EQ(graph.inputs, std::vector<TensorId>{q});
  EXPECT_EQ(op_names(graph), "RELU");
  EXPECT_TRUE(graph::validate(graph).ok());
}

TEST(FoldInputQuantize, LeavesOtherGraphsAlone) {
  const auto unchanged = [](Graph graph) {
    const Graph before = graph;
    EXPECT_FALSE(fold_input_quantize(graph).has_value());
    EXPECT_EQ(graph.inputs, before.inputs);
    EXPECT_EQ(op_names(graph), op_names(before));
  };
  {  // int8 already.
    GraphBuilder b;
    const auto x = b.input(DataType::kInt8, {1, 5, 7, 3}, kQuantization);
    unchanged(b.build({b.op(graph::Quantize{}, {x}, DataType::kInt8, kProbability)}));
  }
  {  // The float input has another reader.
    GraphBuilder b;
    const auto x = b.input(DataType::kFloat32, {1, 5, 7, 3});
    const auto q = b.op(graph::Quantize{}, {x}, DataType::kInt8, kQuantization);
    const auto r = b.op(graph::Relu{}, {x}, DataType::kFloat32);
    unchanged(b.build({q, r}));
  }
  {  // Float all through.
    GraphBuilder b;
    const auto x = b.input(DataType::kFloat32, {1, 5, 7, 3});
    unchanged(b.build({b.op(graph::Relu{}, {x}, DataType::kFloat32)}));
  }
}

}  // namespace
}  // namespace deeplab::passes
