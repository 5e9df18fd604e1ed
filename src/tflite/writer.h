// .tflite out: a file that read_model() reads back as the same graph, and that TensorFlow Lite
// loads and runs.
#pragma once

#include <cstddef>
#include <vector>

#include "base/status.h"
#include "tflite/reader.h"

namespace deeplab::tflite {

/// The bytes of a .tflite file (schema version 3): the graph, a signature "serving_default" under
/// the tensors' names, the oldest TensorFlow Lite that knows its ops, and, if there is any, the
/// metadata with the labels in a ZIP archive after the model. The same input gives the same bytes.
///
/// read_model() gives back the same graph and metadata, except that
/// - tensors that nothing refers to are dropped, which renumbers the others in their order;
///   operands that are attributes here become constants after them;
/// - Op::index is the op's position;
/// - what a pass has shifted from uint8 to int8 is uint8 again; explicit padding is SAME or VALID,
///   whichever gives the same numbers for this input size;
/// - a convolution without a bias has one of zeros, and an 8-bit bias without a scale has the one
///   implied one, input times filter: TensorFlow Lite requires both;
/// - texts are valid UTF-8 of the reader's lengths (a tensor's name at most 256 bytes).
///
/// Errors: those of graph::validate() (without limits, which only the reader applies); an op
/// that the file format cannot express, by name (kUnsupported); labels or a normalization that
/// would not be read back, by position (kInvalidArgument); more than 2 GB (kResourceExhausted).
Result<std::vector<std::byte>> write_model(const ModelFile& file);

}  // namespace deeplab::tflite
