#include <cstring>

#include "kernels/channelwise/kernel_list.h"

namespace deeplab::kernels {
namespace {

float* constants_to_fill(const ChannelwiseInt8& ops, std::byte* packed) {
  return const_cast<float*>(channelwise_constants(ops, packed, ops.stages));
}

/// Groups of channels, so that the constants stay in registers while the pixels go by.
void channelwise_baseline(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels,
                          const int8_t* input, int8_t* output) {
  for (int32_t first = 0; first < ops.channels; first += kChannelwiseGroup) {
    const int32_t count =
        ops.channels - first < kChannelwiseGroup ? ops.channels - first : kChannelwiseGroup;
    for (int32_t k = 0; k < ops.stages; ++k) {
      const ChannelwiseStage stage = ops.stage[k];
      const float* constants = channelwise_constants(ops, packed, k) + first;
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
  return size_t{ChannelwiseInt8::kMaxStages} * static_cast<size_t>(groups) * kChannelwiseGroup *
         sizeof(float);
}

void append_stage(ChannelwiseInt8& ops, const MulInt8& mul, const int8_t* b, std::byte* packed) {
  float* constants = constants_to_fill(ops, packed);
  for (int32_t c = 0; c < ops.channels; ++c) {
    constants[c] = static_cast<float>(b[c] - mul.b_zero_point);
  }
  ops.stage[ops.stages++] = {
      true,           mul.a_zero_point, mul.multiplier.scale, mul.output_zero_point,
      mul.output_min, mul.output_max};
}

void append_stage(ChannelwiseInt8& ops, const AddInt8& add, const int8_t* b, std::byte* packed) {
  float* constants = constants_to_fill(ops, packed);
  for (int32_t c = 0; c < ops.channels; ++c) {
    constants[c] = static_cast<float>(b[c] - add.b_zero_point) * add.b_scale;
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

}  // namespace deeplab::kernels
