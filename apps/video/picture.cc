#include "apps/video/picture.h"

#include "base/status.h"

namespace deeplab::video {

Status prepare_scaler(ScalerPtr& scaler, const ScalerSide& from, const ScalerSide& to, int matrix) {
  scaler.reset(sws_getCachedContext(scaler.release(), from.width, from.height, from.format,
                                    to.width, to.height, to.format, SWS_BICUBIC, nullptr, nullptr,
                                    nullptr));
  if (!scaler) {
    return unsupported("frames of ", from.width, "x", from.height, " in ",
                       av_get_pix_fmt_name(from.format) != nullptr
                           ? av_get_pix_fmt_name(from.format)
                           : "an unknown format",
                       " cannot be converted");
  }
  const int* coefficients = sws_getCoefficients(matrix);
  sws_setColorspaceDetails(scaler.get(), coefficients, from.full_range ? 1 : 0, coefficients,
                           to.full_range ? 1 : 0, 0, 1 << 16, 1 << 16);
  return {};
}

Status FrameConverter::convert(const AVFrame& frame, Picture& picture) {
  const ScalerSide from{frame.width, frame.height, static_cast<AVPixelFormat>(frame.format),
                        frame.color_range == AVCOL_RANGE_JPEG};
  DEEPLAB_RETURN_IF_ERROR(
      prepare_scaler(scaler_, from, {width_, height_, AV_PIX_FMT_RGB24, true}, frame.colorspace));
  picture.width = width_;
  picture.height = height_;
  picture.turn = turn_;
  // libswscale writes whole vectors, two rows at a time: without room after a row, the end of one
  // would lie over the beginning of the next.
  constexpr int kVector = 64;
  picture.stride = (3 * width_ + kVector - 1) / kVector * kVector;
  picture.rgb.resize(static_cast<size_t>(picture.stride) * static_cast<size_t>(height_) + kVector);
  uint8_t* const rows[4] = {picture.rgb.data(), nullptr, nullptr, nullptr};
  const int strides[4] = {picture.stride, 0, 0, 0};
  const int done =
      sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, rows, strides);
  if (done < 0) return internal_error("a frame could not be converted: ", error_text(done));
  return {};
}

}  // namespace deeplab::video
