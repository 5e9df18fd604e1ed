// A convolution of either kind, bound to the first kernel of its table that may run it, with its
// weights packed. Every step that convolves contains one.
#pragma once

#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "base/aligned_buffer.h"
#include "kernels/choose.h"
#include "plan/lower.h"
#include "plan/tensor_place.h"

namespace deeplab::plan {

// The kernel parameters inside each lowered convolution.
template <typename Params, auto pointer>
Params& params_of(LoweredWithArray<Params, pointer>& lowered) {
  return lowered.params;
}
inline kernels::Conv2DFloat& params_of(kernels::Conv2DFloat& params) { return params; }
inline kernels::DepthwiseConv2DFloat& params_of(kernels::DepthwiseConv2DFloat& params) {
  return params;
}

/// In a 1x1 convolution the ends of rows do not matter: its pixels as one column split more
/// evenly. Tiles of gemm kernels divide this number of them.
inline constexpr int32_t kPixelsPerUnit = 24;

/// A 1x1 convolution with rows of one pixel each; others as they are.
template <typename Params>
Params flattened(Params conv) {
  kernels::WindowShape& s = conv.shape;
  const int64_t pixels = int64_t{s.batch} * s.out_h * s.out_w;
  if (!kernels::is_pointwise(s) || pixels > INT32_MAX) return conv;
  s.batch = 1;
  s.in_h = s.out_h = static_cast<int32_t>(pixels);
  s.in_w = s.out_w = 1;
  return conv;
}

inline auto kernel_table(const kernels::Conv2DInt8& /*params*/) {
  return kernels::conv2d_int8_kernels();
}
inline auto kernel_table(const kernels::Conv2DFloat& /*params*/) {
  return kernels::conv2d_float_kernels();
}
inline auto kernel_table(const kernels::DepthwiseConv2DInt8& /*params*/) {
  return kernels::depthwise_conv2d_int8_kernels();
}
inline auto kernel_table(const kernels::DepthwiseConv2DFloat& /*params*/) {
  return kernels::depthwise_conv2d_float_kernels();
}

template <typename Params>
using KernelOf = typename decltype(kernel_table(std::declval<const Params&>()))::value_type;

/// The kernel for a convolution with these inputs. Null if none supports it or its weights are not
/// constants: what another op computes cannot be packed in advance.
template <typename Params>
const KernelOf<Params>* find_kernel(const Params& params, std::span<const TensorPlace> inputs,
                                    Isa isa) {
  if (!inputs[1].is_constant() || bias_of(inputs).offset >= 0) return nullptr;
  return kernels::choose(kernel_table(params), isa, params);
}

template <typename Kernel>
struct KernelTypes;
template <typename P, typename E, typename B>
struct KernelTypes<kernels::Conv2DKernelOf<P, E, B>> {
  using Element = E;
  using Bias = B;
};

template <typename LoweredConv>
class BoundConvolution {
 public:
  using Params = std::remove_reference_t<decltype(params_of(std::declval<LoweredConv&>()))>;
  using Kernel = KernelOf<Params>;
  using Element = typename KernelTypes<Kernel>::Element;
  using Bias = typename KernelTypes<Kernel>::Bias;

  /// `kernel` is what find_kernel() gave for `lowered`. Error: no memory.
  static Result<std::unique_ptr<BoundConvolution>> bind(const Kernel& kernel, LoweredConv lowered,
                                                        std::span<const TensorPlace> inputs) {
    const Params& params = params_of(lowered);
    AlignedBuffer packed(kernel.packed_bytes(params));
    if (packed.data() == nullptr) {
      return resource_exhausted("no memory for ", kernel.packed_bytes(params),
                                " bytes of packed weights");
    }
    kernel.pack(params, reinterpret_cast<const Element*>(inputs[1].constant),
                reinterpret_cast<const Bias*>(bias_of(inputs).constant), packed.data());
    return std::unique_ptr<BoundConvolution>(
        new BoundConvolution(kernel, std::move(lowered), std::move(packed)));
  }

  /// As kernels::Conv2DKernelOf says.
  const Kernel& kernel() const { return kernel_; }
  std::span<const std::byte> packed() const { return {packed_.data(), packed_.size()}; }
  const char* name() const { return kernel_.name; }
  const Params& params() const {
    if constexpr (std::is_same_v<Params, LoweredConv>) {
      return lowered_;
    } else {
      return lowered_.params;
    }
  }
  const kernels::WindowShape& shape() const { return params().shape; }
  size_t scratch_bytes() const { return scratch_bytes_as(params()); }
  size_t scratch_bytes_as(const Params& params) const { return kernel_.scratch_bytes(params); }
  size_t packed_bytes() const { return packed_.size(); }

  /// Output rows [begin, end). Only the input rows that these need are read, so that either pointer
  /// may be where row 0 would be of a buffer that holds some rows only.
  void run(const Element* input, Element* output, int32_t begin, int32_t end,
           std::byte* scratch) const {
    run_as(params(), input, output, begin, end, scratch);
  }
  /// The same for a picture of other height, or with another dilation of its rows: what decides how
  /// weights are packed must be as in params().
  void run_as(const Params& params, const Element* input, Element* output, int32_t begin,
              int32_t end, std::byte* scratch) const {
    kernel_.run(params, packed_.data(), input, output, begin, end, scratch);
  }

 private:
  BoundConvolution(const Kernel& kernel, LoweredConv lowered, AlignedBuffer packed)
      : kernel_(kernel), lowered_(std::move(lowered)), packed_(std::move(packed)) {}

  Kernel kernel_;
  LoweredConv lowered_;
  AlignedBuffer packed_;
};

}  // namespace deeplab::plan
