#include <cmath>
#include <cstring>

#include "kernels/channelwise/kernel_list.h"

namespace deeplab::kernels {
namespace {

float* constants_to_fill(const ChannelwiseInt8& ops, std::byte* packed, bool merged) {
  return const_cast<float*>(channelwise_constants(ops, packed, ops.stages, merged));
}

/// Groups of channels, so that the constants stay in registers while the pixels go by.
void channelwise_baseline(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels,
                          const int8_t* input, int8_t* output) {
  for (int32_t first = 0; first < ops.channels; first += kChannelwiseGroup) {
    const int32_t count =
        ops.channels - first < kChannelwiseGroup ? ops.channels - first : kChannelwiseGroup;
    for (int32_t k = 0; k < ops.stages; ++k) {
      const ChannelwiseStage stage = ops.stage[k];
      const float* constants = channelwise_constants(ops, packed, k, false) + first;
      const int8_t* from = (k == 0 ? input : output) + first;
      int8_t* to = output + first;
      for (int64_t pixel = 0; pixel < pixels; ++pixel, from += ops.channels, to += ops.channels) {
        for (int32_t c = 0; c < count; ++c) {
          const float x = static_cast<float>(from[c] - stage.input_zero_point);
          const float value =
              stage.product ? (x * constants[c]) * stage.scale : x * stage.scale + constants[c];
          to[c] = round_to_int8(value, stage.output_zero_point, stage.output_min, stage.output_max);
        }
      }
    }
  }
}

}  // namespace

size_t channelwise_packed_bytes(const ChannelwiseInt8& ops) {
  const int32_t groups = (ops.channels + kChannelwiseGroup - 1) / kChannelwiseGroup;
  return size_t{2} * ChannelwiseInt8::kMaxStages * static_cast<size_t>(groups) * kChannelwiseGroup *
         sizeof(float);
}

void append_stage(ChannelwiseInt8& ops, const MulInt8& mul, const int8_t* b, std::byte* packed) {
  float* constants = constants_to_fill(ops, packed, false);
  float* factors = constants_to_fill(ops, packed, true);
  for (int32_t c = 0; c < ops.channels; ++c) {
    constants[c] = static_cast<float>(b[c] - mul.b_zero_point);
    factors[c] = constants[c] * mul.multiplier.scale;
  }
  ops.stage[ops.stages++] = {
      true,           mul.a_zero_point, mul.multiplier.scale, mul.output_zero_point,
      mul.output_min, mul.output_max};
}

void append_stage(ChannelwiseInt8& ops, const AddInt8& add, const int8_t* b, std::byte* packed) {
  float* constants = constants_to_fill(ops, packed, false);
  float* again = constants_to_fill(ops, packed, true);
  for (int32_t c = 0; c < ops.channels; ++c) {
    again[c] = constants[c] = static_cast<float>(b[c] - add.b_zero_point) * add.b_scale;
  }
  ops.stage[ops.stages++] = {false,          add.a_zero_point, add.a_scale, add.output_zero_point,
                             add.output_min, add.output_max};
}

std::span<const PerIsa<ChannelwiseRun>> channelwise_kernels() {
  static const PerIsa<ChannelwiseRun> kTable[] = {
#ifdef DEEPLAB_HAS_X86_TARGETS
      {Isa::kAvx512Vnni, channelwise_avx512},
      {Isa::kAvx2, channelwise_avx2},
#endif
      {Isa::kScalar, channelwise_baseline},
  };
  return kTable;
}

namespace {

/// Of one group of channels, as ops of their own: the constants of both forms, stage by stage.
struct Group {
  static constexpr int32_t kValues = 256;
  alignas(64) float constants[2 * ChannelwiseInt8::kMaxStages][kChannelwiseGroup] = {};
  int8_t result[kValues * kChannelwiseGroup];

  void run(ChannelwiseInt8 ops, ChannelwiseForm form, ChannelwiseRun* kernel) {
    int8_t input[kValues * kChannelwiseGroup];
    for (int32_t i = 0; i < kValues * kChannelwiseGroup; ++i) {
      input[i] = static_cast<int8_t>(i / kChannelwiseGroup - 128);
    }
    ops.channels = kChannelwiseGroup;
    ops.form = form;
    kernel(ops, reinterpret_cast<const std::byte*>(constants), kValues, input, result);
  }
};

/// Whether channel c has the same result for every value.
bool same_channel(const Group& a, const Group& b, int32_t c) {
  for (int32_t i = c; i < Group::kValues * kChannelwiseGroup; i += kChannelwiseGroup) {
    if (a.result[i] != b.result[i]) return false;
  }
  return true;
}

/// Whether a group has the bytes of its exact form; the factors that give them go to merged[k].
bool group_follows(const ChannelwiseInt8& ops, ChannelwiseForm form, const Group& exact,
                   float* const (&merged)[ChannelwiseInt8::kMaxStages], ChannelwiseRun* run) {
  // A factor is constant * scale as float32 has it, or one of its neighbours.
  constexpr float kToward[] = {0, INFINITY, -INFINITY};
  bool found[kChannelwiseGroup] = {};
  int32_t left = kChannelwiseGroup;
  for (float toward : kToward) {
    Group group;
    for (int32_t k = 0; k < ops.stages; ++k) {
      for (int32_t c = 0; c < kChannelwiseGroup; ++c) {
        const bool move = toward != 0 && ops.stage[k].product && !found[c];
        group.constants[2 * k + 1][c] = move ? std::nextafter(merged[k][c], toward) : merged[k][c];
      }
    }
    group.run(ops, form, run);
    for (int32_t c = 0; c < kChannelwiseGroup; ++c) {
      if (found[c] || !same_channel(exact, group, c)) continue;
      found[c] = true;
      --left;
      for (int32_t k = 0; k < ops.stages; ++k) merged[k][c] = group.constants[2 * k + 1][c];
    }
    if (left == 0) return true;
  }
  return false;
}

}  // namespace

void shorten(ChannelwiseInt8& ops, std::byte* packed, ChannelwiseRun* run) {
  ops.form = ChannelwiseForm::kMergedUnclamped;
  for (int32_t first = 0; first < ops.channels; first += kChannelwiseGroup) {
    Group exact;
    float* merged[ChannelwiseInt8::kMaxStages] = {};
    for (int32_t k = 0; k < ops.stages; ++k) {
      std::memcpy(exact.constants[2 * k], channelwise_constants(ops, packed, k, false) + first,
                  sizeof exact.constants[0]);
      merged[k] = const_cast<float*>(channelwise_constants(ops, packed, k, true)) + first;
    }
    exact.run(ops, ChannelwiseForm::kExact, run);
    if (ops.form == ChannelwiseForm::kMergedUnclamped &&
        !group_follows(ops, ops.form, exact, merged, run)) {
      ops.form = ChannelwiseForm::kMerged;
    }
    // Factors that give the right bytes without a clamp give them with it.
    if (ops.form == ChannelwiseForm::kMerged && !group_follows(ops, ops.form, exact, merged, run)) {
      ops.form = ChannelwiseForm::kExact;
      return;
    }
  }
}

}  // namespace deeplab::kernels
