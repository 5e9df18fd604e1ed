// Photo in, label map out, in C++20. usage: segment_ppm MODEL.tflite PHOTO.ppm MASK.pgm
#include <cstdio>
#include <deeplab/deeplab.hpp>
#include <fstream>
#include <string>

#include "ppm.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: segment_ppm MODEL.tflite PHOTO.ppm MASK.pgm\n");
    return 2;
  }
  const Ppm photo = read_ppm(argv[2]);
  if (photo.pixels.empty()) {
    std::fprintf(stderr, "%s: not a binary 8-bit PPM\n", argv[2]);
    return 1;
  }

  // Once per program: read the model. Share it between threads.
  const auto model = deeplab::Model::load(argv[1]);
  if (!model.ok()) {
    std::fprintf(stderr, "%s\n", model.status().message().c_str());
    return 1;
  }
  // Once per thread: plan the network and take its memory.
  auto segmenter = deeplab::Segmenter::create(*model, {.fit = deeplab::Fit::kPad});
  if (!segmenter.ok()) {
    std::fprintf(stderr, "%s\n", segmenter.status().message().c_str());
    return 1;
  }
  // Once per photo.
  const auto result = segmenter->segment({.data = photo.pixels.data(),
                                          .width = photo.width,
                                          .height = photo.height,
                                          .stride = ptrdiff_t{3} * photo.width,
                                          .format = deeplab::PixelFormat::kRgb8});
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.status().message().c_str());
    return 1;
  }

  const auto pixels = result->class_pixels();
  for (int32_t id = 0; id < model->class_count(); ++id) {
    const auto count = static_cast<double>(pixels[static_cast<size_t>(id)]);
    if (count == 0) continue;
    std::printf("%-12s %5.1f %%\n", std::string(model->label(id)).c_str(),
                100 * count / static_cast<double>(result->category_mask.size()));
  }

  std::ofstream mask(argv[3], std::ios::binary);
  mask << "P5\n" << result->width << ' ' << result->height << "\n255\n";
  mask.write(reinterpret_cast<const char*>(result->category_mask.data()),
             static_cast<std::streamsize>(result->category_mask.size()));
  mask.close();
  if (!mask) {
    std::fprintf(stderr, "%s: cannot be written\n", argv[3]);
    return 1;
  }
  return 0;
}
