// int8 convolution as a matrix product on ARMv8.2's dot product: SDOT by element multiplies four
// taps of four channels by four bytes of a pixel, 16 products in one instruction.
#include "kernels/conv2d/gemm_int8_arm.h"
#include "kernels/conv2d/kernel_list.h"

namespace deeplab::kernels {
namespace {

int32_t place(int32_t channel, int32_t tap) { return channel * 4 + tap; }

// Four taps, the Lane-th four of the pixels' sixteen. 16 accumulators, 4 pixels, 4 weights: 24 of
// 32 registers.
template <int Lane, int M, int V>
const int8_t* step(const int8_t* weights, const int8x16_t (&x)[M], int32x4_t (&acc)[M][V]) {
  int8x16_t w[V];
#pragma GCC unroll 4
  for (int v = 0; v < V; ++v) w[v] = vld1q_s8(weights + v * 16);
#pragma GCC unroll 4
  for (int m = 0; m < M; ++m) {
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) acc[m][v] = vdotq_laneq_s32(acc[m][v], w[v], x[m], Lane);
  }
  return weights + V * 16;
}

template <bool Narrow>
struct Multiply {
  static constexpr int kPixels = 4;
  template <int M, int V>
  static void run(const ArmTile& t, const RequantizeNeon& r) {
    const auto* scale_at = reinterpret_cast<const float*>(t.panel) + V * kArmLanes;
    const auto* weights = reinterpret_cast<const int8_t*>(scale_at + V * kArmLanes);
    int32x4_t acc[M][V];
    arm_start(t, acc);
    const ptrdiff_t depth = t.depth;
    const int8_t* a = t.rows;
    const int8_t* const end = a + depth;
    int8x16_t x[M];
    for (; end - a >= 16; a += 16) {
#pragma GCC unroll 4
      for (int m = 0; m < M; ++m) x[m] = vld1q_s8(a + m * depth);
      weights = step<0>(weights, x, acc);
      weights = step<1>(weights, x, acc);
      weights = step<2>(weights, x, acc);
      weights = step<3>(weights, x, acc);
    }
    for (; a < end; a += 4) {
#pragma GCC unroll 4
      for (int m = 0; m < M; ++m) {
        int32_t four;
        memcpy(&four, a + m * depth, 4);
        x[m] = vreinterpretq_s8_s32(vdupq_n_s32(four));
      }
      weights = step<0>(weights, x, acc);
    }
    float32x4_t scale[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) scale[v] = vld1q_f32(scale_at + v * kArmLanes);
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m) arm_finish<Narrow, V>(t, r, scale, m, acc[m]);
  }
};

void run(const Conv2DInt8& conv, const std::byte* packed, const int8_t* input, int8_t* output,
         int32_t row_begin, int32_t row_end, std::byte* scratch) {
  const bool narrow = reinterpret_cast<const ArmHeader*>(packed)->narrow != 0;
  const auto run = narrow ? arm_run<Multiply<true>> : arm_run<Multiply<false>>;
  run(conv, packed, input, output, row_begin, row_end, scratch);
}

}  // namespace

const Conv2DInt8Kernel kConv2DInt8GemmNeonDot = {
    "gemm/neondot",  Isa::kNeonDot,     arm_supports, arm_packed_bytes,
    arm_pack<place>, arm_scratch_bytes, run,          arm_add_bias};

}  // namespace deeplab::kernels
