// The whole road inside the library: any pixel order, any canvas, any mask size.
#include "api/segmenter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "tests/api/test_models.h"

namespace deeplab::testing {
namespace {

std::unique_ptr<api::Segmenter> make_segmenter(const std::string& file, int32_t width = 0,
                                               int32_t height = 0, int threads = 1,
                                               vision::Fit fit = vision::Fit::kPad) {
  const auto model = api::Model::load(file);
  EXPECT_TRUE(model.ok()) << model.status().message();
  if (!model.ok()) return nullptr;
  api::SegmenterOptions options;
  options.width = width;
  options.height = height;
  options.threads = threads;
  options.fit = fit;
  auto segmenter = api::Segmenter::create(*model, options);
  EXPECT_TRUE(segmenter.ok()) << segmenter.status().message();
  return segmenter.ok() ? std::move(*segmenter) : nullptr;
}

std::vector<uint8_t> mask_of(api::Segmenter& segmenter, const vision::ImageView& image,
                             int32_t width, int32_t height) {
  std::vector<uint8_t> mask(static_cast<size_t>(width) * static_cast<size_t>(height), 254);
  EXPECT_TRUE(segmenter.run(image).ok());
  const Status status = segmenter.category_mask(width, height, mask.data(), width);
  EXPECT_TRUE(status.ok()) << status.message();
  return mask;
}

// Weights are freed once they are packed, and read again for another canvas.
TEST(SegmenterTest, AModelReadsItsFileAgainForAnotherCanvas) {
  const std::vector<uint8_t> rgb = synthetic_photo(60, 40);
  const auto view = rgb_view(rgb, 60, 40);
  for (const std::string& file : kSampleModels) {
    const std::string copy = ::testing::TempDir() + "/reads-again.tflite";
    std::filesystem::copy_file(file, copy, std::filesystem::copy_options::overwrite_existing);
    const auto model = api::Model::load(copy);
    ASSERT_TRUE(model.ok()) << model.status().message();
    const auto mask_at = [&](int32_t side) {
      api::SegmenterOptions options;
      options.width = options.height = side;
      auto segmenter = api::Segmenter::create(*model, options);
      EXPECT_TRUE(segmenter.ok()) << segmenter.status().message();
      return segmenter.ok() ? mask_of(**segmenter, view, 60, 40) : std::vector<uint8_t>();
    };
    const auto expected = mask_at(65);
    EXPECT_EQ(mask_of(*make_segmenter(file, 65, 65), view, 60, 40), expected);
    EXPECT_NE(mask_at(33), std::vector<uint8_t>());
    // The file has no name any more, which is nothing to the model.
    std::filesystem::remove(copy);
    EXPECT_EQ(mask_at(65), expected);
  }
}

TEST(SegmenterTest, WeightsThatAreReadAgainAreNotKept) {
  const auto model = api::Model::load(kInt8Labels);
  ASSERT_TRUE(model.ok()) << model.status().message();
  const auto are_kept = [&] {
    auto graph = (*model)->graph_with_weights();
    EXPECT_TRUE(graph.ok()) << graph.status().message();
    const std::weak_ptr<const graph::Graph> weights = *graph;
    graph->reset();
    return !weights.expired();
  };
  EXPECT_TRUE(are_kept()) << "nobody has planned yet";
  api::SegmenterOptions options;
  options.threads = 1;
  ASSERT_TRUE(api::Segmenter::create(*model, options).ok());
  EXPECT_FALSE(are_kept());
  options.width = options.height = 65;
  ASSERT_TRUE(api::Segmenter::estimate(*model, options).ok());
  EXPECT_FALSE(are_kept());
  options.max_memory_bytes = 1;
  ASSERT_FALSE(api::Segmenter::create(*model, options).ok());
  EXPECT_FALSE(are_kept());
}

/// Writes bytes to a file in place, which then has the time that it had.
void write_in_place(const std::string& path, std::streamoff at, const std::string& bytes) {
  const auto time = std::filesystem::last_write_time(path);
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(at) << bytes;
  std::filesystem::last_write_time(path, time);
}

/// Where the largest constant of a model lies in its file, and its first byte.
std::pair<std::streamoff, char> some_weight(const api::Model& model, const std::string& path) {
  const auto bytes = read_file(path, INT64_MAX);
  const auto graph = model.graph_with_weights();
  EXPECT_TRUE(bytes.ok() && graph.ok());
  if (!bytes.ok() || !graph.ok()) return {};
  std::span<const std::byte> largest;
  for (const graph::Tensor& tensor : (*graph)->tensors) {
    if (tensor.is_constant() && tensor.data->size() > largest.size()) largest = *tensor.data;
  }
  const auto found = std::ranges::search(*bytes, largest);
  EXPECT_FALSE(found.empty());
  return {found.begin() - bytes->begin(), static_cast<char>(largest.front())};
}

TEST(SegmenterTest, AFileIsReadAgainIfItsBytesAreTheSameWhateverItsTimeIs) {
  const std::string copy = ::testing::TempDir() + "/same-time.tflite";
  std::filesystem::copy_file(kInt8Labels, copy, std::filesystem::copy_options::overwrite_existing);
  const auto model = api::Model::load(copy);
  ASSERT_TRUE(model.ok()) << model.status().message();
  const auto create = [&](int32_t side) {
    api::SegmenterOptions options;
    options.width = options.height = side;
    options.threads = 1;
    return api::Segmenter::create(*model, options).status();
  };
  ASSERT_TRUE(create(33).ok());
  std::filesystem::last_write_time(copy, {});
  EXPECT_TRUE(create(65).ok()) << "touched, not written to";

  const auto [at, weight] = some_weight(**model, copy);
  write_in_place(copy, at, std::string(1, static_cast<char>(weight ^ 1)));
  const Status status = create(97);
  EXPECT_EQ(status.code(), StatusCode::kIoError);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("same-time.tflite was written to"));
  write_in_place(copy, at, std::string(1, weight));
  EXPECT_TRUE(create(97).ok()) << "as it was";
  std::filesystem::remove(copy);
}

TEST(SegmenterTest, AFileThatWasWrittenToIsNotReadAgain) {
  const std::string copy = ::testing::TempDir() + "/written-to.tflite";
  std::filesystem::copy_file(kInt8Labels, copy, std::filesystem::copy_options::overwrite_existing);
  const auto model = api::Model::load(copy);
  ASSERT_TRUE(model.ok()) << model.status().message();
  api::SegmenterOptions options;
  options.width = options.height = 33;
  const auto first = api::Segmenter::create(*model, options);
  ASSERT_TRUE(first.ok()) << first.status().message();
  std::filesystem::resize_file(copy, 1000);
  EXPECT_TRUE(api::Segmenter::create(*model, options).ok()) << "the same plan";
  options.width = options.height = 65;
  const Status status = api::Segmenter::create(*model, options).status();
  EXPECT_EQ(status.code(), StatusCode::kIoError);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("written-to.tflite was written to"));
  std::filesystem::remove(copy);
}

