#include "vision/pixel_lut.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

namespace deeplab::vision {
namespace {

Result<std::array<float, 3>> per_channel(std::span<const float> values, const char* what) {
  if (values.size() != 1 && values.size() != 3) {
    return invalid_argument("normalization: ", values.size(), " values of ", what,
                            ", expected 1 or 3");
  }
  for (float v : values) {
    if (!std::isfinite(v)) return invalid_argument("normalization: ", what, " is not finite");
  }
  if (values.size() == 1) return std::array<float, 3>{values[0], values[0], values[0]};
  return std::array<float, 3>{values[0], values[1], values[2]};
}

/// Computed in double and rounded once: at most half an ulp from the formula.
float normalize(const Normalization& n, size_t channel, int pixel) {
  return static_cast<float>((double(pixel) - n.mean[channel]) / n.std[channel]);
}

int quantize(float value, Quantization q, int low, int high) {
  const double stored = std::round(value / q.scale) + double(q.zero_point);
  return static_cast<int>(std::clamp(stored, double(low), double(high)));
}

}  // namespace

Result<Normalization> make_normalization(std::span<const float> mean, std::span<const float> std) {
  Normalization n;
  DEEPLAB_ASSIGN_OR_RETURN(n.mean, per_channel(mean, "mean"));
  DEEPLAB_ASSIGN_OR_RETURN(n.std, per_channel(std, "std"));
  for (float s : n.std) {
    if (!(s > 0)) return invalid_argument("normalization: std is ", s, ", expected more than 0");
  }
  return n;
}

Result<PixelLut> make_lut(const Normalization& normalization, ElementType type,
                          Quantization quantization, QuantizeRule rule) {
  PixelLut lut;
  lut.type = type;
  if (type == ElementType::kFloat32) {
    for (size_t c = 0; c < 3; ++c) {
      for (int p = 0; p < 256; ++p) {
        lut.values[c][static_cast<size_t>(p)] = normalize(normalization, c, p);
      }
    }
    return lut;
  }
  if (type != ElementType::kInt8 && type != ElementType::kUint8) {
    return unsupported("input tensor: pixels go into int8, uint8 or float32 only");
  }
  if (!(quantization.scale > 0) || !std::isfinite(quantization.scale)) {
    return invalid_argument("input tensor: quantization scale ", quantization.scale,
                            " is not positive and finite");
  }

  const int low = type == ElementType::kInt8 ? -128 : 0;
  int furthest = 0;  // from the identity, over all pixels and channels
  for (size_t c = 0; c < 3; ++c) {
    for (int p = 0; p < 256; ++p) {
      const int q = quantize(normalize(normalization, c, p), quantization, low, low + 255);
      furthest = std::max(furthest, std::abs(q - (p + low)));
      lut.bytes[c][static_cast<size_t>(p)] = static_cast<uint8_t>(q);
    }
  }
  if (rule == QuantizeRule::kIdentityWhereClose && furthest <= 1) {
    for (auto& table : lut.bytes) {
      for (int p = 0; p < 256; ++p) table[static_cast<size_t>(p)] = static_cast<uint8_t>(p + low);
    }
  }
  return lut;
}

PixelLut pixels_themselves(int32_t channels) {
  PixelLut lut;
  lut.type = ElementType::kUint8;
  lut.channels = channels;
  for (auto& table : lut.bytes) std::iota(table.begin(), table.end(), uint8_t{0});
  return lut;
}

}  // namespace deeplab::vision
