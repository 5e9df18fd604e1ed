/* The C99 interface: which classes does a photo show? usage: segment_c MODEL.tflite PHOTO.ppm */
#include <deeplab/deeplab.h>
#include <stdio.h>
#include <stdlib.h>

/* Reads a binary 8-bit PPM without comments. NULL: not one, or no memory. */
static uint8_t* read_ppm(const char* path, int* width, int* height) {
  FILE* file = fopen(path, "rb");
  uint8_t* pixels = NULL;
  int maximum = 0;
  if (file == NULL) return NULL;
  if (fscanf(file, "P6 %d %d %d", width, height, &maximum) == 3 && fgetc(file) != EOF &&
      maximum == 255 && *width > 0 && *width < 65536 && *height > 0 && *height < 65536) {
    const size_t size = (size_t)3 * (size_t)*width * (size_t)*height;
    pixels = malloc(size);
    if (pixels != NULL && fread(pixels, 1, size, file) != size) {
      free(pixels);
      pixels = NULL;
    }
  }
  fclose(file);
  return pixels;
}

static void print_classes(const deeplab_model* model, const uint8_t* mask, size_t size) {
  size_t pixels[256] = {0};
  int32_t id;
  for (size_t i = 0; i < size; ++i) ++pixels[mask[i]];
  for (id = 0; id < deeplab_model_class_count(model); ++id) {
    if (pixels[id] == 0) continue;
    printf("%-12s %5.1f %%\n", deeplab_model_label(model, id),
           100.0 * (double)pixels[id] / (double)size);
  }
}

int main(int argc, char** argv) {
  deeplab_model* model = NULL;
  deeplab_segmenter* segmenter = NULL;
  uint8_t* pixels = NULL;
  uint8_t* mask = NULL;
  int width, height, status = 1;

  if (argc != 3) {
    fprintf(stderr, "usage: segment_c MODEL.tflite PHOTO.ppm\n");
    return 2;
  }
  pixels = read_ppm(argv[2], &width, &height);
  if (pixels == NULL) {
    fprintf(stderr, "%s: not a binary 8-bit PPM\n", argv[2]);
    return 1;
  }
  mask = malloc((size_t)width * (size_t)height);

  /* NULL options: all CPUs, the model's own size and normalization, pad. */
  if (mask != NULL && deeplab_model_load_file(argv[1], &model) == DEEPLAB_OK &&
      deeplab_segmenter_create(model, NULL, &segmenter) == DEEPLAB_OK) {
    deeplab_image image;
    deeplab_image_init(&image, sizeof image);
    image.planes[0] = pixels;
    image.strides[0] = (ptrdiff_t)3 * width;
    image.format = DEEPLAB_RGB8;
    image.width = width;
    image.height = height;
    if (deeplab_segmenter_run(segmenter, &image, NULL) == DEEPLAB_OK &&
        deeplab_segmenter_category_mask(segmenter, width, height, mask, width) == DEEPLAB_OK) {
      print_classes(model, mask, (size_t)width * (size_t)height);
      status = 0;
    }
  }
  if (status != 0) fprintf(stderr, "%s\n", mask != NULL ? deeplab_last_error() : "out of memory");

  deeplab_segmenter_free(segmenter); /* NULL is fine for all of these */
  deeplab_model_free(model);
  free(mask);
  free(pixels);
  return status;
}
