// From a graph op to the parameters of its kernel: shapes resolved, scales turned into
// multipliers, fused activations into clamp bounds. The naive and the planned executor both
// start here, so they cannot disagree about what an op means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"
#include "kernels/add/add.h"
#include "kernels/arg_max/arg_max.h"
#include "kernels/average_pool2d/average_pool2d.h"
#include "kernels/batch_to_space_nd/batch_to_space_nd.h"
#include "kernels/binary/binary.h"
#include "kernels/concatenation/concatenation.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/hybrid.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/depthwise_conv2d/hybrid.h"
#include "kernels/max_pool2d/max_pool2d.h"
#include "kernels/mean/mean.h"
#include "kernels/mul/mul.h"
#include "kernels/pad/pad.h"
#include "kernels/prelu/prelu.h"
#include "kernels/quantize/quantize.h"
#include "kernels/relu/relu.h"
#include "kernels/resize_bilinear/resize_bilinear.h"
#include "kernels/resize_nearest_neighbor/resize_nearest_neighbor.h"
#include "kernels/softmax/softmax.h"
#include "kernels/space_to_batch_nd/space_to_batch_nd.h"
#include "kernels/strided_copy/strided_copy.h"
#include "kernels/tile/tile.h"
#include "kernels/transpose_conv/transpose_conv.h"
#include "kernels/unary/unary.h"

namespace deeplab::plan {

/// Parameters together with the one array that they point into. Moving keeps the pointer valid;
/// copying would not, so there is none. `pointer` is the parameters' member for the array.
template <typename Params, auto pointer>
struct LoweredWithArray {
  using Element = std::remove_cvref_t<decltype(*(std::declval<Params>().*pointer))>;

  LoweredWithArray(Params p, std::vector<Element> a) : params(p), array(std::move(a)) {
    params.*pointer = array.data();
  }
  LoweredWithArray(LoweredWithArray&&) noexcept = default;
  LoweredWithArray& operator=(LoweredWithArray&&) noexcept = default;

  Params params;
  std::vector<Element> array;
};

using LoweredConv2DInt8 = LoweredWithArray<kernels::Conv2DInt8, &kernels::Conv2DInt8::multipliers>;
using LoweredDepthwiseConv2DInt8 =
    LoweredWithArray<kernels::DepthwiseConv2DInt8, &kernels::DepthwiseConv2DInt8::multipliers>;
using LoweredTransposeConvInt8 =
    LoweredWithArray<kernels::TransposeConvInt8, &kernels::TransposeConvInt8::multipliers>;
using LoweredConv2DHybrid =
    LoweredWithArray<kernels::Conv2DHybrid, &kernels::Conv2DHybrid::filter_scales>;
using LoweredDepthwiseConv2DHybrid =
    LoweredWithArray<kernels::DepthwiseConv2DHybrid,
                     &kernels::DepthwiseConv2DHybrid::filter_scales>;
using LoweredConcatenationInt8 =
    LoweredWithArray<kernels::ConcatenationInt8, &kernels::ConcatenationInt8::inputs>;
using LoweredConcatenationFloat =
    LoweredWithArray<kernels::ConcatenationFloat, &kernels::ConcatenationFloat::inners>;

struct LoweredArgMax {
  kernels::ArgMax params;
  bool float_input = false;
  bool int64_output = false;
};

/// RESHAPE: the same bytes.
struct LoweredCopy {
  size_t bytes = 0;
};

/// What a reference kernel is called with.
struct ReferenceRun {
  kernels::Rounding rounding;
  /// One pointer per input of the op; an absent bias is null or left out.
  std::span<const std::byte* const> inputs;
  std::byte* output;

