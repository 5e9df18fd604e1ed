// A small float network, photos of noise, and the whole way to int8.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <utility>

#include "base/status.h"
#include "quantize/correct_bias.h"
#include "quantize/prepare_float.h"
#include "quantize/quantize_graph.h"
#include "quantize/statistics.h"
#include "tests/passes/pass_testing.h"

namespace deeplab::testing {

/// small_deeplab() in float with random weights, prepared.
inline graph::Graph float_deeplab(uint32_t seed = 7) {
  std::mt19937 random(seed);
  graph::Graph graph = with_random_weights(small_deeplab(graph::DataType::kFloat32), random);
  const Status status = quantize::prepare_float_graph(graph);
  EXPECT_TRUE(status.ok()) << status.message();
  return graph;
}

/// 8-bit noise as a network is fed it: (pixel - 127.5) / 127.5.
inline quantize::Samples noise(size_t count) {
  return {count, [](size_t i, std::span<float> input) {
            std::mt19937 random(static_cast<uint32_t>(i) + 1);
            for (float& value : input) {
              value = (static_cast<float>(random() % 256) - 127.5f) / 127.5f;
            }
            return Status();
          }};
}

inline quantize::Statistics statistics_of(const graph::Graph& graph,
                                          const quantize::Samples& samples) {
  auto statistics =
      quantize::collect_statistics(graph, quantize::range_sources(graph), samples, {});
  EXPECT_TRUE(statistics.ok()) << statistics.status().message();
  return std::move(statistics).value();
}

/// Min-max ranges over three samples.
inline quantize::ActivationRanges ranges_of(const graph::Graph& graph) {
  return quantize::choose_ranges(graph, statistics_of(graph, noise(3)), {});
}

}  // namespace deeplab::testing
