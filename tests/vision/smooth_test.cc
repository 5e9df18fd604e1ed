// Scores over time: the formula, what restarts it, and that nothing drags.
#include "vision/smooth.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace deeplab::vision {
namespace {

ScoreView view(const std::vector<float>& scores, int32_t classes) {
  return {scores.data(),
          ElementType::kFloat32,
          1,
          static_cast<int32_t>(scores.size()) / classes,
          classes,
          {}};
}

std::vector<float> values(const ScoreView& scores) {
  const auto* data = static_cast<const float*>(scores.data);
  return {data, data + scores.height * scores.width * scores.classes};
}

TEST(Smooth, TheFirstMapIsItself) {
  ScoreSmoother smoother;
  ASSERT_TRUE(smoother.create(4).ok());
  const std::vector<float> scores = {1, 2, 3, -4};
  EXPECT_EQ(values(smoother.add(view(scores, 2), 0.9f)), scores);
}

TEST(Smooth, EqualProbabilitiesMixByTheWeight) {
  ScoreSmoother smoother;
  ASSERT_TRUE(smoother.create(2).ok());
  smoother.add(view({1, 3}, 2), 0.75f);
  // Both scores higher by 4: the same softmax, so the overlap is 1.
  const std::vector<float> mixed = values(smoother.add(view({5, 7}, 2), 0.75f));
  EXPECT_NEAR(mixed[0], 2, 1e-5);
  EXPECT_NEAR(mixed[1], 4, 1e-5);
}

TEST(Smooth, FollowsTheFormula) {
  ScoreSmoother smoother;
  ASSERT_TRUE(smoother.create(3).ok());
  const std::vector<float> a = {0.5f, -1, 2};
  const std::vector<float> b = {1.5f, 0.25f, -0.75f};
  smoother.add(view(a, 3), 0.6f);
  const std::vector<float> mixed = values(smoother.add(view(b, 3), 0.6f));
  double total_a = 0, total_b = 0, overlap = 0;
  for (int c = 0; c < 3; ++c) total_a += std::exp(double{a[c]}), total_b += std::exp(double{b[c]});
  for (int c = 0; c < 3; ++c) {
    overlap += std::min(std::exp(double{a[c]}) / total_a, std::exp(double{b[c]}) / total_b);
  }
  for (int c = 0; c < 3; ++c) {
    EXPECT_NEAR(mixed[c], 0.6 * overlap * a[c] + (1 - 0.6 * overlap) * b[c], 1e-5);
  }
}

TEST(Smooth, AClassThatIsCertainNowTakesNothingOfThePast) {
  ScoreSmoother smoother;
  ASSERT_TRUE(smoother.create(2).ok());
  smoother.add(view({60, 0}, 2), 0.9f);
  const std::vector<float> mixed = values(smoother.add(view({0, 60}, 2), 0.9f));
  EXPECT_NEAR(mixed[0], 0, 1e-5);
  EXPECT_NEAR(mixed[1], 60, 1e-5);
}

TEST(Smooth, CellsAreMixedEachForItself) {
  ScoreSmoother smoother;
  ASSERT_TRUE(smoother.create(4).ok());
  smoother.add(view({0, 0, 60, 0}, 2), 0.5f);
  const std::vector<float> mixed = values(smoother.add(view({2, 2, 0, 60}, 2), 0.5f));
  EXPECT_NEAR(mixed[0], 1, 1e-5);
  EXPECT_NEAR(mixed[2], 0, 1e-5);
  EXPECT_NEAR(mixed[3], 60, 1e-5);
}

/// Of a float network whose numbers have overflowed in one picture.
TEST(Smooth, WhatIsNotANumberPasses) {
  ScoreSmoother smoother;
  ASSERT_TRUE(smoother.create(2).ok());
  smoother.add(view({1, 3}, 2), 0.5f);
  smoother.add(view({std::numeric_limits<float>::infinity(), std::nanf("")}, 2), 0.5f);
  EXPECT_EQ(values(smoother.add(view({5, 7}, 2), 0.5f)), (std::vector<float>{5, 7}));
}

TEST(Smooth, ResetForgets) {
  ScoreSmoother smoother;
  ASSERT_TRUE(smoother.create(2).ok());
  smoother.add(view({1, 3}, 2), 0.9f);
  smoother.reset();
  EXPECT_EQ(values(smoother.add(view({5, 7}, 2), 0.9f)), (std::vector<float>{5, 7}));
}

TEST(Smooth, StoredScoresMeanWhatTheirQuantizationSays) {
  const std::vector<int8_t> stored = {-3, 5};
  const ScoreView scores = {stored.data(), ElementType::kInt8, 1, 1, 2, {0.5f, 1}};
  std::vector<float> real(2);
  to_floats(scores, real);
  EXPECT_EQ(real, (std::vector<float>{-2, 2}));
}

}  // namespace
}  // namespace deeplab::vision
