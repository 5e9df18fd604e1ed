// What a plan promises about itself: places, kernels, errors, dump.
#include "plan/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "passes/pipeline.h"
#include "tests/graph/graph_builder.h"

namespace deeplab::plan {
namespace {

using graph::DataType;
using graph::Graph;
using testing::GraphBuilder;
using testing::small_deeplab;

Graph optimized(Graph graph) {
  const Status status = passes::optimize(graph);
  EXPECT_TRUE(status.ok()) << status.message();
  return graph;
}

std::shared_ptr<const Plan> build(Graph graph, const PlanOptions& options) {
  auto plan = Plan::build(std::move(graph), options);
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  return plan.ok() ? *plan : nullptr;
}

TEST(Plan, LiveTensorsNeverShareMemory) {
  for (DataType type : {DataType::kFloat32, DataType::kInt8, DataType::kUInt8}) {
    for (bool keep : {false, true}) {
      PlanOptions options;
      options.keep_all_tensors = keep;
      options.threads = 3;
      const auto plan = build(optimized(small_deeplab(type)), options);
      ASSERT_NE(plan, nullptr);
      std::vector<ArenaRequest> requests;
      ArenaLayout layout;
      layout.total_bytes = plan->arena_bytes();
      for (size_t i = 0; i < plan->graph().tensors.size(); ++i) {
        const ArenaPlace& p = plan->place(static_cast<graph::TensorId>(i));
        const bool constant = plan->graph().tensors[i].is_constant();
        EXPECT_TRUE(!constant || p.offset < 0) << i;
        if (p.offset < 0) continue;
        requests.push_back({p.bytes, p.first_step, p.last_step});
        layout.offsets.push_back(p.offset);
      }
      for (int i = 0; i < std::ssize(plan->steps()); ++i) {
        const PlannedStep& step = plan->steps()[static_cast<size_t>(i)];
        EXPECT_GE(step.scratch_stride, static_cast<int64_t>(step.step->scratch_bytes())) << i;
        if (step.scratch_stride == 0) continue;
        requests.push_back({step.scratch_stride * options.threads, i, i});
        layout.offsets.push_back(step.scratch_offset);
      }
      const Status status = check_arena(requests, layout);
      EXPECT_TRUE(status.ok()) << status.message();
    }
  }
}

// The lifetimes themselves, from the graph: written before read, kept until the last reader.
TEST(Plan, LifetimesCoverEveryUse) {
  const auto plan = build(optimized(small_deeplab(DataType::kInt8)), {});
  ASSERT_NE(plan, nullptr);
  const Graph& graph = plan->graph();
  for (size_t step = 0; step < plan->steps().size(); ++step) {
    const PlannedStep& planned = plan->steps()[step];
    EXPECT_EQ(plan->place(planned.output).first_step, static_cast<int>(step));
    for (int at : planned.ops) {
      for (graph::TensorId id : graph.ops[static_cast<size_t>(at)].inputs) {
        if (id == graph::kNoTensor || graph.tensor(id).is_constant()) continue;
        if (plan->place(id).offset < 0) {  // Inside the step.
          EXPECT_GT(planned.ops.size(), 1u);
          continue;
        }
        EXPECT_LT(plan->place(id).first_step, static_cast<int>(step));
        EXPECT_GE(plan->place(id).last_step, static_cast<int>(step));
      }
    }
  }
  EXPECT_EQ(plan->place(graph.inputs[0]).first_step, -1);
  EXPECT_EQ(plan->place(graph.outputs[0]).last_step, static_cast<int>(plan->steps().size()));
}

TEST(Plan, UsesNoKernelBeyondTheIsaAskedFor) {
  for (Isa isa : available_isas()) {
    PlanOptions options;
    options.isa = isa;
    const auto plan = build(optimized(small_deeplab(DataType::kInt8)), options);
    ASSERT_NE(plan, nullptr);
    bool own = false;  // A family need not have a kernel for every op, but it must have one.
    for (const PlannedStep& step : plan->steps()) {
      // "3x3/avx2 + gemm/avx2": " + " ends every name.
      const std::string kernels = step.kernel + " + ";
      for (Isa other : available_isas()) {
        const bool used = kernels.find(str_cat("/", isa_name(other), " + ")) != std::string::npos;
        EXPECT_FALSE(used && !runs(isa, other)) << step.kernel << " under " << isa_name(isa);
        own |= used && other == isa;
      }
    }
    EXPECT_TRUE(own) << isa_name(isa);
  }
}

TEST(Plan, ADepthMultiplierRunsOnAKernelOfTheTable) {
  GraphBuilder b;
  const auto q = testing::per_tensor(0.5f, 0);
  const auto x = b.input(DataType::kInt8, {1, 6, 6, 2}, q);
  const auto w = b.constant(DataType::kInt8, {1, 3, 3, 6}, int8_t{2}, q);
  graph::DepthwiseConv2D op;
  op.depth_multiplier = 3;
  const auto y = b.op(op, {x, w, graph::kNoTensor}, DataType::kInt8, q);
  const auto plan = build(b.build({y}), {});
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->steps()[0].kernel, "spread/scalar");
}

// No fast kernel has so many taps, so no step runs this block whole.
TEST(Plan, ABlockThatNoStepRunsIsDissolved) {
  GraphBuilder b;
  const auto q = testing::per_tensor(0.5f, 0);
  const auto x = b.input(DataType::kInt8, {1, 184, 184, 6}, q);
  const auto deep = b.constant(DataType::kInt8, {1, 182, 182, 6}, int8_t{2}, q);
  const auto project = b.constant(DataType::kInt8, {4, 1, 1, 6}, int8_t{1}, q);
  graph::DepthwiseConv2D op;
  op.window.padding = graph::Padding::kValid;
  const auto y = b.op(op, {x, deep, graph::kNoTensor}, DataType::kInt8, q);
  const Graph graph =
      b.build({b.op(graph::Conv2D{}, {y, project, graph::kNoTensor}, DataType::kInt8, q)});
  ASSERT_EQ(fuse(graph).size(), 1u);
  const auto plan = build(graph, {});
  ASSERT_NE(plan, nullptr);
  ASSERT_EQ(plan->steps().size(), 2u);
  EXPECT_EQ(plan->steps()[0].kernel, "reference");
  EXPECT_EQ(plan->steps()[1].kernel, "gemm/scalar");
}

TEST(Plan, RefusesAnArenaOverTheLimit) {
  PlanOptions options;
  options.limits.max_plan_bytes = 1000;
  auto plan = Plan::build(optimized(small_deeplab(DataType::kInt8)), options);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.status().code(), StatusCode::kResourceExhausted);
  EXPECT_NE(plan.status().message().find("1000"), std::string::npos);
}

