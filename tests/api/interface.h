// What the tests of the public interface start from: the built-in model on a small canvas.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "deeplab/deeplab.hpp"
#include "tests/api/test_models.h"

namespace deeplab::testing {

inline constexpr int32_t kSide = 65;

inline Options small_options() {
  Options options;
  options.threads = 1;
  options.width = options.height = kSide;
  return options;
}

class Interface : public ::testing::Test {
 protected:
  void SetUp() override {
    auto model = Model::builtin();
    ASSERT_TRUE(model.ok()) << model.status().message();
    model_.emplace(*model);
  }
  Segmenter make(const Options& options = small_options()) const {
    auto segmenter = Segmenter::create(*model_, options);
    EXPECT_TRUE(segmenter.ok()) << segmenter.status().message();
    return std::move(*segmenter);
  }
  std::vector<uint8_t> mask_of(const ImageView& image,
                               const Options& options = small_options()) const {
    auto result = make(options).segment(image);
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? result->category_mask : std::vector<uint8_t>();
  }
  std::optional<Model> model_;
  const std::vector<uint8_t> pixels_ = synthetic_photo(90, 70);
  const ImageView photo_{pixels_.data(), 90, 70, 270};
};

}  // namespace deeplab::testing
