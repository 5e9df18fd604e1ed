// One or two of MUL, ADD and SUB with a constant per channel, one after the other, on int8: what a
// converter leaves of a batch norm that it could not fold into the convolution before it. The
// definition is mul_reference() and add_reference(), one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/add/add.h"
#include "kernels/mul/mul.h"
#include "kernels/per_isa.h"

namespace deeplab::kernels {

/// The op of a stage, which is a product or a sum.
struct ChannelwiseStage {
  bool product = false;
  int32_t input_zero_point = 0;
  /// Product: q = clamp(round_half_even((float(x - z) * constant) * scale) + zo); the first product
  /// is exact. Sum: q = clamp(round_half_even(float(x - z) * scale + constant) + zo).
  float scale = 0;
  int32_t output_zero_point = 0;
  int32_t output_min = -128;
  int32_t output_max = 127;
};

/// How stages are computed. The merged forms round and clamp elsewhere, but of 256 possible inputs
/// per channel usually none shows it: shorten() looks.
enum class ChannelwiseForm : uint8_t {
  kExact,
  /// Each stage is x * factor + addend per channel, the zero points included; fused if the kernel
  /// likes. No clamp after the last stage but of bytes.
  kMerged,
  /// And none after the first one.
  kMergedUnclamped,
};

struct ChannelwiseInt8 {
  static constexpr int32_t kMaxStages = 2;
  int32_t channels = 0;
  int32_t stages = 0;
  ChannelwiseStage stage[kMaxStages];
  ChannelwiseForm form = ChannelwiseForm::kExact;
};

/// Channels are packed in groups of so many, the last one filled up with zeros.
inline constexpr int32_t kChannelwiseGroup = 16;

/// Bytes of the packed constants, [stages][constant, factor, addend][channels, filled up] of float;
/// 64-byte aligned. The constants are those of the exact form.
size_t channelwise_packed_bytes(const ChannelwiseInt8& ops);

/// Adds a stage. `b` has a value per channel. `ops.channels` is set, and there is room; `packed`
/// was all zeros at first.
void append_stage(ChannelwiseInt8& ops, const MulInt8& mul, const int8_t* b, std::byte* packed);
void append_stage(ChannelwiseInt8& ops, const AddInt8& add, const int8_t* b, std::byte* packed);

/// The references' bytes in the engine's rounding: `pixels` x channels from `input` to `output`,
/// which may be the same memory.
using ChannelwiseRun = void(const ChannelwiseInt8& ops, const std::byte* packed, int64_t pixels,
                            const int8_t* input, int8_t* output);
std::span<const PerIsa<ChannelwiseRun>> channelwise_kernels();

/// Sets ops.form to the shortest one with which `run` gives the same bytes for every input of every
/// channel; factors may move by their last bit for that.
void shorten(ChannelwiseInt8& ops, std::byte* packed, ChannelwiseRun* run);

}  // namespace deeplab::kernels
