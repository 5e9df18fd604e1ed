#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "train/data/random.h"
#include "train/data/rare_classes.h"
#include "train/data/sampler.h"

namespace deeplab::train {
namespace {

TEST(Random, IsTheSameEverywhere) {
  // Known answer of SplitMix64 from seed 1234567; the numbers of a run must never change.
  uint64_t state = 1234567;
  EXPECT_EQ(mix_bits(state += 0x9e3779b97f4a7c15ull), 6457827717110365317ull);
  EXPECT_EQ(mix_bits(state += 0x9e3779b97f4a7c15ull), 3203168211198807973ull);
  EXPECT_EQ(below(~uint64_t{0}, 7), 6);
  EXPECT_EQ(below(0, 7), 0);
  EXPECT_EQ(unit_interval(~uint64_t{0}), 1 - 0x1.0p-53);
}

TEST(Random, KeysAreEvenlySpread) {
  std::vector<int> counts(10, 0);
  for (uint64_t i = 0; i < 100000; ++i) ++counts[static_cast<size_t>(below(derive_key(3, i), 10))];
  for (const int count : counts) EXPECT_NEAR(count, 10000, 500);
}

TEST(Sampler, EveryPhotoOnceAPassInAnOrderOfItsOwn) {
  Sampler sampler(7, {{0, 37}}, {1.0}, {});
  std::vector<std::vector<int64_t>> passes;
  for (int64_t k = 0; k < 37 * 40; ++k) {
    if (k % 37 == 0) passes.emplace_back();
    passes.back().push_back(sampler.item(k));
  }
  std::set<std::vector<int64_t>> orders(passes.begin(), passes.end());
  EXPECT_EQ(orders.size(), 40u);
  for (auto& pass : passes) {
    std::sort(pass.begin(), pass.end());
    for (int64_t i = 0; i < 37; ++i) EXPECT_EQ(pass[static_cast<size_t>(i)], i);
  }
}

TEST(Sampler, DependsOnNothingButSeedAndNumber) {
  const std::vector<SourceRange> sources = {{0, 50}, {50, 7}, {57, 300}};
  const std::vector<double> weights = {1, 3, 0.5};
  Sampler in_order(11, sources, weights, {});
  std::vector<int64_t> items;
  for (int64_t k = 0; k < 3000; ++k) items.push_back(in_order.item(k));
  for (int64_t k = 2999; k >= 0; k -= 13) {
    EXPECT_EQ(in_order.item(k), items[static_cast<size_t>(k)]) << k;  // backwards
    EXPECT_EQ(Sampler(11, sources, weights, {}).item(k), items[static_cast<size_t>(k)]) << k;
  }
  Sampler other(12, sources, weights, {});
  int same = 0;
  for (int64_t k = 0; k < 3000; ++k) same += other.item(k) == items[static_cast<size_t>(k)] ? 1 : 0;
  EXPECT_LT(same, 300);
}

/// The first block's samples that show an item of the range.
int64_t places_of(Sampler& sampler, const SourceRange& source) {
  int64_t places = 0;
  for (int64_t k = 0; k < Sampler::kBlock; ++k) {
    const int64_t item = sampler.item(k);
    places += item >= source.first && item < source.first + source.count ? 1 : 0;
  }
  return places;
}

TEST(Sampler, SourcesGetTheirShare) {
  // 100 photos of weight 1 and 50 of weight 4: 100 to 200.
  Sampler sampler(1, {{0, 100}, {100, 50}}, {1.0, 4.0}, {});
  EXPECT_EQ(places_of(sampler, {0, 100}), 333);
  EXPECT_EQ(places_of(sampler, {100, 50}), 667);
  std::map<int64_t, int> draws;
  for (int64_t k = 0; k < 3000; ++k) ++draws[sampler.item(k)];
  for (int64_t i = 0; i < 100; ++i) EXPECT_NEAR(draws[i], 10, 1) << i;
  for (int64_t i = 100; i < 150; ++i) EXPECT_NEAR(draws[i], 40, 1) << i;
}

TEST(Sampler, ATinySourceStillGetsAPlace) {
  Sampler sampler(1, {{0, 1}, {1, 1000000}}, {1.0, 1.0}, {});
  EXPECT_EQ(places_of(sampler, {0, 1}), 1);
  EXPECT_EQ(places_of(sampler, {1, 1000000}), 999);
  // As many sources as places: one each, whatever the weights say.
  std::vector<SourceRange> sources;
  std::vector<double> weights;
  for (int64_t s = 0; s < Sampler::kBlock; ++s) {
    sources.push_back({s, 1});
    weights.push_back(s == 5 ? 1e6 : 1);
  }
  Sampler crowded(1, sources, weights, {});
  for (const SourceRange& source : sources) EXPECT_EQ(places_of(crowded, source), 1);
}

TEST(Sampler, WeightedPhotosComeInProportionInEveryPass) {
  // Shares of 10 draws: 1, 2, 3 and 4.
  std::vector<double> weights = {1, 2, 3, 4, 0.001, 0.001, 0.001, 0.001, 0.001, 0.001};
  Sampler sampler(5, {{0, 10}}, {1.0}, weights);
  for (int64_t pass = 0; pass < 20; ++pass) {
    std::map<int64_t, int> draws;
    for (int64_t k = pass * 10; k < pass * 10 + 10; ++k) ++draws[sampler.item(k)];
    for (int64_t i = 0; i < 4; ++i) EXPECT_NEAR(draws[i], static_cast<double>(i + 1), 1) << pass;
  }
}

TEST(RareClasses, WeighByTheRarestClass) {
  // Class 0 on all four photos, class 1 on two, class 2 on one; the last photo shows nothing.
  const std::vector<uint8_t> shows = {1, 0, 0,  //
                                      1, 1, 0,  //
                                      1, 1, 1,  //
                                      1, 0, 0,  //
                                      0, 0, 0};
  const std::vector<double> weights = rare_class_weights(shows, 3, {{0, 5}}, 0.5);
  EXPECT_DOUBLE_EQ(weights[0], 1);
  EXPECT_DOUBLE_EQ(weights[1], std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(weights[2], 2);
  EXPECT_DOUBLE_EQ(weights[4], 1);
  // Shares are counted within a source.
  EXPECT_DOUBLE_EQ(rare_class_weights(shows, 3, {{0, 2}, {2, 3}}, 1.0)[2], 2);
}

}  // namespace
}  // namespace deeplab::train
