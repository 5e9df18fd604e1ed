// What deeplabsegment adds to the library's own time per frame: pushes the same frames through a
// pad of the element and through the library, in turns, and prints the median of both and of the
// difference. usage: gstreamer_overhead [WIDTH HEIGHT [CANVAS [FRAMES]]]
#include <gst/check/gstharness.h>
#include <gst/gst.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "deeplab/deeplab.h"

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  const int width = argc > 2 ? std::atoi(argv[1]) : 640,
            height = argc > 2 ? std::atoi(argv[2]) : 480;
  const int canvas = argc > 3 ? std::atoi(argv[3]) : 257,
            frames = argc > 4 ? std::atoi(argv[4]) : 300;
  gst_init(nullptr, nullptr);
  GstPlugin* plugin = gst_plugin_load_file(DEEPLAB_GSTREAMER_PLUGIN, nullptr);
  if (plugin == nullptr) return 1;

  deeplab_model* model = nullptr;
  deeplab_segmenter* segmenter = nullptr;
  deeplab_segmenter_options options;
  deeplab_segmenter_options_init(&options, sizeof options);
  options.threads = 1;
  options.width = options.height = canvas;
  if (deeplab_model_load_builtin(&model) != DEEPLAB_OK ||
      deeplab_segmenter_create(model, &options, &segmenter) != DEEPLAB_OK) {
    std::fprintf(stderr, "%s\n", deeplab_last_error());
    return 1;
  }
  const std::string element = "deeplabsegment threads=1 canvas=" + std::to_string(canvas);
  GstHarness* harness = gst_harness_new_parse(element.c_str());
  const std::string caps = "video/x-raw,format=RGB,framerate=30/1,width=" + std::to_string(width) +
                           ",height=" + std::to_string(height);
  gst_harness_set_src_caps_str(harness, caps.c_str());

  const int stride = (3 * width + 3) / 4 * 4;
  std::vector<uint8_t> pixels(static_cast<size_t>(stride * height)),
      mask(static_cast<size_t>(width * height));
  std::mt19937 random(1);
  for (size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<uint8_t>(i / 997 + random() % 32);
  deeplab_image image;
  deeplab_image_init(&image, sizeof image);
  image.planes[0] = pixels.data();
  image.strides[0] = stride;
  image.width = width;
  image.height = height;

  // Without a mask the same push does all but the element's work; that is the harness's own time.
  GstHarness* empty = gst_harness_new_parse("identity");
  gst_harness_set_src_caps_str(empty, caps.c_str());
  const auto push = [&](GstHarness* to) {
    GstBuffer* buffer = gst_buffer_new_memdup(pixels.data(), pixels.size());
    const auto start = Clock::now();
    GstBuffer* out = gst_harness_push_and_pull(to, buffer);
    const double took = milliseconds_since(start);
    gst_buffer_unref(out);
    return took;
  };
  std::vector<double> library, plugin_times, harness_times, added;
  for (int i = 0; i < frames + 10; ++i) {
    const auto start = Clock::now();
    if (deeplab_segmenter_run(segmenter, &image, nullptr) != DEEPLAB_OK ||
        deeplab_segmenter_category_mask(segmenter, width, height, mask.data(), width) !=
            DEEPLAB_OK) {
      return 1;
    }
    const double own = milliseconds_since(start);
    const double in_element = push(harness), in_harness = push(empty);
    if (i < 10) continue;  // warm-up
    library.push_back(own);
    plugin_times.push_back(in_element);
    harness_times.push_back(in_harness);
    added.push_back(in_element - in_harness - own);
  }
  std::printf(
      "%dx%d, canvas %d, %d frames, medians: library %.3f ms, element %.3f ms (harness alone "
      "%.3f); added %.3f ms\n",
      width, height, canvas, frames, median(library), median(plugin_times), median(harness_times),
      median(added));
  gst_harness_teardown(harness);
  gst_harness_teardown(empty);
  deeplab_segmenter_free(segmenter);
  deeplab_model_free(model);
  gst_object_unref(plugin);
  return 0;
}
