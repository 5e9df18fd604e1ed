#include <algorithm>
#include <bit>
#include <limits>

#include "kernels/mean/mean.h"
#include "kernels/mean/reduction.h"

namespace deeplab::kernels {
Multiplier make_mean_multiplier(double scale_ratio, int64_t count) {
  const Multiplier ratio = make_multiplier(scale_ratio);
  Multiplier multiplier = make_multiplier(scale_ratio / static_cast<double>(count));
  // The count's own power of two goes into the exponent, so that the mantissa keeps its bits.
  int shift = 63 - std::countl_zero(static_cast<uint64_t>(count));
  shift = std::clamp(shift, 0, std::min(32, 31 + ratio.exponent));
  multiplier.mantissa = static_cast<int32_t>((int64_t{ratio.mantissa} << shift) / count);
  multiplier.exponent = ratio.exponent - shift;
  return multiplier;
}

void mean_reference(const MeanInt8& mean, Rounding rounding, const int8_t* input, int8_t* output) {
  const int64_t zero = mean.shape.count() * mean.input_zero_point;
  const auto finish = [&](int64_t o, int64_t sum) {
    const int64_t acc = std::clamp<int64_t>(sum - zero, std::numeric_limits<int32_t>::min(),
                                            std::numeric_limits<int32_t>::max());
    output[o] = requantize(rounding, static_cast<int32_t>(acc), mean.multiplier,
                           mean.output_zero_point, -128, 127);
  };
  for_each_reduced(
      mean.shape, input, int64_t{0}, [](int64_t& sum, int8_t x) { sum += x; }, finish);
}

void mean_reference(const MeanFloat& mean, const float* input, float* output) {
  const auto count = static_cast<float>(mean.shape.count());
  for_each_reduced(
      mean.shape, input, 0.0f, [](float& sum, float x) { sum += x; },
      [&](int64_t o, float sum) { output[o] = sum / count; });
}

}  // namespace deeplab::kernels
