// deeplab_bench_flicker DATASET [MODEL] [PHOTOS]: what options.temporal does to a video.
//
// Clips with known motion, made of photos whose true masks are known: a window that pans over the
// photo or zooms into it, with noise of its own in every frame. The label of each pixel should
// travel with it. Prints, per strength, the share of pixels whose label differs from that of the
// same place one frame before (what leaves or enters the window is not counted), and the mean IoU
// of all frames against the true labels carried along.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "deeplab/deeplab.hpp"
#include "eval/scores.h"
#include "eval/voc_dataset.h"
#include "imageio/reader.h"

namespace {

using deeplab::eval::Confusion;
using deeplab::imageio::Image;

constexpr int kFrames = 40;
constexpr double kNoise = 8;      // standard deviation, of 0..255: an indoor camera's
constexpr double kWindow = 0.75;  // of the photo's sides
constexpr double kZoomPerFrame = 0.992;
constexpr float kStrengths[] = {0, 0.3f, 0.6f, 0.9f};

[[noreturn]] void fail(const std::string& sentence) {
  std::fprintf(stderr, "%s\n", sentence.c_str());
  std::exit(1);
}

/// Where frame pixel p lies in the photo: origin + p * step.
struct View {
  double x = 0;
  double y = 0;
  double step = 1;
};

enum class Motion : uint8_t { kPan, kZoom };

View view_of(Motion motion, int frame, int32_t width, int32_t height) {
  const double free_x = width * (1 - kWindow);
  const double free_y = height * (1 - kWindow);
  const double t = static_cast<double>(frame) / (kFrames - 1);
  // Whole pixels, so that panning changes nothing but the place.
  if (motion == Motion::kPan) return {std::floor(free_x * t), std::floor(free_y * t / 2), 1};
  const double step = std::pow(kZoomPerFrame, frame);
  return {free_x / 2 + width * kWindow * (1 - step) / 2,
          free_y / 2 + height * kWindow * (1 - step) / 2, step};
}

/// One frame of a clip: its pixels, and the true label of each.
struct Frame {
  int32_t width = 0;
  int32_t height = 0;
  std::vector<uint8_t> rgb;
  std::vector<uint8_t> truth;
};

Frame render(const Image& photo, const Image& mask, const View& view, std::mt19937& random) {
  std::normal_distribution<double> noise(0, kNoise);
  Frame frame;
  frame.width = static_cast<int32_t>(photo.width * kWindow);
  frame.height = static_cast<int32_t>(photo.height * kWindow);
  for (int32_t y = 0; y < frame.height; ++y) {
    for (int32_t x = 0; x < frame.width; ++x) {
      const double px = std::clamp(view.x + x * view.step, 0.0, photo.width - 1.0);
      const double py = std::clamp(view.y + y * view.step, 0.0, photo.height - 1.0);
      const auto left = static_cast<int32_t>(px);
      const auto top = static_cast<int32_t>(py);
      const int32_t right = std::min(left + 1, photo.width - 1);
      const int32_t bottom = std::min(top + 1, photo.height - 1);
      const double fx = px - left;
      const double fy = py - top;
      for (int32_t c = 0; c < 3; ++c) {
        const auto at = [&](int32_t column, int32_t row) {
          return photo.pixels[(static_cast<size_t>(row) * photo.width + column) * 3 + c];
        };
        const double upper = at(left, top) * (1 - fx) + at(right, top) * fx;
        const double lower = at(left, bottom) * (1 - fx) + at(right, bottom) * fx;
        const double value = upper * (1 - fy) + lower * fy + noise(random);
        frame.rgb.push_back(static_cast<uint8_t>(std::clamp(std::lround(value), 0L, 255L)));
      }
      frame.truth.push_back(mask.pixels[static_cast<size_t>(std::lround(py)) * mask.width +
                                        static_cast<size_t>(std::lround(px))]);
    }
  }
  return frame;
}

struct Flicker {
  int64_t changed = 0;
  int64_t compared = 0;

  /// The labels of two frames, one after the other.
  void add(const Frame& frame, const View& now, const std::vector<uint8_t>& mask,
           const View& before, const std::vector<uint8_t>& mask_before) {
    for (int32_t y = 0; y < frame.height; ++y) {
      const long from_y = std::lround((now.y + y * now.step - before.y) / before.step);
      if (from_y < 0 || from_y >= frame.height) continue;
      for (int32_t x = 0; x < frame.width; ++x) {
        const long from_x = std::lround((now.x + x * now.step - before.x) / before.step);
        if (from_x < 0 || from_x >= frame.width) continue;
        ++compared;
        changed += mask[static_cast<size_t>(y) * frame.width + x] !=
                   mask_before[static_cast<size_t>(from_y) * frame.width + from_x];
      }
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) fail("usage: deeplab_bench_flicker DATASET [MODEL] [PHOTOS]");
  const auto model = argc > 2 ? deeplab::Model::load(argv[2]) : deeplab::Model::builtin();
  if (!model.ok()) fail(model.status().message());
  const size_t photos = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 5;
  const auto dataset =
      deeplab::eval::open_voc_dataset(argv[1], "val", deeplab::eval::MaskRequirement::kRequired);
  if (!dataset.ok()) fail(dataset.status().message());

  std::printf(
      "| strength | label changes | mean IoU | ms per frame |\n| --- | --- | --- | --- |\n");
  for (const float strength : kStrengths) {
    deeplab::Options options;
    options.temporal = strength;
    auto segmenter = deeplab::Segmenter::create(*model, options);
    if (!segmenter.ok()) fail(segmenter.status().message());
    Confusion confusion(model->class_count());
    Flicker flicker;
    double milliseconds = 0;
    int frames = 0;
    for (size_t i = 0; i < std::min(photos, dataset->items.size()); ++i) {
      const auto& item = dataset->items[i];
      const auto photo = deeplab::imageio::read_image(item.image_path);
      if (!photo.ok()) fail(photo.status().message());
      const auto mask = deeplab::eval::read_mask(item.mask_path);
      if (!mask.ok()) fail(mask.status().message());
      for (const Motion motion : {Motion::kPan, Motion::kZoom}) {
        std::mt19937 random(static_cast<uint32_t>(i));  // the same clip for every strength
        segmenter->reset();
        View before;
        std::vector<uint8_t> mask_before;
        for (int f = 0; f < kFrames; ++f) {
          const View view = view_of(motion, f, photo->width, photo->height);
          const Frame frame = render(*photo, *mask, view, random);
          const auto result = segmenter->segment(
              {frame.rgb.data(), frame.width, frame.height, ptrdiff_t{3} * frame.width});
          if (!result.ok()) fail(result.status().message());
          const auto added =
              confusion.add({frame.truth.data(), frame.width, frame.height, frame.width},
                            {result->category_mask.data(), frame.width, frame.height, frame.width});
          if (!added.ok()) fail(added.message());
          if (f > 0) flicker.add(frame, view, result->category_mask, before, mask_before);
          before = view;
          mask_before = result->category_mask;
          milliseconds += segmenter->timing().infer_ms;
          ++frames;
        }
      }
    }
    std::printf(
        "| %.1f | %.2f %% | %.4f | %.2f |\n", static_cast<double>(strength),
        100.0 * static_cast<double>(flicker.changed) / static_cast<double>(flicker.compared),
        deeplab::eval::score(confusion).miou, milliseconds / frames);
  }
}
