// What every kind of step promises.
#include <gtest/gtest.h>

#include "plan/steps/steps.h"
#include "tests/graph/graph_builder.h"

namespace deeplab::plan {
namespace {

using graph::DataType;

// A product too deep for every fast kernel: its step refuses it and leaves the shape as it was.
TEST(MakeStep, ARefusalLeavesTheOpAsItWas) {
  testing::GraphBuilder b;
  constexpr int32_t kDeep = (1 << 15) + 1;
  const auto x = b.input(DataType::kFloat32, {1, 2, 3, kDeep});
  const auto w = b.constant(DataType::kFloat32, {1, 1, 1, kDeep}, 0.5f);
  const auto y = b.op(graph::Conv2D{}, {x, w, graph::kNoTensor}, DataType::kFloat32);
  const graph::Graph graph = b.build({y});
  auto lowered = lower(graph, graph.ops[0]);
  ASSERT_TRUE(lowered.ok());
  LoweredOp op{
      std::move(*lowered), {{nullptr, 0}, {graph.tensor(w).data->data(), -1}, {}}, {nullptr, 0}};
  const auto made = make_convolution_step({&op, 1}, Isa::kScalar);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->step, nullptr);
  const kernels::WindowShape& shape = std::get<kernels::Conv2DFloat>(op.lowered).shape;
  EXPECT_EQ(shape.out_h, 2);
  EXPECT_EQ(shape.out_w, 3);
}

}  // namespace
}  // namespace deeplab::plan
