// Decoded frames as pictures for the network and for drawing.
#pragma once

#include <cstdint>
#include <vector>

#include "apps/video/ffmpeg.h"
#include "apps/video/reader.h"
#include "deeplab/deeplab.hpp"

namespace deeplab::video {

/// A frame in R, G, B, as it is stored; its view is turned upright.
struct Picture {
  std::vector<uint8_t> rgb;
  int32_t width = 0;  ///< As stored, in pixels.
  int32_t height = 0;
  int stride = 0;  ///< Bytes from row to row.
  Turn turn;

  ImageView view() const {
    return {.data = rgb.data(),
            .width = width,
            .height = height,
            .stride = stride,
            .mirror = turn.mirror,
            .rotation = turn.rotation};
  }
};

/// Turns frames of any format into pictures of one size.
class FrameConverter {
 public:
  /// The stored size of all pictures; frames of another size are scaled to it.
  FrameConverter(int32_t width, int32_t height, Turn turn)
      : width_(width), height_(height), turn_(turn) {}

  /// Into `picture`, whose memory is used again. The colours are those of the `ffmpeg` program,
  /// which takes the YUV matrix that the frame names, else BT.601.
  Status convert(const AVFrame& frame, Picture& picture);

 private:
  int32_t width_;
  int32_t height_;
  Turn turn_;
  ScalerPtr scaler_;
};

/// A scaler between two pictures of 8-bit pixels. `matrix` is an AVColorSpace, used for the side
/// that is YUV. Error: sizes or formats that libswscale does not have.
struct ScalerSide {
  int width = 0;
  int height = 0;
  AVPixelFormat format = AV_PIX_FMT_NONE;
  bool full_range = false;
};
Status prepare_scaler(ScalerPtr& scaler, const ScalerSide& from, const ScalerSide& to, int matrix);

}  // namespace deeplab::video
