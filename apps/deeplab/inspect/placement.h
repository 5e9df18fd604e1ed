// Where TensorFlow Lite runs the ops of a file.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/lite_runner.h"
#include "base/status.h"
#include "graph/graph.h"

namespace deeplab::app {

/// One op of the file, whether or not the graph has it: the reader drops a DEQUANTIZE of weights.
struct OpPlace {
  int index = 0;
  std::string type;
  int64_t macs = 0;
  int partition = tflite_library::kOnCpu;
};

struct ModelPlacement {
  std::string library;  ///< As it was found.
  std::string version;
  std::string delegate;  ///< Empty: none.
  api::Delegation delegation;
  std::vector<OpPlace> ops;
};

/// Prepares the model in TensorFlow Lite, and runs nothing. `file`: the bytes of the file, if
/// `graph` is as the file has it; `opaque_ops`: see tflite::ModelFile.
Result<ModelPlacement> place_model(std::optional<std::span<const std::byte>> file,
                                   const graph::Graph& graph, int32_t opaque_ops,
                                   const tflite_library::Options& options, int threads);

/// For people: a head and a line per op.
std::string placement_text(const ModelPlacement& placement);

}  // namespace deeplab::app
