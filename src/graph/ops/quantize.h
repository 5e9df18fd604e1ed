// QUANTIZE, DEQUANTIZE, CAST.
#pragma once

#include "graph/op_parts.h"

namespace deeplab::graph {

/// {x}: float32 -> quantized, or quantized -> quantized with other parameters.
struct Quantize {
  static constexpr std::string_view kName = "QUANTIZE";
  static void fields(auto& /*a*/, auto&& /*visit*/) {}
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

/// {x}: quantized -> float32.
struct Dequantize {
  static constexpr std::string_view kName = "DEQUANTIZE";
  static void fields(auto& /*a*/, auto&& /*visit*/) {}
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

/// {x}: stored numbers as numbers of another type; what they mean does not matter.
struct Cast {
  static constexpr std::string_view kName = "CAST";
  static constexpr bool kIgnoresScales = true;
  static void fields(auto& /*a*/, auto&& /*visit*/) {}
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

}  // namespace deeplab::graph
