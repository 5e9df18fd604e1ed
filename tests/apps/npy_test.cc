// .npy files as NumPy's own documentation describes them.
#include "apps/deeplab/common/npy.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "tests/apps/program.h"
#include "tests/apps/read_npy.h"

namespace deeplab::testing {
namespace {

using graph::DataType;

NpyFile write_and_read(DataType type, const graph::Shape& shape, const std::string& data) {
  const TempDir dir;
  const std::string path = dir / "tensor.npy";
  const auto file = app::encode_npy(type, shape, std::as_bytes(std::span(data)));
  EXPECT_TRUE(write_file_atomically(path, file).ok());
  return read_npy(path);
}

TEST(Npy, EveryTypeHasItsName) {
  EXPECT_EQ(write_and_read(DataType::kUInt8, {1}, "a").type, "|u1");
  EXPECT_EQ(write_and_read(DataType::kInt8, {1}, "a").type, "|i1");
  EXPECT_EQ(write_and_read(DataType::kInt32, {1}, "abcd").type, "<i4");
  EXPECT_EQ(write_and_read(DataType::kFloat32, {1}, "abcd").type, "<f4");
  EXPECT_EQ(write_and_read(DataType::kInt64, {1}, "abcdefgh").type, "<i8");
}

TEST(Npy, ShapesArePythonTuples) {
  EXPECT_EQ(write_and_read(DataType::kInt8, {}, "a").shape, "");
  EXPECT_EQ(write_and_read(DataType::kInt8, {3}, "abc").shape, "3,");
  EXPECT_EQ(write_and_read(DataType::kInt8, {1, 2, 3}, "abcdef").shape, "1, 2, 3");
}

TEST(Npy, DataFollowAsTheyAre) {
  const std::string data("\0\xff\n\x80", 4);
  EXPECT_EQ(write_and_read(DataType::kUInt8, {2, 2}, data).data, data);
}

TEST(Npy, HeadersOfEveryLengthEndAtTheSameBoundary) {
  graph::Shape shape;
  for (int rank = 0; rank < 24; ++rank) {
    EXPECT_EQ(write_and_read(DataType::kInt8, shape, "x").data, "x") << rank;
    shape.push_back(1);
  }
}

}  // namespace
}  // namespace deeplab::testing
