// A network's border in the terms of the vision room, which knows no graph.
#pragma once

#include <string>

#include "base/status.h"
#include "graph/graph.h"
#include "passes/label_head.h"
#include "vision/element_type.h"
#include "vision/labels.h"

namespace deeplab::api {

/// Error unless the graph has one input, a picture: [1, height, width, 3] of float32, int8 or
/// uint8. `first_of_many`: the graph is the end of a file (tflite::ModelFile::opaque_ops), whose
/// own input is the first of several.
Status check_picture_input(const graph::Graph& graph, bool first_of_many = false);

/// Makes the output of that name, or with that index, the graph's only one; empty: leaves them all.
/// Error: there is none, with those that there are.
Status select_output(graph::Graph& graph, const std::string& output);

/// int32 and int64 are the same to that room, which never reads labels. uint8 that a pass has
/// shifted counts as int8, as the executor holds it.
vision::ElementType element_type(graph::DataType type);

/// Per tensor; the identity if the tensor is not quantized.
vision::Quantization quantization(const graph::Tensor& tensor);

/// Scores without a resize are taken as spread evenly over the canvas.
vision::CornerMode corner_mode(const passes::LabelHead& head);

}  // namespace deeplab::api
