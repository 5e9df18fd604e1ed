// Private to this folder: the parts of write_model().
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"
#include "tflite/reader.h"
#include "tflite/schema_generated.h"

namespace deeplab::tflite {

/// What the format calls a type.
schema::TensorType file_type(graph::DataType type);

/// The same graph in terms of the file: uint8 unshifted, SAME and VALID only, every tensor referred
/// to, every convolution with a bias, every 8-bit bias with a scale. Validated.
Result<graph::Graph> file_graph(const graph::Graph& graph);

/// A list that is an attribute in the IR and an int32 constant in the file.
struct ListOperand {
  const char* name;
  std::vector<int32_t> values;
  graph::Shape shape;
};

/// One op as the file has it, apart from its data.
struct FileOp {
  schema::BuiltinOperator code = {};
  int32_t version = 1;
  schema::BuiltinOptionsUnion options;
  std::vector<ListOperand> operands;  ///< After the data inputs, or before them.
  /// A last operand: this real number in the type and the scale of the output.
  std::optional<float> fill;
  bool operands_first = false;
  bool swap_inputs = false;  ///< The file has the two data inputs in the other order.
};

/// `op` of a file_graph(). Error: an attribute that the format cannot express.
Result<FileOp> file_op(const graph::Graph& graph, const graph::Op& op);

/// The first TensorFlow Lite release that runs `version` of an op: {2, 8, 0}.
struct Release {
  int major;
  int minor;
  int patch;
  auto operator<=>(const Release&) const = default;
};
Release first_release(schema::BuiltinOperator code, int32_t version);

/// The name of the label file in the archive.
inline constexpr std::string_view kLabelFile = "labels.txt";

/// The FlatBuffer of the metadata entry; empty if `metadata` is. Errors: a normalization that
/// does not fit input 0.
Result<std::vector<uint8_t>> metadata_entry(const Metadata& metadata, const graph::Graph& graph);

/// The content of the label file: one label per line. Error: a label that would not be read back.
Result<std::string> label_file(const std::vector<std::string>& labels);

}  // namespace deeplab::tflite
