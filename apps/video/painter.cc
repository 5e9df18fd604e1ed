#include "apps/video/painter.h"

#include <utility>

#include "base/status.h"

namespace deeplab::video {
namespace {

/// libswscale reads these pixels, and works in whole vectors: room after the last row.
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
  if (output_ == Output::kCutout) {
    rgba_.resize(bytes_of(width, height, 4));
    DEEPLAB_RETURN_IF_ERROR(cut_out(picture.view(), frame.confidence, rgba_));
    return Pixels{rgba_.data(), width, height, 4 * width, AV_PIX_FMT_RGBA};
  }
  rgb_.resize(bytes_of(width, height, 3));
  DEEPLAB_RETURN_IF_ERROR(blur_background(picture.view(), frame.confidence, 0, rgb_));
  return Pixels{rgb_.data(), width, height, 3 * width, AV_PIX_FMT_RGB24};
}

}  // namespace deeplab::video
