// CONV_2D. The reference is the definition; every entry of the kernel table gives its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/isa.h"
#include "kernels/requantize.h"
#include "kernels/window.h"

namespace deeplab::kernels {

/// acc = bias + sum (x - input_zero_point) * (w - filter_zero_point) in int32, modulo 2^32; the
/// output is acc requantized by multipliers[out_channel].
struct Conv2DInt8 {
  WindowShape shape;
  int32_t input_zero_point = 0;
  /// 0 for int8 files; a uint8 file's per-tensor zero point less 128.
  int32_t filter_zero_point = 0;
  const Multiplier* multipliers = nullptr;  ///< [out_c], input * filter / output scale.
  int32_t output_zero_point = 0;
  int32_t output_min = -128;  ///< Clamp bounds, the fused activation included.
  int32_t output_max = 127;
};

/// In float the order is part of the definition: acc = 0; then acc = fma(x, w, acc), rounded once,
/// over ky, kx, ci; then acc += bias; then the clamp. A tap outside the picture may be left out or
/// added as 0 * w, if weights are finite: that changes at most the sign of a 0, which the bias,
/// never -0, takes away.
struct Conv2DFloat {
  WindowShape shape;
  float output_min = 0;  ///< Clamp bounds of the fused activation, finite.
  float output_max = 0;
};

/// input [N,H,W,Ci], filter [Co,Kh,Kw,Ci], bias [Co] or null -> output [N,Ho,Wo,Co].
void conv2d_reference(const Conv2DInt8& conv, Rounding rounding, const int8_t* input,
                      const int8_t* filter, const int32_t* bias, int8_t* output);
/// With TensorFlow Lite's rounding, product and sum are rounded one after the other.
void conv2d_reference(const Conv2DFloat& conv, Rounding rounding, const float* input,
                      const float* filter, const float* bias, float* output);

/// A fast convolution: packs the weights once, then runs any range of output rows, in any
/// order and from any thread. Always the engine's rounding. Params is Conv2DInt8 or
/// Conv2DFloat; Element and Bias are int8_t/int32_t or float/float.
template <typename Params, typename Element, typename Bias>
struct Conv2DKernelOf {
  const char* name;  ///< "gemm/avx2": what the plan dump and the profile show.
  Isa isa;
  bool (*supports)(const Params& conv);  ///< May read `conv.multipliers`, too.
  size_t (*packed_bytes)(const Params& conv);
  /// `packed` is 64-byte aligned. `bias` may be null.
  void (*pack)(const Params& conv, const Element* filter, const Bias* bias, std::byte* packed);
  /// Bytes of 64-byte-aligned scratch that one call of run() needs for itself.
  size_t (*scratch_bytes)(const Params& conv);
  /// Output rows [row_begin, row_end) of batch * out_h rows. `conv.multipliers` is read. Reads
  /// stay inside the input rows under these, and writes inside the rows asked for: a pointer may
  /// be where row 0 would be of a buffer that holds no other rows.
  void (*run)(const Params& conv, const std::byte* packed, const Element* input, Element* output,
              int32_t row_begin, int32_t row_end, std::byte* scratch);
  /// Makes every sum of packed weights start from sums[out_c], those of channels that come before
  /// the input's. Once per copy of packed weights. Null: the kernel cannot.
  void (*start_from)(const Params& conv, const Bias* sums, std::byte* packed) = nullptr;
};
using Conv2DInt8Kernel = Conv2DKernelOf<Conv2DInt8, int8_t, int32_t>;
using Conv2DFloatKernel = Conv2DKernelOf<Conv2DFloat, float, float>;

/// The kernel table, best first: the plan takes the first entry whose ISA it may use and that
/// supports the parameters; the tests and the benchmarks run all of them.
std::span<const Conv2DInt8Kernel> conv2d_int8_kernels();
std::span<const Conv2DFloatKernel> conv2d_float_kernels();

}  // namespace deeplab::kernels
