// int8 convolution as a matrix product on ARMv8.0: SMULL and SMLAL leave the sums of two 8-bit
// products in 16 bits, SADALP adds pairs of those to the accumulators: 16 products in three
// instructions (SMLAL on 16-bit values would take four), and no sums across a register at the end.
#include "kernels/conv2d/gemm_int8_arm.h"
#include "kernels/conv2d/kernel_list.h"

namespace deeplab::kernels {
namespace {

// Eight bytes: taps 0 and 1 of four channels; then taps 2 and 3.
int32_t place(int32_t channel, int32_t tap) { return tap / 2 * 8 + channel * 2 + tap % 2; }

constexpr int kTile = 3;  // Pixels.

// Two neighbouring taps of a pixel, four times.
int8x8_t load_pair(const int8_t* from) {
  int16_t pair;
  memcpy(&pair, from, 2);
  return vreinterpret_s8_s16(vdup_n_s16(pair));
}

// ---- Three pixels by two, three or four vectors of channels, in assembly: GCC 12 reorders and
// moves what intrinsics say, and a core that works in order waits for it. Each of the three
// instructions of a sum comes six after the one before it, its latency on a Cortex-A53; loads and
// the like stand between, where they are issued with a multiplication.
//
// v0-v2: taps 0 and 1 of each pixel, v3-v5: taps 2 and 3. v6: taps 0 and 1 of four channels, v7: 2
// and
// 3. Products in sets of three, one set per group of four channels. x9-x11: the next taps of each
// pixel, x12: taps left, x13: the next weights, x14: the weights.
#define DEEPLAB_SET_A "v16", "v17", "v18"
#define DEEPLAB_SET_B "v19", "v20", "v21"
#define DEEPLAB_SET_C "v22", "v23", "v24"
#define DEEPLAB_GROUP(...) DEEPLAB_GROUP_OF(__VA_ARGS__)
#define DEEPLAB_LAST_GROUP(...) DEEPLAB_LAST_GROUP_OF(__VA_ARGS__)

// The products q of the vector whose weights are loaded; the sums of vector v, whose products are
// p.
#define DEEPLAB_GROUP_OF(q0, q1, q2, p0, p1, p2, v, next0, next1) \
  "smull " q0                                                     \
  ".8h, v6.8b, v0.8b\n\t"                                         \
  "smull " q1                                                     \
  ".8h, v6.8b, v1.8b\n\t"                                         \
  "smull " q2                                                     \
  ".8h, v6.8b, v2.8b\n\t"                                         \
  "ldr d6, [x14, #" next0                                         \
  "]\n\t"                                                         \
  "sadalp %[s0" v "].4s, " p0                                     \
  ".8h\n\t"                                                       \
  "sadalp %[s1" v "].4s, " p1                                     \
  ".8h\n\t"                                                       \
  "sadalp %[s2" v "].4s, " p2                                     \
  ".8h\n\t"                                                       \
  "smlal " q0                                                     \
  ".8h, v7.8b, v3.8b\n\t"                                         \
  "smlal " q1                                                     \
  ".8h, v7.8b, v4.8b\n\t"                                         \
  "smlal " q2                                                     \
  ".8h, v7.8b, v5.8b\n\t"                                         \
  "ldr d7, [x14, #" next1 "]\n\t"

// The same, and on to the next four taps.
#define DEEPLAB_LAST_GROUP_OF(q0, q1, q2, p0, p1, p2, v) \
  "smull " q0                                            \
  ".8h, v6.8b, v0.8b\n\t"                                \
  "ld1r {v0.4h}, [x9], #2\n\t"                           \
  "smull " q1                                            \
  ".8h, v6.8b, v1.8b\n\t"                                \
  "ld1r {v1.4h}, [x10], #2\n\t"                          \
  "smull " q2                                            \
  ".8h, v6.8b, v2.8b\n\t"                                \
  "ldr d6, [x13]\n\t"                                    \
  "sadalp %[s0" v "].4s, " p0                            \
  ".8h\n\t"                                              \
  "ld1r {v2.4h}, [x11], #2\n\t"                          \
  "sadalp %[s1" v "].4s, " p1                            \
  ".8h\n\t"                                              \
  "mov x14, x13\n\t"                                     \
  "sadalp %[s2" v "].4s, " p2                            \
  ".8h\n\t"                                              \
  "smlal " q0                                            \
  ".8h, v7.8b, v3.8b\n\t"                                \
  "ld1r {v3.4h}, [x9], #2\n\t"                           \
  "smlal " q1                                            \
  ".8h, v7.8b, v4.8b\n\t"                                \
  "ld1r {v4.4h}, [x10], #2\n\t"                          \
  "smlal " q2                                            \
  ".8h, v7.8b, v5.8b\n\t"                                \
  "ld1r {v5.4h}, [x11], #2\n\t"                          \
  "ldr d7, [x13, #8]\n\t"                                \
  "b.gt 1b\n\t"

// Operands; the products that the first group adds, which are none; and the head of the loop. The
// last round loads once more what it has, rather than beyond the end.
#define DEEPLAB_BEGIN_OF(p0, p1, p2, weight_bytes) \
  "mov x9, %[rows]\n\t"                            \
  "add x10, x9, %[depth]\n\t"                      \
  "add x11, x10, %[depth]\n\t"                     \
  "mov x12, %[depth]\n\t"                          \
  "mov x14, %[weights]\n\t"                        \
  "ld1r {v0.4h}, [x9], #2\n\t"                     \
  "ld1r {v1.4h}, [x10], #2\n\t"                    \
  "ld1r {v2.4h}, [x11], #2\n\t"                    \
  "ldp d6, d7, [x14]\n\t"                          \
  "ld1r {v3.4h}, [x9], #2\n\t"                     \
  "ld1r {v4.4h}, [x10], #2\n\t"                    \
  "ld1r {v5.4h}, [x11], #2\n\t"                    \
  "movi " p0                                       \
  ".2d, #0\n\t"                                    \
  "movi " p1                                       \
  ".2d, #0\n\t"                                    \
  "movi " p2                                       \
  ".2d, #0\n\t"                                    \
  "1:\n\t"                                         \
  "subs x12, x12, #4\n\t"                          \
  "add x13, x14, #" weight_bytes                   \
  "\n\t"                                           \
  "cset x15, le\n\t"                               \
  "csel x13, x13, x14, gt\n\t"                     \
  "sub x9, x9, x15, lsl #2\n\t"                    \
  "sub x10, x10, x15, lsl #2\n\t"                  \
  "sub x11, x11, x15, lsl #2\n\t"
#define DEEPLAB_BEGIN(...) DEEPLAB_BEGIN_OF(__VA_ARGS__)

#define DEEPLAB_END_OF(p0, p1, p2, v) \
  "sadalp %[s0" v "].4s, " p0         \
  ".8h\n\t"                           \
  "sadalp %[s1" v "].4s, " p1         \
  ".8h\n\t"                           \
  "sadalp %[s2" v "].4s, " p2 ".8h\n\t"
#define DEEPLAB_END(...) DEEPLAB_END_OF(__VA_ARGS__)

#define DEEPLAB_SUMS(v) [s0##v] "+w"(acc[0][v]), [s1##v] "+w"(acc[1][v]), [s2##v] "+w"(acc[2][v])
#define DEEPLAB_IN [rows] "r"(t.rows), [depth] "r"(ptrdiff_t{t.depth}), [weights] "r"(weights)
#define DEEPLAB_CHANGED                                                                         \
  "memory", "cc", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "v0", "v1", "v2", "v3", "v4", \
      "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21"

void multiply(const ArmTile& t, const int8_t* weights, int32x4_t (&acc)[kTile][2]) {
  asm volatile(DEEPLAB_BEGIN(DEEPLAB_SET_B, "32")                            //
               DEEPLAB_GROUP(DEEPLAB_SET_A, DEEPLAB_SET_B, "1", "16", "24")  //
               DEEPLAB_LAST_GROUP(DEEPLAB_SET_B, DEEPLAB_SET_A, "0")         //
               DEEPLAB_END(DEEPLAB_SET_B, "1")                               //
               : DEEPLAB_SUMS(0), DEEPLAB_SUMS(1)
               : DEEPLAB_IN
               : DEEPLAB_CHANGED);
}

void multiply(const ArmTile& t, const int8_t* weights, int32x4_t (&acc)[kTile][3]) {
  asm volatile(DEEPLAB_BEGIN(DEEPLAB_SET_C, "48")                            //
               DEEPLAB_GROUP(DEEPLAB_SET_A, DEEPLAB_SET_C, "2", "16", "24")  //
               DEEPLAB_GROUP(DEEPLAB_SET_B, DEEPLAB_SET_A, "0", "32", "40")  //
               DEEPLAB_LAST_GROUP(DEEPLAB_SET_C, DEEPLAB_SET_B, "1")         //
               DEEPLAB_END(DEEPLAB_SET_C, "2")                               //
               : DEEPLAB_SUMS(0), DEEPLAB_SUMS(1), DEEPLAB_SUMS(2)
               : DEEPLAB_IN
               : DEEPLAB_CHANGED, "v22", "v23", "v24");
}

void multiply(const ArmTile& t, const int8_t* weights, int32x4_t (&acc)[kTile][4]) {
  asm volatile(DEEPLAB_BEGIN(DEEPLAB_SET_B, "64")                            //
               DEEPLAB_GROUP(DEEPLAB_SET_A, DEEPLAB_SET_B, "3", "16", "24")  //
               DEEPLAB_GROUP(DEEPLAB_SET_B, DEEPLAB_SET_A, "0", "32", "40")  //
               DEEPLAB_GROUP(DEEPLAB_SET_A, DEEPLAB_SET_B, "1", "48", "56")  //
               DEEPLAB_LAST_GROUP(DEEPLAB_SET_B, DEEPLAB_SET_A, "2")         //
               DEEPLAB_END(DEEPLAB_SET_B, "3")                               //
               : DEEPLAB_SUMS(0), DEEPLAB_SUMS(1), DEEPLAB_SUMS(2), DEEPLAB_SUMS(3)
               : DEEPLAB_IN
               : DEEPLAB_CHANGED);
}

#undef DEEPLAB_CHANGED
#undef DEEPLAB_IN
#undef DEEPLAB_SUMS
#undef DEEPLAB_END
#undef DEEPLAB_END_OF
#undef DEEPLAB_BEGIN
#undef DEEPLAB_BEGIN_OF
#undef DEEPLAB_LAST_GROUP_OF
#undef DEEPLAB_GROUP_OF
#undef DEEPLAB_LAST_GROUP
#undef DEEPLAB_GROUP
#undef DEEPLAB_SET_C
#undef DEEPLAB_SET_B
#undef DEEPLAB_SET_A

// The same for what is left, and for any product by product (`Exact`).
template <bool Exact, int M, int V>
void multiply_plainly(const ArmTile& t, const int8_t* weights, int32x4_t (&acc)[M][V]) {
  for (int32_t k = 0; k < t.depth; k += 4, weights += V * 16) {
#pragma GCC unroll 4
    for (int m = 0; m < M; ++m) {
      const int8_t* a = t.rows + static_cast<ptrdiff_t>(m) * t.depth + k;
      const int8x8_t x0 = load_pair(a);
      const int8x8_t x1 = load_pair(a + 2);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const int16x8_t product = vmull_s8(vld1_s8(weights + v * 16), x0);
        const int8x8_t w1 = vld1_s8(weights + v * 16 + 8);
        acc[m][v] = Exact ? vpadalq_s16(vpadalq_s16(acc[m][v], product), vmull_s8(w1, x1))
                          : vpadalq_s16(acc[m][v], vmlal_s8(product, w1, x1));
      }
    }
  }
}

// The sum of two products leaves int16 only as -128 * -128 twice, if both weights are -128:
// files quantized symmetrically have none. Exact: the products are added one by one.
template <bool Exact, bool Narrow>
struct Multiply {
  static constexpr int kPixels = kTile;
  template <int M, int V>
  static void run(const ArmTile& t, const RequantizeNeon& r) {
    const auto* scale_at = reinterpret_cast<const float*>(t.panel) + V * kArmLanes;
    const auto* weights = reinterpret_cast<const int8_t*>(scale_at + V * kArmLanes);
    int32x4_t acc[M][V];
    arm_start(t, acc);
    if constexpr (M == kTile && V >= 2 && !Exact) {
      multiply(t, weights, acc);
    } else {
      multiply_plainly<Exact>(t, weights, acc);
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
  ArmHeader header;
  memcpy(&header, packed, sizeof header);
  const auto run = header.lowest_pairs != 0 ? arm_run<Multiply<true, false>>
                   : header.narrow != 0     ? arm_run<Multiply<false, true>>
                                            : arm_run<Multiply<false, false>>;
  run(conv, packed, input, output, row_begin, row_end, scratch);
}

}  // namespace

const Conv2DInt8Kernel kConv2DInt8GemmNeon = {
    "gemm/neon",     Isa::kNeon,        arm_supports, arm_packed_bytes,
    arm_pack<place>, arm_scratch_bytes, run,          arm_add_bias};

}  // namespace deeplab::kernels
