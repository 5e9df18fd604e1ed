// Constants per channel after a depthwise convolution (see kernels/channelwise), bound to their
// kernel.
#pragma once

#include <cstring>
#include <optional>
#include <span>
#include <utility>

#include "base/aligned_buffer.h"
#include "kernels/channelwise/channelwise.h"
#include "plan/make_step.h"

namespace deeplab::plan {

/// Zero, one or two ops; with none of them, run() must not be called.
class BoundChannelwise {
 public:
  /// Nothing if one of the ops is not MUL, ADD or SUB with a constant per channel, or they are too
  /// many. Error: no memory.
  static Result<std::optional<BoundChannelwise>> bind(std::span<const LoweredOp> ops,
                                                      int32_t channels, Isa isa) {
    if (ops.size() > kernels::ChannelwiseInt8::kMaxStages) return std::optional<BoundChannelwise>();
    BoundChannelwise bound;
    bound.run_ = kernels::best_for(isa, kernels::channelwise_kernels());
    bound.ops_.channels = channels;
    if (ops.empty()) return std::optional(std::move(bound));
    bound.packed_ = AlignedBuffer(kernels::channelwise_packed_bytes(bound.ops_));
    if (bound.packed_.data() == nullptr) return resource_exhausted("no memory for constants");
    std::memset(bound.packed_.data(), 0, bound.packed_.size());
    for (const LoweredOp& op : ops) {
      if (!bound.append<kernels::MulInt8>(op) && !bound.append<kernels::AddInt8>(op)) {
        return std::optional<BoundChannelwise>();
      }
    }
    kernels::shorten(bound.ops_, bound.packed_.data(), bound.run_);
    return std::optional(std::move(bound));
  }

  bool empty() const { return ops_.stages == 0; }
  size_t packed_bytes() const { return packed_.size(); }
  const char* name() const { return empty() ? "" : " + channelwise"; }
  /// `output` may be `input`.
  void run(int64_t pixels, const int8_t* input, int8_t* output) const {
    run_(ops_, packed_.data(), pixels, input, output);
  }

 private:
  template <typename Params>
  bool append(const LoweredOp& op) {
    const auto* params = std::get_if<Params>(&op.lowered);
    if (params == nullptr || op.inputs.size() != 2 || !op.inputs[1].is_constant() ||
        !params->shape.repeats() || params->shape.dims.extent[1] != ops_.channels) {
      return false;
    }
    kernels::append_stage(ops_, *params, reinterpret_cast<const int8_t*>(op.inputs[1].constant),
                          packed_.data());
    return true;
  }

  kernels::ChannelwiseInt8 ops_;
  AlignedBuffer packed_;
  kernels::ChannelwiseRun* run_ = nullptr;
};

}  // namespace deeplab::plan
