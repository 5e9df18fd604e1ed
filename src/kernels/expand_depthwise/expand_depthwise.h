// A CONV_2D and the 3x3 DEPTHWISE_CONV_2D behind it, the wide front of an inverted residual block,
// as one: the tensor between them is only ever four rows at a time, in the layout in which the
// depthwise convolution multiplies it. The definition is the two ops' references, one after the
// other; every entry of the table gives their bytes. No kernel is no loss: the two ops then run
// one by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/conv2d/conv2d.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

namespace deeplab::kernels {

/// depthwise.shape's input is expand.shape's output.
struct ExpandDepthwiseInt8 {
  const Conv2DInt8& expand;
  const DepthwiseConv2DInt8& depthwise;
};

/// Rows of the expanded tensor in a group. Group g holds rows [4 g, 4 g + 4) less the depthwise
/// convolution's pad_top, with whatever padding these and the columns beside them ask for.
inline constexpr int32_t kGroupRows = 4;

struct ExpandDepthwiseInt8Kernel {
  const char* name;
  Isa isa;
  bool (*supports)(const ExpandDepthwiseInt8& ops);
  size_t (*packed_bytes)(const ExpandDepthwiseInt8& ops);
  /// `packed` is 64-byte aligned. Biases may be null.
  void (*pack)(const ExpandDepthwiseInt8& ops, const int8_t* expand_filter,
               const int32_t* expand_bias, const int8_t* depthwise_filter,
               const int32_t* depthwise_bias, std::byte* packed);
  /// Bytes of a group, 64-byte aligned.
  size_t (*group_bytes)(const ExpandDepthwiseInt8& ops);
  /// 64-byte aligned scratch of expand().
  size_t (*scratch_bytes)(const ExpandDepthwiseInt8& ops);
  /// Computes group `group` from the input of the CONV_2D.
  void (*expand)(const ExpandDepthwiseInt8& ops, const std::byte* packed, const int8_t* input,
                 int32_t group, std::byte* to, std::byte* scratch);
  /// The output rows whose windows begin in group `group`, which are kGroupRows / stride_h, or
  /// those of them that exist, to `output`. `next` is the group after it.
  void (*depthwise)(const ExpandDepthwiseInt8& ops, const std::byte* packed, int32_t group,
                    const std::byte* at, const std::byte* next, int8_t* output);
};

/// Best first, as conv2d_int8_kernels(); empty where no instruction set has one.
std::span<const ExpandDepthwiseInt8Kernel> expand_depthwise_int8_kernels();

}  // namespace deeplab::kernels
