// A float DeepLab, quantized on a photo.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>
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

using graph::Graph;

/// A cat on a square canvas, and its mirror image.
Samples cats() {
  const auto image = imageio::read_image(deeplab::testing::kCatPhoto);
  EXPECT_TRUE(image.ok()) << image.status().message();
  return {2, [pixels = deeplab::testing::padded_canvas(*image)](size_t i, std::span<float> input) {
            const auto side = static_cast<size_t>(std::lround(std::sqrt(input.size() / 3)));
            const size_t step = 512 / (side - 1);
            for (size_t p = 0; p < side * side; ++p) {
              const size_t row = p / side * step;
              const size_t column = p % side * step;
              const size_t from = row * 513 + (i == 0 ? column : 512 - column);
              for (size_t c = 0; c < 3; ++c) {
                input[3 * p + c] = (static_cast<float>(pixels[3 * from + c]) - 127.5f) / 127.5f;
              }
            }
            return Status();
          }};
}

Graph read(const std::string& path) {
  const auto bytes = read_file(path, int64_t{1} << 30);
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  auto file = tflite::read_model(*bytes, path);
  EXPECT_TRUE(file.ok()) << file.status().message();
  return file.ok() ? std::move(file->graph) : Graph();
}

struct Quantized {
  Graph prepared;  ///< float
  std::vector<std::byte> file;
  Graph graph;  ///< Read from the file.
};

/// The whole way.
Quantized quantized(Graph from, const Samples& samples, const Engine& engine, Output output) {
  Quantized result;
  EXPECT_TRUE(prepare_float_graph(from).ok());
  const auto before = collect_statistics(from, range_sources(from), samples, engine);
  EXPECT_TRUE(before.ok()) << before.status().message();
  result.prepared = from;
  EXPECT_GT(equalize(from, *before, {}), 1000);
  const auto statistics = collect_statistics(from, range_sources(from), samples, engine);
  EXPECT_TRUE(statistics.ok());
  QuantizeOptions options;
  options.output = output;
  auto to = quantize_graph(from, choose_ranges(from, *statistics, {}), options);
  EXPECT_TRUE(to.ok()) << to.status().message();
  const auto means = collect_statistics(from, mean_sources(from), samples, engine);
  EXPECT_TRUE(means.ok());
  EXPECT_TRUE(correct_biases(*to, from, *means, samples, engine, 0).ok());
  auto written = tflite::write_model({*to, {}, ""});
  EXPECT_TRUE(written.ok()) << written.status().message();
  auto file = tflite::read_model(*written, "written");
  EXPECT_TRUE(file.ok()) << file.status().message();
  result.file = std::move(*written);
  result.graph = std::move(file->graph);
  return result;
}

class RealModel : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto isa = selected_isa();
    auto pool = ThreadPool::create(0);
    ASSERT_TRUE(isa.ok() && pool.ok());
    pool_ = std::move(*pool);
    isa_ = *isa;
  }
  Engine engine() const { return {pool_.get(), isa_}; }

 private:
  std::unique_ptr<ThreadPool> pool_;
  Isa isa_ = Isa::kScalar;
};

/// The share of the pixels of sample `i` that get one label from both, which end in an ARG_MAX.
double equal_labels(GraphRunner& a, GraphRunner& b, const Samples& samples, size_t i) {
  EXPECT_TRUE(a.run(samples, i).ok());
  EXPECT_TRUE(b.run(samples, i).ok());
  const auto of_a = a.stored(a.graph().outputs[0]);
  const auto of_b = b.stored(b.graph().outputs[0]);
  EXPECT_EQ(of_a.size(), of_b.size());
  if (of_a.size() != of_b.size() || of_a.empty()) return 0;
  size_t equal = 0;
  for (size_t k = 0; k < of_a.size(); k += 8) equal += of_a[k] == of_b[k];
  return static_cast<double>(8 * equal) / static_cast<double>(of_a.size());
}

// The label maps of the float file and of what is read back of the int8 one.
TEST_F(RealModel, KeepsItsLabels) {
  const Samples samples = cats();
  const Quantized q =
      quantized(read(deeplab::testing::kFloat513), samples, engine(), Output::kLabels);
  EXPECT_LE(q.file.size(), 983u * 1000);
  const auto exact = GraphRunner::create(q.prepared, engine());
  const auto rounded = GraphRunner::create(q.graph, engine());
  ASSERT_TRUE(exact.ok() && rounded.ok());
  for (size_t i = 0; i < samples.count; ++i) {
    EXPECT_GE(equal_labels(**exact, **rounded, samples, i), 0.98);
  }
}

