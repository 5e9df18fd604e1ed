// deeplab.h as a careless caller meets it.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "deeplab/deeplab.h"
#include "deeplab/deeplab.hpp"
#include "deeplab/deeplab_draw.h"
#include "tests/api/test_models.h"

namespace deeplab::testing {
namespace {

bool last_error_has(const std::string& part) {
  return std::string(deeplab_last_error()).find(part) != std::string::npos;
}

TEST(CApi, NullArgumentsAreErrorsNotCrashes) {
  deeplab_model* model = nullptr;
  EXPECT_EQ(deeplab_model_load_file(nullptr, &model), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_model_load_file("x", nullptr), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_model_load_memory(nullptr, 4, &model), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_segmenter_create(nullptr, nullptr, nullptr), DEEPLAB_INVALID_ARGUMENT);
  deeplab_segmenter* segmenter = nullptr;
  EXPECT_EQ(deeplab_segmenter_create(nullptr, nullptr, &segmenter), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_TRUE(last_error_has("model is NULL")) << deeplab_last_error();
  EXPECT_EQ(deeplab_segmenter_run(nullptr, nullptr, nullptr), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_segmenter_category_mask(nullptr, 1, 1, nullptr, 1), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_segmenter_confidence_mask(nullptr, nullptr, 0, 1, 1, nullptr, 4),
            DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_segmenter_scores(nullptr, nullptr, nullptr, nullptr, nullptr),
            DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_model_class_count(nullptr), 0);
  EXPECT_EQ(deeplab_model_label(nullptr, 0), nullptr);
  deeplab_timing timing = {sizeof(timing), 1, 1, 1};
  EXPECT_EQ(deeplab_segmenter_timing(nullptr, &timing), DEEPLAB_INVALID_ARGUMENT);
  deeplab_segmenter_options_init(nullptr, sizeof(deeplab_segmenter_options));
  deeplab_class_color(0, nullptr);
  deeplab_model_free(nullptr);
  deeplab_segmenter_free(nullptr);
}

TEST(CApi, LoadErrorsNameTheFile) {
  deeplab_model* model = reinterpret_cast<deeplab_model*>(1);
  EXPECT_EQ(deeplab_model_load_file("no/such.tflite", &model), DEEPLAB_IO_ERROR);
  EXPECT_EQ(model, nullptr);
  EXPECT_TRUE(last_error_has("no/such.tflite")) << deeplab_last_error();

  const char text[] = "this is not a model file at all";
  EXPECT_EQ(deeplab_model_load_memory(text, sizeof(text), &model), DEEPLAB_INVALID_MODEL);
  EXPECT_EQ(deeplab_model_load_memory(text, 0, &model), DEEPLAB_INVALID_MODEL);
}

TEST(CApi, ColoursAreThePascalVocPalette) {
  uint8_t rgb[3];
  deeplab_class_color(12, rgb);  // dog
  EXPECT_EQ((std::vector<int>{rgb[0], rgb[1], rgb[2]}), (std::vector<int>{64, 0, 128}));
  deeplab_class_color(0, rgb);
  EXPECT_EQ(rgb[0] + rgb[1] + rgb[2], 0);
  deeplab_class_color(256 + 12, rgb);  // no wrapping
  EXPECT_EQ(rgb[0] + rgb[1] + rgb[2], 0);
  deeplab_class_color(-1, rgb);
  EXPECT_EQ(rgb[0] + rgb[1] + rgb[2], 0);
}

class LoadedModel : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(deeplab_model_load_file(kInt8FloatIo.c_str(), &model_), DEEPLAB_OK)
        << deeplab_last_error();
  }
  void TearDown() override { deeplab_model_free(model_); }
  deeplab_model* model_ = nullptr;
};

TEST_F(LoadedModel, SaysWhatItIs) {
  EXPECT_EQ(deeplab_model_class_count(model_), 21);
  EXPECT_STREQ(deeplab_model_label(model_, 12), "dog");
  EXPECT_EQ(deeplab_model_label(model_, 21), nullptr);
  EXPECT_EQ(deeplab_model_label(model_, -1), nullptr);
  int32_t width = 0, height = 0;
  deeplab_model_input_size(model_, &width, &height);
  EXPECT_EQ(width, 513);
  EXPECT_EQ(height, 513);
}

TEST(ModelOptions, LabelsAreThoseOfTheCaller) {
  std::vector<std::string> names;
  for (int id = 0; id < 21; ++id) names.push_back("name " + std::to_string(id));
  std::vector<const char*> texts;
  for (const std::string& name : names) texts.push_back(name.c_str());
  deeplab_model_options options;
  deeplab_model_options_init(&options, sizeof(options));
  options.labels = texts.data();
  options.label_count = 21;
  const auto load = [&] {
    deeplab_model* model = nullptr;
    const deeplab_status status =
        deeplab_model_load_file_with_options(kInt8FloatIo.c_str(), &options, &model);
    EXPECT_EQ(model == nullptr, status != DEEPLAB_OK);
    return std::pair(status, std::unique_ptr<deeplab_model, decltype(&deeplab_model_free)>(
                                 model, deeplab_model_free));
  };
  EXPECT_STREQ(deeplab_model_label(load().second.get(), 20), "name 20");
  options.label_count = 20;
  EXPECT_EQ(load().first, DEEPLAB_INVALID_ARGUMENT);
  EXPECT_TRUE(last_error_has("expected 21 labels")) << deeplab_last_error();
  options.label_count = -1;
  EXPECT_EQ(load().first, DEEPLAB_INVALID_ARGUMENT);
  options.label_count = 21;
  texts[3] = nullptr;
  EXPECT_EQ(load().first, DEEPLAB_INVALID_ARGUMENT);
  options.labels = nullptr;
  EXPECT_EQ(load().first, DEEPLAB_INVALID_ARGUMENT);
  options.label_count = 0;
  EXPECT_STREQ(deeplab_model_label(load().second.get(), 12), "dog");
  options.struct_size = 3;
  EXPECT_EQ(load().first, DEEPLAB_INVALID_ARGUMENT);
  deeplab_model* model = nullptr;
  EXPECT_EQ(deeplab_model_load_file_with_options(kInt8FloatIo.c_str(), nullptr, &model),
            DEEPLAB_OK);
  deeplab_model_free(model);
  EXPECT_EQ(deeplab_model_load_file_with_options(nullptr, nullptr, &model),
            DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_model_load_file_with_options("x", nullptr, nullptr), DEEPLAB_INVALID_ARGUMENT);
}

TEST_F(LoadedModel, WrongOptionsAreRefused) {
  const auto refused = [&](auto change) {
    deeplab_segmenter_options options;
    deeplab_segmenter_options_init(&options, sizeof(options));
    change(options);
    deeplab_segmenter* segmenter = nullptr;
    const deeplab_status status = deeplab_segmenter_create(model_, &options, &segmenter);
    EXPECT_EQ(segmenter, nullptr);
    return status;
  };
  EXPECT_EQ(refused([](auto& o) { o.struct_size = 3; }), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(refused([](auto& o) { o.threads = -1; }), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(refused([](auto& o) { o.fit = 9; }), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(refused([](auto& o) { o.width = 257; }), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(refused([](auto& o) { o.width = o.height = -5; }), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_NE(refused([](auto& o) { o.width = o.height = 1 << 30; }), DEEPLAB_OK);
  EXPECT_EQ(refused([](auto& o) {
              o.override_normalization = 1;
              o.stddev[1] = 0;
            }),
            DEEPLAB_INVALID_ARGUMENT);
}

TEST_F(LoadedModel, WrongPicturesAndMasksAreRefused) {
  deeplab_segmenter_options options;
  deeplab_segmenter_options_init(&options, sizeof(options));
  options.width = options.height = 65;
  deeplab_segmenter* segmenter = nullptr;
  ASSERT_EQ(deeplab_segmenter_create(model_, &options, &segmenter), DEEPLAB_OK)
      << deeplab_last_error();

  std::vector<uint8_t> mask(64 * 64);
  EXPECT_EQ(deeplab_segmenter_category_mask(segmenter, 64, 64, mask.data(), 64),
            DEEPLAB_INVALID_ARGUMENT);
  EXPECT_TRUE(last_error_has("no picture")) << deeplab_last_error();

  const std::vector<uint8_t> pixels = synthetic_photo(64, 64);
  const deeplab_image good = rgb_image(pixels, 64, 64);
  deeplab_image image = good;
  image.planes[0] = nullptr;
  EXPECT_EQ(deeplab_segmenter_run(segmenter, &image, nullptr), DEEPLAB_INVALID_ARGUMENT);
  image = good;
  image.strides[0] = 64;
  EXPECT_EQ(deeplab_segmenter_run(segmenter, &image, nullptr), DEEPLAB_INVALID_ARGUMENT);
  image = good;
  image.height = 0;
  EXPECT_EQ(deeplab_segmenter_run(segmenter, &image, nullptr), DEEPLAB_INVALID_ARGUMENT);
  image = good;
  image.format = 77;
  EXPECT_EQ(deeplab_segmenter_run(segmenter, &image, nullptr), DEEPLAB_INVALID_ARGUMENT);

  ASSERT_EQ(deeplab_segmenter_run(segmenter, &good, nullptr), DEEPLAB_OK) << deeplab_last_error();
  EXPECT_EQ(deeplab_segmenter_category_mask(segmenter, 64, 64, mask.data(), 63),
            DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_segmenter_category_mask(segmenter, 0, 64, mask.data(), 64),
            DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_segmenter_category_mask(segmenter, 64, 64, mask.data(), 64), DEEPLAB_OK);
  std::vector<float> confidence(64 * 64);
  const auto confidence_of = [&](std::vector<int32_t> ids, ptrdiff_t stride) {
    return deeplab_segmenter_confidence_mask(
        segmenter, ids.data(), static_cast<int32_t>(ids.size()), 64, 64, confidence.data(), stride);
  };
  EXPECT_EQ(confidence_of({21}, 256), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(confidence_of({-1}, 256), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(confidence_of({3, 4, 3}, 256), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(confidence_of({0}, 257), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(confidence_of({0, 20}, 256), DEEPLAB_OK);
  EXPECT_EQ(confidence_of({}, 256), DEEPLAB_OK);
  EXPECT_EQ(confidence[99], 0.0f);
  deeplab_segmenter_free(segmenter);
}

TEST_F(LoadedModel, TheSegmenterOutlivesTheModelHandle) {
  deeplab_segmenter_options options;
  deeplab_segmenter_options_init(&options, sizeof(options));
  options.width = options.height = 65;
  deeplab_segmenter* segmenter = nullptr;
  ASSERT_EQ(deeplab_segmenter_create(model_, &options, &segmenter), DEEPLAB_OK);
  deeplab_model_free(model_);
  model_ = nullptr;
  const std::vector<uint8_t> pixels = synthetic_photo(64, 64);
  const deeplab_image image = rgb_image(pixels, 64, 64);
  EXPECT_EQ(deeplab_segmenter_run(segmenter, &image, nullptr), DEEPLAB_OK) << deeplab_last_error();
  deeplab_segmenter_free(segmenter);
}

TEST(CppApi, EightThreadsShareAModel) {
  auto model = Model::load(kUint8Labels);
  ASSERT_TRUE(model.ok()) << model.status().message();
  const std::vector<uint8_t> pixels = synthetic_photo(120, 90);
  Options options;
  options.threads = 1;
  options.width = options.height = 129;
  std::vector<std::vector<uint8_t>> masks(8);
  std::vector<std::thread> threads;
  for (auto& mask : masks) {
    threads.emplace_back([&] {
      auto segmenter = Segmenter::create(*model, options);
      if (!segmenter.ok()) return;
      auto result = segmenter->segment({pixels.data(), 120, 90, 360, PixelFormat::kRgb8});
      if (result.ok()) mask = std::move(result->category_mask);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& mask : masks) {
    ASSERT_EQ(mask.size(), 120u * 90u);
    EXPECT_EQ(mask, masks.front());
  }
}

TEST(CApi, ALongSentenceIsCutBetweenCharacters) {
  for (const int offset : {0, 1}) {
    std::string path = "/no" + std::string(static_cast<size_t>(offset), 'x') + "/";
    while (path.size() < 4000) path += "\u00e9";  // two bytes
    deeplab_model* model = nullptr;
    EXPECT_EQ(deeplab_model_load_file(path.c_str(), &model), DEEPLAB_IO_ERROR);
    const std::string sentence = deeplab_last_error();
    EXPECT_TRUE(sentence.starts_with("cannot open /no")) << sentence;
    EXPECT_LE(sentence.size(), 2047u);
    EXPECT_GE(sentence.size(), 2046u);
    EXPECT_EQ(static_cast<uint8_t>(sentence.back()), 0xA9) << "half a character";
  }
}

}  // namespace
}  // namespace deeplab::testing
