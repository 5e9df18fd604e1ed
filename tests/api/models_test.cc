// Which model files the library takes: well-formed ones that are no segmentation network are
// refused by what they are. Needs no test data.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "deeplab/deeplab.hpp"
#include "tests/api/test_models.h"
#include "tests/tflite/model_builder.h"

namespace deeplab::testing {
namespace {

using ::testing::HasSubstr;
using Type = ModelBuilder::TensorType;
using Code = ModelBuilder::BuiltinOperator;

/// Pixels of `channels`, a 1x1 convolution to `classes`, ARG_MAX.
ModelBuilder smallest_network(int32_t channels, int32_t classes) {
  ModelBuilder b;
  const FileQuantization one{{1.0f}, {0}};
  const int32_t x = b.input(Type::INT8, {1, 5, 5, channels}, one);
  const std::vector<int8_t> weights(static_cast<size_t>(channels * classes), 1);
  const int32_t filter = b.constant(Type::INT8, {classes, 1, 1, channels}, weights, one);
  const int32_t bias = b.constant(Type::INT32, {classes},
                                  std::vector<int32_t>(static_cast<size_t>(classes), 0), one);
  tflite::schema::Conv2DOptionsT conv;
  conv.stride_h = conv.stride_w = 1;
  const int32_t scores = b.add(Code::CONV_2D, {x, filter, bias},
                               b.activation(Type::INT8, {1, 5, 5, classes}, one), conv);
  tflite::schema::ArgMaxOptionsT arg_max;
  arg_max.output_type = Type::INT32;
  b.graph().outputs = {b.add(Code::ARG_MAX, {scores, b.numbers({3}, {1})},
                             b.activation(Type::INT32, {1, 5, 5}), arg_max)};
  return b;
}

TEST(ModelFile, IsReadFromMemoryThatMayGoAway) {
  std::vector<std::byte> bytes = smallest_network(3, 255).build();
  auto model = Model::load(bytes);
  std::ranges::fill(bytes, std::byte{0xFF});
  ASSERT_TRUE(model.ok()) << model.status().message();
  EXPECT_EQ(model->class_count(), 255);
  EXPECT_EQ(model->label(254), "class 254");
  EXPECT_EQ(model->input_size(), std::pair(5, 5));
  EXPECT_TRUE(Segmenter::create(*model).ok());
}

TEST(ModelFile, ScoresAreThoseThatTheMaskIsMadeOf) {
  auto model = Model::load(kInt8FloatIo);
  ASSERT_TRUE(model.ok()) << model.status().message();
  auto segmenter = Segmenter::create(*model, {.threads = 1, .width = 129, .height = 129});
  ASSERT_TRUE(segmenter.ok()) << segmenter.status().message();
  const float* scores = nullptr;
  int32_t width = 0, height = 0, classes = 0;
  const auto get = [&] {
    return deeplab_segmenter_scores(segmenter->handle(), &scores, &width, &height, &classes);
  };
  EXPECT_EQ(get(), DEEPLAB_INVALID_ARGUMENT) << "there is no picture yet";
  EXPECT_EQ(scores, nullptr);

  const std::vector<uint8_t> pixels = synthetic_photo(129, 129);
  const auto result =
      segmenter->segment({.data = pixels.data(), .width = 129, .height = 129, .stride = 3 * 129});
  ASSERT_TRUE(result.ok()) << result.status().message();
  ASSERT_EQ(get(), DEEPLAB_OK) << deeplab_last_error();
  ASSERT_EQ(classes, model->class_count());
  ASSERT_EQ(128 % (width - 1), 0);
  ASSERT_EQ(width, height);
  const int32_t step = 128 / (width - 1);  // where corners are aligned, a score lies on a pixel
  for (int32_t y = 0; y < height; ++y) {
    for (int32_t x = 0; x < width; ++x, scores += classes) {
      EXPECT_EQ(scores[result->category(x * step, y * step)],
                *std::max_element(scores, scores + classes))
          << x << ", " << y;
    }
  }
}

/// The probability of one class, by the pixels' red (or grey), and a second, smaller output.
std::vector<std::byte> one_class_network(int32_t channels) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, {1, 8, 8, channels});
  std::vector<float> weights(static_cast<size_t>(channels));
  weights[0] = 1;
  const int32_t filter = b.constant(Type::FLOAT32, {1, 1, 1, channels}, weights);
  tflite::schema::Conv2DOptionsT conv;
  conv.stride_h = conv.stride_w = 1;
  const int32_t logits =
      b.add(Code::CONV_2D, {x, filter, b.constant(Type::FLOAT32, {1}, std::vector<float>{0})},
            b.activation(Type::FLOAT32, {1, 8, 8, 1}), conv);
  const int32_t flat = b.add(Code::LOGISTIC, {logits}, b.activation(Type::FLOAT32, {1, 8, 8, 1}));
  tflite::schema::ReshapeOptionsT shape;
  shape.new_shape = {1, 64};
  const int32_t mask = b.add(Code::RESHAPE, {flat}, b.activation(Type::FLOAT32, {1, 64}), shape);
  tflite::schema::Pool2DOptionsT pool;
  pool.padding = tflite::schema::Padding::VALID;
  pool.stride_h = pool.stride_w = pool.filter_height = pool.filter_width = 2;
  const int32_t small =
      b.add(Code::MAX_POOL_2D, {x}, b.activation(Type::FLOAT32, {1, 4, 4, channels}), pool);
  return b.build({small, mask});
}

