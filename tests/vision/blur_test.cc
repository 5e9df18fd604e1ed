#include "vision/blur.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/vision/pictures.h"

namespace deeplab::vision {
namespace {

using testing::Photo;
using testing::Random;

PictureView rgb_view(const std::vector<uint8_t>& rgb, int32_t width, int32_t height) {
  PictureView view;
  view.planes[0] = rgb.data();
  view.strides[0] = ptrdiff_t{3} * width;
  view.stored_width = view.region.width = width;
  view.stored_height = view.region.height = height;
  return view;
}

std::vector<uint8_t> blur(const std::vector<uint8_t>& rgb, int32_t width, int32_t height,
                          const std::vector<float>& confidence, int32_t radius) {
  std::vector<uint8_t> out(rgb.size());
  const Status status = blur_background(rgb_view(rgb, width, height), confidence.data(), width,
                                        radius, out.data(), ptrdiff_t{3} * width);
  EXPECT_TRUE(status.ok()) << status.message();
  return out;
}

/// How far values of the first channel are from their mean, on average over the picture.
double spread(const std::vector<uint8_t>& rgb) {
  double sum = 0, squares = 0;
  const auto count = static_cast<double>(rgb.size() / 3);
  for (size_t i = 0; i < rgb.size(); i += 3) sum += rgb[i], squares += double{1} * rgb[i] * rgb[i];
  return std::sqrt(squares / count - sum / count * (sum / count));
}

TEST(Blur, OneColourStaysThatColour) {
  for (const int32_t radius : {1, 5, 6, 24, 300, kMaxBlurRadius}) {
    for (const auto& [width, height] : {std::pair{1, 1}, {33, 7}, {200, 111}}) {
      const auto count = static_cast<size_t>(width * height);
      std::vector<uint8_t> rgb;
      for (size_t i = 0; i < count; ++i) rgb.insert(rgb.end(), {255, 130, 0});
      EXPECT_EQ(blur(rgb, width, height, std::vector<float>(count, 0.0f), radius), rgb)
          << width << "x" << height << ", radius " << radius;
    }
  }
}

TEST(Blur, WhatIsMarkedStays) {
  Random random(7);
  const Photo photo(random, 61, 43);
  EXPECT_EQ(blur(photo.rgb, 61, 43, std::vector<float>(61 * 43, 0.8f), 20), photo.rgb);
}

TEST(Blur, MoreRadiusIsMoreBlur) {
  std::vector<uint8_t> noise;
  Random random(8);
  for (int i = 0; i < 160 * 120 * 3; ++i) {
    noise.push_back(static_cast<uint8_t>(testing::draw(random, 0, 255)));
  }
  const std::vector<float> nothing(160 * 120, 0.0f);
  double last = spread(noise);
  for (const int32_t radius : {1, 3, 8, 16, 32}) {
    const double now = spread(blur(noise, 160, 120, nothing, radius));
    EXPECT_LT(now, 0.75 * last) << radius;
    last = now;
  }
}

/// A point of light becomes a spot of about the radius, in the middle, as bright in all.
TEST(Blur, ReachesAboutTheRadius) {
  constexpr int32_t kSide = 161, kMiddle = 80;
  for (const int32_t radius : {4, 7, 12, 24, 40}) {
    std::vector<uint8_t> rgb(kSide * kSide * 3, 0);
    // As wide as a cell, since less would round to nothing.
    const int32_t half = std::max(1, radius / 8);
    for (int32_t y = kMiddle - half; y <= kMiddle + half; ++y) {
      for (int32_t x = kMiddle - half; x <= kMiddle + half; ++x) {
        std::fill_n(rgb.begin() + (y * kSide + x) * 3, 3, uint8_t{255});
      }
    }
    const auto out = blur(rgb, kSide, kSide, std::vector<float>(kSide * kSide, 0.0f), radius);
    const auto at = [&](int32_t x) { return out[static_cast<size_t>((kMiddle * kSide + x) * 3)]; };
    EXPECT_GT(at(kMiddle), 0) << radius;
    EXPECT_GT(at(kMiddle + radius / 3), 0) << radius;
    EXPECT_EQ(at(kMiddle + 2 * radius + 2), 0) << radius;
    EXPECT_EQ(at(kMiddle - 2 * radius - 2), 0) << radius;
  }
}

/// A white object before black: the black beside it stays black, where a plain blur makes a halo.
TEST(Blur, TheObjectLeavesNoHalo) {
  constexpr int32_t kWidth = 120, kHeight = 40;
  std::vector<uint8_t> rgb(kWidth * kHeight * 3, 0);
  std::vector<float> confidence(kWidth * kHeight, 0.0f);
  for (size_t i = 0; i < confidence.size(); ++i) {
    if (i % kWidth < kWidth / 2) continue;
    confidence[i] = 1;
    std::fill_n(rgb.begin() + static_cast<ptrdiff_t>(3 * i), 3, uint8_t{255});
  }
  const auto out = blur(rgb, kWidth, kHeight, confidence, 20);
  for (size_t i = 0; i < confidence.size(); ++i) {
    EXPECT_NEAR(out[3 * i], confidence[i] > 0 ? 255 : 0, 1) << i % kWidth;
  }
}

TEST(Blur, InPlaceAndTurned) {
  Random random(9);
  const Photo photo(random, 50, 30);
  std::vector<float> confidence;
  for (int i = 0; i < 50 * 30; ++i) confidence.push_back(static_cast<float>(i % 50) / 50);
  const auto out = blur(photo.rgb, 50, 30, confidence, 9);
  std::vector<uint8_t> in_place = photo.rgb;
  ASSERT_TRUE(
      blur_background(rgb_view(in_place, 50, 30), confidence.data(), 50, 9, in_place.data(), 150)
          .ok());
  EXPECT_EQ(in_place, out);

  PictureView turned = rgb_view(photo.rgb, 50, 30);
  turned.quarter_turns = 1;
  std::vector<uint8_t> upright(50 * 30 * 3);
  ASSERT_TRUE(
      blur_background(turned, std::vector<float>(1500, 1.0f).data(), 30, 9, upright.data(), 90)
          .ok());
  EXPECT_EQ(upright[0], photo.at(0, 29, 0));
}

TEST(Blur, RadiusZeroIsATwentiethOfTheShorterSide) {
  Random random(5);
  const Photo photo(random, 120, 90);
  const std::vector<float> confidence(120 * 90, 0.0f);
  EXPECT_EQ(blur(photo.rgb, 120, 90, confidence, 0), blur(photo.rgb, 120, 90, confidence, 4));
  EXPECT_NE(blur(photo.rgb, 120, 90, confidence, 0), blur(photo.rgb, 120, 90, confidence, 6));
  // At least 1, so that what is hidden does not show.
  const std::vector<uint8_t> small(photo.rgb.begin(), photo.rgb.begin() + 3 * 10 * 8);
  const std::vector<float> none(10 * 8, 0.0f);
  EXPECT_EQ(blur(small, 10, 8, none, 0), blur(small, 10, 8, none, 1));
}

TEST(Blur, RefusesBadArguments) {
  std::vector<uint8_t> rgb(8 * 8 * 3);
  const std::vector<float> confidence(64, NAN);  // a NaN is background
  const PictureView view = rgb_view(rgb, 8, 8);
  uint8_t* out = rgb.data();
  EXPECT_TRUE(blur_background(view, confidence.data(), 8, 3, out, 24).ok());
  EXPECT_FALSE(blur_background(view, confidence.data(), 8, -1, out, 24).ok());
  EXPECT_FALSE(blur_background(view, confidence.data(), 8, kMaxBlurRadius + 1, out, 24).ok());
  EXPECT_FALSE(blur_background(view, confidence.data(), 7, 3, out, 24).ok());
  EXPECT_FALSE(blur_background(view, confidence.data(), 8, 3, out, 23).ok());
  EXPECT_FALSE(blur_background(view, nullptr, 8, 3, out, 24).ok());
  EXPECT_FALSE(blur_background(view, confidence.data(), 8, 3, nullptr, 24).ok());
  EXPECT_FALSE(blur_background({}, confidence.data(), 8, 3, out, 24).ok());
}

}  // namespace
}  // namespace deeplab::vision
