// deeplaboverlay draws what the library's own functions draw.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "tests/gstreamer/element_harness.h"

namespace deeplab::testing {
namespace {

using ::testing::HasSubstr;

constexpr int kWidth = 201, kHeight = 135;
const std::vector<std::string> kFormats = {"RGB", "BGR", "RGBA", "BGRA", "RGBx", "BGRx"};

struct Pixel {
  int red, green, blue, alpha;
};

/// Pixel of a buffer of to_buffer() with 4 bytes per pixel, or with 3 and no padding at a width of
/// a multiple of 4.
Pixel pixel_of(const std::vector<uint8_t>& bytes, const std::string& format, ptrdiff_t stride,
               int x, int y) {
  const bool has_four = format.size() == 4;
  const uint8_t* at = bytes.data() + y * stride + ptrdiff_t{has_four ? 4 : 3} * x;
  const bool is_bgr = format.starts_with("BGR");
  return {at[is_bgr ? 2 : 0], at[1], at[is_bgr ? 0 : 2], has_four ? at[3] : 255};
}

/// The pixels that come out, as R, G, B, and the alphas.
struct Drawn {
  std::vector<uint8_t> rgb;
  std::vector<uint8_t> alpha;
};

Drawn draw(const std::string& properties, const std::string& format, int padding = 0,
           const std::string& before = "deeplabsegment canvas=129 ! ") {
  Harness harness(before + "deeplaboverlay " + properties);
  const BufferPtr out = harness.run(cat(kWidth, kHeight), format, padding);
  EXPECT_NE(out, nullptr);
  const std::vector<uint8_t> bytes = bytes_of(out.get());
  const ptrdiff_t row = ptrdiff_t{format.size() == 4 ? 4 : 3} * kWidth;
  const ptrdiff_t stride = padding > 0 ? row + padding : (row + 3) / 4 * 4;
  Drawn drawn;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const Pixel pixel = pixel_of(bytes, format, stride, x, y);
      for (const int value : {pixel.red, pixel.green, pixel.blue})
        drawn.rgb.push_back(static_cast<uint8_t>(value));
      drawn.alpha.push_back(static_cast<uint8_t>(pixel.alpha));
    }
    // Between the rows nothing is written.
    for (ptrdiff_t i = row; padding > 0 && y + 1 < kHeight && i < stride; ++i) {
      EXPECT_EQ(bytes[static_cast<size_t>(y * stride + i)], 0xA5);
    }
  }
  return drawn;
}

deeplab_image view_of(const Picture& picture) {
  deeplab_image image;
  deeplab_image_init(&image, sizeof image);
  image.planes[0] = picture.rgb.data();
  image.strides[0] = ptrdiff_t{3} * picture.width;
  image.width = picture.width;
  image.height = picture.height;
  return image;
}

std::vector<uint8_t> library_overlay(const std::vector<uint8_t>& mask, float opacity, bool legend) {
  const Picture picture = cat(kWidth, kHeight);
  const deeplab_image image = view_of(picture);
  deeplab_overlay_options options;
  deeplab_overlay_options_init(&options, sizeof options);
  options.opacity = opacity;
  options.legend = legend ? 1 : 0;
  std::vector<const char*> labels(21, "");
  deeplab_model* model = nullptr;
  EXPECT_EQ(deeplab_model_load_builtin(&model), DEEPLAB_OK);
  for (int id = 0; id < 21; ++id) labels[static_cast<size_t>(id)] = deeplab_model_label(model, id);
  options.labels = labels.data();
  options.label_count = 21;
  std::vector<uint8_t> rgb(picture.rgb.size());
  EXPECT_EQ(deeplab_draw_overlay(&image, mask.data(), kWidth, &options, rgb.data(),
                                 ptrdiff_t{3} * kWidth),
            DEEPLAB_OK);
  deeplab_model_free(model);
  return rgb;
}

std::vector<uint8_t> only(std::vector<uint8_t> mask, uint8_t id) {
  for (uint8_t& value : mask) value = value == id ? id : uint8_t{0};
  return mask;
}

/// Whether all pixels at most `reach` away have that id (or, if `is_other`, another one).
bool is_deep(const std::vector<uint8_t>& mask, int x, int y, int reach, uint8_t id, bool is_other) {
  for (int v = std::max(0, y - reach); v <= std::min(kHeight - 1, y + reach); ++v) {
    for (int u = std::max(0, x - reach); u <= std::min(kWidth - 1, x + reach); ++u) {
      if ((mask[static_cast<size_t>(v * kWidth + u)] == id) == is_other) return false;
    }
  }
  return true;
}

TEST(OverlayElement, ModeOverlayInEveryFormat) {
  for (const std::string& format : kFormats) {
    const auto mask = library_mask(cat(kWidth, kHeight), format);
    for (const int padding : {0, 7}) {
      EXPECT_EQ(draw("", format, padding).rgb, library_overlay(mask, 0.55f, false))
          << format << ", padding " << padding;
    }
    EXPECT_EQ(draw("alpha=0.25 legend=true", format).rgb, library_overlay(mask, 0.25f, true))
        << format;
  }
}

