#include "apps/video/painter.h"

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace deeplab::video {
namespace {

// The blur is made on a picture of about this height: cheap, and as strong for every size of frame.
constexpr int32_t kBlurHeight = 90;
constexpr int kBlurRadius = 2;
constexpr int kBlurPasses = 3;  // of a box each: nearly a Gaussian

/// One pass of a box over `count` pixels of R, G, B that lie `step` bytes apart; the ends repeat.
void box_blur(uint8_t* pixels, int count, ptrdiff_t step, std::vector<uint8_t>& line) {
  line.resize(static_cast<size_t>(count) * 3);
  for (int i = 0; i < count; ++i)
    std::copy_n(pixels + i * step, 3, &line[static_cast<size_t>(i) * 3]);
  for (int i = 0; i < count; ++i) {
    for (int channel = 0; channel < 3; ++channel) {
      int sum = 0;
      for (int j = i - kBlurRadius; j <= i + kBlurRadius; ++j) {
        sum += line[static_cast<size_t>(std::clamp(j, 0, count - 1)) * 3 +
                    static_cast<size_t>(channel)];
      }
      constexpr int kWidth = 2 * kBlurRadius + 1;
      pixels[i * step + channel] = static_cast<uint8_t>((sum + kWidth / 2) / kWidth);
    }
  }
}

Status scale(ScalerPtr& scaler, const uint8_t* from, const ScalerSide& from_side, uint8_t* to,
             const ScalerSide& to_side, int flags) {
  DEEPLAB_RETURN_IF_ERROR(prepare_scaler(scaler, from_side, to_side, SWS_CS_DEFAULT, flags));
  const auto bytes = [](const ScalerSide& side) {
    return side.width * (side.format == AV_PIX_FMT_RGBA ? 4 : 3);
  };
  const uint8_t* const from_rows[4] = {from, nullptr, nullptr, nullptr};
  uint8_t* const to_rows[4] = {to, nullptr, nullptr, nullptr};
  const int from_strides[4] = {bytes(from_side), 0, 0, 0};
  const int to_strides[4] = {bytes(to_side), 0, 0, 0};
  const int done =
      sws_scale(scaler.get(), from_rows, from_strides, 0, from_side.height, to_rows, to_strides);
  if (done < 0) return internal_error("a frame could not be scaled: ", error_text(done));
  return {};
}

/// libswscale writes whole vectors: a little beyond the last row.
size_t bytes_of(int32_t width, int32_t height, size_t channels) {
  constexpr size_t kBeyond = 64;
  return static_cast<size_t>(width) * static_cast<size_t>(height) * channels + kBeyond;
}

}  // namespace

Result<Output> output_from_name(const std::string& name) {
  if (name == "overlay") return Output::kOverlay;
  if (name == "mask") return Output::kMask;
  if (name == "cutout") return Output::kCutout;
  if (name == "blur") return Output::kBlur;
  return invalid_argument("unknown output '", name, "'; expected overlay, mask, cutout or blur");
}

Painter::Painter(Output output, std::vector<std::string> labels, const Palette& palette)
    : output_(output), palette_(palette) {
  overlay_.labels = std::move(labels);
  overlay_.palette = &palette_;
}

AVPixelFormat Painter::format() const {
  if (output_ == Output::kMask) return AV_PIX_FMT_GRAY8;
  return output_ == Output::kCutout ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24;
}

Result<Pixels> Painter::paint(const Picture& picture, const Frame& frame) {
  const int32_t width = frame.width, height = frame.height;
  if (output_ == Output::kMask) {
    return Pixels{frame.category_mask.data(), width, height, width, AV_PIX_FMT_GRAY8};
  }
  if (output_ == Output::kOverlay) {
    rgb_.resize(bytes_of(width, height, 3));
    DEEPLAB_RETURN_IF_ERROR(draw_overlay(picture.view(), frame.category_mask, rgb_, overlay_));
    return Pixels{rgb_.data(), width, height, 3 * width, AV_PIX_FMT_RGB24};
  }
  rgba_.resize(bytes_of(width, height, 4));
  DEEPLAB_RETURN_IF_ERROR(cut_out(picture.view(), frame.confidence, rgba_));
  if (output_ == Output::kCutout) {
    return Pixels{rgba_.data(), width, height, 4 * width, AV_PIX_FMT_RGBA};
  }
  DEEPLAB_RETURN_IF_ERROR(blur_background(width, height));
  return Pixels{rgb_.data(), width, height, 3 * width, AV_PIX_FMT_RGB24};
}

Status Painter::blur_background(int32_t width, int32_t height) {
  const int32_t small_height = std::min(height, kBlurHeight);
  const auto small_width =
      static_cast<int32_t>(std::clamp<int64_t>(int64_t{width} * small_height / height, 1, width));
  const ScalerSide whole{width, height, AV_PIX_FMT_RGBA, true};
  const ScalerSide small{small_width, small_height, AV_PIX_FMT_RGB24, true};
  small_.resize(bytes_of(small_width, small_height, 3));
  DEEPLAB_RETURN_IF_ERROR(scale(down_, rgba_.data(), whole, small_.data(), small, SWS_AREA));
  const ptrdiff_t row = ptrdiff_t{3} * small_width;
  for (int pass = 0; pass < kBlurPasses; ++pass) {
    for (int32_t y = 0; y < small_height; ++y) {
      box_blur(small_.data() + y * row, small_width, 3, column_);
    }
    for (int32_t x = 0; x < small_width; ++x) {
      box_blur(small_.data() + ptrdiff_t{3} * x, small_height, row, column_);
    }
  }
  rgb_.resize(bytes_of(width, height, 3));
  const ScalerSide blurred{width, height, AV_PIX_FMT_RGB24, true};
  DEEPLAB_RETURN_IF_ERROR(scale(up_, small_.data(), small, rgb_.data(), blurred, SWS_BILINEAR));
  // The cut-out's alpha over it.
  const size_t pixels = static_cast<size_t>(width) * static_cast<size_t>(height);
  for (size_t i = 0; i < pixels; ++i) {
    const uint8_t* sharp = &rgba_[4 * i];
    uint8_t* out = &rgb_[3 * i];
    const int alpha = sharp[3];
    for (int c = 0; c < 3; ++c) {
      out[c] = static_cast<uint8_t>((alpha * sharp[c] + (255 - alpha) * out[c] + 127) / 255);
    }
  }
  return {};
}

}  // namespace deeplab::video
