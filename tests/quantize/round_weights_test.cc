// Rounding by photos: what the results gain, and which filters stay.
#include "quantize/round_weights.h"

#include <gtest/gtest.h>

#include "quantize/measure_drop.h"
#include "tests/quantize/quantize_testing.h"

namespace deeplab::quantize {
namespace {

using deeplab::testing::GraphBuilder;
using deeplab::testing::noise;
using deeplab::testing::ranges_of;
using graph::DataType;
using graph::Graph;
using graph::TensorId;

/// Three channels of noise spread over 24 that go together, then a 1x1 convolution of them.
Graph correlated(TensorId* result) {
  GraphBuilder b;
  const auto weights = [&](graph::Shape shape) {
    return b.constant(DataType::kFloat32, std::move(shape), 1.0f);
  };
  graph::Conv2D wide;
  wide.activation = graph::Activation::kRelu;
  const auto x = b.input(DataType::kFloat32, {1, 16, 16, 3});
  const auto many = b.op(wide, {x, weights({24, 1, 1, 3}), weights({24})}, DataType::kFloat32);
  *result = b.op(graph::Conv2D{}, {many, weights({8, 1, 1, 24}), weights({8})}, DataType::kFloat32);
  std::mt19937 random(11);
  return deeplab::testing::with_random_weights(b.build({*result}), random);
}

Graph quantized_of(const Graph& graph) {
  auto result = quantize_graph(graph, ranges_of(graph), {});
  EXPECT_TRUE(result.ok()) << result.status().message();
  return std::move(result).value();
}

/// Mean squared error, over samples that rounding did not see, of what the stored filter of the
/// last convolution makes of the float channels; less the square of each output's mean error.
double filter_error(const Graph& graph, const Graph& quantized, TensorId result,
                    bool ignore_means) {
  const graph::Op& op = graph.ops[static_cast<size_t>(graph.producer(result))];
  const auto exact = graph.tensor(op.inputs[1]).values<float>();
  const graph::Op& other = quantized.ops[static_cast<size_t>(quantized.producer(result))];
  const graph::Tensor& filter = quantized.tensor(other.inputs[1]);
  auto runner = GraphRunner::create(cut_to(graph, {op.inputs[0]}), {});
  EXPECT_TRUE(runner.ok());
  double sum = 0;
  std::vector<double> means(8);
  double pixels = 0;
  const Samples samples = noise(6);
  std::vector<float> x;
  for (size_t sample = 3; sample < 6; ++sample) {
    EXPECT_TRUE((*runner)->run(samples, sample).ok());
    (*runner)->real_values(op.inputs[0], x);
    for (size_t pixel = 0; pixel < x.size(); pixel += 24, ++pixels) {
      for (size_t row = 0; row < 8; ++row) {
        double error = 0;
        for (size_t c = 0; c < 24; ++c) {
          const double q = filter.values<int8_t>()[row * 24 + c];
          error += (exact[row * 24 + c] - filter.quantization.scales[row] * q) * x[pixel + c];
        }
        sum += error * error;
        means[row] += error;
      }
    }
  }
  if (ignore_means) {
    for (double mean : means) sum -= mean / pixels * mean;
  }
  return sum / pixels;
}

TEST(RoundWeights, TheResultsErrLess) {
  for (bool ignore_means : {false, true}) {
    TensorId result = graph::kNoTensor;
    const Graph graph = correlated(&result);
    Graph quantized = quantized_of(graph);
    const double before = filter_error(graph, quantized, result, ignore_means);
    RoundWeightsOptions options;
    options.ignore_means = ignore_means;
    const auto changed = round_weights(quantized, graph, noise(3), {}, options);
    ASSERT_TRUE(changed.ok()) << changed.status().message();
    EXPECT_GT(*changed, 0);
    EXPECT_TRUE(graph::validate(quantized).ok());
    EXPECT_LT(filter_error(graph, quantized, result, ignore_means), before / 4);
  }
}

TEST(RoundWeights, IsTheSameWithAnyNumberOfThreads) {
  TensorId result = graph::kNoTensor;
  const Graph graph = correlated(&result);
  Graph one = quantized_of(graph);
  Graph many = one;
  ASSERT_TRUE(round_weights(one, graph, noise(3), {}, {}).ok());
  const auto pool = ThreadPool::create(3);
  ASSERT_TRUE(pool.ok());
  ASSERT_TRUE(round_weights(many, graph, noise(3), {pool->get(), Isa::kScalar}, {}).ok());
  const TensorId filter = one.ops[static_cast<size_t>(one.producer(result))].inputs[1];
  EXPECT_TRUE(one.tensor(filter).data == many.tensor(filter).data);
}

TEST(RoundWeights, FiltersThatReadThePictureStay) {
  TensorId result = graph::kNoTensor;
  const Graph graph = correlated(&result);
  Graph quantized = quantized_of(graph);
  const Graph before = quantized;
  ASSERT_TRUE(round_weights(quantized, graph, noise(3), {}, {}).ok());
  const TensorId first = graph.ops[0].output();
  const TensorId filter = quantized.ops[static_cast<size_t>(quantized.producer(first))].inputs[1];
  EXPECT_TRUE(quantized.tensor(filter).data == before.tensor(filter).data);
}

TEST(RoundWeights, NeedsAPhoto) {
  TensorId result = graph::kNoTensor;
  const Graph graph = correlated(&result);
  Graph quantized = quantized_of(graph);
  EXPECT_FALSE(round_weights(quantized, graph, noise(0), {}, {}).ok());
}

}  // namespace
}  // namespace deeplab::quantize
