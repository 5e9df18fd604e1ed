// DeepLabV3-MobileNetV2 as a float graph of the engine's own ops: what is trained is what runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"
#include "train/network/options.h"

namespace deeplab::train {

/// Weights as a tensor of the graph holds them.
std::shared_ptr<const std::vector<std::byte>> bytes_of(const std::vector<float>& values);

/// The graph [1,height,width,3] -> scores [1,height,width,classes], float32, with weights drawn at
/// random from `seed` (He et al. 2015: normal, variance 2 / inputs of an output; the scores' own
/// layers 0.01; biases 0). MobileNetV2 of Sandler et al. 2018: channels are depth_multiplier times
/// the paper's, rounded to multiples of 4, which are the published models' widths at 0.5 and 1.
/// The part of the projection that reads the image pooling is a layer of its own, added to the
/// other's result: the same function as a concatenation, for 71 M multiply-accumulates less at 513.
/// Errors: options out of range.
Result<graph::Graph> build_network(const NetworkOptions& options, uint64_t seed);

/// Copies the weights of every convolution of `source` (float32; see quantize::dequantize_graph())
/// that has its counterpart in `target`: the convolutions in their order, told apart by kind,
/// filter shape and whether they read a pooled (1x1) picture. A projection over a concatenation of
/// image pooling and features is split as in `target`. Returns the names of the layers that keep
/// what they had. Error: nothing matches.
Result<std::vector<std::string>> copy_weights(const graph::Graph& source, graph::Graph& target);

}  // namespace deeplab::train