/// The label of a photo of one colour.
int32_t label_of(const Model& model, std::array<uint8_t, 3> colour) {
  std::vector<uint8_t> pixels;
  for (int i = 0; i < 64; ++i) pixels.insert(pixels.end(), colour.begin(), colour.end());
  auto segmenter = Segmenter::create(model, {.threads = 1});
  if (!segmenter.ok()) return -1;
  const auto result =
      segmenter->segment({.data = pixels.data(), .width = 8, .height = 8, .stride = 24});
  return result.ok() ? result->category(3, 3) : -1;
}

/// Scores are the pixels, or a convolution of them; the picture itself is an output, too, in
/// `two_outputs`. Nothing, or one op, is left once the label head is cut off.
std::vector<std::byte> hardly_a_network(bool convolves, bool two_outputs, int32_t side) {
  ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, {1, side, side, 3});
  int32_t scores = x;
  if (convolves) {
    const std::vector<float> weights = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    tflite::schema::Conv2DOptionsT conv;
    conv.stride_h = conv.stride_w = 1;
    scores = b.add(Code::CONV_2D,
                   {x, b.constant(Type::FLOAT32, {3, 1, 1, 3}, weights),
                    b.constant(Type::FLOAT32, {3}, std::vector<float>(3))},
                   b.activation(Type::FLOAT32, {1, side, side, 3}), conv);
  }
  tflite::schema::ArgMaxOptionsT arg_max;
  arg_max.output_type = Type::INT32;
  const int32_t labels = b.add(Code::ARG_MAX, {scores, b.numbers({3}, {1})},
                               b.activation(Type::INT32, {1, side, side}), arg_max);
  if (two_outputs) return b.build({labels, x});
  return b.build({labels});
}

TEST(ModelFile, ANetworkMayHaveOneOpOrNone) {
  const std::string path = ::testing::TempDir() + "hardly.tflite";
  for (const bool convolves : {false, true}) {
    for (const bool two_outputs : {false, true}) {
      ASSERT_TRUE(write_file_atomically(path, hardly_a_network(convolves, two_outputs, 64)).ok());
      const auto model = Model::load(path, {.output_tensor = "0"});
      ASSERT_TRUE(model.ok()) << model.status().message();
      for (const int32_t side : {64, 33, 600}) {
        auto segmenter = Segmenter::create(*model, {.threads = 1, .width = side, .height = side});
        ASSERT_TRUE(segmenter.ok()) << segmenter.status().message();
        std::vector<uint8_t> pixels(static_cast<size_t>(3 * side * side), 9);
        for (size_t i = 0; i < pixels.size(); i += 3) pixels[i + i / 3 % 3] = 200;
        const auto result = segmenter->segment(
            {.data = pixels.data(), .width = side, .height = side, .stride = ptrdiff_t{3} * side});
        ASSERT_TRUE(result.ok()) << result.status().message();
        for (const int32_t at : {0, 1, 2, side * side / 2, side * side - 1}) {
          EXPECT_EQ(result->category(at % side, at / side), at % 3)
              << convolves << two_outputs << " " << side << " " << at;
        }
      }
    }
  }
}

