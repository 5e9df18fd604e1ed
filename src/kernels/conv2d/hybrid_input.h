// Private to the convolutions: how TensorFlow Lite quantizes a float input while it runs, before a
// convolution with an int8 filter (SymmetricQuantizeFloats and AsymmetricQuantizeFloats of its
// portable_tensor_utils).
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/window.h"

namespace deeplab::kernels {

/// What a stored value q of one picture stands for: scale * (q - zero_point).
struct PictureScale {
  float scale = 1;
  int32_t zero_point = 0;
};

/// 127 steps on both sides of 0, up to the largest magnitude; all 0 if the picture is.
PictureScale quantize_symmetric(const float* values, int64_t count, int8_t* quantized);

/// 255 steps from the least value or 0 to the largest or 0, the zero point rounded to a whole
/// number.
PictureScale quantize_asymmetric(const float* values, int64_t count, int8_t* quantized);

/// A whole input [N,H,W,C], picture by picture.
class HybridInput {
 public:
  HybridInput(const WindowShape& shape, bool symmetric, const float* input);

  const int8_t* values() const { return values_.data(); }
  /// Of the picture that this output pixel is of.
  const PictureScale& scale(int64_t out_pixel) const {
    return scales_[static_cast<size_t>(out_pixel / out_pixels_)];
  }

 private:
  int64_t out_pixels_;  ///< Of a picture.
  std::vector<int8_t> values_;
  std::vector<PictureScale> scales_;
};

}  // namespace deeplab::kernels