TEST(SegmenterTest, PixelOrderAndStrideDoNotMatter) {
  const int32_t width = 97, height = 61;
  const std::vector<uint8_t> rgb = synthetic_photo(width, height);
  auto segmenter = make_segmenter(kInt8Labels, 129, 129);
  ASSERT_NE(segmenter, nullptr);
  const auto expected = mask_of(*segmenter, rgb_view(rgb, width, height), width, height);

  using vision::PixelFormat;
  for (PixelFormat format : {PixelFormat::kBgr8, PixelFormat::kRgba8, PixelFormat::kBgra8}) {
    const vision::PixelLayout layout = vision::pixel_layout(format);
    const ptrdiff_t stride = width * layout.bytes + 13;
    std::vector<uint8_t> pixels(static_cast<size_t>(stride * height), 99);
    for (int32_t y = 0; y < height; ++y) {
      for (int32_t x = 0; x < width; ++x) {
        const uint8_t* from = &rgb[static_cast<size_t>((y * width + x) * 3)];
        // Stored bottom-up, so the stride is negative below.
        uint8_t* to = &pixels[static_cast<size_t>((height - 1 - y) * stride + x * layout.bytes)];
        to[layout.red] = from[0];
        to[layout.green] = from[1];
        to[layout.blue] = from[2];
      }
    }
    const vision::ImageView view{pixels.data() + (height - 1) * stride, width, height, -stride,
                                 format};
    EXPECT_EQ(mask_of(*segmenter, view, width, height), expected);
  }
}