TEST(OverlayElement, ModeMaskInEveryFormat) {
  for (const std::string& format : kFormats) {
    const auto mask = library_mask(cat(kWidth, kHeight), format);
    std::vector<uint8_t> expected(mask.size() * 3);
    ASSERT_EQ(deeplab_colorize(mask.data(), kWidth, kHeight, kWidth, nullptr, expected.data(),
                               ptrdiff_t{3} * kWidth),
              DEEPLAB_OK);
    EXPECT_EQ(draw("mode=mask", format, 3).rgb, expected) << format;
  }
}

TEST(OverlayElement, ModeCutoutInEveryFormat) {
  const Picture picture = cat(kWidth, kHeight);
  for (const std::string& format : kFormats) {
    const auto mask = library_mask(picture, format);
    const Drawn drawn = draw("mode=cutout classes=cat", format, 2);
    const bool has_alpha = format.ends_with("A");
    int inside = 0, outside = 0, soft = 0;
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        const auto i = static_cast<size_t>(y * kWidth + x);
        const bool is_same = std::memcmp(&drawn.rgb[3 * i], &picture.rgb[3 * i], 3) == 0;
        if (has_alpha) {
          ASSERT_TRUE(is_same) << "the colours stay, the alpha tells";
        }
        if (is_deep(mask, x, y, 2, 8, false)) {
          ASSERT_TRUE(is_same);
          if (has_alpha) {
            ASSERT_EQ(drawn.alpha[i], 255);
          }
          ++inside;
        } else if (is_deep(mask, x, y, 2, 8, true)) {
          if (has_alpha) {
            ASSERT_EQ(drawn.alpha[i], 0);
          } else {
            ASSERT_EQ(drawn.rgb[3 * i] + drawn.rgb[3 * i + 1] + drawn.rgb[3 * i + 2], 0);
          }
          ++outside;
        } else if (has_alpha && drawn.alpha[i] > 0 && drawn.alpha[i] < 255) {
          ++soft;
        }
      }
    }
    if (cat_photo().rgb.empty()) continue;
    EXPECT_GT(inside, 500) << format;
    EXPECT_GT(outside, 5000) << format;
    if (has_alpha) {
      EXPECT_GT(soft, 50) << format;
    }
  }
}

TEST(OverlayElement, ModeBlurIsTheLibrarys) {
  const Picture picture = cat(kWidth, kHeight);
  const auto mask = library_mask(picture, "RGB");
  // The share of the cat around each pixel.
  std::vector<float> confidence;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      int count = 0;
      for (int v = y - 2; v <= y + 2; ++v) {
        for (int u = x - 2; u <= x + 2; ++u) {
          const int at = std::clamp(v, 0, kHeight - 1) * kWidth + std::clamp(u, 0, kWidth - 1);
          count += mask[static_cast<size_t>(at)] == 8 ? 1 : 0;
        }
      }
      confidence.push_back(static_cast<float>(count) / 25);
    }
  }
  const deeplab_image image = view_of(picture);
  for (const int radius : {0, 3, 30}) {
    std::vector<uint8_t> expected(picture.rgb.size());
    ASSERT_EQ(deeplab_blur_background(&image, confidence.data(), ptrdiff_t{4} * kWidth,
                                      radius > 0 ? radius : kHeight / 20, expected.data(),
                                      ptrdiff_t{3} * kWidth),
              DEEPLAB_OK);
    for (const std::string format : {"RGB", "BGRx", "RGBA"}) {
      // The mask is of the same pixels in all of these formats.
      EXPECT_EQ(draw("mode=blur classes=8 radius=" + std::to_string(radius), format, 1).rgb,
                expected)
          << format;
    }
  }
}

TEST(OverlayElement, ClassesByNameAndById) {
  const auto mask = library_mask(cat(kWidth, kHeight), "RGB");
  const auto cat_alone = library_overlay(only(mask, 8), 0.55f, false);
  EXPECT_EQ(draw("classes=cat", "RGB").rgb, cat_alone);
  EXPECT_EQ(draw("classes=8", "RGB").rgb, cat_alone);
  EXPECT_EQ(draw("classes=\"person, cat\"", "RGB").rgb, library_overlay(mask, 0.55f, false));
  EXPECT_EQ(draw("classes=person", "RGB").rgb, cat(kWidth, kHeight).rgb);
}

/// To hide the cat, not the room.
TEST(OverlayElement, TheBackgroundMayBeWhatIsKept) {
  const auto mask = library_mask(cat(kWidth, kHeight), "RGBA");
  const Drawn drawn = draw("mode=cutout classes=background", "RGBA");
  const Drawn all = draw("mode=cutout classes=cat,background", "RGBA");
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const auto i = static_cast<size_t>(y * kWidth + x);
      if (is_deep(mask, x, y, 2, 0, false)) {
        ASSERT_EQ(drawn.alpha[i], 255);
      } else if (is_deep(mask, x, y, 2, 0, true)) {
        ASSERT_EQ(drawn.alpha[i], 0);
      }
    }
  }
  EXPECT_GT(std::count(drawn.alpha.begin(), drawn.alpha.end(), 0), 500);
  EXPECT_GT(share(all.alpha, 255), share(drawn.alpha, 255));
}

