// On WebAssembly's vectors: 16 channels at a time.
#include <wasm_simd128.h>

#include "kernels/channelwise/stages.h"
#include "kernels/copy_few.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kGroup = kChannelwiseGroup;
constexpr int kParts = kGroup / 4;

// A stage of 16 channels. Exact: a product's constant is its factor, and the scale comes after it.
struct Stage {
  v128_t factor[kParts];
  v128_t addend[kParts];
  v128_t scale;
  v128_t low;  // Bounds less the output's zero point.
  v128_t high;
};

inline void load_all(const float* from, v128_t (&to)[kParts]) {
  for (int i = 0; i < kParts; ++i) to[i] = wasm_v128_load(from + 4 * i);
}

template <bool Exact>
Stage make_stage(const ChannelwiseInt8& ops, const std::byte* packed, int32_t stage,
                 int32_t first) {
  const ChannelwiseStage& op = ops.stage[stage];
  Stage s;
  s.scale = wasm_f32x4_splat(op.scale);
  s.low = wasm_f32x4_splat(static_cast<float>(op.output_min - op.output_zero_point));
  s.high = wasm_f32x4_splat(static_cast<float>(op.output_max - op.output_zero_point));
  if constexpr (Exact) {
    // x * 1 and y + 0 change nothing, so that products and sums are one formula.
    const float* constants = channelwise_array(ops, packed, stage, kConstant) + first;
    for (int i = 0; i < kParts; ++i) {
      s.factor[i] = wasm_f32x4_const_splat(1);
      s.addend[i] = wasm_f32x4_const_splat(0);
    }
    load_all(constants, op.product ? s.factor : s.addend);
  } else {
    load_all(channelwise_array(ops, packed, stage, kFactor) + first, s.factor);
    load_all(channelwise_array(ops, packed, stage, kAddend) + first, s.addend);
  }
  return s;
}

// Four values to steps of the output, not rounded yet.
template <bool Exact, bool Clamp>
inline v128_t apply(const Stage& s, int part, v128_t x) {
  v128_t value = wasm_f32x4_mul(x, s.factor[part]);
  if constexpr (Exact) value = wasm_f32x4_mul(value, s.scale);
  value = wasm_f32x4_add(value, s.addend[part]);
  return Clamp ? wasm_f32x4_pmin(s.high, wasm_f32x4_pmax(s.low, value)) : value;
}

inline v128_t load(const int8_t* from, int32_t count) {
  if (count == kGroup) return wasm_v128_load(from);
  int8_t all[kGroup] = {};
  copy_at_most_16(from, all, static_cast<size_t>(count));
  return wasm_v128_load(all);
}

inline void store(v128_t bytes, int32_t count, int8_t* to) {
  if (count == kGroup) {
    wasm_v128_store(to, bytes);
    return;
  }
  int8_t all[kGroup];
  wasm_v128_store(all, bytes);
  copy_at_most_16(all, to, static_cast<size_t>(count));
}

struct Kernel {
  template <int Stages, ChannelwiseForm Form>
  static void run(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels,
                  const int8_t* input, int8_t* output) {
    constexpr bool kExact = Form == ChannelwiseForm::kExact;
    constexpr bool kClampFirst = Form != ChannelwiseForm::kMergedUnclamped;
    const ptrdiff_t channels = ops.channels;
    const ChannelwiseStage& last = ops.stage[Stages - 1];
    // 1.5 * 2^23 leaves no bit below one. Unclamped values may be too large for that: shorten()
    // sees it, and takes another form.
    const v128_t rounder = wasm_f32x4_const_splat(12582912.0f);
    const v128_t zero_point = wasm_i32x4_splat(ops.stage[0].input_zero_point);
    const v128_t output_zero_point = wasm_i16x8_splat(static_cast<int16_t>(last.output_zero_point));
    const v128_t min = wasm_i8x16_splat(static_cast<int8_t>(last.output_min));
    const v128_t max = wasm_i8x16_splat(static_cast<int8_t>(last.output_max));
    for (int32_t first = 0; first < ops.channels; first += kGroup) {
      const int32_t left = ops.channels - first;
      const int32_t count = left < kGroup ? left : kGroup;
      const Stage s0 = make_stage<kExact>(ops, packed, 0, first);
      const Stage s1 = make_stage<kExact>(ops, packed, Stages - 1, first);
      const int8_t* from = input + first;
      int8_t* to = output + first;
      for (int64_t pixel = 0; pixel < pixels; ++pixel, from += channels, to += channels) {
        const v128_t bytes = load(from, count);
        const v128_t halves[2] = {wasm_i16x8_extend_low_i8x16(bytes),
                                  wasm_i16x8_extend_high_i8x16(bytes)};
        v128_t steps[kParts];
#pragma GCC unroll 4
        for (int part = 0; part < kParts; ++part) {
          v128_t x = part % 2 == 0 ? wasm_i32x4_extend_low_i16x8(halves[part / 2])
                                   : wasm_i32x4_extend_high_i16x8(halves[part / 2]);
          if constexpr (kExact) x = wasm_i32x4_sub(x, zero_point);
          v128_t value = wasm_f32x4_convert_i32x4(x);
          if constexpr (Stages == 2) {
            value = apply<kExact, kClampFirst>(s0, part, value);
            value = wasm_f32x4_sub(wasm_f32x4_add(value, rounder), rounder);
          }
          value = wasm_f32x4_add(apply<kExact, kExact>(s1, part, value), rounder);
          steps[part] = wasm_i32x4_sub(value, rounder);
        }
        const v128_t low = wasm_i16x8_narrow_i32x4(steps[0], steps[1]);
        const v128_t high = wasm_i16x8_narrow_i32x4(steps[2], steps[3]);
        const v128_t all = wasm_i8x16_narrow_i16x8(wasm_i16x8_add_sat(low, output_zero_point),
                                                   wasm_i16x8_add_sat(high, output_zero_point));
        store(wasm_i8x16_min(wasm_i8x16_max(all, min), max), count, to);
      }
    }
  }
};

}  // namespace

void channelwise_simd128(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels,
                         const int8_t* input, int8_t* output) {
  run_channelwise<Kernel>(ops, packed, pixels, input, output);
}

}  // namespace deeplab::kernels