/// A segmenter whose scores are smoothed over time, and the picture's noisy versions.
class Temporal : public ::testing::Test {
 protected:
  static std::unique_ptr<api::Segmenter> make(float temporal) {
    const auto model = api::Model::load(kInt8Labels);
    EXPECT_TRUE(model.ok()) << model.status().message();
    api::SegmenterOptions options;
    options.width = options.height = 129;
    options.threads = 1;
    options.temporal = temporal;
    auto segmenter = api::Segmenter::create(*model, options);
    EXPECT_TRUE(segmenter.ok()) << segmenter.status().message();
    return segmenter.ok() ? std::move(*segmenter) : nullptr;
  }
  static std::vector<uint8_t> noisy(uint32_t seed) {
    std::vector<uint8_t> pixels = synthetic_photo(kWidth, kHeight);
    for (uint8_t& value : pixels) {
      seed = seed * 1664525u + 1013904223u;
      value = static_cast<uint8_t>(value / 2 + (seed >> 25));
    }
    return pixels;
  }
  static std::vector<uint8_t> mask(api::Segmenter& segmenter, const std::vector<uint8_t>& pixels) {
    return mask_of(segmenter, rgb_view(pixels, kWidth, kHeight), kWidth, kHeight);
  }
  static constexpr int32_t kWidth = 129, kHeight = 129;
};

TEST_F(Temporal, ScoresChangeLessFromPictureToPicture) {
  const auto changes = [](float temporal) {
    const auto segmenter = make(temporal);
    std::vector<float> before;
    double sum = 0;
    for (uint32_t seed = 1; seed < 12; ++seed) {
      mask(*segmenter, noisy(seed));
      const auto scores = *segmenter->scores();
      for (size_t i = 0; i < before.size(); ++i) sum += std::abs(scores[i] - before[i]);
      before.assign(scores.begin(), scores.end());
    }
    return sum;
  };
  const double plain = changes(0);
  EXPECT_GT(plain, 0);
  EXPECT_LT(changes(0.8f), plain / 2);
}

TEST_F(Temporal, ResetAndAnotherSizeStartASequence) {
  const auto expected = mask(*make(0), noisy(2));
  const auto smooth = make(0.9f);
  mask(*smooth, noisy(1));
  smooth->reset();
  EXPECT_EQ(mask(*smooth, noisy(2)), expected);
  const auto small = synthetic_photo(40, 30);
  mask_of(*smooth, rgb_view(small, 40, 30), 40, 30);
  EXPECT_EQ(mask(*smooth, noisy(2)), expected);
}

TEST_F(Temporal, ScoresAreWhatMasksAreMadeOf) {
  const auto smooth = make(0.5f);
  mask(*smooth, noisy(1));
  const auto before = *smooth->scores();
  const std::vector<float> first(before.begin(), before.end());
  mask(*smooth, noisy(2));
  const auto mixed = *smooth->scores();
  const auto plain = make(0);
  mask(*plain, noisy(2));
  const auto own = *plain->scores();
  int64_t between = 0;
  for (size_t i = 0; i < own.size(); ++i) {
    EXPECT_GE(mixed[i], std::min(first[i], own[i]) - 1e-4f);
    EXPECT_LE(mixed[i], std::max(first[i], own[i]) + 1e-4f);
    between += mixed[i] != own[i];
  }
  EXPECT_GT(between, 0);
}

