// A convolution of either kind, bound to the first kernel of its table that may run it, with its
// weights packed. Every step that convolves contains one.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include "base/aligned_buffer.h"
#include "plan/lower.h"
#include "plan/tensor_place.h"

namespace deeplab::plan {

// The kernel parameters inside each lowered convolution.
template <typename Params, auto pointer>
const Params& params_of(const LoweredWithArray<Params, pointer>& lowered) {
  return lowered.params;
}
inline const kernels::Conv2DFloat& params_of(const kernels::Conv2DFloat& params) { return params; }
inline const kernels::DepthwiseConv2DFloat& params_of(const kernels::DepthwiseConv2DFloat& params) {
  return params;
}

/// In a 1x1 convolution the ends of rows do not matter: its pixels as one column split more
/// evenly. Tiles of gemm kernels divide this number of them.
inline constexpr int32_t kPixelsPerUnit = 24;

/// Gives a 1x1 convolution a shape with rows of one pixel; others stay as they are.
template <typename Params>
void flatten(Params& conv) {
  kernels::WindowShape& s = conv.shape;
  const bool pixelwise = s.filter_h == 1 && s.filter_w == 1 && s.stride_h == 1 && s.stride_w == 1 &&
                         s.pad_top == 0 && s.pad_left == 0 && s.in_h == s.out_h &&
                         s.in_w == s.out_w;
  const int64_t pixels = int64_t{s.batch} * s.out_h * s.out_w;
  if (!pixelwise || pixels > INT32_MAX) return;
  s.batch = 1;
  s.in_h = s.out_h = static_cast<int32_t>(pixels);
  s.in_w = s.out_w = 1;
}

inline auto kernel_table(const LoweredConv2DInt8& /*lowered*/) {
  return kernels::conv2d_int8_kernels();
}
inline auto kernel_table(const kernels::Conv2DFloat& /*lowered*/) {
  return kernels::conv2d_float_kernels();
}
inline auto kernel_table(const LoweredDepthwiseConv2DInt8& /*lowered*/) {
  return kernels::depthwise_conv2d_int8_kernels();
}
inline auto kernel_table(const kernels::DepthwiseConv2DFloat& /*lowered*/) {
  return kernels::depthwise_conv2d_float_kernels();
}

template <typename Kernel>
struct KernelTypes;
template <typename P, typename E, typename B>
struct KernelTypes<kernels::Conv2DKernelOf<P, E, B>> {
  using Params = P;
  using Element = E;
  using Bias = B;
};

template <typename LoweredConv>
class BoundConvolution {
 public:
  using Kernel = typename decltype(kernel_table(std::declval<const LoweredConv&>()))::value_type;
  using Params = typename KernelTypes<Kernel>::Params;
  using Element = typename KernelTypes<Kernel>::Element;
  using Bias = typename KernelTypes<Kernel>::Bias;

  /// Null, and `lowered` as it was, if no kernel supports it or the weights are not constants:
  /// what another op computes cannot be packed ahead. Error: no memory.
  static Result<std::unique_ptr<BoundConvolution>> bind(LoweredConv& lowered,
                                                        const TensorPlace& filter,
                                                        const TensorPlace& bias, Isa isa) {
    if (!filter.is_constant() || bias.offset >= 0) return std::unique_ptr<BoundConvolution>();
    for (const Kernel& kernel : kernel_table(lowered)) {
      const Params& params = params_of(lowered);
      if (kernel.isa > isa || !kernel.supports(params)) continue;
      AlignedBuffer packed(kernel.packed_bytes(params));
      if (packed.data() == nullptr) {
        return resource_exhausted("no memory for ", kernel.packed_bytes(params),
                                  " bytes of packed weights");
      }
      kernel.pack(params, reinterpret_cast<const Element*>(filter.constant),
                  reinterpret_cast<const Bias*>(bias.constant), packed.data());
      return std::unique_ptr<BoundConvolution>(
          new BoundConvolution(kernel, std::move(lowered), std::move(packed)));
    }
    return std::unique_ptr<BoundConvolution>();
  }

  /// As kernels::Conv2DKernelOf says.
  const Kernel& kernel() const { return kernel_; }
  std::span<const std::byte> packed() const { return {packed_.data(), packed_.size()}; }
  const char* name() const { return kernel_.name; }
  const Params& params() const { return params_of(lowered_); }
  const kernels::WindowShape& shape() const { return params().shape; }
  size_t scratch_bytes() const { return kernel_.scratch_bytes(params()); }
  size_t packed_bytes() const { return packed_.size(); }

  /// Output rows [begin, end). Only the input rows that these need are read, so that either pointer
  /// may be where row 0 would be of a buffer that holds some rows only.
  void run(const Element* input, Element* output, int32_t begin, int32_t end,
           std::byte* scratch) const {
    kernel_.run(params(), packed_.data(), input, output, begin, end, scratch);
  }

 private:
  BoundConvolution(const Kernel& kernel, LoweredConv lowered, AlignedBuffer packed)
      : kernel_(kernel), lowered_(std::move(lowered)), packed_(std::move(packed)) {}

  Kernel kernel_;
  LoweredConv lowered_;
  AlignedBuffer packed_;
};

}  // namespace deeplab::plan
