// A model file from its bytes to a run: read, checked, written again; planned for a kernel family
// and run beside the naive executor, which has to give the same bytes; and once through Model and
// Segmenter. The last four bytes of the input say how.
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "api/segmenter.h"
#include "exec/naive_executor.h"
#include "exec/planned_executor.h"
#include "fuzz/target.h"
#include "passes/pipeline.h"
#include "tflite/reader.h"
#include "tflite/writer.h"

namespace deeplab::fuzz {
namespace {

using Bytes = std::span<const std::byte>;

/// Small enough that every run is short under the sanitizers.
constexpr graph::Limits kSmall = {
    .max_tensor_bytes = 1 << 18, .max_total_bytes = 1 << 20, .max_macs = 1 << 19};
/// A TRANSPOSE_CONV that becomes a convolution has up to four times the weights, most of them 0,
/// and three tensors.
constexpr graph::Limits kOptimized = {
    .max_tensor_bytes = 4 << 18, .max_total_bytes = 4 << 20, .max_macs = 4 << 19};
constexpr size_t kTail = 4;

/// What the last bytes of the input choose.
struct Setup {
  Isa isa = Isa::kScalar;
  int threads = 1;  ///< Of the plan; all run on one.
  bool keep_all_tensors = false;
  bool write_again = false;
  bool segment = false;
  int32_t height = 0;  ///< Of the canvas; 0: the file's own.
  int32_t width = 0;
  vision::Fit fit = vision::Fit::kPad;
};

Setup make_setup(Bytes tail) {
  const auto at = [&](size_t i) { return std::to_integer<unsigned>(tail[i]); };
  Setup setup;
  const auto& isas = available_isas();
  setup.isa = isas[at(0) % isas.size()];
  setup.threads = (at(0) & 0x40) != 0 ? 3 : 1;
  setup.keep_all_tensors = (at(0) & 0x80) != 0;
  setup.write_again = at(1) % 4 == 1;
  setup.segment = at(1) % 4 == 2;
  setup.fit = static_cast<vision::Fit>(at(1) / 4 % 3);
  if (at(1) >= 0x80) {
    setup.height = 1 + static_cast<int32_t>(at(2) % 40);
    setup.width = 1 + static_cast<int32_t>(at(3) % 40);
  }
  return setup;
}

bool finite_weights(const graph::Graph& graph) {
  for (const graph::Tensor& tensor : graph.tensors) {
    if (!tensor.is_constant() || tensor.type != graph::DataType::kFloat32) continue;
    for (float value : tensor.values<float>()) {
      if (!std::isfinite(value)) return false;
    }
  }
  return true;
}

void fill_input(const graph::Tensor& tensor, std::span<std::byte> memory) {
  uint32_t state = 1;
  const auto next = [&] { return (state = state * 1664525u + 1013904223u) >> 24; };
  if (tensor.type == graph::DataType::kFloat32) {
    for (size_t i = 0; i < memory.size(); i += sizeof(float)) {
      const float value = (static_cast<float>(next()) - 128) / 32;
      std::memcpy(&memory[i], &value, sizeof value);
    }
  } else {
    for (std::byte& b : memory) b = static_cast<std::byte>(next());
  }
}

void run(exec::Executor& executor) {
  for (graph::TensorId id : executor.graph().inputs) {
    fill_input(executor.graph().tensor(id), executor.tensor(id));
  }
  executor.run();
}

/// Bytes that are equal, or floats that are both not a number.
bool same(const graph::Tensor& tensor, Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  if (std::memcmp(a.data(), b.data(), a.size()) == 0) return true;
  if (tensor.type != graph::DataType::kFloat32) return false;
  for (size_t i = 0; i < a.size(); i += sizeof(float)) {
    float x, y;
    std::memcpy(&x, &a[i], sizeof x);
    std::memcpy(&y, &b[i], sizeof y);
    const bool equal = std::bit_cast<uint32_t>(x) == std::bit_cast<uint32_t>(y) ||
                       (std::isnan(x) && std::isnan(y));
    if (!equal) return false;
  }
  return true;
}

void run_both(graph::Graph graph, const Setup& setup) {
  if (const Status status = passes::optimize(graph); !status.ok()) {
    return require_sentence(status);
  }
  require(graph::validate(graph, kOptimized).ok(), "an optimized graph is a valid one");
  auto naive = exec::NaiveExecutor::create(graph, kernels::Rounding::kEngine);
  plan::PlanOptions options;
  options.isa = setup.isa;
  options.threads = setup.threads;
  options.keep_all_tensors = setup.keep_all_tensors;
  options.limits = kSmall;
  const auto plan = plan::Plan::build(graph, options);
  if (!naive.ok()) require_sentence(naive.status());
  if (!plan.ok()) require_sentence(plan.status());
  if (!naive.ok() || !plan.ok()) return;
  require(!plan::dump(**plan).empty(), "a plan has a dump");
  auto planned = exec::PlannedExecutor::create(*plan, nullptr);
  if (!planned.ok()) return require_sentence(planned.status());
  run(**naive);
  run(**planned);
  if (!finite_weights(graph)) return;
  for (graph::TensorId id : graph.outputs) {
    require(same(graph.tensor(id), (*naive)->tensor(id), (*planned)->tensor(id)),
            "the planned executor gives the naive one's bytes");
  }
}

/// As a caller of TensorFlow Lite's numbers has it: nothing fused, its rounding.
void run_as_tflite(graph::Graph graph) {
  passes::OptimizeOptions none;
  none.fold_padding = none.remove_identities = none.fuse_activations = false;
  none.dequantize_filters = none.fold_batch_norms = false;
  if (const Status status = passes::optimize(graph, none); !status.ok()) {
    return require_sentence(status);
  }
  auto naive = exec::NaiveExecutor::create(std::move(graph), kernels::Rounding::kTfLite);
  if (!naive.ok()) return require_sentence(naive.status());
  run(**naive);
}

void segment(Bytes bytes, const Setup& setup) {
  const auto model = api::Model::parse(bytes, "model");
  if (!model.ok()) return require_sentence(model.status());
  api::SegmenterOptions options;
  options.threads = 1;
  options.isa = setup.isa;
  options.fit = setup.fit;
  options.height = setup.height;
  options.width = setup.width;
  options.max_memory_bytes = 1 << 24;
  options.max_macs = 1 << 20;
  auto segmenter = api::Segmenter::create(*model, options);
  if (!segmenter.ok()) return require_sentence(segmenter.status());
  const std::vector<uint8_t> pixels(size_t{7} * 5 * 3, 90);
  require((*segmenter)->run({pixels.data(), 7, 5, 7 * 3, vision::PixelFormat::kRgb8}).ok(),
          "a segmenter that could be made runs");
  std::vector<uint8_t> mask(7 * 5);
  require((*segmenter)->category_mask(7, 5, mask.data(), 7).ok(),
          "a picture that was run has a mask");
  for (uint8_t id : mask) require(id < (*model)->class_count(), "a mask holds classes");
  std::vector<float> confidences(9 * 4);
  require((*segmenter)->confidence_mask(0, 9, 4, confidences.data(), 9 * sizeof(float)).ok(),
          "and confidences");
}

void write_and_read(const tflite::ModelFile& file) {
  const auto bytes = tflite::write_model(file);
  if (!bytes.ok()) return require_sentence(bytes.status());
  const auto again = tflite::read_model(*bytes, "written");
  if (!again.ok()) require_sentence(again.status());
  require(again.ok(), "what was written can be read");
}

}  // namespace
}  // namespace deeplab::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deeplab;
  if (size < fuzz::kTail) return 0;
  const fuzz::Bytes all = std::as_bytes(std::span(data, size));
  const fuzz::Setup setup = fuzz::make_setup(all.last(fuzz::kTail));
  const fuzz::Bytes bytes = all;  // A FlatBuffer ignores what follows it.
  auto file = tflite::read_model(bytes, "model", fuzz::kSmall);
  if (!file.ok()) {
    fuzz::require_sentence(file.status());
    return 0;
  }
  fuzz::require(!graph::dump(file->graph).empty(), "a graph has a dump");
  if (setup.write_again) fuzz::write_and_read(*file);
  if (setup.segment) fuzz::segment(bytes, setup);
  fuzz::run_as_tflite(file->graph);
  if (setup.height != 0 && file->graph.tensor(file->graph.inputs[0]).shape.size() == 4) {
    const Status status = graph::resize_input(file->graph, setup.height, setup.width, fuzz::kSmall);
    if (!status.ok()) fuzz::require_sentence(status);
  }
  fuzz::run_both(std::move(file->graph), setup);
  return 0;
}