TEST_F(Temporal, StrengthsOutOfRangeAreRefusedAndMemoryIsCounted) {
  const auto model = api::Model::load(kInt8Labels);
  ASSERT_TRUE(model.ok());
  for (const float wrong : {-0.1f, 1.0f, std::nanf("")}) {
    api::SegmenterOptions options;
    options.temporal = wrong;
    const auto segmenter = api::Segmenter::create(*model, options);
    ASSERT_FALSE(segmenter.ok());
    EXPECT_NE(segmenter.status().message().find("temporal is "), std::string::npos);
  }
  const auto plain = make(0)->facts();
  const auto smooth = make(0.5f)->facts();
  EXPECT_EQ(smooth.own_bytes - plain.own_bytes,
            int64_t{8} * plain.scores_width * plain.scores_height * plain.classes);
}

class EveryModel : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryModel, RunsAtAnySizeAndThreadCountAlike) {
  const int32_t width = 320, height = 200;
  const std::vector<uint8_t> rgb = synthetic_photo(width, height);
  const std::pair<int32_t, int32_t> sizes[] = {{257, 257}, {321, 193}, {160, 90}, {33, 65}};
  for (const auto& [canvas_width, canvas_height] : sizes) {
    std::vector<uint8_t> first;
    for (int threads : {1, 2, 3}) {
      auto segmenter = make_segmenter(GetParam(), canvas_width, canvas_height, threads);
      ASSERT_NE(segmenter, nullptr);
      auto mask = mask_of(*segmenter, rgb_view(rgb, width, height), width, height);
      if (first.empty()) first = mask;
      EXPECT_EQ(mask, first) << canvas_width << "x" << canvas_height << ", " << threads;
    }
  }
}

TEST_P(EveryModel, ConfidencesAreADistributionAndAgreeWithTheMask) {
  const int32_t width = 150, height = 113;
  const std::vector<uint8_t> rgb = synthetic_photo(width, height);
  auto segmenter = make_segmenter(GetParam(), 129, 129, 2);
  ASSERT_NE(segmenter, nullptr);
  const auto mask = mask_of(*segmenter, rgb_view(rgb, width, height), width, height);
  const size_t pixels = mask.size();
  std::vector<float> sum(pixels), best(pixels), one(pixels), winner(pixels);
  for (int32_t c = 0; c < segmenter->model().class_count(); ++c) {
    ASSERT_TRUE(segmenter
                    ->confidence_mask(c, width, height, one.data(),
                                      static_cast<ptrdiff_t>(sizeof(float)) * width)
                    .ok());
    for (size_t i = 0; i < pixels; ++i) {
      sum[i] += one[i];
      best[i] = std::max(best[i], one[i]);
      if (mask[i] == c) winner[i] = one[i];
    }
  }
  for (size_t i = 0; i < pixels; ++i) {
    ASSERT_NEAR(sum[i], 1.0f, 1e-4f);
    ASSERT_NEAR(winner[i], best[i], 1e-5f);
  }
}

TEST_P(EveryModel, AllConfidencesByRowsAreTheMasksOfTheClasses) {
  const int32_t width = 90, height = 71;
  const std::vector<uint8_t> rgb = synthetic_photo(width, height);
  auto segmenter = make_segmenter(GetParam(), 129, 129, 2);
  ASSERT_NE(segmenter, nullptr);
  std::vector<float> none(1);
  EXPECT_FALSE(segmenter->all_confidences(width, height, 0, 1, none.data()).ok());  // no picture
  ASSERT_TRUE(segmenter->run(rgb_view(rgb, width, height)).ok());
  const auto classes = static_cast<size_t>(segmenter->model().class_count());
  std::vector<float> expected(static_cast<size_t>(width) * height);
  for (const auto& [begin, end] : {std::pair(0, height), {0, 1}, {17, 40}, {height - 1, height}}) {
    const size_t plane = static_cast<size_t>(end - begin) * width;
    std::vector<float> rows(plane * classes);
    ASSERT_TRUE(segmenter->all_confidences(width, height, begin, end, rows.data()).ok());
    for (const int32_t c : {0, 7, static_cast<int32_t>(classes) - 1}) {
      ASSERT_TRUE(segmenter
                      ->confidence_mask(c, width, height, expected.data(),
                                        static_cast<ptrdiff_t>(sizeof(float)) * width)
                      .ok());
      for (size_t i = 0; i < plane; ++i) {
        ASSERT_EQ(rows[static_cast<size_t>(c) * plane + i],
                  expected[static_cast<size_t>(begin) * width + i]);
      }
    }
  }
  for (const auto& [begin, end] : {std::pair(-1, 1), {0, 0}, {5, 4}, {0, height + 1}}) {
    EXPECT_FALSE(segmenter->all_confidences(width, height, begin, end, expected.data()).ok());
  }
  EXPECT_FALSE(segmenter->all_confidences(width, height, 0, 1, nullptr).ok());
}

