// Pixels that lie in a cv::Mat, segmented where they lie. usage: segment_mat MODEL.tflite PHOTO.ppm
//
// Mat below has the five members of cv::Mat that matter, so that the example builds without
// OpenCV. view_of() works on a real CV_8UC1, CV_8UC3 or CV_8UC4 cv::Mat as it stands here.
#include <cstdio>
#include <deeplab/deeplab.hpp>
#include <string>
#include <utility>

#include "ppm.h"

struct Mat {
  int rows = 0;
  int cols = 0;
  uint8_t* data = nullptr;  // not owned, unlike a real cv::Mat
  size_t step = 0;          // bytes from row to row; more than cols * channels() in a region
  int channel_count = 3;
  int channels() const { return channel_count; }

  /// A rectangle of the same pixels: no copy, and therefore rows that are not contiguous.
  Mat region(int x, int y, int width, int height) const {
    return {height, width,
            data + static_cast<size_t>(y) * step + static_cast<size_t>(x * channels()), step,
            channel_count};
  }
};

deeplab::ImageView view_of(const Mat& mat) {
  using deeplab::PixelFormat;
  // OpenCV keeps colour as blue, green, red. Saying so is enough: nothing is swapped or copied.
  const PixelFormat format = mat.channels() == 1   ? PixelFormat::kGray8
                             : mat.channels() == 4 ? PixelFormat::kBgra8
                                                   : PixelFormat::kBgr8;
  return {.data = mat.data,
          .width = mat.cols,
          .height = mat.rows,
          .stride = static_cast<ptrdiff_t>(mat.step),
          .format = format};
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: segment_mat MODEL.tflite PHOTO.ppm\n");
    return 2;
  }
  // What cv::imread() would return: the photo in BGR order.
  Ppm photo = read_ppm(argv[2]);
  if (photo.pixels.empty()) {
    std::fprintf(stderr, "%s: not a binary 8-bit PPM\n", argv[2]);
    return 1;
  }
  for (size_t i = 0; i < photo.pixels.size(); i += 3) {
    std::swap(photo.pixels[i], photo.pixels[i + 2]);
  }
  const Mat mat{photo.height, photo.width, photo.pixels.data(),
                size_t{3} * static_cast<size_t>(photo.width)};

  const auto model = deeplab::Model::load(argv[1]);
  if (!model.ok()) {
    std::fprintf(stderr, "%s\n", model.status().message().c_str());
    return 1;
  }
  auto segmenter = deeplab::Segmenter::create(*model);
  if (!segmenter.ok()) {
    std::fprintf(stderr, "%s\n", segmenter.status().message().c_str());
    return 1;
  }

  const Mat left_half = mat.region(0, 0, (mat.cols + 1) / 2, mat.rows);
  for (const auto& [name, part] : {std::pair{"whole picture", mat}, {"left half", left_half}}) {
    const auto result = segmenter->segment(view_of(part));
    if (!result.ok()) {
      std::fprintf(stderr, "%s\n", result.status().message().c_str());
      return 1;
    }
    // The mask can become a Mat in turn: CV_8UC1, `width` bytes per row.
    std::printf("%s, %d x %d:", name, part.cols, part.rows);
    const auto pixels = result->class_pixels();
    for (int32_t id = 0; id < model->class_count(); ++id) {
      if (pixels[static_cast<size_t>(id)] > 0)
        std::printf(" %s", std::string(model->label(id)).c_str());
    }
    std::printf("\n");
  }
  return 0;
}
