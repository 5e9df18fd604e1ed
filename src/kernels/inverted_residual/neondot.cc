// SDOT multiplies four rows of four channels by their weights: a 3x3 window is three products.
#include "kernels/inverted_residual/block_arm.h"
#include "kernels/inverted_residual/kernel_list.h"

namespace deeplab::kernels {
namespace {

using namespace inverted_residual;

struct Products {
  static constexpr Isa kIsa = Isa::kNeonDot;
  static constexpr int32_t kLowest = -128;
  using Taps = int8x16_t;

  static constexpr int32_t place(int32_t channel, int32_t tap) { return channel * 4 + tap; }
  static Taps taps_at(const int8_t* from) {
    int32_t four;
    memcpy(&four, from, 4);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
  }
  static Taps rows_at(const int8_t* at) { return vld1q_s8(at); }
  static Taps rows_across(const int8_t* at, const int8_t* next) {
    return vbslq_s8(vreinterpretq_u8_u32(vdupq_n_u32(0xFFFF)), vld1q_s8(next), vld1q_s8(at));
  }
  static int32x4_t add(int32x4_t acc, Taps taps, int8x16_t w) { return vdotq_s32(acc, taps, w); }
  static const Conv2DInt8Kernel& project() { return kConv2DInt8GemmNeonDot; }
};

}  // namespace

const InvertedResidualInt8Kernel kInvertedResidualInt8NeonDot =
    Block<BlockArm<Products>>::entry("expand+3x3+project/neondot");

}  // namespace deeplab::kernels