INSTANTIATE_TEST_SUITE_P(Models, EveryModel, ::testing::ValuesIn(kSampleModels));

TEST(SegmenterTest, EveryFitFindsTheSameObjectInPlace) {
  const int32_t width = 400, height = 300;
  const std::vector<uint8_t> rgb = synthetic_photo(width, height);
  for (vision::Fit fit : {vision::Fit::kPad, vision::Fit::kLetterbox, vision::Fit::kStretch}) {
    auto segmenter = make_segmenter(kUint8Labels, 257, 257, 2, fit);
    ASSERT_NE(segmenter, nullptr);
    const auto small = mask_of(*segmenter, rgb_view(rgb, width, height), width, height);
    // The mask at twice the size is the same picture: every second pixel is near its half.
    std::vector<uint8_t> large(small.size() * 4);
    ASSERT_TRUE(segmenter->category_mask(2 * width, 2 * height, large.data(), 2 * width).ok());
    size_t same = 0;
    for (int32_t y = 0; y < height; ++y) {
      for (int32_t x = 0; x < width; ++x) {
        same += small[static_cast<size_t>(y * width + x)] ==
                large[static_cast<size_t>(2 * y * 2 * width + 2 * x)];
      }
    }
    EXPECT_GT(static_cast<double>(same), 0.99 * static_cast<double>(small.size()));
  }
}

TEST(SegmenterTest, PlansAreSharedWhileInUse) {
  const auto model = api::Model::load(kInt8Labels);
  ASSERT_TRUE(model.ok());
  api::SegmenterOptions options;
  options.threads = 1;
  auto a = api::Segmenter::create(*model, options);
  auto b = api::Segmenter::create(*model, options);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(&(*a)->plan(), &(*b)->plan());
  options.width = options.height = 257;
  auto c = api::Segmenter::create(*model, options);
  ASSERT_TRUE(c.ok());
  EXPECT_NE(&(*a)->plan(), &(*c)->plan());
}

TEST(SegmenterTest, EveryIsaGivesTheSameScores) {
  const int32_t side = 200;
  const std::vector<uint8_t> rgb = synthetic_photo(side, side);
  for (const std::string& file : kSampleModels) {
    const auto model = api::Model::load(file);
    ASSERT_TRUE(model.ok()) << model.status().message();
    std::vector<float> expected;
    for (Isa isa : available_isas()) {
      api::SegmenterOptions options;
      options.threads = 1;
      options.width = options.height = 193;
      options.isa = isa;
      auto segmenter = api::Segmenter::create(*model, options);
      ASSERT_TRUE(segmenter.ok()) << segmenter.status().message();
      ASSERT_TRUE((*segmenter)->run(rgb_view(rgb, side, side)).ok());
      const auto scores = (*segmenter)->scores();
      ASSERT_TRUE(scores.ok());
      if (expected.empty()) expected.assign(scores->begin(), scores->end());
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), scores->begin(), scores->end()))
          << file << " under " << isa_name(isa);
    }
  }
}

}  // namespace
}  // namespace deeplab::testing
