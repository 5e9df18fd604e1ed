/* What every C consumer does; compiled as strict C99. usage: consumer MODEL */
#include <deeplab/deeplab.h>
#include <stdio.h>
#include <string.h>

#include "picture.h"

static int failed(const char* what) {
  printf("%s: %s\n", what, deeplab_last_error());
  return 1;
}

static int segment(const char* path) {
  static uint8_t pixels[SIZE * SIZE * 3];
  static uint8_t mask[SIZE * SIZE];
  deeplab_model* model = NULL;
  deeplab_segmenter* segmenter = NULL;
  deeplab_segmenter_options options;
  deeplab_image image;
  const float* scores;
  int32_t width, height, classes;

  if (deeplab_model_load_file(path, &model) != DEEPLAB_OK) return failed("load");
  deeplab_segmenter_options_init(&options, sizeof options);
  options.width = SIZE;
  options.height = SIZE;
  if (deeplab_segmenter_create(model, &options, &segmenter) != DEEPLAB_OK) return failed("create");
  deeplab_model_free(model); /* the segmenter keeps what it needs */

  draw_picture(pixels);
  deeplab_image_init(&image, sizeof image);
  image.planes[0] = pixels;
  image.width = SIZE;
  image.height = SIZE;
  image.strides[0] = SIZE * 3;
  if (deeplab_segmenter_run(segmenter, &image, NULL) != DEEPLAB_OK) return failed("run");
  if (deeplab_segmenter_category_mask(segmenter, SIZE, SIZE, mask, SIZE) != DEEPLAB_OK) {
    return failed("mask");
  }
  if (deeplab_segmenter_scores(segmenter, &scores, &width, &height, &classes) != DEEPLAB_OK) {
    return failed("scores");
  }
  if (!mask_follows_scores(mask, scores, width, height, classes)) return 1;
  deeplab_segmenter_free(segmenter);
  printf("segmented %dx%d pixels into %d classes\n", SIZE, SIZE, classes);
  return 0;
}

int main(int argc, char** argv) {
  deeplab_model* model = (deeplab_model*)&argc; /* must come back NULL */
  if (argc != 2) return 2;
  if (!versions_agree()) return 1;
  if (deeplab_model_load_file("no-such-file.tflite", &model) != DEEPLAB_IO_ERROR || model != NULL ||
      strstr(deeplab_last_error(), "no-such-file.tflite") == NULL) {
    return failed("a missing model was not reported as one");
  }
  printf("deeplab %s: %s\n", deeplab_version(), deeplab_last_error());
  return segment(argv[1]);
}
