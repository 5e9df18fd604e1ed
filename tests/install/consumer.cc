// What every C++ consumer does: calls the library through its public face and sees it answer.
// usage: consumer MODEL
#include <cstdio>
#include <deeplab/deeplab.hpp>
#include <vector>

#include "picture.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  if (!versions_agree()) return 1;
  const auto missing = deeplab::Model::load("no-such-file.tflite");
  if (missing.ok() || missing.status().code() != deeplab::StatusCode::kIoError ||
      missing.status().message().find("no-such-file.tflite") == std::string::npos) {
    std::puts("a missing model was not reported as one");
    return 1;
  }
  std::printf("deeplab %s: %s\n", deeplab_version(), missing.status().message().c_str());

  auto model = deeplab::Model::load(argv[1]);
  if (!model.ok()) return std::puts(model.status().message().c_str()), 1;
  auto segmenter = deeplab::Segmenter::create(*model, {.width = SIZE, .height = SIZE});
  if (!segmenter.ok()) return std::puts(segmenter.status().message().c_str()), 1;
  std::vector<uint8_t> pixels(SIZE * SIZE * 3);
  draw_picture(pixels.data());
  auto result = segmenter->segment(
      {.data = pixels.data(), .width = SIZE, .height = SIZE, .stride = SIZE * 3});
  if (!result.ok()) return std::puts(result.status().message().c_str()), 1;

  const float* scores = nullptr;
  int32_t width = 0, height = 0, classes = 0;
  if (deeplab_segmenter_scores(segmenter->handle(), &scores, &width, &height, &classes) !=
          DEEPLAB_OK ||
      classes != model->class_count() || result->category_mask.size() != SIZE * SIZE ||
      !mask_follows_scores(result->category_mask.data(), scores, width, height, classes)) {
    std::puts("not the picture's label map");
    return 1;
  }
  std::printf("segmented %dx%d pixels into %d classes\n", SIZE, SIZE, classes);
}
