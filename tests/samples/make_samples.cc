// make_samples MODELS_DIR OUT_DIR: from the committed int8 models, models of every other kind that
// people bring, so that tests need no files from elsewhere. The weights are the committed ones, so
// the networks recognise what is in photos.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "graph/graph.h"
#include "quantize/dequantize_graph.h"
#include "quantize/quantize_graph.h"
#include "tflite/reader.h"
#include "tflite/writer.h"

namespace deeplab::testing {
namespace {

using graph::DataType;
using graph::Graph;
using graph::Tensor;

void exit_unless_ok(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "make_samples: %s\n", std::string(status.message()).c_str());
  std::exit(1);
}

template <typename T>
T value_or_exit(Result<T> result) {
  exit_unless_ok(result.status());
  return std::move(*result);
}

/// A float network and the ranges of its activations.
struct FloatNetwork {
  Graph graph;
  quantize::ActivationRanges ranges;
};

/// The int8 network's weights as floats; its activations have the ranges that 8 bits can say.
FloatNetwork make_float(const Graph& graph) {
  FloatNetwork made;
  made.graph = value_or_exit(quantize::dequantize_graph(graph));
  for (const Tensor& tensor : graph.tensors) {
    quantize::Range range;
    if (!tensor.is_constant() && tensor.quantization.present()) {
      const float scale = tensor.quantization.scale();
      const auto zero_point = static_cast<float>(tensor.quantization.zero_point());
      range = {scale * (-128 - zero_point), scale * (127 - zero_point)};
    }
    made.ranges.push_back(range);
  }
  return made;
}

/// A RESIZE_BILINEAR to the size that the scores have already, as the published files have it
/// before the last one.
void add_idle_resize(FloatNetwork& network) {
  Graph& graph = network.graph;
  graph::Op& last = graph.ops.back();
  const graph::TensorId scores = last.inputs[0];
  const auto same = static_cast<graph::TensorId>(graph.tensors.size());
  graph.tensors.push_back(graph.tensor(scores));
  graph.tensors.back().name = "same";
  network.ranges.push_back(network.ranges[static_cast<size_t>(scores)]);
  last.inputs[0] = same;
  graph::Op idle = last;
  auto& resize = std::get<graph::ResizeBilinear>(idle.attributes);
  resize.height = graph.tensor(scores).shape[1];
  resize.width = graph.tensor(scores).shape[2];
  idle.inputs = {scores};
  idle.outputs = {same};
  graph.ops.insert(graph.ops.end() - 1, std::move(idle));
}

/// ARG_MAX over the classes at the end.
void add_arg_max(Graph& graph) {
  const Tensor& scores = graph.tensor(graph.outputs[0]);
  Tensor labels;
  labels.name = "labels";
  labels.type = labels.file_type = DataType::kInt64;
  labels.shape.assign(scores.shape.begin(), scores.shape.end() - 1);
  graph.ops.push_back({graph::ArgMax{3},
                       {graph.outputs[0]},
                       {static_cast<graph::TensorId>(graph.tensors.size())},
                       static_cast<int32_t>(graph.ops.size())});
  graph.outputs = {graph.ops.back().output()};
  graph.tensors.push_back(std::move(labels));
}

/// What shift_uint8() takes back: written as uint8, since that is what the "file" had.
void say_uint8(Graph& graph) {
  for (Tensor& tensor : graph.tensors) {
    if (tensor.type == DataType::kInt8) tensor.file_type = DataType::kUInt8;
  }
}

class Maker {
 public:
  Maker(std::string models, std::string out) : models_(std::move(models)), out_(std::move(out)) {}

  tflite::ModelFile read(const std::string& name) const {
    const auto bytes = value_or_exit(read_file(models_ + "/" + name, int64_t{1} << 30));
    return value_or_exit(tflite::read_model(bytes, name));
  }

  void write(const std::string& name, tflite::ModelFile file, Graph graph) const {
    file.graph = std::move(graph);
    const auto bytes = value_or_exit(tflite::write_model(file));
    exit_unless_ok(write_file_atomically(out_ + "/" + name, bytes));
  }

 private:
  std::string models_;
  std::string out_;
};

void make_all(const Maker& maker) {
  const tflite::ModelFile built_in = maker.read("deeplab.tflite");
  FloatNetwork network = make_float(built_in.graph);
  add_idle_resize(network);

  Graph float513 = network.graph;
  add_arg_max(float513);
  maker.write("float513.tflite", built_in, std::move(float513));

  quantize::QuantizeOptions options;
  options.border = quantize::Border::kInt8;
  options.output = quantize::Output::kLabels;
  maker.write("int8_labels.tflite", built_in,
              value_or_exit(quantize::quantize_graph(network.graph, network.ranges, options)));

  options.granularity = quantize::Granularity::kPerTensor;
  Graph uint8 = value_or_exit(quantize::quantize_graph(network.graph, network.ranges, options));
  say_uint8(uint8);
  maker.write("uint8_labels.tflite", built_in, std::move(uint8));

  const tflite::ModelFile dilated = maker.read("tfhub_dm05_int8_os8.tflite");
  Graph float257 = make_float(dilated.graph).graph;
  exit_unless_ok(graph::resize_input(float257, 257, 257));
  maker.write("float257.tflite", dilated, std::move(float257));
}

}  // namespace
}  // namespace deeplab::testing

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: make_samples MODELS_DIR OUT_DIR\n");
    return 2;
  }
  deeplab::testing::make_all({argv[1], argv[2]});
}
