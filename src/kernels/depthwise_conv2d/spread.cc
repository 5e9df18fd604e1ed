// Depthwise convolutions with several output channels per input channel: the input rows under a
// few output rows are spread, each channel as many times as it is read, and then convolved by the
// kernel that the same instruction set has for one output channel per input channel. The sums are
// those of the reference, in its order.
#include <algorithm>

#include "kernels/choose.h"
#include "kernels/depthwise_conv2d/kernel_list.h"
#include "kernels/depthwise_conv2d/strip.h"

namespace deeplab::kernels {
namespace {

/// About how much of the spread rows is held at a time: it should stay in L2.
constexpr int64_t kHeldBytes = int64_t{128} << 10;

std::span<const DepthwiseConv2DInt8Kernel> table(const DepthwiseConv2DInt8& /*conv*/) {
  return depthwise_conv2d_int8_kernels();
}
std::span<const DepthwiseConv2DFloatKernel> table(const DepthwiseConv2DFloat& /*conv*/) {
  return depthwise_conv2d_float_kernels();
}

template <typename Params, typename Element, typename Bias, Isa isa>
class Spread {
 public:
  using Kernel = Conv2DKernelOf<Params, Element, Bias>;

  static constexpr Kernel kernel(const char* name) {
    return {name, isa, supports, packed_bytes, pack, scratch_bytes, run};
  }

 private:
  /// The convolution of the spread rows.
  static Params spread(Params conv) {
    conv.shape.in_c = conv.shape.out_c;
    conv.depth_multiplier = 1;
    return conv;
  }
  static const Kernel* inner(const Params& spread) { return choose(table(spread), isa, spread); }

  static int64_t row_elements(const WindowShape& s) { return int64_t{s.in_w} * s.out_c; }
  /// Input rows under `rows` neighbouring output rows, padding included.
  static int64_t input_rows(const WindowShape& s, int32_t rows) {
    return int64_t{rows - 1} * s.stride_h + int64_t{s.filter_h - 1} * s.dilation_h + 1;
  }
  static int64_t held_bytes(const WindowShape& s, int32_t rows) {
    const int64_t bytes = std::min<int64_t>(input_rows(s, rows), s.in_h) * row_elements(s) *
                          static_cast<int64_t>(sizeof(Element));
    return (bytes + 63) / 64 * 64;
  }
  /// Output rows at a time.
  static int32_t rows_at_once(const WindowShape& s) {
    int32_t rows = 1;
    while (rows < s.out_h && held_bytes(s, rows + 1) <= kHeldBytes) ++rows;
    return rows;
  }

  static bool supports(const Params& conv) {
    return conv.depth_multiplier > 1 && held_bytes(conv.shape, 1) <= kMaxStripBytes &&
           inner(spread(conv)) != nullptr;
  }
  static size_t packed_bytes(const Params& conv) {
    const Params one = spread(conv);
    return inner(one)->packed_bytes(one);
  }
  static void pack(const Params& conv, const Element* filter, const Bias* bias, std::byte* packed) {
    const Params one = spread(conv);
    inner(one)->pack(one, filter, bias, packed);
  }
  static size_t scratch_bytes(const Params& conv) {
    const Params one = spread(conv);
    return static_cast<size_t>(held_bytes(conv.shape, rows_at_once(conv.shape))) +
           inner(one)->scratch_bytes(one);
  }

  static void run(const Params& conv, const std::byte* packed, const Element* input,
                  Element* output, int32_t row_begin, int32_t row_end, std::byte* scratch) {
    const WindowShape& s = conv.shape;
    const Params one = spread(conv);
    const Kernel* const kernel = inner(one);
    const int32_t most = rows_at_once(s);
    auto* held = reinterpret_cast<Element*>(scratch);
    std::byte* const inner_scratch = scratch + held_bytes(s, most);
    for (int32_t row = row_begin; row < row_end;) {
      const int32_t in_picture = row % s.out_h;
      const int32_t rows = std::min({most, row_end - row, s.out_h - in_picture});
      const int64_t top = int64_t{in_picture} * s.stride_h - s.pad_top;
      const int64_t first = std::clamp<int64_t>(top, 0, s.in_h);
      const int64_t last = std::clamp<int64_t>(top + input_rows(s, rows), first, s.in_h);
      const int64_t begin = int64_t{row / s.out_h} * s.in_h + first;
      spread_rows(conv, input + begin * s.in_w * s.in_c, (last - first) * s.in_w, held);
      kernel->run(one, packed, held - begin * row_elements(s), output, row, row + rows,
                  inner_scratch);
      row += rows;
    }
  }

  static void spread_rows(const Params& conv, const Element* from, int64_t pixels, Element* to) {
    const int32_t copies = conv.depth_multiplier;
    for (int64_t i = 0; i < pixels * conv.shape.in_c; ++i, to += copies) {
      for (int32_t k = 0; k < copies; ++k) to[k] = from[i];
    }
  }
};

template <Isa isa>
constexpr DepthwiseConv2DInt8Kernel int8_kernel(const char* name) {
  return Spread<DepthwiseConv2DInt8, int8_t, int32_t, isa>::kernel(name);
}
template <Isa isa>
constexpr DepthwiseConv2DFloatKernel float_kernel(const char* name) {
  return Spread<DepthwiseConv2DFloat, float, float, isa>::kernel(name);
}

}  // namespace

DEEPLAB_ON_X86(const DepthwiseConv2DInt8Kernel kDepthwiseInt8SpreadAvx512Vnni =
                   int8_kernel<Isa::kAvx512Vnni>("spread/avx512vnni");
               const DepthwiseConv2DInt8Kernel kDepthwiseInt8SpreadAvxVnni =
                   int8_kernel<Isa::kAvxVnni>("spread/avxvnni");
               const DepthwiseConv2DInt8Kernel kDepthwiseInt8SpreadAvx2 =
                   int8_kernel<Isa::kAvx2>("spread/avx2");
               const DepthwiseConv2DFloatKernel kDepthwiseFloatSpreadAvx512 =
                   float_kernel<Isa::kAvx512Vnni>("spread/avx512");
               const DepthwiseConv2DFloatKernel kDepthwiseFloatSpreadAvx2 =
                   float_kernel<Isa::kAvx2>("spread/avx2");)
DEEPLAB_ON_ARM(const DepthwiseConv2DInt8Kernel kDepthwiseInt8SpreadNeon =
                   int8_kernel<Isa::kNeon>("spread/neon");
               const DepthwiseConv2DFloatKernel kDepthwiseFloatSpreadNeon =
                   float_kernel<Isa::kNeon>("spread/neon");)
DEEPLAB_ON_WASM(const DepthwiseConv2DInt8Kernel kDepthwiseInt8SpreadSimd128 =
                    int8_kernel<Isa::kSimd128>("spread/simd128");
                const DepthwiseConv2DFloatKernel kDepthwiseFloatSpreadRelaxedSimd =
                    float_kernel<Isa::kRelaxedSimd>("spread/relaxedsimd");
                const DepthwiseConv2DFloatKernel kDepthwiseFloatSpreadSimd128 =
                    float_kernel<Isa::kSimd128>("spread/simd128");)
const DepthwiseConv2DInt8Kernel kDepthwiseInt8SpreadScalar =
    int8_kernel<Isa::kScalar>("spread/scalar");
const DepthwiseConv2DFloatKernel kDepthwiseFloatSpreadScalar =
    float_kernel<Isa::kScalar>("spread/scalar");

}  // namespace deeplab::kernels
