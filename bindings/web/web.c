/* What JavaScript calls besides the plain functions of deeplab.h: those whose arguments are
 * structs. Pointers are to the module's memory; `pixels` are rows without gaps, of 1 (grey), 3
 * (RGB) or 4 (RGBA) channels. */
#include "deeplab/deeplab.h"
#include "deeplab/deeplab_draw.h"

#define EXPORT(name) __attribute__((export_name(#name)))

EXPORT(web_load) int32_t web_load(const void* data, size_t size, deeplab_model** model) {
  return data != NULL ? deeplab_model_load_memory(data, size, model)
                      : deeplab_model_load_builtin(model);
}

EXPORT(web_create)
int32_t web_create(const deeplab_model* model, int32_t fit, int32_t width, int32_t height,
                   const char* isa, deeplab_segmenter** segmenter) {
  deeplab_segmenter_options options;
  deeplab_segmenter_options_init(&options, sizeof options);
  options.threads = 1;
  options.fit = fit;
  options.width = width;
  options.height = height;
  options.isa = isa;
  return deeplab_segmenter_create(model, &options, segmenter);
}

/* Canvas width and height, threads; the name of the kernel family. */
EXPORT(web_info)
int32_t web_info(const deeplab_segmenter* segmenter, int32_t numbers[3], const char** isa) {
  deeplab_segmenter_info info = {sizeof info};
  const deeplab_status status = deeplab_segmenter_get_info(segmenter, &info);
  numbers[0] = info.canvas_width;
  numbers[1] = info.canvas_height;
  numbers[2] = info.threads;
  *isa = info.isa;
  return status;
}

static deeplab_image image_of(const uint8_t* pixels, int32_t width, int32_t height,
                              int32_t channels) {
  deeplab_image image;
  deeplab_image_init(&image, sizeof image);
  image.planes[0] = pixels;
  image.strides[0] = (ptrdiff_t)width * channels;
  image.format = channels == 1 ? DEEPLAB_GRAY8 : channels == 3 ? DEEPLAB_RGB8 : DEEPLAB_RGBA8;
  image.width = width;
  image.height = height;
  return image;
}

EXPORT(web_check)
int32_t web_check(int32_t width, int32_t height, int32_t channels) {
  static const uint8_t never_read = 0;
  const deeplab_image image = image_of(&never_read, width, height, channels);
  return deeplab_image_size(&image, &width, &height);
}

EXPORT(web_run)
int32_t web_run(deeplab_segmenter* segmenter, const uint8_t* pixels, int32_t width, int32_t height,
                int32_t channels) {
  const deeplab_image image = image_of(pixels, width, height, channels);
  return deeplab_segmenter_run(segmenter, &image, NULL);
}

/* Milliseconds: prepare, infer, labels. */
EXPORT(web_timing)
int32_t web_timing(const deeplab_segmenter* segmenter, double milliseconds[3]) {
  deeplab_timing timing = {sizeof timing};
  const deeplab_status status = deeplab_segmenter_timing(segmenter, &timing);
  milliseconds[0] = timing.prepare_ms;
  milliseconds[1] = timing.infer_ms;
  milliseconds[2] = timing.labels_ms;
  return status;
}

/* The overlay as RGBA, which is what a canvas takes. `row` is memory for 3 * width bytes. */
EXPORT(web_overlay)
int32_t web_overlay(const uint8_t* pixels, int32_t width, int32_t height, int32_t channels,
                    const uint8_t* mask, float opacity, int32_t contours, int32_t legend,
                    const deeplab_model* model, uint8_t* row, uint8_t* rgba) {
  const char* labels[256];
  deeplab_overlay_options options;
  deeplab_overlay_options_init(&options, sizeof options);
  options.opacity = opacity;
  options.contours = contours;
  options.legend = legend;
  options.label_count = deeplab_model_class_count(model);
  for (int32_t i = 0; i < options.label_count; ++i) labels[i] = deeplab_model_label(model, i);
  options.labels = labels;
  deeplab_overlay* overlay = NULL;
  const deeplab_status status =
      deeplab_overlay_create(mask, width, height, width, &options, &overlay);
  if (status != DEEPLAB_OK) return status;
  for (int32_t y = 0; y < height; ++y) {
    for (int32_t x = 0; x < width; ++x, pixels += channels) {
      for (int32_t c = 0; c < 3; ++c) row[3 * x + c] = pixels[channels >= 3 ? c : 0];
    }
    deeplab_status drawn = deeplab_overlay_draw_row(overlay, y, row);
    if (drawn != DEEPLAB_OK) {
      deeplab_overlay_free(overlay);
      return drawn;
    }
    for (int32_t x = 0; x < width; ++x, rgba += 4) {
      for (int32_t c = 0; c < 3; ++c) rgba[c] = row[3 * x + c];
      rgba[3] = 255;
    }
  }
  deeplab_overlay_free(overlay);
  return DEEPLAB_OK;
}

EXPORT(web_cut_out)
int32_t web_cut_out(const uint8_t* pixels, int32_t width, int32_t height, int32_t channels,
                    const float* confidence, uint8_t* rgba) {
  const deeplab_image image = image_of(pixels, width, height, channels);
  return deeplab_cut_out(&image, confidence, (ptrdiff_t)width * (ptrdiff_t)sizeof(float), rgba,
                         (ptrdiff_t)width * 4);
}
