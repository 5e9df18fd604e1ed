// The layers of the network as torch functions with gradients, on the layout of the engine: NHWC
// activations and the filters of the .tflite format, so that nothing is transposed on the way in or
// out. libtorch's own convolutions take several times as long on this network's shapes (few
// channels, many pixels; dilated depthwise filters).
//
// Each runs on the calling thread alone: the trainer gives every thread photos of its own, which
// needs no barrier per layer. All tensors are float32 and contiguous. Results are the same in every
// run.
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "graph/op.h"

namespace deeplab::train {

using graph::Activation;

/// x [N,H,W,Ci], weight [Co,1,1,Ci], bias [Co] or undefined -> activation(x * weight + bias),
/// [N,H,W,Co].
torch::Tensor pointwise_convolution(const torch::Tensor& x, const torch::Tensor& weight,
                                    const torch::Tensor& bias, Activation activation);

/// Where a 3x3 filter looks, in pixels; zeros lie around the picture.
struct DepthwiseWindow {
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t pad_top = 1;
  int64_t pad_left = 1;
  int64_t out_height = 0;
  int64_t out_width = 0;
};

/// x [N,H,W,C], weight [1,3,3,C], bias [C] or undefined -> [N,out_height,out_width,C].
torch::Tensor depthwise_convolution(const torch::Tensor& x, const torch::Tensor& weight,
                                    const torch::Tensor& bias, const DepthwiseWindow& window,
                                    Activation activation);

/// x as an int8 activation would hold it: scale * (clamp(round_half_even(x / scale) + zero_point,
/// -128, 127) - zero_point). The gradient goes through if nothing was clamped.
torch::Tensor fake_quantize(const torch::Tensor& x, float scale, int32_t zero_point);

// What these have in common.

// One copy of a loop for each width of vectors; the loader picks by the CPU.
#if defined(__x86_64__)
#define DEEPLAB_TRAIN_CLONES \
  __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define DEEPLAB_TRAIN_CLONES
#endif

}  // namespace deeplab::train
