#include "api/choose_canvas.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/stopwatch.h"
#include "vision/image_view.h"

namespace deeplab::api {
namespace {

/// The coarsest feature map's cells of the networks in use; a step of the canvas adds whole cells.
constexpr int32_t kStep = 32;
constexpr int32_t kSmallestSide = 129;
constexpr int kWarmUpRuns = 2;

/// Noise, the same every time: a picture that the label head cannot take short cuts in.
std::vector<uint8_t> noise(size_t bytes) {
  std::vector<uint8_t> pixels(bytes);
  uint32_t state = 1;
  for (uint8_t& value : pixels) {
    state = state * 1664525u + 1013904223u;  // Numerical Recipes' generator
    value = static_cast<uint8_t>(state >> 24);
  }
  return pixels;
}

/// The median time of a picture, in milliseconds.
Result<double> measure(const std::shared_ptr<const Model>& model, SegmenterOptions options,
                       const CanvasSize& size, const vision::ImageView& picture,
                       std::vector<uint8_t>& mask) {
  options.width = size.width;
  options.height = size.height;
  DEEPLAB_ASSIGN_OR_RETURN(const auto segmenter, Segmenter::create(model, options));
  std::array<double, 5> times = {};
  for (int run = -kWarmUpRuns; run < static_cast<int>(times.size()); ++run) {
    const Stopwatch watch;
    DEEPLAB_RETURN_IF_ERROR(segmenter->run(picture));
    DEEPLAB_RETURN_IF_ERROR(
        segmenter->category_mask(picture.width, picture.height, mask.data(), picture.width));
    if (run >= 0) times[static_cast<size_t>(run)] = watch.milliseconds();
  }
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

}  // namespace

std::vector<CanvasSize> canvases_for(int32_t model_width, int32_t model_height,
                                     int32_t picture_width, int32_t picture_height) {
  const int32_t largest = std::max(model_width, model_height);
  const double share = static_cast<double>(std::min(picture_width, picture_height)) /
                       std::max(picture_width, picture_height);
  std::vector<CanvasSize> sizes;
  for (int32_t side = largest; sizes.empty() || side >= kSmallestSide; side -= kStep) {
    const auto least = static_cast<int32_t>(std::ceil(side * share));
    const int32_t cells_less = (side - least) / kStep;
    const int32_t other = std::max(side - cells_less * kStep, 1);
    const bool is_wide = picture_width >= picture_height;
    sizes.push_back(is_wide ? CanvasSize{side, other} : CanvasSize{other, side});
  }
  return sizes;
}

Result<ChosenCanvas> choose_canvas(std::shared_ptr<const Model> model, SegmenterOptions options,
                                   int32_t picture_width, int32_t picture_height,
                                   double frames_per_second) {
  if (!(frames_per_second > 0)) {
    return invalid_argument(frames_per_second, " frames per second; expected more than 0");
  }
  if (options.width != 0 || options.height != 0) {
    return invalid_argument("a canvas of ", options.width, "x", options.height,
                            " is given already; there is nothing to choose");
  }
  DEEPLAB_RETURN_IF_ERROR(vision::validate_size(picture_width, picture_height, "picture"));
  const size_t pixels = static_cast<size_t>(picture_width) * static_cast<size_t>(picture_height);
  const std::vector<uint8_t> rgb = noise(pixels * 3);
  const vision::ImageView picture{rgb.data(), picture_width, picture_height,
                                  ptrdiff_t{3} * picture_width, vision::PixelFormat::kRgb8};
  std::vector<uint8_t> mask(pixels);

  const auto sizes =
      canvases_for(model->input_width(), model->input_height(), picture_width, picture_height);
  const auto area = [&](size_t i) { return double{1} * sizes[i].width * sizes[i].height; };
  const double budget = 1000 / frames_per_second;
  const auto time_of = [&](size_t i) { return measure(model, options, sizes[i], picture, mask); };
  DEEPLAB_ASSIGN_OR_RETURN(const double longest, time_of(0));
  if (longest <= budget) return ChosenCanvas{sizes[0], longest};
  // The time grows with the area: begin where it should fit, then go up as long as it does, or down
  // until it does.
  size_t i = std::min<size_t>(1, sizes.size() - 1);
  while (i + 1 < sizes.size() && longest * area(i) / area(0) > budget) ++i;
  DEEPLAB_ASSIGN_OR_RETURN(double time, time_of(i));
  while (time <= budget && i > 1) {
    DEEPLAB_ASSIGN_OR_RETURN(const double larger, time_of(i - 1));
    if (larger > budget) break;
    time = larger;
    --i;
  }
  while (time > budget && i + 1 < sizes.size()) {
    DEEPLAB_ASSIGN_OR_RETURN(time, time_of(++i));
  }
  if (time <= budget) return ChosenCanvas{sizes[i], time};
  return resource_exhausted("no canvas is fast enough for ", frames_per_second,
                            " frames per second: the smallest, ", sizes[i].width, "x",
                            sizes[i].height, ", takes ", time, " ms");
}

}  // namespace deeplab::api
