// Prepare allocates everything; run and the category mask allocate nothing. A program of its
// own, since it replaces operator new.
#include <gtest/gtest.h>

#include "api/segmenter.h"
#include "tests/api/test_models.h"
#include "tests/counted_new.h"

namespace deeplab::testing {
namespace {

class Allocation : public ::testing::TestWithParam<std::string> {};

TEST_P(Allocation, NoneAfterTheFirstPictureOfASize) {
  const auto model = api::Model::load(GetParam());
  ASSERT_TRUE(model.ok()) << model.status().message();
  api::SegmenterOptions options;
  options.threads = 2;
  auto segmenter = api::Segmenter::create(*model, options);
  ASSERT_TRUE(segmenter.ok()) << segmenter.status().message();

  const int32_t width = 600, height = 400;  // Larger than the canvas: the resize is part of it.
  const std::vector<uint8_t> pixels = synthetic_photo(width, height);
  std::vector<uint8_t> mask(static_cast<size_t>(width) * height);
  const auto segment = [&] {
    ASSERT_TRUE((*segmenter)->run(rgb_view(pixels, width, height)).ok());
    ASSERT_TRUE((*segmenter)->category_mask(width, height, mask.data(), width).ok());
  };
  segment();
  const int64_t before = allocations;
  for (int i = 0; i < 3; ++i) segment();
  EXPECT_EQ(allocations - before, 0);
}

INSTANTIATE_TEST_SUITE_P(Models, Allocation, ::testing::ValuesIn(kSampleModels));

}  // namespace
}  // namespace deeplab::testing
