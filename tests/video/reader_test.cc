// What needs no video: display matrices and times.
#include "apps/video/reader.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "apps/video/ffmpeg.h"
#include "apps/video/options.h"

namespace deeplab::video {
namespace {

std::array<int32_t, 9> matrix(double degrees, bool mirror) {
  std::array<int32_t, 9> made{};
  av_display_rotation_set(made.data(), degrees);  // clockwise, as Turn has it
  if (mirror) av_display_matrix_flip(made.data(), 1, 0);
  return made;
}

TEST(DisplayMatrix, TurnsClockwise) {
  for (const int degrees : {0, 90, 180, 270}) {
    const auto turn = turn_of(matrix(degrees, false).data());
    ASSERT_TRUE(turn) << degrees;
    EXPECT_EQ(static_cast<int>(turn->rotation), degrees);
    EXPECT_FALSE(turn->mirror);
    EXPECT_EQ(turn->swaps_sides(), degrees % 180 == 90);
  }
}

TEST(DisplayMatrix, MirrorsBeforeItTurns) {
  const auto plain = turn_of(matrix(0, true).data());
  ASSERT_TRUE(plain);
  EXPECT_TRUE(plain->mirror);
  EXPECT_EQ(plain->rotation, Rotation::kNone);
  // Upside down: left and right exchanged, then half a turn.
  std::array<int32_t, 9> flipped{};
  av_display_rotation_set(flipped.data(), 0);
  av_display_matrix_flip(flipped.data(), 0, 1);
  const auto upside_down = turn_of(flipped.data());
  ASSERT_TRUE(upside_down);
  EXPECT_TRUE(upside_down->mirror);
  EXPECT_EQ(upside_down->rotation, Rotation::k180);
}

TEST(DisplayMatrix, OtherAnglesAndNonsenseAreNone) {
  EXPECT_FALSE(turn_of(matrix(45, false).data()));
  EXPECT_TRUE(turn_of(matrix(90.2, false).data()));
}

TEST(Times, SecondsMinutesAndHours) {
  const auto seconds = [](const char* text) {
    const auto time = parse_time(text);
    return time.ok() ? *time : -1;
  };
  EXPECT_EQ(seconds("90"), 90);
  EXPECT_EQ(seconds("0.25"), 0.25);
  EXPECT_EQ(seconds("1:30"), 90);
  EXPECT_EQ(seconds("100:00"), 6000);
  EXPECT_EQ(seconds("1:00:00.5"), 3600.5);
  for (const char* wrong : {"", ":", "1:", ":1", "-1", "1:60", "1.5:10", "1:2:3:4", "1e3", "inf",
                            "nan", "1 ", "0x10", "10000000000"}) {
    EXPECT_EQ(seconds(wrong), -1) << wrong;
  }
}

}  // namespace
}  // namespace deeplab::video
