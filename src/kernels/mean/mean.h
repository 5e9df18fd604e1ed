// MEAN over any set of dimensions.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/requantize.h"
#include "kernels/shape.h"

namespace deeplab::kernels {

/// The input's shape and which of its dimensions are averaged away; the output holds the others
/// in their order.
struct Reduction {
  Dims dims;
  std::array<bool, kMaxRank> reduced = {};

  /// Elements that one output is the mean of.
  int64_t count() const {
    int64_t n = 1;
    for (size_t i = 0; i < static_cast<size_t>(dims.rank); ++i)
      n *= reduced[i] ? dims.extent[i] : 1;
    return n;
  }
};

/// The sum of (x - input_zero_point), saturated to int32, requantized by `multiplier`, whose
/// factor is input scale / output scale / count.
struct MeanInt8 {
  Reduction shape;
  int32_t input_zero_point = 0;
  Multiplier multiplier;  ///< See make_mean_multiplier().
  int32_t output_zero_point = 0;
};

/// The factor scale_ratio / count. In fixed point TensorFlow Lite divides the mantissa of the
/// scale ratio by the count and rounds towards zero.
Multiplier make_mean_multiplier(double scale_ratio, int64_t count);

/// sum / count, summed in memory order.
struct MeanFloat {
  Reduction shape;
};

void mean_reference(const MeanInt8& mean, Rounding rounding, const int8_t* input, int8_t* output);
void mean_reference(const MeanFloat& mean, const float* input, float* output);

}  // namespace deeplab::kernels
