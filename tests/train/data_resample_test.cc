#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <vector>

#include "train/data/mask.h"
#include "train/data/random.h"
#include "train/data/resample.h"

namespace deeplab::train {
namespace {

struct Picture {
  int32_t width;
  int32_t height;
  std::vector<uint8_t> rgb;
  uint8_t at(int32_t x, int32_t y, int32_t c) const {
    return rgb[static_cast<size_t>((y * width + x) * 3 + c)];
  }
};

Picture noise(int32_t width, int32_t height, uint64_t seed) {
  Picture p{width, height, {}};
  for (int64_t i = 0; i < int64_t{width} * height * 3; ++i) {
    p.rgb.push_back(static_cast<uint8_t>(derive_key(seed, static_cast<uint64_t>(i))));
  }
  return p;
}

CutAxis axis(int32_t in, int32_t full, int32_t first, int32_t size, bool mirrored = false) {
  return {in, full, first, size, mirrored};
}

Picture cut(const Picture& p, const CutAxis& x, const CutAxis& y) {
  Picture out{x.size, y.size, std::vector<uint8_t>(static_cast<size_t>(x.size * y.size * 3))};
  Resampler().resample(p.rgb.data(), x, y, out.rgb.data(), x.size * 3);
  return out;
}

/// The triangle filter in plain doubles, both axes at once.
double filtered(const Picture& p, const CutAxis& x, const CutAxis& y, int32_t ox, int32_t oy,
                int32_t c) {
  const auto weight = [](const CutAxis& a, int32_t o, int32_t i) {
    const double scale = double(a.in) / a.full;
    const double centre = (a.place(o) + 0.5) * scale;
    return std::max(0.0, 1 - std::abs(i + 0.5 - centre) / std::max(1.0, scale));
  };
  double sum = 0;
  double all = 0;
  for (int32_t iy = 0; iy < p.height; ++iy) {
    for (int32_t ix = 0; ix < p.width; ++ix) {
      const double w = weight(x, ox, ix) * weight(y, oy, iy);
      sum += w * p.at(ix, iy, c);
      all += w;
    }
  }
  return sum / all;
}

TEST(Resampler, IsTheTriangleFilter) {
  const Picture p = noise(23, 17, 1);
  struct Case {
    CutAxis x, y;
  };
  for (const Case& cut_case : {Case{axis(23, 46, 5, 30), axis(17, 34, 0, 34)},     // x 2
                               Case{axis(23, 28, 0, 28), axis(17, 21, 3, 11)},     // x 1.25
                               Case{axis(23, 11, 2, 9, true), axis(17, 8, 0, 8)},  // x 0.5
                               Case{axis(23, 17, 1, 15), axis(17, 12, 4, 5)},      // x 0.75
                               Case{axis(23, 3, 0, 3), axis(17, 2, 1, 1)},         // x 0.125
                               Case{axis(23, 1, 0, 1), axis(17, 1, 0, 1)},
                               Case{axis(23, 23, 0, 23), axis(17, 40, 7, 20)}}) {
    const Picture out = cut(p, cut_case.x, cut_case.y);
    for (int32_t y = 0; y < out.height; ++y) {
      for (int32_t x = 0; x < out.width; ++x) {
        for (int32_t c = 0; c < 3; ++c) {
          EXPECT_NEAR(out.at(x, y, c), filtered(p, cut_case.x, cut_case.y, x, y, c), 0.6)
              << x << ", " << y << " of " << cut_case.x.full << "x" << cut_case.y.full;
        }
      }
    }
  }
}

TEST(Resampler, OnePixelFillsEverything) {
  const Picture p{1, 1, {10, 20, 30}};
  const Picture out = cut(p, axis(1, 9, 2, 5), axis(1, 4, 0, 4));
  for (int32_t i = 0; i < 20; ++i) EXPECT_EQ(out.at(i % 5, i / 5, 2), 30);
}

TEST(Resampler, ACutIsAPartOfTheWhole) {
  const Picture p = noise(50, 40, 2);
  for (const int32_t percent : {50, 75, 100, 125, 175, 200}) {
    const int32_t width = 50 * percent / 100;
    const int32_t height = 40 * percent / 100;
    const Picture whole = cut(p, axis(50, width, 0, width), axis(40, height, 0, height));
    for (const bool mirrored : {false, true}) {
      const Picture part = cut(p, axis(50, width, 4, 11, mirrored), axis(40, height, 6, 13));
      for (int32_t y = 0; y < 13; ++y) {
        for (int32_t x = 0; x < 11; ++x) {
          const int32_t from = mirrored ? width - 1 - (4 + x) : 4 + x;
          ASSERT_EQ(part.at(x, y, 1), whole.at(from, 6 + y, 1)) << percent << " " << mirrored;
        }
      }
    }
  }
}

TEST(Resampler, FlatAreasKeepTheirValue) {
  for (const uint8_t value : {uint8_t{0}, uint8_t{1}, uint8_t{127}, uint8_t{254}, uint8_t{255}}) {
    for (const int32_t side : {31, 400}) {
      const Picture p{side, side,
                      std::vector<uint8_t>(static_cast<size_t>(side * side * 3), value)};
      for (const int32_t full : {1, 2, 3, 7, 10, 16, 30, 31, 32, 47, 100}) {
        const Picture out = cut(p, axis(side, full, 0, full), axis(side, full, 0, full));
        for (const uint8_t got : out.rgb) ASSERT_EQ(got, value) << side << " to " << full;
      }
    }
  }
}

TEST(Nearest, TakesThePixelUnderTheCentre) {
  // 4 pixels to 2: centres 1 and 3 lie on borders, which belong to the next pixel.
  EXPECT_EQ(nearest(axis(4, 2, 0, 2), 0), 1);
  EXPECT_EQ(nearest(axis(4, 2, 0, 2), 1), 3);
  EXPECT_EQ(nearest(axis(2, 4, 0, 4), 1), 0);
  EXPECT_EQ(nearest(axis(2, 4, 0, 4), 2), 1);
  EXPECT_EQ(nearest(axis(5, 5, 1, 3, true), 0), 3);
}

TEST(RunMask, GivesBackEveryRow) {
  imageio::Image mask;
  mask.width = 70;
  mask.height = 9;
  mask.channels = 1;
  std::vector<int64_t> expected(256, 0);
  for (uint64_t i = 0; i < 630; ++i) {
    // Long runs in the first rows, none in the last.
    const uint64_t place = i < 400 ? i / 90 : i;
    mask.pixels.push_back(static_cast<uint8_t>(below(derive_key(4, place), 3) * 127));
    ++expected[mask.pixels.back()];
  }
  const RunMask runs = RunMask::encode(mask);
  EXPECT_EQ(runs.width(), 70);
  EXPECT_EQ(runs.height(), 9);
  std::vector<uint8_t> row(70);
  for (int32_t y = 0; y < 9; ++y) {
    runs.decode_row(y, row.data());
    for (int32_t x = 0; x < 70; ++x) {
      ASSERT_EQ(row[size_t(x)], mask.pixels[static_cast<size_t>(y * 70 + x)]) << x << ", " << y;
    }
  }
  std::vector<int64_t> counts(256, 0);
  runs.count(counts.data());
  EXPECT_EQ(counts, expected);
}

}  // namespace
}  // namespace deeplab::train
