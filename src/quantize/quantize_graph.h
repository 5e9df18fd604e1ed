// Float graph and ranges in, int8 graph out, by the rules of TensorFlow Lite's int8 specification.
#pragma once

#include <cstdint>
#include <optional>

#include "base/status.h"
#include "graph/graph.h"
#include "quantize/parameters.h"

namespace deeplab::quantize {

/// The type of the picture that comes in and of the scores that go out.
enum class Border : uint8_t {
  kFloat32,  ///< The graph starts with QUANTIZE and, if it gives scores, ends with DEQUANTIZE.
  kInt8,
  kUInt8,  ///< A QUANTIZE at either end moves the zero point by 128; int8 between them.
};

enum class Output : uint8_t {
  kScores,  ///< [1, H, W, classes]
  kLabels,  ///< int64 [1, H, W], of an ARG_MAX, whatever the border.
};

/// value = (pixel - mean) / std, pixels 0..255.
struct PixelScale {
  float mean = 127.5f;
  float std = 127.5f;
};

/// How the 256 pixel values map to the 256 values of the int8 input.
enum class PixelRule : uint8_t {
  kBest,  ///< kShifted if the caller feeds 8-bit values, kRounded if floats.
  /// stored = pixel - 128, exactly: the scale is 1 / std. Zero points are whole numbers, so with
  /// the usual mean of 127.5 the stored value means half a pixel less than the float graph was
  /// fed; the first convolutions' biases take it back. Costs no accuracy; the caller copies bytes.
  kShifted,
  /// A step is 255/256 of a pixel: scale 127.5 / 128 / std, which for mean = std = 127.5 is the
  /// published files' 1/128 with zero point 0. Of floats in [-1, 1] no two pixels but 254 and 255
  /// meet, and none falls between two steps, as they all would with a step of a pixel.
  kRounded,
};

struct QuantizeOptions {
  Granularity granularity = Granularity::kPerChannel;
  Border border = Border::kFloat32;
  Output output = Output::kScores;
  /// The input of the float graph. Nothing (say, for one mean per channel): then the input's range
  /// must be known, and the pixel rule does not matter.
  std::optional<PixelScale> pixels = PixelScale{};
  PixelRule pixel_rule = PixelRule::kBest;
};

/// How a caller of the int8 graph has to scale pixels: with the float graph's scale, but with
/// kShifted a mean that is a whole number. Nothing if options.pixels is nothing.
std::optional<PixelScale> input_pixels(const QuantizeOptions& options);

/// By how much the graph's real input is less than the float graph's input for the same
/// pixel: 0.5 / 127.5 with kShifted and the usual pixels, 0 with kRounded.
float input_shift(const QuantizeOptions& options);

/// The int8 graph. `float_graph` is validated, all float32, with one picture [1, H, W, C] as its
/// input and one output; `ranges` has one element per tensor.
///
/// - Filters are symmetric (weight_scales()), biases int32 of scale input * filter.
/// - Activations have one scale and zero point (activation_quantization()); those that
///   shared_parameters() ties have the parameters of the union of their sources' ranges. A range
///   is first cut to what the op's activation lets through. SOFTMAX gives 1/256 and -128.
/// - Tensor ids of activations stay, so that the two graphs can be compared tensor by tensor; the
///   border's tensors, and constants that are needed twice, are new ones at the end. Op::index
///   is the position.
/// - The output: an ARG_MAX over the classes at the end of `float_graph`, and RESHAPE and CAST
/// after
///   it, are cut off for scores. For labels it stays, without a CAST, or is added.
///
/// Errors: an op or a tensor that is quantized already (kInvalidArgument); no or an infinite range
/// if one is needed, by the tensor's name (kInvalidArgument); weights that are not finite
/// (kInvalidModel); a parameter group that has two fixed scales (kUnsupported); what
/// graph::validate() says of the result, among it accumulators that could overflow.
Result<graph::Graph> quantize_graph(const graph::Graph& float_graph, const ActivationRanges& ranges,
                                    const QuantizeOptions& options);

/// Error unless every tensor of the graph is float32 (or what an ARG_MAX gives): the message says
/// that it is quantized already.
Status check_float(const graph::Graph& graph);

}  // namespace deeplab::quantize
