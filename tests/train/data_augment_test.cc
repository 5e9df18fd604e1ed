#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <vector>

#include "tests/train/data_folder.h"
#include "train/data/augment.h"
#include "train/data/random.h"

namespace deeplab::train {
namespace {

using deeplab::testing::no_augmentation;

struct Sample {
  std::vector<uint8_t> pixels;
  std::vector<uint8_t> labels;
};

imageio::Image make_photo(int32_t width, int32_t height, int32_t channels) {
  imageio::Image image;
  image.width = image.original_width = width;
  image.height = image.original_height = height;
  image.channels = channels;
  image.pixels.resize(static_cast<size_t>(width) * static_cast<size_t>(height) *
                      static_cast<size_t>(channels));
  return image;
}

using Pixel = std::array<uint8_t, 3>;

constexpr std::array<Pixel, 4> kColours = {
    {{200, 30, 30}, {20, 180, 40}, {60, 60, 220}, {250, 250, 90}}};

/// Rectangles of four classes, painted in the colours of the classes.
struct Scene {
  imageio::Image photo;
  imageio::Image mask;
};

Scene make_scene(int32_t width, int32_t height) {
  Scene scene{make_photo(width, height, 3), make_photo(width, height, 1)};
  for (int32_t y = 0; y < height; ++y) {
    for (int32_t x = 0; x < width; ++x) {
      const auto label = static_cast<uint8_t>((x * 5 / width + 2 * (y * 4 / height)) % 4);
      const auto i = static_cast<size_t>(y * width + x);
      scene.mask.pixels[i] = label;
      for (size_t c = 0; c < 3; ++c) scene.photo.pixels[3 * i + c] = kColours[label][c];
    }
  }
  return scene;
}

Sample render(const Scene& scene, const AugmentOptions& options, const Variation& variation) {
  const size_t area =
      static_cast<size_t>(options.crop_width) * static_cast<size_t>(options.crop_height);
  Sample sample{std::vector<uint8_t>(area * 3, 1), std::vector<uint8_t>(area, 1)};
  const RunMask mask = RunMask::encode(scene.mask);
  const Status status = Augmenter(options).render(scene.photo, &mask, variation,
                                                  sample.pixels.data(), sample.labels.data());
  EXPECT_TRUE(status.ok()) << status.message();
  return sample;
}

TEST(Augment, OffIsThePhotoTopLeftOnGrey) {
  const Scene scene = make_scene(50, 30);
  const AugmentOptions options = no_augmentation(64, 40);
  const Sample sample = render(scene, options, draw_variation(1, 0, options));
  for (int32_t y = 0; y < 40; ++y) {
    for (int32_t x = 0; x < 64; ++x) {
      const auto i = static_cast<size_t>(y * 64 + x);
      const bool inside = x < 50 && y < 30;
      const auto from = static_cast<size_t>(y * 50 + x);
      ASSERT_EQ(sample.labels[i], inside ? scene.mask.pixels[from] : 255) << x << ", " << y;
      for (size_t c = 0; c < 3; ++c) {
        ASSERT_EQ(sample.pixels[3 * i + c], inside ? scene.photo.pixels[3 * from + c] : 127);
      }
    }
  }
}

TEST(Augment, ASmallPhotoStaysTopLeftWhateverIsDrawn) {
  const Scene scene = make_scene(40, 20);
  AugmentOptions options;
  options.crop_width = options.crop_height = 100;
  options.jpeg_noise = 0.5;
  for (int64_t k = 0; k < 60; ++k) {
    const Variation v = draw_variation(1, k, options);
    const Sample sample = render(scene, options, v);
    const auto width = static_cast<int32_t>(40 * v.scale);
    const auto height = static_cast<int32_t>(20 * v.scale);
    for (int32_t y = 0; y < 100; ++y) {
      for (int32_t x = 0; x < 100; ++x) {
        const auto i = static_cast<size_t>(y * 100 + x);
        const bool inside = x < width && y < height;
        ASSERT_EQ(sample.labels[i] != 255, inside) << x << ", " << y << " at scale " << v.scale;
        // JPEG must not smear the photo over the border either.
        ASSERT_TRUE(inside || sample.pixels[3 * i] == 127) << x << ", " << y;
      }
    }
  }
}

TEST(Augment, MaskStaysWithThePhoto) {
  const Scene scene = make_scene(120, 90);
  AugmentOptions options;
  options.crop_width = 70;
  options.crop_height = 61;
  for (const double step : {0.25, 0.0}) {
    options.scale_step = step;
    for (int64_t k = 0; k < 100; ++k) {
      const Sample sample = render(scene, options, draw_variation(9, k, options));
      int64_t inside = 0;
      int64_t agree = 0;
      for (size_t i = 0; i < sample.labels.size(); ++i) {
        if (sample.labels[i] == 255) continue;
        ++inside;
        // The class whose colour is nearest: on an edge colours mix half and half.
        int best = -1;
        int least = 1 << 30;
        for (size_t l = 0; l < kColours.size(); ++l) {
          int distance = 0;
          for (size_t c = 0; c < 3; ++c) {
            distance += std::abs(int{sample.pixels[3 * i + c]} - int{kColours[l][c]});
          }
          if (distance < least) {
            least = distance;
            best = static_cast<int>(l);
          }
        }
        agree += best == sample.labels[i] ? 1 : 0;
      }
      // A shift by one pixel of scale 1 would already cost 5 % here.
      EXPECT_GT(agree, inside * 97 / 100) << "sample " << k << " of step " << step;
    }
  }
}

TEST(Augment, InteriorsHaveTheirColourExactly) {
  // Far from an edge there is nothing to mix, so colour and label must agree to the last bit.
  const Scene scene = make_scene(120, 90);
  AugmentOptions options;
  options.crop_width = options.crop_height = 65;
  int64_t interiors = 0;
  for (int64_t k = 0; k < 50; ++k) {
    const Sample sample = render(scene, options, draw_variation(2, k, options));
    for (int32_t y = 3; y < 62; ++y) {
      for (int32_t x = 3; x < 62; ++x) {
        const auto at = [&](int32_t dx, int32_t dy) {
          return sample.labels[static_cast<size_t>((y + dy) * 65 + x + dx)];
        };
        const uint8_t label = at(0, 0);
        bool interior = label != 255;
        for (int32_t d = -3; d <= 3; ++d) {
          for (int32_t e = -3; e <= 3; ++e) interior = interior && at(d, e) == label;
        }
        if (!interior) continue;
        ++interiors;
        for (size_t c = 0; c < 3; ++c) {
          ASSERT_EQ(sample.pixels[static_cast<size_t>(y * 65 + x) * 3 + c], kColours[label][c]);
        }
      }
    }
  }
  EXPECT_GT(interiors, 20000);
}

TEST(Augment, InventsNoLabel) {
  Scene scene{make_photo(90, 60, 3), make_photo(90, 60, 1)};
  const std::set<int> used = {0, 7, 20};
  for (size_t i = 0; i < scene.mask.pixels.size(); ++i) {
    scene.mask.pixels[i] = std::array<uint8_t, 3>{0, 7, 20}[size_t(below(derive_key(1, i), 3))];
  }
  AugmentOptions options;
  options.crop_width = options.crop_height = 80;
  options.scale_step = 0;
  for (int64_t k = 0; k < 40; ++k) {
    for (const uint8_t label : render(scene, options, draw_variation(3, k, options)).labels) {
      ASSERT_TRUE(label == 255 || used.contains(label)) << int{label};
    }
  }
}

TEST(Augment, FlipMirrorsPhotoAndMask) {
  const Scene scene = make_scene(50, 30);
  const AugmentOptions options = no_augmentation(50, 30);
  Variation v;
  v.flip = true;
  const Sample sample = render(scene, options, v);
  for (int32_t y = 0; y < 30; ++y) {
    for (int32_t x = 0; x < 50; ++x) {
      const auto i = static_cast<size_t>(y * 50 + x);
      const auto from = static_cast<size_t>(y * 50 + 49 - x);
      ASSERT_EQ(sample.labels[i], scene.mask.pixels[from]) << x << ", " << y;
      ASSERT_EQ(sample.pixels[3 * i + 1], scene.photo.pixels[3 * from + 1]) << x << ", " << y;
    }
  }
}

TEST(Augment, DrawsCoverTheirRangesAndLeaveEachOtherAlone) {
  AugmentOptions options;
  std::set<double> scales;
  int flips = 0;
  for (int64_t k = 0; k < 1000; ++k) {
    const Variation v = draw_variation(1, k, options);
    scales.insert(v.scale);
    flips += v.flip ? 1 : 0;
    EXPECT_EQ(v.brightness, 1);
    EXPECT_EQ(v.jpeg_quality, 0);
  }
  EXPECT_EQ(scales, (std::set<double>{0.5, 0.75, 1, 1.25, 1.5, 1.75, 2}));
  EXPECT_NEAR(flips, 500, 60);

  AugmentOptions more = options;
  more.flip = 0;
  more.brightness = more.contrast = more.saturation = 0.4;
  more.hue = 0.1;
  more.jpeg_noise = 0.5;
  int jpegs = 0;
  for (int64_t k = 0; k < 1000; ++k) {
    const Variation v = draw_variation(1, k, options);
    const Variation w = draw_variation(1, k, more);
    EXPECT_EQ(v.scale, w.scale);
    EXPECT_EQ(v.at_x, w.at_x);
    EXPECT_EQ(v.at_y, w.at_y);
    EXPECT_FALSE(w.flip);
    EXPECT_TRUE(w.brightness >= 0.6 && w.brightness <= 1.4);
    EXPECT_LE(std::abs(w.hue), 0.1);
    EXPECT_TRUE(w.jpeg_quality == 0 || (w.jpeg_quality >= 30 && w.jpeg_quality <= 95));
    jpegs += w.jpeg_quality > 0 ? 1 : 0;
  }
  EXPECT_NEAR(jpegs, 500, 60);
}

TEST(Augment, CropsReachEveryPlace) {
  AugmentOptions options = no_augmentation(10, 10);
  std::set<int32_t> places;
  for (int64_t k = 0; k < 2000; ++k) {
    const Crop p = place_crop(30, 12, draw_variation(1, k, options), options);
    places.insert(p.x.first);
    EXPECT_EQ(p.x.size, 10);
    EXPECT_TRUE(p.y.first >= 0 && p.y.first <= 2);
  }
  EXPECT_EQ(places.size(), 21u);  // 0..20, the last included
}

TEST(Augment, LongSideShrinksLargePhotosOnly) {
  AugmentOptions options = no_augmentation(513, 513);
  options.long_side = 513;
  Variation v;
  const Crop large = place_crop(4000, 3000, v, options);
  EXPECT_EQ(large.x.full, 513);
  EXPECT_EQ(large.y.full, 384);
  EXPECT_EQ(place_crop(500, 375, v, options).x.full, 500);
  v.scale = 2;
  EXPECT_EQ(place_crop(4000, 3000, v, options).x.full, 1026);
}

TEST(Augment, APhotoDecodedSmallerHasTheSameGeometry) {
  // The photo's pixels at half size, the mask at the full one.
  Scene scene = make_scene(240, 160);
  scene.photo = make_scene(120, 80).photo;
  scene.photo.original_width = 240;
  scene.photo.original_height = 160;
  AugmentOptions options = no_augmentation(120, 80);
  options.long_side = 120;
  const Sample sample = render(scene, options, Variation());
  int64_t agree = 0;
  for (size_t i = 0; i < sample.labels.size(); ++i) {
    agree += sample.pixels[3 * i] == kColours[sample.labels[i]][0] ? 1 : 0;
  }
  EXPECT_EQ(agree, 120 * 80);
}

Variation colour_variation(double brightness, double contrast, double saturation, double hue) {
  Variation v;
  v.brightness = brightness;
  v.contrast = contrast;
  v.saturation = saturation;
  v.hue = hue;
  return v;
}

Pixel mapped(const Variation& v, Pixel colour) {
  ColourMap(v).apply(colour.data(), 1);
  return colour;
}

TEST(ColourMap, DoesWhatItSays) {
  EXPECT_EQ(mapped(Variation(), {100, 10, 200}), (Pixel{100, 10, 200}));
  EXPECT_EQ(mapped(colour_variation(1.5, 1, 1, 0), {100, 10, 200}), (Pixel{150, 15, 255}));
  EXPECT_EQ(mapped(colour_variation(1, 0.5, 1, 0), {100, 0, 255}), (Pixel{114, 64, 191}));
  // Without saturation: the luma 0.299 * 100 + 0.587 * 50 + 0.114 * 200 = 82.05.
  EXPECT_EQ(mapped(colour_variation(1, 1, 0, 0), {100, 50, 200}), (Pixel{82, 82, 82}));
  // A third of a circle turns red into green, green into blue, blue into red.
  EXPECT_EQ(mapped(colour_variation(1, 1, 1, 1.0 / 3), {90, 40, 10}), (Pixel{10, 90, 40}));
  // Grey has no hue and no saturation.
  EXPECT_EQ(mapped(colour_variation(1, 1, 1.7, 0.13), {77, 77, 77}), (Pixel{77, 77, 77}));
}

TEST(Augment, JpegNoiseChangesLittleButSomething) {
  Scene scene = make_scene(64, 64);
  for (size_t i = 0; i < scene.photo.pixels.size(); ++i) {
    scene.photo.pixels[i] = static_cast<uint8_t>(100 + below(derive_key(5, i), 40));
  }
  const AugmentOptions options = no_augmentation(64, 64);
  Variation v;
  v.jpeg_quality = 50;
  const Sample noisy = render(scene, options, v);
  double squares = 0;
  for (size_t i = 0; i < noisy.pixels.size(); ++i) {
    const double d = double(noisy.pixels[i]) - scene.photo.pixels[i];
    squares += d * d;
  }
  const double rms = std::sqrt(squares / static_cast<double>(noisy.pixels.size()));
  EXPECT_GT(rms, 1);
  EXPECT_LT(rms, 20);
  EXPECT_EQ(noisy.labels, scene.mask.pixels);
}

}  // namespace
}  // namespace deeplab::train
