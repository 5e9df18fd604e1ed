// What `inspect` knows about a model file, as text and as JSON.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "apps/deeplab/common/options.h"
#include "apps/deeplab/inspect/placement.h"
#include "base/status.h"
#include "passes/label_head.h"
#include "plan/plan.h"
#include "tflite/reader.h"

namespace deeplab::app {

struct ModelFacts {
  std::string path;
  int64_t bytes = 0;
  tflite::ModelFile file;  ///< The graph at the size that was asked for.
  /// How the scores become labels; an error if this is not a segmentation network.
  Result<passes::LabelHead> label_head = passes::LabelHead{};
  /// Null if not asked for. Of the network that `segment` runs: without its label head.
  std::shared_ptr<const plan::Plan> plan;
  std::optional<ModelPlacement> placement;  ///< If TensorFlow Lite was asked.
};

struct FactsOptions {
  CanvasSize size;
  int32_t output_stride = 0;  ///< 0: the model's own.
  bool with_plan = false;
  int threads = 0;
  bool allow_custom_ops = false;
  /// Where TensorFlow Lite would run each op; null: nobody asks.
  std::shared_ptr<const tflite_library::Options> tflite;
};

/// Reads and analyses the file. Errors name it.
Result<ModelFacts> find_facts(const std::string& path, const FactsOptions& options);

/// Elements of all weights and biases that some op reads, each counted once.
int64_t parameter_count(const graph::Graph& graph);

/// Floating-point operations of one inference, or integer ones in an 8-bit file: a
/// multiply-accumulate of a convolution counts as 2, one product and one sum; all else as 0.
int64_t flops(const graph::Graph& graph);

/// For people, over many lines.
std::string text_facts(const ModelFacts& facts);

/// One object and a newline.
std::string json_facts(const ModelFacts& facts);

}  // namespace deeplab::app
