// A float DeepLab, quantized on a photo.
#include <gtest/gtest.h>

#include <vector>

#include "base/file.h"
#include "imageio/reader.h"
#include "quantize/equalize.h"
#include "quantize/measure_drop.h"
#include "tests/padded_canvas.h"
#include "tests/quantize/quantize_testing.h"
#include "tests/samples/samples.h"
#include "tflite/reader.h"
#include "tflite/writer.h"

namespace deeplab::quantize {
namespace {

/// A cat on a canvas of 513x513, and its mirror image.
Samples cats() {
  const auto image = imageio::read_image(deeplab::testing::kCatPhoto);
  EXPECT_TRUE(image.ok()) << image.status().message();
  return {2, [pixels = deeplab::testing::padded_canvas(*image)](size_t i, std::span<float> input) {
            const size_t count = pixels.size() / 3;
            for (size_t p = 0; p < count; ++p) {
              const size_t column = p % 513;
              const size_t from = i == 0 ? p : p - column + 512 - column;
              for (size_t c = 0; c < 3; ++c) {
                input[3 * p + c] = (static_cast<float>(pixels[3 * from + c]) - 127.5f) / 127.5f;
              }
            }
            return Status();
          }};
}

TEST(RealModel, KeepsItsLabels) {
  const std::string path = deeplab::testing::kFloat513;
  const auto bytes = read_file(path, int64_t{1} << 30);
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  auto file = tflite::read_model(*bytes, path);
  ASSERT_TRUE(file.ok()) << file.status().message();
  graph::Graph from = file->graph;
  ASSERT_TRUE(prepare_float_graph(from).ok());
  const auto isa = selected_isa();
  auto pool = ThreadPool::create(0);
  ASSERT_TRUE(isa.ok() && pool.ok());
  const Engine engine{pool->get(), *isa};
  const Samples samples = cats();

  const auto before = collect_statistics(from, range_sources(from), samples, engine);
  ASSERT_TRUE(before.ok()) << before.status().message();
  const graph::Graph original = from;
  EXPECT_GT(equalize(from, *before, {}), 1000);
  const auto statistics = collect_statistics(from, range_sources(from), samples, engine);
  ASSERT_TRUE(statistics.ok());
  QuantizeOptions options;
  options.output = Output::kLabels;
  auto to = quantize_graph(from, choose_ranges(from, *statistics, {}), options);
  ASSERT_TRUE(to.ok()) << to.status().message();
  const auto means = collect_statistics(from, convolution_inputs(from), samples, engine);
  ASSERT_TRUE(means.ok());
  ASSERT_TRUE(correct_biases(*to, from, *means, samples, engine, 0).ok());

  // The label maps of the float file and of what is read back of the int8 one.
  const auto written = tflite::write_model({*to, {}, ""});
  ASSERT_TRUE(written.ok()) << written.status().message();
  EXPECT_LE(written->size(), 983u * 1000);
  const auto read = tflite::read_model(*written, "written");
  ASSERT_TRUE(read.ok()) << read.status().message();
  const auto exact = GraphRunner::create(original, engine);
  const auto rounded = GraphRunner::create(read->graph, engine);
  ASSERT_TRUE(exact.ok() && rounded.ok());
  for (size_t i = 0; i < samples.count; ++i) {
    ASSERT_TRUE((*exact)->run(samples, i).ok());
    ASSERT_TRUE((*rounded)->run(samples, i).ok());
    const auto a = (*exact)->stored(original.outputs[0]);
    const auto b = (*rounded)->stored(read->graph.outputs[0]);
    ASSERT_EQ(a.size(), b.size());
    size_t equal = 0;
    for (size_t k = 0; k < a.size(); k += 8) equal += a[k] == b[k];
    EXPECT_GE(static_cast<double>(equal), 0.98 * 513 * 513);
  }
}

}  // namespace
}  // namespace deeplab::quantize
