// The vectorized forms of the small ops, for every instruction set of this machine, against their
// references, byte for byte.
#include <gtest/gtest.h>

#include <cstring>

#include "kernels/add/add.h"
#include "kernels/arg_max/arg_max.h"
#include "kernels/average_pool2d/average_pool2d.h"
#include "kernels/resize_bilinear/resize_bilinear.h"
#include "tests/kernels/ran.h"
#include "tests/kernels/table_cases.h"

namespace deeplab::kernels {
namespace {

using testing::can_run;
using testing::Ran;
using testing::random_values;

TEST(VectorizedAdd, EveryLength) {
  std::mt19937 random(1);
  Ran ran;
  for (int32_t count = 1; count < 100; ++count) {
    AddInt8 add;
    add.shape.dims.rank = 1;
    add.shape.dims.extent[0] = count;
    add.shape.b_strides[0] = 1;
    add.a_zero_point = static_cast<int32_t>(random() % 256) - 128;
    add.b_zero_point = static_cast<int32_t>(random() % 256) - 128;
    add.output_zero_point = static_cast<int32_t>(random() % 256) - 128;
    add.a_scale = static_cast<float>(1 + random() % 100) / 64;
    add.b_scale = static_cast<float>(1 + random() % 100) / 64;
    add.output_min = count % 3 == 0 ? add.output_zero_point : -128;
    const auto a = random_values<int8_t>(random, static_cast<size_t>(count));
    const auto b = random_values<int8_t>(random, static_cast<size_t>(count));
    std::vector<int8_t> expected(a.size());
    add_reference(add, Rounding::kEngine, a.data(), b.data(), expected.data());
    for (const auto& kernel : add_elementwise_kernels()) {
      if (!can_run(kernel.isa)) continue;
      std::vector<int8_t> got(a.size());
      kernel.run(add, count, a.data(), b.data(), got.data());
      ASSERT_EQ(expected, got) << count << " on " << isa_name(kernel.isa);
      ran.add(kernel);
    }
  }
  ran.expect_all_of(add_elementwise_kernels());
}

TEST(VectorizedArgMax, EveryClassCountWithTies) {
  std::mt19937 random(2);
  for (int32_t axis = 1; axis <= 256; ++axis) {
    const ArgMax op{7, axis, 1};
    ASSERT_TRUE(arg_max_of_bytes_supports(op));
    auto x = random_values<int8_t>(random, static_cast<size_t>(7 * axis));
    for (size_t i = 0; i < x.size() / 7; ++i) x[i] = -128;  // All equal.
    for (size_t i = x.size() / 7 * 6; i < x.size(); ++i) x[i] = 127;
    std::vector<int32_t> expected(7), got(7);
    std::vector<int64_t> wide(7);
    arg_max_reference(op, x.data(), expected.data());
    arg_max_of_bytes(op, x.data(), got.data());
    arg_max_of_bytes(op, x.data(), wide.data());
    ASSERT_EQ(expected, got) << axis;
    ASSERT_TRUE(std::equal(wide.begin(), wide.end(), expected.begin())) << axis;
  }
  EXPECT_FALSE(arg_max_of_bytes_supports({1, 257, 1}));
  EXPECT_FALSE(arg_max_of_bytes_supports({1, 2, 3}));
}

template <typename Params, typename Element>
void compare_resize(const ResizeShape& shape, std::mt19937& random, Ran& ran) {
  const Params op{shape};
  const size_t pixels_in = static_cast<size_t>(shape.batch) * shape.in_h * shape.in_w;
  const size_t pixels_out = static_cast<size_t>(shape.batch) * shape.out_h * shape.out_w;
  const auto x = random_values<Element>(random, pixels_in * shape.channels);
  std::vector<Element> expected(pixels_out * shape.channels);
  resize_bilinear_reference(op, Rounding::kEngine, x.data(), expected.data());
  std::vector<ResizeSample> columns;
  const float scale = resize_scale(shape.in_w, shape.out_w, shape.align_corners);
  for (int32_t i = 0; i < shape.out_w; ++i) {
    columns.push_back(resize_sample(i, scale, shape.half_pixel_centers, shape.in_w));
  }
  std::vector<float> scratch(static_cast<size_t>(shape.in_w) * shape.channels);
  const int32_t rows = shape.batch * shape.out_h;
  for (const auto& kernel : resize_rows_kernels(op)) {
    if (!can_run(kernel.isa)) continue;
    std::vector<Element> got(expected.size());
    for (const auto& [begin, end] : {std::pair{rows / 2, rows}, std::pair{0, rows / 2}}) {
      kernel.run(op, columns.data(), x.data(), got.data(), begin, end, scratch.data());
    }
    ASSERT_EQ(0, std::memcmp(expected.data(), got.data(), got.size() * sizeof(Element)))
        << isa_name(kernel.isa) << ": " << shape.in_h << "x" << shape.in_w << " to " << shape.out_h
        << "x" << shape.out_w << "x" << shape.channels << (shape.align_corners ? " corners" : "")
        << (shape.half_pixel_centers ? " half pixel" : "");
    ran.add(kernel);
  }
}

TEST(VectorizedResize, EverySizeAndConvention) {
  std::mt19937 random(3);
  Ran ran_int8, ran_float;
  for (int round = 0; round < 300; ++round) {
    ResizeShape s;
    s.batch = 1 + static_cast<int32_t>(random() % 2);
    s.in_h = 1 + static_cast<int32_t>(random() % 9);
    s.in_w = 1 + static_cast<int32_t>(random() % 9);
    s.out_h = 1 + static_cast<int32_t>(random() % 30);
    s.out_w = 1 + static_cast<int32_t>(random() % 30);
    s.channels = 1 + static_cast<int32_t>(random() % 40);
    s.align_corners = round % 3 == 0;
    s.half_pixel_centers = round % 3 == 1;
    ASSERT_NO_FATAL_FAILURE((compare_resize<ResizeBilinearInt8, int8_t>(s, random, ran_int8)));
    ASSERT_NO_FATAL_FAILURE((compare_resize<ResizeBilinearFloat, float>(s, random, ran_float)));
  }
  ran_int8.expect_all_of(resize_rows_kernels(ResizeBilinearInt8{}));
  ran_float.expect_all_of(resize_rows_kernels(ResizeBilinearFloat{}));
}

std::vector<WindowShape> pool_windows() {
  auto windows = testing::window_cases();
  WindowShape whole;  // Over the whole picture, as networks pool.
  whole.batch = 2;
  whole.in_h = whole.filter_h = 33;
  whole.in_w = whole.filter_w = 20;
  windows.push_back(testing::with_padding(whole, testing::Pad::kValid));
  return windows;
}

TEST(VectorizedAveragePool, EveryWindow) {
  std::mt19937 random(4);
  Ran ran;
  for (const WindowShape& shape : pool_windows()) {
    AveragePool2DInt8 pool;
    pool.shape = shape;
    pool.shape.in_c = pool.shape.out_c = 1 + static_cast<int32_t>(random() % 70);
    pool.zero_point = static_cast<int32_t>(random() % 256) - 128;
    pool.output_max = random() % 2 == 0 ? 127 : 50;
    const WindowShape& s = pool.shape;
    const auto x =
        random_values<int8_t>(random, static_cast<size_t>(s.batch) * s.in_h * s.in_w * s.in_c);
    const int64_t pixels = int64_t{s.batch} * s.out_h * s.out_w;
    std::vector<int8_t> expected(static_cast<size_t>(pixels * s.out_c));
    average_pool2d_reference(pool, Rounding::kEngine, x.data(), expected.data());
    ASSERT_TRUE(average_pool_kernels_support(pool));
    for (const auto& kernel : average_pool_kernels()) {
      if (!can_run(kernel.isa)) continue;
      std::vector<int8_t> got(expected.size());
      std::vector<int32_t> sums(static_cast<size_t>(s.out_c));
      kernel.run(pool, x.data(), got.data(), pixels / 2, pixels, sums.data());
      kernel.run(pool, x.data(), got.data(), 0, pixels / 2, sums.data());
      ASSERT_EQ(expected, got) << isa_name(kernel.isa) << ": " << testing::describe(s);
      ran.add(kernel);
    }
  }
  ran.expect_all_of(average_pool_kernels());
}

TEST(VectorizedAveragePool, EveryWindowOfFloats) {
  std::mt19937 random(5);
  Ran ran;
  for (const WindowShape& shape : pool_windows()) {
    AveragePool2DFloat pool;
    pool.shape = shape;
    pool.shape.in_c = pool.shape.out_c = 1 + static_cast<int32_t>(random() % 70);
    pool.output_min = -1;
    pool.output_max = random() % 2 == 0 ? 1.0f : 0.01f;
    const WindowShape& s = pool.shape;
    const auto x =
        random_values<float>(random, static_cast<size_t>(s.batch) * s.in_h * s.in_w * s.in_c);
    const int64_t pixels = int64_t{s.batch} * s.out_h * s.out_w;
    std::vector<float> expected(static_cast<size_t>(pixels * s.out_c));
    average_pool2d_reference(pool, x.data(), expected.data());
    for (const auto& kernel : average_pool_float_kernels()) {
      if (!can_run(kernel.isa)) continue;
      std::vector<float> got(expected.size());
      std::vector<float> sums(static_cast<size_t>(s.out_c));
      kernel.run(pool, x.data(), got.data(), pixels / 2, pixels, sums.data());
      kernel.run(pool, x.data(), got.data(), 0, pixels / 2, sums.data());
      ASSERT_EQ(std::memcmp(expected.data(), got.data(), got.size() * sizeof(float)), 0)
          << isa_name(kernel.isa) << ": " << testing::describe(s);
      ran.add(kernel);
    }
  }
  ran.expect_all_of(average_pool_float_kernels());
}

}  // namespace
}  // namespace deeplab::kernels