TEST(ModelFile, OneClassIsComparedWithAThreshold) {
  const std::string path = ::testing::TempDir() + "one_class.tflite";
  for (const int32_t channels : {3, 1}) {
    ASSERT_TRUE(write_file_atomically(path, one_class_network(channels)).ok());
    const auto model = Model::load(path, ModelOptions{});
    ASSERT_TRUE(model.ok()) << model.status().message();
    EXPECT_EQ(model->class_count(), 2);
    EXPECT_EQ(model->label(0), "background");
    EXPECT_EQ(model->label(1), "foreground");
    EXPECT_EQ(label_of(*model, {100, 100, 100}), 0);
    EXPECT_EQ(label_of(*model, {200, 200, 200}), 1);
    EXPECT_EQ(label_of(*model, {200, 0, 0}), channels == 3 ? 1 : 0) << "luma 60";
    // A probability of 0.7 is a logit of 0.847, a pixel of 235.5.
    const auto strict = Model::load(path, {.labels = {"cat"}, .threshold = 0.7f});
    ASSERT_TRUE(strict.ok()) << strict.status().message();
    EXPECT_EQ(strict->label(1), "cat");
    EXPECT_EQ(label_of(*strict, {230, 230, 230}), 0);
    EXPECT_EQ(label_of(*strict, {240, 240, 240}), 1);
    EXPECT_THAT(Model::load(path, {.threshold = 2}).status().message(), HasSubstr("threshold"));
  }
}

TEST(ModelFile, AnyOfSeveralOutputsCanBeTaken) {
  const std::string path = ::testing::TempDir() + "outputs.tflite";
  ASSERT_TRUE(write_file_atomically(path, one_class_network(3)).ok());
  const auto first = Model::load(path, {.output_tensor = "0"});
  ASSERT_TRUE(first.ok()) << first.status().message();
  EXPECT_EQ(first->class_count(), 3);
  EXPECT_EQ(label_of(*first, {0, 200, 0}), 1);
  const auto none = Model::load(path, {.output_tensor = "masks"});
  EXPECT_EQ(static_cast<int>(none.status().code()), static_cast<int>(StatusCode::kInvalidArgument));
  EXPECT_THAT(none.status().message(), HasSubstr("no output 'masks'; it has 0 "));
}

struct Refusal {
  const char* name;
  std::function<ModelBuilder()> make;
  StatusCode code;
  const char* message;
};

class RefusedByApi : public ::testing::TestWithParam<Refusal> {};

TEST_P(RefusedByApi, SaysWhatTheModelIs) {
  const auto model = Model::load(GetParam().make().build());
  EXPECT_EQ(static_cast<int>(model.status().code()), static_cast<int>(GetParam().code));
  EXPECT_THAT(model.status().message(), HasSubstr(GetParam().message));
  EXPECT_THAT(model.status().message(), HasSubstr("model in memory"));
}

INSTANTIATE_TEST_SUITE_P(
    Each, RefusedByApi,
    ::testing::Values(
        Refusal{"ManyClasses", [] { return smallest_network(3, 256); }, StatusCode::kUnsupported,
                "a segmentation network of 256 classes; expected 1 to 255"},
        Refusal{"FourChannels", [] { return smallest_network(4, 3); }, StatusCode::kUnsupported,
                "input 't0' is int8 1x5x5x4, expected float32, int8 or uint8 in 1 x height"},
        Refusal{"TwoInputs",
                [] {
                  ModelBuilder b = smallest_network(3, 3);
                  b.input(Type::INT8, {1, 5, 5, 3}, {{1.0f}, {0}});
                  return b;
                },
                StatusCode::kUnsupported, "a segmentation model has 1 input, this one 2"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace deeplab::testing
