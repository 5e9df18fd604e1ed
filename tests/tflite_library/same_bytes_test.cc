// What TensorFlow Lite gives through us is what it gives to anybody: byte for byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "api/segmenter.h"
#include "base/file.h"
#include "tests/api/test_models.h"
#include "tests/test_data.h"
#include "tests/tflite_library/direct.h"
#include "tflite/file_copy.h"
#include "tflite/writer.h"

namespace deeplab::testing {
namespace {

using api::Segmenter;
using api::SegmenterOptions;

std::vector<std::string> models() {
  std::vector<std::string> found = kSampleModels;
  for (const char* name : {"deeplabv3_257_mv_gpu", "deeplabv3_mnv2_dm05_513_float",
                           "deeplabv3_mnv2_dm05_int8_f32io", "deeplabv3_mnv2_dm05_int8_labels",
                           "deeplabv3_mnv2_dm05_pascal_quant", "deeplabv3_mnv2_pascal_quant",
                           "tfhub_deeplabv3_mnv2_dm05_float16", "tfhub_deeplabv3_mnv2_dm05_int8"}) {
    found.push_back(test_data("models/" + std::string(name) + ".tflite"));
  }
  return found;
}

class SameBytes : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    DEEPLAB_NEEDS_TFLITE();
    if (!std::filesystem::exists(GetParam())) {
      GTEST_SKIP() << "skipped: no test data at " << GetParam();
    }
    auto model = api::Model::load(GetParam());
    ASSERT_TRUE(model.ok()) << model.status().message();
    model_ = *model;
    auto options = std::make_shared<tflite_library::Options>();
    options->library = tflite_library_path();
    tflite_.tflite = options;
    tflite_.threads = 2;
  }

  std::shared_ptr<const api::Model> model_;
  SegmenterOptions tflite_;
  const std::vector<uint8_t> pixels_ = synthetic_photo(kWidth, kHeight);
  const vision::ImageView photo_ = rgb_view(pixels_, kWidth, kHeight);
  static constexpr int32_t kWidth = 500, kHeight = 375;
};

/// The scores tensor of a runner as the library holds it.
Bytes output_of(const Segmenter& segmenter) {
  const auto bytes = segmenter.lite()->interpreter().output(0).bytes;
  return {bytes.begin(), bytes.end()};
}

Bytes input_of(const Segmenter& segmenter) {
  const auto bytes = segmenter.lite()->interpreter().input(0).bytes;
  return {bytes.begin(), bytes.end()};
}

TEST_P(SameBytes, ScoresAreThoseOfDirectCalls) {
  auto segmenter = Segmenter::create(model_, tflite_);
  ASSERT_TRUE(segmenter.ok()) << segmenter.status().message();
  ASSERT_TRUE((*segmenter)->run(photo_).ok());
  const Bytes input = input_of(**segmenter);
  // By the other way from the graph to a file: our own writer.
  auto network = model_->file_network(model_->input_height(), model_->input_width(), {});
  ASSERT_TRUE(network.ok()) << network.status().message();
  tflite::ModelFile file;
  file.graph = network->graph;
  const auto written = tflite::write_model(file);
  ASSERT_TRUE(written.ok()) << written.status().message();
  const std::vector<Bytes> expected = run_directly(*written, input, 2);
  ASSERT_EQ(expected.size(), 1u);
  EXPECT_EQ(output_of(**segmenter), expected[0]);
}

TEST_P(SameBytes, TheWholeFileEndsAsItDoesDirectly) {
  // The file as it is: what our copy of it gives, and what its own bytes give.
  const auto bytes = read_file(GetParam(), int64_t{1} << 31);
  ASSERT_TRUE(bytes.ok());
  auto segmenter = Segmenter::create(model_, tflite_);
  ASSERT_TRUE(segmenter.ok()) << segmenter.status().message();
  ASSERT_TRUE((*segmenter)->run(photo_).ok());
  const Bytes input = input_of(**segmenter);
  const auto copy = api::lite_file(*bytes, model_->graph());
  ASSERT_TRUE(copy.ok());
  auto interpreter = tflite_library::Interpreter::create(
      copy->file, copy->file->bytes(), copy->file->op_count(),
      model_->graph().tensor(model_->graph().inputs[0]).shape, *tflite_.tflite, 2);
  ASSERT_TRUE(interpreter.ok()) << interpreter.status().message();
  std::ranges::copy(input, (*interpreter)->input(0).bytes.begin());
  ASSERT_TRUE((*interpreter)->run().ok());
  const std::vector<Bytes> expected = run_directly(*bytes, input, 2);
  ASSERT_EQ(static_cast<int>(expected.size()), (*interpreter)->output_count());
  for (size_t i = 0; i < expected.size(); ++i) {
    const auto found = (*interpreter)->output(static_cast<int>(i)).bytes;
    EXPECT_TRUE(std::ranges::equal(found, expected[i])) << "output " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, SameBytes, ::testing::ValuesIn(models()),
                         [](const ::testing::TestParamInfo<std::string>& param) {
                           std::string name = sample_name(param.param);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(AnotherCanvas, RunsInTensorFlowLite) {
  DEEPLAB_NEEDS_TFLITE();
  auto model = api::Model::load(kInt8FloatIo);
  ASSERT_TRUE(model.ok());
  SegmenterOptions engine;
  engine.threads = 1;
  engine.width = 321;
  engine.height = 257;
  SegmenterOptions lite = engine;
  auto options = std::make_shared<tflite_library::Options>();
  options->library = tflite_library_path();
  lite.tflite = options;
  const std::vector<uint8_t> pixels = synthetic_photo(320, 240);
  std::vector<uint8_t> masks[2];
  for (const SegmenterOptions& which : {engine, lite}) {
    auto segmenter = Segmenter::create(*model, which);
    ASSERT_TRUE(segmenter.ok()) << segmenter.status().message();
    EXPECT_EQ((*segmenter)->canvas_width(), 321);
    ASSERT_TRUE((*segmenter)->run(rgb_view(pixels, 320, 240)).ok());
    std::vector<uint8_t>& mask = masks[which.tflite != nullptr];
    mask.resize(320 * 240);
    ASSERT_TRUE((*segmenter)->category_mask(320, 240, mask.data(), 320).ok());
  }
  double equal = 0;
  for (size_t i = 0; i < masks[0].size(); ++i) equal += masks[0][i] == masks[1][i];
  EXPECT_GT(equal / 320 / 240, 0.98);
}

}  // namespace
}  // namespace deeplab::testing
