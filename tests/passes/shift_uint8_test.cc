#include "passes/shift_uint8.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/graph/graph_builder.h"

namespace deeplab::passes {
namespace {

using graph::DataType;
using graph::Graph;

TEST(ShiftUInt8, KeepsRealValues) {
  testing::GraphBuilder builder;
  const auto x = builder.input(DataType::kUInt8, {1, 4, 4, 1}, testing::per_tensor(0.5f, 128));
  const auto filter = builder.constant(DataType::kUInt8, {1, 1, 1, 1}, uint8_t{200},
                                       testing::per_tensor(0.25f, 255));
  const auto bias = builder.constant(DataType::kInt32, {1}, int32_t{1000});
  const auto y = builder.op(graph::Conv2D{}, {x, filter, bias}, DataType::kUInt8,
                            testing::per_tensor(0.5f, 0));
  const Graph before = builder.build({y});
  Graph after = before;
  ASSERT_TRUE(shift_uint8(after).ok());

  EXPECT_EQ(after.tensor(x).quantization.zero_point(), 0);
  EXPECT_EQ(after.tensor(filter).quantization.zero_point(), 127);
  EXPECT_EQ(after.tensor(y).quantization.zero_point(), -128);
  for (auto id : {x, filter, y}) {
    EXPECT_EQ(after.tensor(id).type, DataType::kInt8);
    EXPECT_EQ(after.tensor(id).file_type, DataType::kUInt8);
    EXPECT_EQ(after.tensor(id).quantization.scale(), before.tensor(id).quantization.scale());
  }
  EXPECT_EQ(after.tensor(filter).values<int8_t>()[0], 72);
  EXPECT_EQ(before.tensor(filter).values<uint8_t>()[0], 200) << "shared data was written";
  EXPECT_EQ(after.tensor(bias).data->data(), before.tensor(bias).data->data());
  EXPECT_EQ(after.tensor(bias).type, DataType::kInt32);
}

TEST(ShiftUInt8, IsValidAndTheSameTheSecondTime) {
  Graph graph = testing::small_deeplab(DataType::kUInt8);
  ASSERT_TRUE(graph::validate(graph).ok());
  ASSERT_TRUE(shift_uint8(graph).ok());
  const Status valid = graph::validate(graph);
  EXPECT_TRUE(valid.ok()) << valid.message();
  const std::string once = graph::dump(graph);
  ASSERT_TRUE(shift_uint8(graph).ok());
  EXPECT_EQ(graph::dump(graph), once);
}

TEST(ShiftUInt8, LeavesOtherGraphsAlone) {
  for (DataType type : {DataType::kFloat32, DataType::kInt8}) {
    Graph graph = testing::small_deeplab(type);
    const std::string before = graph::dump(graph);
    ASSERT_TRUE(shift_uint8(graph).ok());
    EXPECT_EQ(graph::dump(graph), before);
  }
}

TEST(ShiftUInt8, RefusesAZeroPointThatIsNoUInt8) {
  for (int32_t zero_point : {-1, 256}) {
    testing::GraphBuilder builder;
    const auto x = builder.input(DataType::kUInt8, {1}, testing::per_tensor(1.0f, zero_point));
    Graph graph = builder.build({x});
    const Status status = shift_uint8(graph);
    EXPECT_EQ(status.code(), StatusCode::kInvalidModel);
    EXPECT_NE(status.message().find(std::to_string(zero_point)), std::string::npos);
  }
}

}  // namespace
}  // namespace deeplab::passes
