// .tflite in: FlatBuffers' own verifier first, then every number checked for meaning.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"

namespace deeplab::tflite {

/// The largest model file that any program of this project reads.
inline constexpr int64_t kMaxFileBytes = int64_t{1} << 31;

/// What the file says about itself beside the graph. Absent parts are empty.
struct Metadata {
  std::string name;
  std::string description;
  std::string author;
  std::string license;
  std::string version;
  /// From the label file associated with the output (category ids are positions).
  std::vector<std::string> labels;
  /// NormalizationOptions of input 0: tensor value = (pixel - mean) / stddev, one value or
  /// one per channel, pixels 0..255.
  struct Normalization {
    std::vector<float> mean;
    std::vector<float> stddev;
  };
  std::optional<Normalization> normalization;
};

/// A model file in memory: the graph as the file has it (uint8 stays uint8, nothing fused),
/// validated, and its metadata.
struct ModelFile {
  graph::Graph graph;
  Metadata metadata;
  std::string description;  ///< The file's own one-line description field.
  /// More than 0: the file has custom ops that nobody here knows, and `graph` is what comes after
  /// the last of them: this many ops of the file come before it. Its inputs are the file's own, of
  /// which nothing is known to read them, and then what those ops give.
  int32_t opaque_ops = 0;
};

/// Custom ops that are not in the list: code for an accelerator, as compilers for them write it.
enum class CustomOps : uint8_t { kRefuse, kAllow };

/// Reads one model. `name` is used in messages only. The bytes are copied if needed and may
/// be freed afterwards. Errors: kInvalidModel (damaged, with what and where), kUnsupported (an
/// op outside the list, by name, index and type; several subgraphs; an unknown data type),
/// kResourceExhausted (over `limits`).
Result<ModelFile> read_model(std::span<const std::byte> bytes, const std::string& name,
                             const graph::Limits& limits = {},
                             CustomOps custom = CustomOps::kRefuse);

/// The same without a copy of the weights: the graph's constants are parts of `bytes`, which
/// `owner` keeps alive; an empty owner means that they live as long as the program.
Result<ModelFile> read_model_in_place(std::shared_ptr<const void> owner,
                                      std::span<const std::byte> bytes, const std::string& name,
                                      const graph::Limits& limits = {},
                                      CustomOps custom = CustomOps::kRefuse);

}  // namespace deeplab::tflite
