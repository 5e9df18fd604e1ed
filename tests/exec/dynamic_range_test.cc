// A network of the page's own kind (output stride 8, dilation by SPACE_TO_BATCH_ND, batch norms
// left as MUL and ADD) with int8 filters and float activations, made from the float16 file of the
// test data as converters make it.
#include <gtest/gtest.h>

#include <cmath>

#include "exec/naive_executor.h"
#include "exec/planned_executor.h"
#include "passes/pipeline.h"
#include "plan/plan.h"
#include "tests/exec/golden_data.h"
#include "tflite/writer.h"

namespace deeplab::exec {
namespace {

using graph::DataType;
using graph::Graph;
using graph::Tensor;

/// The filter in int8, symmetric, with one scale per channel along `axis` or one.
Tensor in_int8(const Tensor& filter, bool each, int32_t axis) {
  const auto channels = static_cast<size_t>(filter.shape[static_cast<size_t>(axis)]);
  const std::span<const float> values = filter.values<float>();
  const size_t inner = axis == 0 ? values.size() / channels : 1;
  const auto scale_of = [&](size_t i) { return each ? i / inner % channels : 0; };
  std::vector<float> largest(each ? channels : 1);
  for (size_t i = 0; i < values.size(); ++i) {
    largest[scale_of(i)] = std::max(largest[scale_of(i)], std::abs(values[i]));
  }
  Tensor result = filter;
  result.type = result.file_type = DataType::kInt8;
  for (float value : largest) result.quantization.scales.push_back(value > 0 ? value / 127 : 1);
  result.quantization.zero_points.resize(largest.size());
  result.quantization.axis = each ? axis : 0;
  std::vector<std::byte> stored(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const float scale = result.quantization.scales[scale_of(i)];
    stored[i] = static_cast<std::byte>(static_cast<int8_t>(std::lround(values[i] / scale)));
  }
  result.data = std::make_shared<const std::vector<std::byte>>(std::move(stored));
  return result;
}

/// Of the filters, those of 1024 values and more, as TensorFlow Lite's converter has it.
Graph dynamic_range(Graph graph, bool each, int& filters) {
  for (const graph::Op& op : graph.ops) {
    const bool dense = std::holds_alternative<graph::Conv2D>(op.attributes);
    if (!dense && !std::holds_alternative<graph::DepthwiseConv2D>(op.attributes)) continue;
    Tensor& filter = graph.tensor(op.inputs[1]);
    if (filter.type != DataType::kFloat32 || filter.elements() < 1024) continue;
    filter = in_int8(filter, each, dense ? 0 : 3);
    ++filters;
  }
  return graph;
}

std::vector<size_t> labels(Executor& executor, const std::vector<uint8_t>& pixels) {
  auto* input = reinterpret_cast<float*>(executor.tensor(executor.graph().inputs[0]).data());
  for (size_t i = 0; i < pixels.size(); ++i) {
    input[i] = static_cast<float>(pixels[i]) / 127.5f - 1.0f;
  }
  executor.run();
  const graph::TensorId output = executor.graph().outputs[0];
  const auto classes = static_cast<size_t>(executor.graph().tensor(output).shape[3]);
  const auto* scores = reinterpret_cast<const float*>(executor.tensor(output).data());
  std::vector<size_t> result(executor.tensor(output).size() / sizeof(float) / classes);
  for (size_t i = 0; i < result.size(); ++i) {
    const float* at = scores + i * classes;
    result[i] = static_cast<size_t>(std::max_element(at, at + classes) - at);
  }
  return result;
}

template <typename A, typename B>
double agreement(const A& a, const B& b) {
  EXPECT_EQ(a.size(), b.size());
  size_t equal = 0;
  for (size_t i = 0; i < a.size(); ++i) equal += a[i] == b[i];
  return static_cast<double>(equal) / static_cast<double>(a.size());
}

TEST(DynamicRange, APageLikeFileRunsAsAFloatOne) {
  DEEPLAB_NEEDS_TEST_DATA();
  const std::vector<uint8_t> pixels = testing::read_test_image("golden/dog_513.png").pixels;
  const auto golden =
      imageio::read_label_png(testing::test_data("golden/dog_tfhub_float16/labels.png"));
  ASSERT_TRUE(golden.ok()) << golden.status().message();
  const Graph parent = testing::read_test_model("tfhub_deeplabv3_mnv2_dm05_float16.tflite");
  for (const bool each : {true, false}) {
    int filters = 0;
    tflite::ModelFile file;
    file.graph = dynamic_range(parent, each, filters);
    EXPECT_EQ(filters, 41);
    const auto written = tflite::write_model(file);
    ASSERT_TRUE(written.ok()) << written.status().message();
    const auto model = tflite::read_model(*written, "written");
    ASSERT_TRUE(model.ok()) << model.status().message();

    auto tflite = NaiveExecutor::create(model->graph, kernels::Rounding::kTfLite);
    ASSERT_TRUE(tflite.ok()) << tflite.status().message();
    Graph optimized = model->graph;
    ASSERT_TRUE(passes::optimize(optimized).ok());
    Graph float_parent = parent;
    ASSERT_TRUE(passes::optimize(float_parent).ok());
    EXPECT_EQ(optimized.ops.size(), float_parent.ops.size());
    plan::PlanOptions options;
    const auto isa = selected_isa();
    ASSERT_TRUE(isa.ok()) << isa.status().message();
    options.isa = *isa;
    const auto plan = plan::Plan::build(std::move(optimized), options);
    ASSERT_TRUE(plan.ok()) << plan.status().message();
    for (const plan::PlannedStep& step : (*plan)->steps()) {
      const graph::Op& op = (*plan)->graph().ops[static_cast<size_t>(step.ops.back())];
      const bool convolves = std::holds_alternative<graph::Conv2D>(op.attributes);
      EXPECT_FALSE(convolves && step.kernel == "reference") << graph::op_label(op);
    }
    auto engine = PlannedExecutor::create(*plan, nullptr);
    ASSERT_TRUE(engine.ok()) << engine.status().message();

    // What quantizing the activations costs, and what the int8 filters cost: 0.9972 to 0.9978 and
    // 0.9943 to 0.9945 were measured.
    const std::vector<size_t> ours = labels(**engine, pixels);
    EXPECT_GE(agreement(ours, labels(**tflite, pixels)), 0.995);
    EXPECT_GE(agreement(ours, golden->pixels), 0.99);
  }
}

}  // namespace
}  // namespace deeplab::exec
