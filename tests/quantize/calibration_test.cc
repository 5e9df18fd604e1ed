// Histograms, the three ways from one to a range, and statistics over photos.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/quantize/quantize_testing.h"

namespace deeplab::quantize {
namespace {

using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

std::vector<float> random_values(size_t count, float spread, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

TEST(Histogram, DoesNotDependOnTheOrder) {
  const std::vector<float> small = random_values(1000, 0.01f, 1);
  const std::vector<float> large = random_values(1000, 300, 2);
  Histogram forth, back, joined, part;
  forth.add(small);
  forth.add(large);
  back.add(large);
  back.add(small);
  part.add(large);
  joined.add(small);
  joined.add(part);
  EXPECT_THAT(back.counts(), ElementsAreArray(forth.counts()));
  EXPECT_THAT(joined.counts(), ElementsAreArray(forth.counts()));
  EXPECT_EQ(joined.range(), forth.range());
  EXPECT_EQ(forth.range().max, *std::max_element(large.begin(), large.end()));
  EXPECT_EQ(std::accumulate(forth.counts().begin(), forth.counts().end(), int64_t{0}), 2000);
}

TEST(Histogram, BinsHoldWhatTheySay) {
  Histogram histogram;
  const std::vector<float> values = {-2, -0.001f, 0, 1.99f};
  histogram.add(values);
  for (float value : values) {
    const double place = std::floor(value / histogram.bin_width()) + Histogram::kBinsPerSide;
    EXPECT_EQ(histogram.counts()[static_cast<size_t>(place)], 1) << value;
  }
}

TEST(ChooseRange, MinMaxKeepsAll) {
  Histogram histogram;
  histogram.add(std::vector<float>{-3, 0, 7});
  EXPECT_EQ(choose_range(histogram, {CalibrationMethod::kMinMax, 0}), (Range{-3, 7}));
}

TEST(ChooseRange, PercentileLeavesOutTheTails) {
  Histogram histogram;
  std::vector<float> values(10000, 1.0f);
  values[0] = 100;
  values[1] = -50;
  histogram.add(values);
  const Range range = choose_range(histogram, {CalibrationMethod::kPercentile, 99.99});
  EXPECT_GE(range.max, 1);
  EXPECT_LE(range.max, 1 + histogram.bin_width());
  EXPECT_GE(range.min, 1 - histogram.bin_width());
  EXPECT_EQ(choose_range(histogram, {CalibrationMethod::kPercentile, 100}), (Range{-50, 100}));
}

TEST(ChooseRange, LeastErrorBeatsMinMaxOnOutliers) {
  Histogram histogram;
  histogram.add(random_values(1000000, 1, 3));
  histogram.add(std::vector<float>{40});
  const Range all = histogram.range();
  const Range best = choose_range(histogram, {CalibrationMethod::kMse, 0});
  EXPECT_LT(best.max, 25);
  EXPECT_LT(quantization_error(histogram, best), 0.5 * quantization_error(histogram, all));
  // Uniform values have nothing to leave out.
  Histogram uniform;
  std::vector<float> ramp(4000);
  std::iota(ramp.begin(), ramp.end(), 0.0f);
  uniform.add(ramp);
  EXPECT_GT(choose_range(uniform, {CalibrationMethod::kMse, 0}).max, 0.98f * 3999);
}

TEST(QuantizationError, IsThatOfTheSteps) {
  // Steps of 1 from -128: values half-way between two have an error of 1/4 each.
  Histogram histogram;
  std::vector<float> values(100, 0.5f);
  histogram.add(values);
  EXPECT_NEAR(quantization_error(histogram, {-128, 127}), 0.25, 0.001);
}

TEST(CollectStatistics, SeesEveryValueOfEveryPhoto) {
  deeplab::testing::GraphBuilder b;
  const auto x = b.input(graph::DataType::kFloat32, {1, 1, 2, 2});
  const auto y = b.op(graph::Relu{}, {x}, graph::DataType::kFloat32);
  const graph::Graph graph = b.build({y});
  const Samples samples{2, [](size_t i, std::span<float> input) {
                          const float sign = i == 0 ? 1.0f : -1.0f;
                          input[0] = sign, input[1] = 2 * sign, input[2] = 3, input[3] = -4;
                          return Status();
                        }};
  const auto statistics = collect_statistics(graph, {x, y}, samples, {});
  ASSERT_TRUE(statistics.ok()) << statistics.status().message();
  const TensorStatistics& in = (*statistics)[static_cast<size_t>(x)];
  EXPECT_EQ(in.channel_ranges[0], (Range{-1, 3}));
  EXPECT_EQ(in.channel_ranges[1], (Range{-4, 2}));
  EXPECT_EQ(in.channel_means[0], 1.5);
  EXPECT_EQ(in.channel_means[1], -2);
  const TensorStatistics& out = (*statistics)[static_cast<size_t>(y)];
  EXPECT_EQ(out.histogram.range(), (Range{0, 3}));
  EXPECT_EQ(out.histogram.count(), 8);
}

TEST(CollectStatistics, IsTheSameWithThreads) {
  const graph::Graph graph = deeplab::testing::float_deeplab();
  const auto ids = range_sources(graph);
  auto pool = ThreadPool::create(3);
  ASSERT_TRUE(pool.ok());
  const auto alone = collect_statistics(graph, ids, deeplab::testing::noise(2), {});
  const auto shared =
      collect_statistics(graph, ids, deeplab::testing::noise(2), {pool->get(), Isa::kScalar});
  ASSERT_TRUE(alone.ok() && shared.ok());
  for (size_t id = 0; id < alone->size(); ++id) {
    EXPECT_EQ((*alone)[id].channel_means, (*shared)[id].channel_means);
    EXPECT_THAT((*shared)[id].histogram.counts(),
                ElementsAreArray((*alone)[id].histogram.counts()));
  }
}

TEST(CollectStatistics, RefusesWhatIsNoStatistics) {
  const graph::Graph graph = deeplab::testing::float_deeplab();
  const auto ids = range_sources(graph);
  EXPECT_THAT(collect_statistics(graph, ids, {}, {}).status().message(), HasSubstr("at least one"));
  const Samples broken{1, [](size_t, std::span<float>) { return io_error("cat.jpg: gone"); }};
  EXPECT_EQ(collect_statistics(graph, ids, broken, {}).status().message(), "cat.jpg: gone");
  const Samples infinite{1, [](size_t, std::span<float> input) {
                           std::fill(input.begin(), input.end(), INFINITY);
                           return Status();
                         }};
  EXPECT_THAT(collect_statistics(graph, {graph.inputs[0]}, infinite, {}).status().message(),
              HasSubstr("not finite"));
}

TEST(ChooseRanges, GivesAGroupOneRange) {
  const graph::Graph graph = deeplab::testing::float_deeplab();
  const Statistics statistics = deeplab::testing::statistics_of(graph, deeplab::testing::noise(2));
  const ActivationRanges ranges = choose_ranges(graph, statistics, {});
  const auto range = [&](size_t op) { return ranges[static_cast<size_t>(graph.ops[op].output())]; };
  EXPECT_TRUE(range(4).known());
  for (size_t op : {5, 6, 7}) EXPECT_EQ(range(op), range(4)) << op;
  EXPECT_FALSE(ranges[static_cast<size_t>(graph.inputs[0])].known());  // not asked for
}

}  // namespace
}  // namespace deeplab::quantize