  template <typename T>
  const T* in(size_t k) const {
    return reinterpret_cast<const T*>(inputs[k]);
  }
  const int32_t* int8_bias() const { return inputs.size() > 2 ? in<int32_t>(2) : nullptr; }
  const float* float_bias() const { return inputs.size() > 2 ? in<float>(2) : nullptr; }
  template <typename T>
  T* out() const {
    return reinterpret_cast<T*>(output);
  }
};

/// Any kernel that only a reference step runs.
struct LoweredReference {
  std::function<void(const ReferenceRun&)> run;
};

// One alternative for each kernel entry point that a step may know by its type, and
// LoweredReference for the others.
// clang-format off
#define DEEPLAB_LOWERED(KERNEL)          \
  KERNEL(LoweredConv2DInt8)              \
  KERNEL(kernels::Conv2DFloat)           \
  KERNEL(LoweredConv2DHybrid)            \
  KERNEL(LoweredDepthwiseConv2DInt8)     \
  KERNEL(kernels::DepthwiseConv2DFloat)  \
  KERNEL(LoweredDepthwiseConv2DHybrid)   \
  KERNEL(LoweredTransposeConvInt8)       \
  KERNEL(kernels::TransposeConvFloat)    \
  KERNEL(kernels::AddInt8)               \
  KERNEL(kernels::AddFloat)              \
  KERNEL(kernels::MulInt8)               \
  KERNEL(kernels::MulFloat)              \
  KERNEL(kernels::ExtremeInt8)           \
  KERNEL(kernels::BinaryFloat)           \
  KERNEL(kernels::PreluInt8)             \
  KERNEL(kernels::PreluFloat)            \
  KERNEL(kernels::AveragePool2DInt8)     \
  KERNEL(kernels::AveragePool2DFloat)    \
  KERNEL(kernels::MaxPool2DInt8)         \
  KERNEL(kernels::MaxPool2DFloat)        \
  KERNEL(kernels::MeanInt8)              \
  KERNEL(kernels::MeanFloat)             \
  KERNEL(kernels::ResizeBilinearInt8)    \
  KERNEL(kernels::ResizeBilinearFloat)   \
  KERNEL(kernels::ResizeNearestNeighbor) \
  KERNEL(LoweredConcatenationInt8)       \
  KERNEL(LoweredConcatenationFloat)      \
  KERNEL(kernels::Tile)                  \
  KERNEL(kernels::Pad)                   \
  KERNEL(kernels::StridedCopy)           \
  KERNEL(kernels::UnaryInt8)             \
  KERNEL(kernels::UnaryFloat)            \
  KERNEL(kernels::QuantizeFloat)         \
  KERNEL(kernels::RequantizeInt8)        \
  KERNEL(kernels::DequantizeInt8)        \
  KERNEL(LoweredArgMax)                  \
  KERNEL(kernels::SoftmaxInt8)           \
  KERNEL(kernels::SoftmaxFloat)          \
  KERNEL(kernels::ReluInt8)              \
  KERNEL(kernels::ReluFloat)             \
  KERNEL(kernels::SpaceToBatchNd)        \
  KERNEL(kernels::BatchToSpaceNd)        \
  KERNEL(LoweredCopy)                    \
  KERNEL(LoweredReference)
// clang-format on

template <typename First, typename... Kernels>
struct KernelVariant {
  using type = std::variant<Kernels...>;
};
#define DEEPLAB_NEXT_KERNEL(Parameters) , Parameters
using Lowered = KernelVariant<void DEEPLAB_LOWERED(DEEPLAB_NEXT_KERNEL)>::type;
#undef DEEPLAB_NEXT_KERNEL

/// Lowers an op of a validated graph without uint8 tensors (see passes::shift_uint8). If a
/// tensor's file_type is uint8, the parameters are those of TensorFlow Lite's uint8 kernels.
/// Errors (kUnsupported), naming the op: data types without a kernel, more than
/// kernels::kMaxRank dimensions, a ratio of scales that is not in (0, 2^31).
Result<Lowered> lower(const graph::Graph& graph, const graph::Op& op);

/// The resolved geometry of a convolution of a validated graph.
Result<kernels::WindowShape> convolution_shape(const graph::Graph& graph, const graph::Op& op,
                                               const graph::Window& window);

/// Runs the op on its reference kernel. Pointers are aligned for the element types.
void run_reference(const Lowered& lowered, kernels::Rounding rounding,
                   std::span<const std::byte* const> inputs, std::byte* output);

}  // namespace deeplab::plan