/// A float network as converters write it that fold nothing: each convolution with a batch norm
/// after it, as MUL and ADD, and each dilated one between SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND.
class Unfused {
 public:
  /// `factors`: the batch norms' in turn.
  static Graph make(Graph fused, std::vector<float> factors) {
    Unfused unfused(std::move(factors));
    std::vector<graph::Op> ops = std::exchange(fused.ops, {});
    unfused.graph_ = std::move(fused);
    for (graph::Op& op : ops) unfused.add(std::move(op));
    return std::move(unfused.graph_);
  }

 private:
  explicit Unfused(std::vector<float> factors) : factors_(std::move(factors)) {}

  void add(graph::Op op) {
    if (auto* dense = std::get_if<graph::Conv2D>(&op.attributes)) {
      return add_convolution(op, dense->window, dense->activation, 0);
    }
    if (auto* depthwise = std::get_if<graph::DepthwiseConv2D>(&op.attributes)) {
      return add_convolution(op, depthwise->window, depthwise->activation, 3);
    }
    graph_.ops.push_back(std::move(op));
  }

  void add_convolution(graph::Op& op, graph::Window& window, graph::Activation& activation,
                       size_t channel_axis) {
    ASSERT_GE(op.inputs[2], 0);
    const graph::TensorId bias = op.inputs[2];
    const graph::TensorId end = op.output();
    const graph::Activation last = std::exchange(activation, graph::Activation::kNone);
    const size_t channels = static_cast<size_t>(graph_.tensor(bias).elements());
    std::vector<float> factors;
    for (size_t c = 0; c < channels; ++c) {
      factors.push_back(factors_[c % factors_.size()]);
    }
    op.inputs = {op.inputs[0], divided(op.inputs[1], factors, channel_axis)};
    const graph::Shape shape = graph_.tensor(end).shape;
    const int32_t dilation = window.dilation_h;
    if (dilation > 1) {
      ASSERT_EQ(window.padding, graph::Padding::kSame);
      const graph::Shape x = graph_.tensor(op.inputs[0]).shape;
      const int32_t pad = dilation * (graph_.tensor(op.inputs[1]).shape[1] / 2);
      const auto rest = [&](int32_t size) {
        return (dilation - (size + 2 * pad) % dilation) % dilation;
      };
      graph::SpaceToBatchNd split{
          dilation, dilation, {pad, pad + rest(x[1])}, {pad, pad + rest(x[2])}};
      graph::BatchToSpaceNd join{dilation, dilation, {0, rest(x[1])}, {0, rest(x[2])}};
      op.inputs[0] = append(split, {op.inputs[0]});
      window.padding = graph::Padding::kValid;
      window.dilation_h = window.dilation_w = 1;
      op.outputs = {append(op.attributes, op.inputs)};
      op.outputs = {append(join, op.outputs)};
      EXPECT_EQ(graph_.tensor(op.output()).shape, shape);
    } else {
      op.outputs = {append(op.attributes, op.inputs)};
    }
    const graph::TensorId scaled =
        append(graph::Mul{}, {op.output(), constant({static_cast<int32_t>(channels)}, factors)});
    graph_.ops.push_back({graph::Add{last}, {scaled, bias}, {end}, next_index()});
  }

  graph::TensorId append(graph::Attributes attributes, std::vector<graph::TensorId> inputs) {
    graph::Op op{std::move(attributes), std::move(inputs), {}, next_index()};
    op.outputs = {new_tensor()};
    const auto shape = graph::infer_shape(graph_, op);
    EXPECT_TRUE(shape.ok()) << shape.status().message();
    graph_.tensor(op.output()).shape = shape.ok() ? *shape : graph::Shape();
    graph_.ops.push_back(op);
    return op.output();
  }

  graph::TensorId divided(graph::TensorId filter, const std::vector<float>& by, size_t axis) {
    const graph::Tensor from = graph_.tensor(filter);
    std::vector<float> values(static_cast<size_t>(from.elements()));
    std::memcpy(values.data(), from.data->data(), from.data->size());
    const size_t inner = axis == 0 ? values.size() / by.size() : 1;
    for (size_t i = 0; i < values.size(); ++i) values[i] /= by[i / inner % by.size()];
    return constant(from.shape, values);
  }

