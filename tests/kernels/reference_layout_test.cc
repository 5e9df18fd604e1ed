// The ops that only move values: TILE, PAD, SPACE_TO_BATCH_ND, BATCH_TO_SPACE_ND.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "kernels/batch_to_space_nd/batch_to_space_nd.h"
#include "kernels/pad/pad.h"
#include "kernels/space_to_batch_nd/space_to_batch_nd.h"
#include "kernels/tile/tile.h"

namespace deeplab::kernels {
namespace {

using Bytes = std::vector<int8_t>;

template <typename T>
const std::byte* bytes(const std::vector<T>& v) {
  return reinterpret_cast<const std::byte*>(v.data());
}
template <typename T>
std::byte* bytes(std::vector<T>& v) {
  return reinterpret_cast<std::byte*>(v.data());
}

TEST(ReferenceTile, RepeatsEveryDimension) {
  const Bytes input = {1, 2, 3, 4};
  Bytes output(24);
  tile_reference(Tile{{2, {2, 2}}, {2, 3}, 1}, bytes(input), bytes(output));
  EXPECT_EQ(output, (Bytes{1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4,  //
                           1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4}));
}

TEST(ReferenceTile, SpreadsOnePixelOverAPicture) {
  const std::vector<float> input = {1.5f, -2.5f};
  std::vector<float> output(12);
  tile_reference(Tile{{4, {1, 1, 1, 2}}, {1, 2, 3, 1}, 4}, bytes(input), bytes(output));
  for (size_t i = 0; i < output.size(); ++i) EXPECT_EQ(output[i], input[i % 2]);
}

TEST(ReferencePad, FillsAroundWithTheZeroPoint) {
  const Bytes input = {1, 2, 3, 4};
  Bytes output(3 * 5, 99);
  Pad pad{{2, {2, 2}}, {1, 2}, {0, 1}, 1, {std::byte{0xF9}}};  // -7
  pad_reference(pad, bytes(input), bytes(output));
  EXPECT_EQ(output, (Bytes{-7, -7, -7, -7, -7,  //
                           -7, -7, 1, 2, -7,    //
                           -7, -7, 3, 4, -7}));
}

TEST(ReferencePad, FloatsAndInnerDimensions) {
  const std::vector<float> input = {1, 2};
  std::vector<float> output(2 * 2 * 2, 99);
  // [2, 1, 1] -> [2, 2, 2]: one after in the middle, one before inside.
  pad_reference(Pad{{3, {2, 1, 1}}, {0, 0, 1}, {0, 1, 0}, 4, {}}, bytes(input), bytes(output));
  EXPECT_EQ(output, (std::vector<float>{0, 1, 0, 0, 0, 2, 0, 0}));
}

TEST(ReferenceSpaceToBatchNd, PicksEveryNthPixel) {
  Bytes input(16);
  std::iota(input.begin(), input.end(), int8_t{0});
  Bytes output(16);
  SpaceToBatchNd op{1, 4, 4, 2, 2, 2, 2, 0, 0, 1, {}};
  space_to_batch_nd_reference(op, bytes(input), bytes(output));
  EXPECT_EQ(output, (Bytes{0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15}));
}

TEST(ReferenceSpaceToBatchNd, PadsWithTheZeroPointAndComesBack) {
  // Two pictures 3x2 of two channels, block 2x3, padded to 4x6.
  Bytes input(2 * 3 * 2 * 2);
  std::iota(input.begin(), input.end(), int8_t{1});
  const SpaceToBatchNd there{2, 3, 2, 2, 2, 2, 3, 1, 1, 2, std::byte{0x80}};
  Bytes batches(12 * 2 * 2 * 2, 77);
  space_to_batch_nd_reference(there, bytes(input), bytes(batches));
  EXPECT_EQ(std::count(batches.begin(), batches.end(), int8_t{-128}), 96 - 24);
  EXPECT_EQ(batches[0], -128);  // the padded corner
  // Block (1, 1) of picture 0 is batch (1 * 3 + 1) * 2: its first pixel is the input's first.
  EXPECT_EQ(batches[8 * 8], 1);

  const BatchToSpaceNd back{2, 2, 2, 3, 2, 2, 3, 1, 1, 2};
  Bytes output(input.size());
  batch_to_space_nd_reference(back, bytes(batches), bytes(output));
  EXPECT_EQ(output, input);
}

}  // namespace
}  // namespace deeplab::kernels
