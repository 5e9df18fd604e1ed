// Memory that runs out on the way from a float graph to the bytes of an int8 file.
#include <gtest/gtest.h>

#include "quantize/equalize.h"
#include "quantize/measure_drop.h"
#include "tests/faults/campaign.h"
#include "tests/quantize/quantize_testing.h"
#include "tflite/writer.h"

namespace deeplab::testing {
namespace {

using namespace deeplab::quantize;
using Throws = RoomCall::Throws;

class Quantization : public ::testing::Test {
 protected:
  // With two threads: what a task of the pool throws has to come back.
  Quantization() : pool_(std::move(*ThreadPool::create(2))) {
    std::mt19937 random(7);
    graph_ = with_random_weights(small_deeplab(graph::DataType::kFloat32), random);
  }

  std::unique_ptr<ThreadPool> pool_;
  graph::Graph graph_;
};

TEST_F(Quantization, FromAFloatGraphToAFile) {
  const Engine engine{pool_.get(), Isa::kScalar};
  const Samples samples = noise(2);
  const auto quantize = [&]() -> Result<uint64_t> {
    graph::Graph from = graph_;
    DEEPLAB_RETURN_IF_ERROR(prepare_float_graph(from));
    const std::vector<graph::TensorId> sources = range_sources(from);
    DEEPLAB_ASSIGN_OR_RETURN(const auto before, collect_statistics(from, sources, samples, engine));
    const int64_t scaled = equalize(from, before, {});
    DEEPLAB_ASSIGN_OR_RETURN(const auto after, collect_statistics(from, sources, samples, engine));
    const QuantizeOptions options;
    DEEPLAB_ASSIGN_OR_RETURN(graph::Graph to,
                             quantize_graph(from, choose_ranges(from, after, {}), options));
    DEEPLAB_ASSIGN_OR_RETURN(const auto means,
                             collect_statistics(from, mean_sources(from), samples, engine));
    const float shift = input_shift(options);
    DEEPLAB_RETURN_IF_ERROR(correct_biases(to, from, means, samples, engine, shift));
    DEEPLAB_ASSIGN_OR_RETURN(const auto drops, measure_drop(from, to, samples, engine, shift));
    tflite::ModelFile file;
    file.graph = std::move(to);
    file.metadata.labels = {"background", "aeroplane"};
    DEEPLAB_ASSIGN_OR_RETURN(const auto bytes, tflite::write_model(file));
    Digest digest;
    digest.add(&scaled, 1).add(bytes.data(), bytes.size());
    for (const OpDrop& drop : drops) digest.add(&drop.sqnr_db, 1);
    return digest.value();
  };
  campaign("quantize", Throws::kBadAlloc, quantize, kStepOfLarge);
}

}  // namespace
}  // namespace deeplab::testing
