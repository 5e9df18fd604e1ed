// Where a step finds a tensor's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "plan/step.h"

namespace deeplab::plan {

/// A constant of the graph, a piece of the arena, or nothing (an absent bias).
struct TensorPlace {
  const std::byte* constant = nullptr;
  int64_t offset = -1;
  std::shared_ptr<const void> owner = {};  ///< Keeps the constant alive.
  /// Bytes that stand for floats: RunContext::pixel_values has those.
  bool is_pixels = false;

  bool exists() const { return constant != nullptr || offset >= 0; }
  bool is_constant() const { return constant != nullptr; }
  const std::byte* read(const RunContext& context) const {
    if (constant != nullptr) return constant;
    return offset >= 0 ? context.arena + offset : nullptr;
  }
  std::byte* write(const RunContext& context) const { return context.arena + offset; }
};

/// Of a convolution's inputs: {picture, filter, [bias]}.
inline TensorPlace bias_of(std::span<const TensorPlace> inputs) {
  return inputs.size() > 2 ? inputs[2] : TensorPlace{};
}

}  // namespace deeplab::plan