TEST(Plan, RefusesWrongThreadCountsAndUInt8) {
  for (int threads : {0, -1, 257}) {
    PlanOptions options;
    options.threads = threads;
    EXPECT_EQ(Plan::build(optimized(small_deeplab(DataType::kInt8)), options).status().code(),
              StatusCode::kInvalidArgument);
  }
  EXPECT_FALSE(Plan::build(small_deeplab(DataType::kUInt8), {}).ok());
}

TEST(Plan, DumpNamesEveryStepAndTheTotals) {
  const auto plan = build(optimized(small_deeplab(DataType::kInt8)), {});
  ASSERT_NE(plan, nullptr);
  const std::string text = dump(*plan);
  EXPECT_NE(text.find("9 steps, scalar, 1 thread\n"), std::string::npos) << text;
  EXPECT_NE(text.find("DEPTHWISE_CONV_2D"), std::string::npos) << text;
  EXPECT_NE(text.find("gemm/scalar"), std::string::npos) << text;
  EXPECT_NE(text.find("int8 1x33x33x8 @"), std::string::npos) << text;
  EXPECT_NE(text.find(str_cat("arena ", plan->arena_bytes(), " bytes")), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2 + 11 + 2) << text;
}

/// A block large enough to run in strips, whose first convolution takes bytes. `first`: what that
/// one reads; `last`: what is made of the block's end. Both are made of the pixels.
template <typename First, typename Last>
bool input_is_pixels(const First& first, const Last& last) {
  GraphBuilder b;
  const auto f32 = DataType::kFloat32;
  const auto pixels = b.input(f32, {1, 80, 80, 3});
  graph::DepthwiseConv2D depthwise;
  depthwise.window.padding = graph::Padding::kSame;
  const auto wide = b.op(
      graph::Conv2D{},
      {first(b, pixels), b.constant(f32, {32, 1, 1, 3}, 0.5f), b.constant(f32, {32}, 0.0f)}, f32);
  const auto deep = b.op(
      depthwise, {wide, b.constant(f32, {1, 3, 3, 32}, 0.5f), b.constant(f32, {32}, 0.0f)}, f32);
  const auto narrow =
      b.op(graph::Conv2D{},
           {deep, b.constant(f32, {3, 1, 1, 32}, 0.5f), b.constant(f32, {3}, 0.0f)}, f32);
  PlanOptions options;
  options.pixel_input = true;
  const auto plan = build(b.build({last(b, pixels, narrow)}), options);
  return plan != nullptr && plan->input_is_pixels();
}

