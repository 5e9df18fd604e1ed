// SMULL and SMLAL leave the sums of two rows' products in 16 bits, SADALP adds pairs of those.
#include "kernels/inverted_residual/block_arm.h"
#include "kernels/inverted_residual/kernel_list.h"

namespace deeplab::kernels {
namespace {

using namespace inverted_residual;

struct Products {
  static constexpr Isa kIsa = Isa::kNeon;
  static constexpr int32_t kLowest = -127;  // The sum of two products of -128 leaves 16 bits.
  struct Taps {
    int8x8_t first, last;  // Two each.
  };

  static constexpr int32_t place(int32_t channel, int32_t tap) {
    return tap / 2 * 8 + channel * 2 + tap % 2;
  }
  static int8x8_t pair_at(const int8_t* from) {
    int16_t pair;
    memcpy(&pair, from, 2);
    return vreinterpret_s8_s16(vdup_n_s16(pair));
  }
  static Taps taps_at(const int8_t* from) { return {pair_at(from), pair_at(from + 2)}; }
  static Taps rows_at(const int8_t* at) { return {vld1_s8(at), vld1_s8(at + 8)}; }
  static Taps rows_across(const int8_t* at, const int8_t* next) {
    return {vld1_s8(next), vld1_s8(at + 8)};
  }
  static int32x4_t add(int32x4_t acc, Taps taps, int8x16_t w) {
    const int16x8_t product = vmull_s8(taps.first, vget_low_s8(w));
    return vpadalq_s16(acc, vmlal_s8(product, taps.last, vget_high_s8(w)));
  }
  static const Conv2DInt8Kernel& project() { return kConv2DInt8GemmNeon; }
};

}  // namespace

const InvertedResidualInt8Kernel kInvertedResidualInt8Neon =
    Block<BlockArm<Products>>::entry("expand+3x3+project/neon");

}  // namespace deeplab::kernels
