// An inverted residual block without its ADD: a CONV_2D, the 3x3 DEPTHWISE_CONV_2D after it and
// the 1x1 CONV_2D that projects, as one. Of the wide tensors between them only a few rows exist at
// a time, in the layouts in which the next op multiplies them. The definition is the three ops'
// references, one after the other; every entry of the table gives their bytes. A family without a
// kernel runs the ops one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/conv2d/conv2d.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

namespace deeplab::kernels {

/// Each op's input has the shape of the output of the one before.
struct InvertedResidualInt8 {
  const Conv2DInt8& expand;
  const DepthwiseConv2DInt8& depthwise;
  const Conv2DInt8& project;
};

/// Filters and biases in the layouts of the references; a bias may be null.
struct InvertedResidualWeights {
  const int8_t* expand = nullptr;
  const int32_t* expand_bias = nullptr;
  const int8_t* depthwise = nullptr;
  const int32_t* depthwise_bias = nullptr;
  const int8_t* project = nullptr;
  const int32_t* project_bias = nullptr;
};

/// Rows of the expanded tensor in a group. Group g holds rows [4 g, 4 g + 4) less the depthwise
/// convolution's pad_top, with whatever padding these and the columns beside them ask for.
inline constexpr int32_t kGroupRows = 4;

struct InvertedResidualInt8Kernel {
  const char* name;
  Isa isa;
  bool (*supports)(const InvertedResidualInt8& ops);
  size_t (*packed_bytes)(const InvertedResidualInt8& ops);
  /// `packed` is 64-byte aligned.
  void (*pack)(const InvertedResidualInt8& ops, const InvertedResidualWeights& weights,
               std::byte* packed);
  /// Bytes of a group, 64-byte aligned.
  size_t (*group_bytes)(const InvertedResidualInt8& ops);
  /// Bytes of 64-byte aligned scratch that one call of expand() or project() needs for itself.
  size_t (*scratch_bytes)(const InvertedResidualInt8& ops);
  /// Computes group `group` from the input of the first CONV_2D.
  void (*expand)(const InvertedResidualInt8& ops, const std::byte* packed, const int8_t* input,
                 int32_t group, std::byte* to, std::byte* scratch);
  /// The block's output rows whose windows begin in group `group`, which are kGroupRows / stride_h,
  /// or those of them that exist, to `output`. `next` is the group after it.
  void (*project)(const InvertedResidualInt8& ops, const std::byte* packed, int32_t group,
                  const std::byte* at, const std::byte* next, int8_t* output, std::byte* scratch);
};

/// Best first, as conv2d_int8_kernels(); empty if no instruction set has one.
std::span<const InvertedResidualInt8Kernel> inverted_residual_int8_kernels();

}  // namespace deeplab::kernels