TEST(Plan, AnInputIsPixelsOnlyAsTheFirstOperandOfAStepThatTakesThem) {
  using Id = graph::TensorId;
  const auto f32 = DataType::kFloat32;
  const auto itself = [](GraphBuilder&, Id x) { return x; };
  const auto full = [&](GraphBuilder& b) { return b.constant(f32, {1, 80, 80, 3}, 255.0f); };
  const auto end = [](GraphBuilder&, Id, Id narrow) { return narrow; };
  EXPECT_TRUE(input_is_pixels(itself, end));
  EXPECT_FALSE(input_is_pixels(
      [&](GraphBuilder& b, Id x) {
        return b.op(graph::Sub{}, {full(b), x}, f32);
      },
      end));
  EXPECT_FALSE(input_is_pixels(
      [&](GraphBuilder& b, Id x) {
        return b.op(graph::Mul{}, {x, x}, f32);
      },
      end));
  // A step that takes pixels, which another of its ops reads.
  const auto constant = [&](GraphBuilder& b, Id) { return b.op(graph::Relu{}, {full(b)}, f32); };
  EXPECT_FALSE(input_is_pixels(constant, [&](GraphBuilder& b, Id x, Id narrow) {
    return b.op(graph::Add{}, {x, narrow}, f32);
  }));
  EXPECT_FALSE(input_is_pixels(constant, [&](GraphBuilder& b, Id x, Id narrow) {
    return b.op(graph::Add{}, {narrow, x}, f32);
  }));
}

// A window that reaches far beyond the picture: no more floats are made than there are pixels.
TEST(Plan, RoomForFloatsOfPixelsIsNoMoreThanThoseOfThePicture) {
  GraphBuilder b;
  const auto f32 = DataType::kFloat32;
  const auto weights = [&](graph::Shape shape) { return b.constant(f32, std::move(shape), 0.5f); };
  graph::Conv2D strided;
  strided.window = {graph::Padding::kSame, 64, 1};
  graph::DepthwiseConv2D tall;
  tall.window.padding = graph::Padding::kSame;
  const auto pixels = b.input(f32, {1, 5120, 64, 3});
  const auto wide = b.op(strided, {pixels, weights({32, 1, 1, 3}), weights({32})}, f32);
  const auto deep = b.op(tall, {wide, weights({1, 4001, 1, 32}), weights({32})}, f32);
  const auto narrow = b.op(graph::Conv2D{}, {deep, weights({3, 1, 1, 32}), weights({3})}, f32);
  PlanOptions options;
  options.pixel_input = true;
  const auto plan = build(b.build({narrow}), options);
  ASSERT_NE(plan, nullptr);
  EXPECT_TRUE(plan->input_is_pixels());
  EXPECT_LT(plan->scratch_bytes(), 64 << 20);
}

// Once they are packed, nothing but a step that reads them holds the constants.
TEST(Plan, LetsGoOfConstants) {
  for (bool keep : {false, true}) {
    Graph graph = optimized(small_deeplab(DataType::kFloat32));
    std::vector<std::weak_ptr<const void>> owners;
    for (const graph::Tensor& tensor : graph.tensors) {
      if (tensor.is_constant()) owners.push_back(tensor.data.owner());
    }
    PlanOptions options;
    options.isa = available_isas().back();
    options.keep_all_tensors = keep;
    const auto plan = build(std::move(graph), options);
    ASSERT_NE(plan, nullptr);
    ASSERT_FALSE(owners.empty());
    const auto held = std::ranges::count_if(owners, [](const auto& o) { return !o.expired(); });
    EXPECT_EQ(held, keep ? std::ssize(owners) : 0);
  }
}

TEST(Plan, PackedWeightsAreCounted) {
  const auto plan = build(optimized(small_deeplab(DataType::kInt8)), {});
  ASSERT_NE(plan, nullptr);
  int64_t weights = 0;
  for (const graph::Tensor& tensor : plan->graph().tensors) {
    if (tensor.is_constant() && tensor.type == DataType::kInt8) weights += tensor.elements();
  }
  EXPECT_GT(plan->packed_weight_bytes(), weights);
}

}  // namespace
}  // namespace deeplab::plan