TEST(OverlayElement, AnUnknownClassIsAnErrorThatListsThem) {
  for (const std::string wrong : {"persn", "21", "-1", "8x", "cat,,dog", "Cat"}) {
    Harness harness("deeplabsegment canvas=65 ! deeplaboverlay classes=" + wrong);
    harness.set_caps(caps_of("RGB", 40, 30));
    EXPECT_EQ(gst_harness_push(harness.get(), to_buffer(cat(40, 30), "RGB").release()),
              GST_FLOW_ERROR)
        << wrong;
    const std::string name = wrong == "cat,,dog" ? "" : wrong;
    EXPECT_THAT(
        sentence(harness.message(GST_MESSAGE_ERROR).get()),
        HasSubstr("classes: no class '" + name + "'; the model has background, aeroplane,"));
  }
}

/// Who hides a room with blur must not see it in a frame that has no mask.
TEST(OverlayElement, WithoutAMaskNothingIsShownExceptInModeOverlay) {
  const Picture picture = cat(kWidth, kHeight);
  EXPECT_EQ(draw("", "RGB", 0, "").rgb, picture.rgb);
  const Drawn mask = draw("mode=mask", "RGB", 0, "");
  EXPECT_EQ(*std::max_element(mask.rgb.begin(), mask.rgb.end()), 0);
  const Drawn cutout = draw("mode=cutout", "RGBA", 0, "");
  EXPECT_EQ(*std::max_element(cutout.alpha.begin(), cutout.alpha.end()), 0);
  const Drawn blurred = draw("mode=blur radius=20", "RGB", 0, "");
  std::vector<uint8_t> expected(picture.rgb.size());
  const deeplab_image image = view_of(picture);
  const std::vector<float> nothing(picture.rgb.size() / 3, 0.0f);
  ASSERT_EQ(deeplab_blur_background(&image, nothing.data(), ptrdiff_t{4} * kWidth, 20,
                                    expected.data(), ptrdiff_t{3} * kWidth),
            DEEPLAB_OK);
  EXPECT_EQ(blurred.rgb, expected);

  Harness harness("deeplaboverlay mode=blur");
  for (int i = 0; i < 3; ++i) harness.run(picture, "RGB");
  EXPECT_THAT(sentence(harness.message(GST_MESSAGE_WARNING).get()),
              HasSubstr("no mask of its size; expected deeplabsegment before deeplaboverlay"));
  EXPECT_EQ(harness.message(GST_MESSAGE_WARNING), nullptr) << "one warning per stream is enough";
}

/// A tee hands out the same buffer twice: the other branch keeps its picture.
TEST(OverlayElement, ASharedPictureIsCopiedFirst) {
  Harness harness("deeplabsegment canvas=129 ! deeplaboverlay");
  const Picture picture = cat(kWidth, kHeight);
  harness.set_caps(caps_of("BGRx", kWidth, kHeight));
  const BufferPtr original = to_buffer(picture, "BGRx");
  const auto before = bytes_of(original.get());
  const BufferPtr out = harness.run(BufferPtr(gst_buffer_ref(original.get())));
  EXPECT_EQ(bytes_of(original.get()), before);
  EXPECT_FALSE(attached(original.get()).has_value());
  EXPECT_TRUE(attached(out.get()).has_value());
  if (!cat_photo().rgb.empty()) {
    EXPECT_NE(bytes_of(out.get()), before);
  }
}

TEST(OverlayElement, ABadFrameIsAWarning) {
  Harness harness("deeplaboverlay mode=mask");
  harness.set_caps(caps_of("RGB", 160, 120));
  const BufferPtr out = harness.run(BufferPtr(gst_buffer_new_allocate(nullptr, 100, nullptr)));
  ASSERT_NE(out, nullptr);
  EXPECT_THAT(sentence(harness.message(GST_MESSAGE_WARNING).get()), HasSubstr("no mask"));
  EXPECT_THAT(sentence(harness.message(GST_MESSAGE_WARNING).get()),
              HasSubstr("a buffer of 100 bytes is too small for RGB of 160x120"));
}

TEST(OverlayElement, PropertiesChangeWhilePlaying) {
  Harness harness("deeplabsegment canvas=129 ! deeplaboverlay");
  const Picture picture = cat(kWidth + 3, kHeight);  // rows without padding
  const auto plain = bytes_of(harness.run(picture, "RGB").get());
  gst_harness_set(harness.get(), "deeplaboverlay", "alpha", 0.0, "classes", "person", nullptr);
  EXPECT_EQ(bytes_of(harness.run(picture, "RGB").get()), picture.rgb);
  gst_harness_set(harness.get(), "deeplaboverlay", "alpha", 0.55, "classes", nullptr, nullptr);
  EXPECT_EQ(bytes_of(harness.run(picture, "RGB").get()), plain);
}

}  // namespace
}  // namespace deeplab::testing
