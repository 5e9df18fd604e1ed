#include <array>
#include <cmath>
#include <cstring>

#include "kernels/channelwise/stages.h"

namespace deeplab::kernels {

// In files of their own.
DEEPLAB_ON_X86(ChannelwiseRun channelwise_avx2, channelwise_avx512;)
DEEPLAB_ON_WASM(ChannelwiseRun channelwise_simd128;)

namespace {

constexpr int32_t kGroup = kChannelwiseGroup;
constexpr int32_t kMaxStages = ChannelwiseInt8::kMaxStages;

/// Groups of channels, stage by stage. Knows the exact form only.
void channelwise_baseline(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels,
                          const int8_t* input, int8_t* output) {
  for (int32_t first = 0; first < ops.channels; first += kGroup) {
    const int32_t count = ops.channels - first < kGroup ? ops.channels - first : kGroup;
    for (int32_t k = 0; k < ops.stages; ++k) {
      const ChannelwiseStage stage = ops.stage[k];
      const float* constants = channelwise_array(ops, packed, k, kConstant) + first;
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

float* array_to_fill(const ChannelwiseInt8& ops, std::byte* packed, int32_t stage,
                     ChannelwiseArray array) {
  return const_cast<float*>(channelwise_array(ops, packed, stage, array));
}

/// What a stage adds to x * factor: the first one reads bytes with their zero point, the second one
/// what the first one gives, less its own.
float addend_of(const ChannelwiseInt8& ops, int32_t stage, float constant, float factor) {
  const ChannelwiseStage& op = ops.stage[stage];
  const float zero_point = stage == 0 ? static_cast<float>(op.input_zero_point) : 0;
  return (op.product ? 0 : constant) - zero_point * factor;
}

/// After the exact constants of the last stage.
void fill_merged(const ChannelwiseInt8& ops, std::byte* packed) {
  const int32_t stage = ops.stages - 1;
  const ChannelwiseStage& op = ops.stage[stage];
  const float* constants = channelwise_array(ops, packed, stage, kConstant);
  float* factors = array_to_fill(ops, packed, stage, kFactor);
  float* addends = array_to_fill(ops, packed, stage, kAddend);
  for (int32_t c = 0; c < ops.channels; ++c) {
    factors[c] = op.product ? constants[c] * op.scale : op.scale;
    addends[c] = addend_of(ops, stage, constants[c], factors[c]);
  }
}

}  // namespace

size_t channelwise_packed_bytes(const ChannelwiseInt8& ops) {
  const int32_t groups = (ops.channels + kGroup - 1) / kGroup;
  return size_t{kMaxStages} * kChannelwiseArrays * static_cast<size_t>(groups) * kGroup *
         sizeof(float);
}

void append_stage(ChannelwiseInt8& ops, const MulInt8& mul, const int8_t* b, std::byte* packed) {
  float* constants = array_to_fill(ops, packed, ops.stages, kConstant);
  for (int32_t c = 0; c < ops.channels; ++c) {
    constants[c] = static_cast<float>(b[c] - mul.b_zero_point);
  }
  ops.stage[ops.stages++] = {
      true,           mul.a_zero_point, mul.multiplier.scale, mul.output_zero_point,
      mul.output_min, mul.output_max};
  fill_merged(ops, packed);
}

void append_stage(ChannelwiseInt8& ops, const AddInt8& add, const int8_t* b, std::byte* packed) {
  float* constants = array_to_fill(ops, packed, ops.stages, kConstant);
  for (int32_t c = 0; c < ops.channels; ++c) {
    constants[c] = static_cast<float>(b[c] - add.b_zero_point) * add.b_scale;
  }
  ops.stage[ops.stages++] = {false,          add.a_zero_point, add.a_scale, add.output_zero_point,
                             add.output_min, add.output_max};
  fill_merged(ops, packed);
}

std::span<const PerIsa<ChannelwiseRun>> channelwise_kernels() {
  static const PerIsa<ChannelwiseRun> kTable[] = {
#ifdef DEEPLAB_HAS_X86_TARGETS
    {Isa::kAvx512Vnni, channelwise_avx512},
    {Isa::kAvx2, channelwise_avx2},
#endif
#if defined(__wasm_simd128__) && !defined(DEEPLAB_SCALAR_ONLY)
    {Isa::kSimd128, channelwise_simd128},
#endif
    {Isa::kScalar, channelwise_baseline},
  };
  return kTable;
}

namespace {

constexpr int32_t kValues = 256;

/// Pixel i has the value i - 128 in every channel of a group.
constexpr auto kEveryValue = [] {
  std::array<int8_t, kValues* kGroup> values = {};
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<int8_t>(static_cast<int32_t>(i / kGroup) - 128);
  }
  return values;
}();

/// One group of channels as ops of their own, and what it makes of every value.
class Group {
 public:
  /// The arrays of channels [first, first + kGroup) of `packed`.
  Group(const ChannelwiseInt8& ops, const std::byte* packed, int32_t first) : ops_(ops) {
    ops_.channels = kGroup;
    for (int32_t k = 0; k < ops.stages; ++k) {
      for (int32_t array = 0; array < kChannelwiseArrays; ++array) {
        const auto which = static_cast<ChannelwiseArray>(array);
        std::memcpy(values(k, which), channelwise_array(ops, packed, k, which) + first,
                    kGroup * sizeof(float));
      }
    }
  }

  float* values(int32_t stage, ChannelwiseArray array) {
    return constants_[stage * kChannelwiseArrays + array];
  }
  /// Moves a product's factor of channel c towards `end`, by its last bit.
  void move_factors(int32_t c, float end) {
    for (int32_t k = 0; k < ops_.stages; ++k) {
      if (!ops_.stage[k].product) continue;
      float& factor = values(k, kFactor)[c];
      factor = std::nextafter(factor, end);
      values(k, kAddend)[c] = addend_of(ops_, k, values(k, kConstant)[c], factor);
    }
  }
  void run(ChannelwiseForm form, ChannelwiseRun* kernel) {
    ops_.form = form;
    kernel(ops_, reinterpret_cast<const std::byte*>(constants_), kValues, kEveryValue.data(),
           result_);
  }
  bool same(const Group& other, int32_t c) const {
    for (int32_t i = c; i < kValues * kGroup; i += kGroup) {
      if (result_[i] != other.result_[i]) return false;
    }
    return true;
  }

 private:
  ChannelwiseInt8 ops_;
  alignas(64) float constants_[kMaxStages * kChannelwiseArrays][kGroup] = {};
  int8_t result_[kValues * kGroup];
};

/// Whether channels [first, first + kGroup) have the bytes of the exact form. The factors with
/// which they do are in `packed` then.
bool group_follows(const ChannelwiseInt8& ops, std::byte* packed, int32_t first, const Group& exact,
                   ChannelwiseRun* run) {
  bool found[kGroup] = {};
  int32_t left = kGroup;
  // A factor as float32 has it, or one of its neighbours.
  for (float end : {0.0f, INFINITY, -INFINITY}) {
    Group group(ops, packed, first);
    for (int32_t c = 0; c < kGroup && end != 0; ++c) {
      if (!found[c]) group.move_factors(c, end);
    }
    group.run(ops.form, run);
    for (int32_t c = 0; c < kGroup; ++c) {
      if (found[c] || !group.same(exact, c)) continue;
      found[c] = true;
      --left;
      for (int32_t k = 0; k < ops.stages; ++k) {
        for (ChannelwiseArray array : {kFactor, kAddend}) {
          array_to_fill(ops, packed, k, array)[first + c] = group.values(k, array)[c];
        }
      }
    }
    if (left == 0) return true;
  }
  return false;
}

}  // namespace

void shorten(ChannelwiseInt8& ops, std::byte* packed, ChannelwiseRun* run) {
  // Factors that give the right bytes without a clamp give them with it.
  ops.form = ChannelwiseForm::kMergedUnclamped;
  for (int32_t first = 0; first < ops.channels; first += kGroup) {
    Group exact(ops, packed, first);
    exact.run(ChannelwiseForm::kExact, run);
    while (ops.form != ChannelwiseForm::kExact && !group_follows(ops, packed, first, exact, run)) {
      ops.form =
          ops.form == ChannelwiseForm::kMerged ? ChannelwiseForm::kExact : ChannelwiseForm::kMerged;
    }
    if (ops.form == ChannelwiseForm::kExact) return;
  }
}

}  // namespace deeplab::kernels
