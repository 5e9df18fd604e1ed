// The tail of a segmentation network, cut off: nobody needs scores at the canvas' size. The graph
// then ends in the low-resolution scores, and the caller interpolates and compares them directly
// at the photo's own size.
#pragma once

#include "graph/graph.h"

namespace deeplab::passes {

/// What the graph did with its scores. Interpolation parameters are those of RESIZE_BILINEAR.
struct LabelHead {
  /// [1, height, width, classes] of float32 or a quantized type: the graph's only output now.
  graph::TensorId scores = graph::kNoTensor;
  int32_t height = 0;
  int32_t width = 0;
  int32_t classes = 0;
  /// The size the file's own output has: `height` x `width` without a resize. The interpolation
  /// maps the scores onto this canvas, which covers the same picture as the graph's input.
  int32_t canvas_height = 0;
  int32_t canvas_width = 0;
  bool has_resize = false;
  bool align_corners = false;
  bool half_pixel_centers = false;
  bool softmax_in_graph = false;  ///< The file's scores are probabilities; `scores` are logits.
  bool argmax_in_graph = false;   ///< The file gives labels.
  /// The file scores one class only, against its threshold. `scores` have two: class 0 is the
  /// background, whose score is the threshold everywhere.
  bool one_class = false;
  /// The graph's output that all this is about.
  graph::TensorId output = graph::kNoTensor;
};

/// From which probability on a pixel belongs to the class of a one-class network.
inline constexpr float kDefaultThreshold = 0.5f;

/// Recognises, from an output backwards,
///   scores -> [DEQUANTIZE] -> [RESIZE_BILINEAR] -> [SOFTMAX | LOGISTIC | DEQUANTIZE | QUANTIZE]*
///          -> [ARG_MAX over classes] -> [RESHAPE | CAST]*
/// with any RESHAPE and TRANSPOSE after the resize that keep the classes apart (NCHW, 1xNxC), and
/// makes `scores` the output. What is cut keeps the order of the classes within a pixel, so
/// the labels stay the same up to rounding of ties: a SOFTMAX or a QUANTIZE in front of the
/// interpolation does not commute with it and stays in the graph. The dead ops are removed.
/// Of several outputs it takes the one with the largest canvas, the first if several are as large.
/// `threshold`, in (0, 1), is a one-class network's. Error (kUnsupported): not a segmentation
/// network, with the shape that the output has.
Result<LabelHead> cut_label_head(graph::Graph& graph, float threshold = kDefaultThreshold);

}  // namespace deeplab::passes