  graph::TensorId constant(const graph::Shape& shape, const std::vector<float>& values) {
    const graph::TensorId id = new_tensor();
    const auto bytes = std::as_bytes(std::span(values));
    graph_.tensor(id).shape = shape;
    graph_.tensor(id).data =
        std::make_shared<const std::vector<std::byte>>(bytes.begin(), bytes.end());
    return id;
  }

  graph::TensorId new_tensor() {
    graph::Tensor tensor;
    tensor.name = str_cat("unfused", graph_.tensors.size());
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<graph::TensorId>(graph_.tensors.size() - 1);
  }
  int32_t next_index() const { return static_cast<int32_t>(graph_.ops.size()); }

  Graph graph_;
  std::vector<float> factors_;
};

/// The float network as converters write it, from a file.
Graph read_unfused(const Graph& fused, const std::vector<float>& factors) {
  const auto file = tflite::write_model({Unfused::make(fused, factors), {}, ""});
  EXPECT_TRUE(file.ok()) << file.status().message();
  if (!file.ok()) return {};
  if (const char* folder = std::getenv("DEEPLAB_KEEP_MODELS")) {
    EXPECT_TRUE(write_file_atomically(str_cat(folder, "/unfused257.tflite"), *file).ok());
  }
  auto read = tflite::read_model(*file, "unfused");
  EXPECT_TRUE(read.ok()) << read.status().message();
  return read.ok() ? std::move(read->graph) : Graph();
}

/// What an op of the int8 file computes with, in bytes.
void expect_same_numbers(const Graph& a, const Graph& b) {
  ASSERT_EQ(a.ops.size(), b.ops.size());
  for (size_t i = 0; i < a.ops.size(); ++i) {
    const auto same = [&](graph::TensorId of_a, graph::TensorId of_b) {
      if (of_a == graph::kNoTensor || of_b == graph::kNoTensor) return of_a == of_b;
      const graph::Tensor& x = a.tensor(of_a);
      const graph::Tensor& y = b.tensor(of_b);
      if (x.type != y.type || x.shape != y.shape || x.quantization != y.quantization) return false;
      if (!x.is_constant() || !y.is_constant()) return x.is_constant() == y.is_constant();
      return std::ranges::equal(*x.data, *y.data);
    };
    EXPECT_TRUE(std::ranges::equal(a.ops[i].inputs, b.ops[i].inputs, same)) << i;
    EXPECT_TRUE(std::ranges::equal(a.ops[i].outputs, b.ops[i].outputs, same)) << i;
  }
}

// Factors that leave a weight's bits alone: folding takes them back exactly, so the files have the
// same numbers, and every label is the same.
TEST_F(RealModel, UnfusedByPowersOfTwoIsQuantizedToTheSameNumbers) {
  const Samples samples = cats();
  const Graph fused = read(deeplab::testing::kFloat257);
  const Graph unfused = read_unfused(fused, {0.5f, 4, 1, 0.125f, 2, 0.25f, 8});
  EXPECT_GT(unfused.ops.size(), 2 * fused.ops.size());
  const Quantized a = quantized(fused, samples, engine(), Output::kLabels);
  const Quantized b = quantized(unfused, samples, engine(), Output::kLabels);
  expect_same_numbers(a.graph, b.graph);
}

// Other factors change a weight's last bit, which 8 bits amplify: a scale that differs by 1e-7
// rounds some value of some layer to the next step, and so changes values in all layers after it.
// That alone, without equalization and bias correction, changes 0.07 % of the cat's labels.
TEST_F(RealModel, UnfusedIsQuantizedAsTheFusedOneIs) {
  const Samples samples = cats();
  const Graph fused = read(deeplab::testing::kFloat257);
  const Graph unfused = read_unfused(fused, {0.5f, 0.75f, 1, 1.25f, 1.5f, 1.75f, 2});
  const Quantized a = quantized(fused, samples, engine(), Output::kLabels);
  const Quantized b = quantized(unfused, samples, engine(), Output::kLabels);
  EXPECT_EQ(b.graph.ops.size(), a.graph.ops.size());
  const auto run_a = GraphRunner::create(a.graph, engine());
  const auto run_b = GraphRunner::create(b.graph, engine());
  ASSERT_TRUE(run_a.ok() && run_b.ok());
  double equal = 0;
  for (size_t i = 0; i < samples.count; ++i) equal += equal_labels(**run_a, **run_b, samples, i);
  EXPECT_GE(equal / static_cast<double>(samples.count), 0.998);
}

}  // namespace
}  // namespace deeplab::quantize
