// deeplab_draw.h: what can be made of masks, without a model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "deeplab/deeplab_draw.h"
#include "deeplab/deeplab_draw.hpp"
#include "tests/api/test_models.h"

namespace deeplab::testing {
namespace {

using ::testing::ElementsAre;

/// 8x6: class 12 in the middle with a hole, class 3 in the corner, the rest background.
std::vector<uint8_t> small_mask() {
  std::vector<uint8_t> mask(48, 0);
  for (int y = 1; y < 5; ++y) {
    for (int x = 2; x < 6; ++x) mask[static_cast<size_t>(y * 8 + x)] = 12;
  }
  mask[2 * 8 + 3] = 0;
  mask[5 * 8 + 7] = 3;
  return mask;
}

TEST(Draw, PalettesByName) {
  const auto voc = palette("voc");
  ASSERT_TRUE(voc.ok());
  EXPECT_EQ((std::vector<int>{(*voc)[36], (*voc)[37], (*voc)[38]}),
            (std::vector<int>{64, 0, 128}));  // dog
  const auto city = palette("cityscapes");
  ASSERT_TRUE(city.ok());
  EXPECT_EQ((std::vector<int>{(*city)[33], (*city)[34], (*city)[35]}),
            (std::vector<int>{220, 20, 60}));  // person
  const auto ade = palette("ade20k");
  ASSERT_TRUE(ade.ok());
  EXPECT_EQ((std::vector<int>{(*ade)[447], (*ade)[448], (*ade)[449]}),
            (std::vector<int>{92, 0, 255}));  // flag, the last one
  EXPECT_EQ((*ade)[450], (*voc)[450]);
  EXPECT_EQ(palette("pink").status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(deeplab_palette("voc", nullptr), DEEPLAB_INVALID_ARGUMENT);
}

TEST(Draw, ColorizeAndCount) {
  const std::vector<uint8_t> mask = small_mask();
  std::vector<uint8_t> rgb(48 * 3);
  ASSERT_TRUE(colorize({mask, 8, 6}, rgb).ok());
  EXPECT_THAT(std::vector<int>(rgb.begin() + (8 + 2) * 3, rgb.begin() + (8 + 3) * 3),
              ElementsAre(64, 0, 128));
  Palette own{};
  own[3 * 3] = 77;
  ASSERT_TRUE(colorize({mask, 8, 6}, rgb, &own).ok());
  EXPECT_EQ(rgb[47 * 3], 77);
  EXPECT_FALSE(colorize({mask, 8, 7}, rgb).ok());
  int64_t pixels[256];
  ASSERT_EQ(deeplab_count_pixels(mask.data(), 8, 6, 8, pixels), DEEPLAB_OK);
  EXPECT_EQ(pixels[12], 15);
  EXPECT_EQ(pixels[3], 1);
  EXPECT_EQ(deeplab_count_pixels(nullptr, 8, 6, 8, pixels), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_count_pixels(mask.data(), 8, 6, 7, pixels), DEEPLAB_INVALID_ARGUMENT);
}

TEST(Draw, OverlayAtOnceByRowsAndInPlace) {
  const int32_t width = 120, height = 90;
  const std::vector<uint8_t> pixels = synthetic_photo(width, height);
  std::vector<uint8_t> mask(static_cast<size_t>(width * height), 0);
  for (size_t i = 0; i < mask.size() / 2; ++i) mask[i] = 15;
  const ImageView view{pixels.data(), width, height, 3 * width};
  OverlayOptions options;
  options.labels.resize(21);
  options.labels[15] = "person";
  std::vector<uint8_t> drawn(pixels.size()), plain(pixels.size());
  ASSERT_TRUE(draw_overlay(view, mask, drawn, options).ok());
  EXPECT_NE(drawn, pixels);
  options.legend = false;
  options.contours = false;
  ASSERT_TRUE(draw_overlay(view, mask, plain, options).ok());
  EXPECT_NE(drawn, plain);
  // Below the mask and the legend, the picture is as it was.
  EXPECT_TRUE(std::equal(pixels.end() - 3 * width, pixels.end(), plain.end() - 3 * width));
  options.opacity = 0;
  std::vector<uint8_t> nothing(pixels.size());
  ASSERT_TRUE(draw_overlay(view, mask, nothing, options).ok());
  EXPECT_EQ(nothing, pixels);

  std::vector<uint8_t> in_place = pixels;
  const ImageView itself{in_place.data(), width, height, 3 * width};
  options = {};
  options.labels.resize(21);
  options.labels[15] = "person";
  ASSERT_TRUE(draw_overlay(itself, mask, in_place, options).ok());
  EXPECT_EQ(in_place, drawn);

  std::vector<const char*> labels(21, nullptr);
  labels[15] = "person";
  deeplab_overlay_options c_options;
  deeplab_overlay_options_init(&c_options, sizeof(c_options));
  c_options.labels = labels.data();
  c_options.label_count = 21;
  deeplab_overlay* overlay = nullptr;
  ASSERT_EQ(deeplab_overlay_create(mask.data(), width, height, width, &c_options, &overlay),
            DEEPLAB_OK)
      << deeplab_last_error();
  std::vector<uint8_t> rows = pixels;
  for (int32_t y = height - 1; y >= 0; --y) {
    ASSERT_EQ(deeplab_overlay_draw_row(overlay, y, rows.data() + ptrdiff_t{3} * width * y),
              DEEPLAB_OK);
  }
  EXPECT_EQ(rows, drawn);
  EXPECT_EQ(deeplab_overlay_draw_row(overlay, height, rows.data()), DEEPLAB_INVALID_ARGUMENT);
  deeplab_overlay_free(overlay);
  deeplab_overlay_free(nullptr);

  c_options.opacity = 2;
  EXPECT_EQ(deeplab_overlay_create(mask.data(), width, height, width, &c_options, &overlay),
            DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(overlay, nullptr);
  options.opacity = 0.5f;
  EXPECT_FALSE(draw_overlay(view, std::span(mask).first(5), drawn, options).ok());
}

TEST(Draw, CutOutOfAPictureAsItComes) {
  const std::vector<uint8_t> pixels = synthetic_photo(4, 3);
  const std::vector<float> confidence = {0, 0.2f, 0.5f, 1, 0, 0, 0, 0, 1, 1, 1, 1};
  std::vector<uint8_t> rgba(48), turned(48);
  ImageView view{pixels.data(), 4, 3, 12};
  ASSERT_TRUE(cut_out(view, confidence, rgba).ok());
  EXPECT_THAT((std::vector<int>{rgba[3], rgba[7], rgba[11], rgba[15]}),
              ElementsAre(0, 0, 128, 255));
  EXPECT_EQ(rgba[12], pixels[9]);
  view.rotation = Rotation::k180;
  ASSERT_TRUE(cut_out(view, confidence, turned).ok());
  EXPECT_EQ(turned[0], pixels[33]);
  EXPECT_EQ(turned[15], 255);
  EXPECT_FALSE(cut_out(view, confidence, std::span(rgba).first(47)).ok());
}

TEST(Draw, BlurLeavesWhatIsMarked) {
  const int32_t width = 90, height = 60;
  std::vector<uint8_t> pixels = synthetic_photo(width, height);
  std::vector<float> confidence(static_cast<size_t>(width * height), 0);
  for (size_t i = confidence.size() / 2; i < confidence.size(); ++i) confidence[i] = 1;
  std::vector<uint8_t> blurred(pixels.size());
  const ImageView view{pixels.data(), width, height, 3 * width};
  ASSERT_TRUE(blur_background(view, confidence, 12, blurred).ok());
  const auto half = static_cast<ptrdiff_t>(pixels.size() / 2);
  EXPECT_TRUE(std::equal(pixels.begin() + half, pixels.end(), blurred.begin() + half));
  EXPECT_FALSE(std::equal(pixels.begin(), pixels.begin() + half, blurred.begin()));
  std::vector<uint8_t> in_place = pixels;
  const ImageView itself{in_place.data(), width, height, 3 * width};
  ASSERT_TRUE(blur_background(itself, confidence, 12, in_place).ok());
  EXPECT_EQ(in_place, blurred);
  std::vector<uint8_t> by_default(pixels.size());
  ASSERT_TRUE(blur_background(view, confidence, height / 20, blurred).ok());
  ASSERT_TRUE(blur_background(view, confidence, 0, by_default).ok());
  EXPECT_EQ(by_default, blurred);
  EXPECT_FALSE(blur_background(view, confidence, -1, blurred).ok());
  EXPECT_FALSE(blur_background(view, confidence, 12, std::span(blurred).first(5)).ok());
  deeplab_image image;
  deeplab_image_init(&image, sizeof(image));
  EXPECT_EQ(
      deeplab_blur_background(&image, confidence.data(), 4 * width, 12, blurred.data(), 3 * width),
      DEEPLAB_INVALID_ARGUMENT);
}

TEST(Draw, PolygonsAreTheRegions) {
  const std::vector<uint8_t> mask = small_mask();
  const auto regions = trace_polygons({mask, 8, 6});
  ASSERT_TRUE(regions.ok()) << regions.status().message();
  ASSERT_EQ(regions->size(), 2u);
  const Region& dog = (*regions)[0];
  EXPECT_EQ(dog.class_id, 12);
  EXPECT_EQ(dog.area, 15);
  EXPECT_EQ(dog.box.x, 2);
  EXPECT_EQ(dog.box.height, 4);
  ASSERT_EQ(dog.rings.size(), 2u);  // the outline and the hole
  EXPECT_EQ(dog.rings[0].size(), 8u);
  EXPECT_THAT((*regions)[1].rings[0], ElementsAre(8, 5, 8, 6, 7, 6, 7, 5));
  PolygonOptions options;
  options.min_area = 2;
  options.background = true;
  const auto others = trace_polygons({mask, 8, 6}, options);
  ASSERT_TRUE(others.ok());
  ASSERT_EQ(others->size(), 2u);
  EXPECT_EQ((*others)[0].class_id, 0);
  EXPECT_EQ((*others)[1].rings.size(), 1u);  // the hole is closed
  options.tolerance = -1;
  EXPECT_FALSE(trace_polygons({mask, 8, 6}, options).ok());

  deeplab_polygons* polygons = nullptr;
  ASSERT_EQ(deeplab_polygons_trace(mask.data(), 8, 6, 8, nullptr, &polygons), DEEPLAB_OK);
  deeplab_region region = {};
  region.struct_size = sizeof(region);
  const int32_t* points = nullptr;
  int32_t count = 0;
  EXPECT_EQ(deeplab_polygons_region(polygons, 2, &region), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_polygons_region(polygons, -1, &region), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_polygons_region(nullptr, 0, &region), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_polygons_ring(polygons, 0, 2, &points, &count), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_polygons_count(nullptr), 0);
  deeplab_polygons_free(polygons);
  deeplab_polygons_free(nullptr);
}

}  // namespace
}  // namespace deeplab::testing
