// Real photos: label maps beside TensorFlow Lite's, and a photo through the C++ interface.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "api/segmenter.h"
#include "deeplab/deeplab.hpp"
#include "exec/planned_executor.h"
#include "imageio/reader.h"
#include "passes/pipeline.h"
#include "tests/api/test_models.h"
#include "tests/padded_canvas.h"
#include "tests/test_data.h"

namespace deeplab::testing {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

/// Share of equal labels, photo by photo.
struct Agreement {
  double sum = 0;
  double worst = 1;
  int photos = 0;
  void add(std::span<const uint8_t> a, std::span<const uint8_t> b) {
    int64_t same = 0;
    for (size_t i = 0; i < a.size(); ++i) same += a[i] == b[i];
    const double share = static_cast<double>(same) / static_cast<double>(a.size());
    sum += share;
    worst = std::min(worst, share);
    ++photos;
  }
  double mean() const { return sum / photos; }
};

const char* const kRealInt8Labels = "models/deeplabv3_mnv2_dm05_int8_labels.tflite";
const char* const kRealUint8 = "models/deeplabv3_mnv2_dm05_pascal_quant.tflite";
const char* const kRealUint8Dm10 = "models/deeplabv3_mnv2_pascal_quant.tflite";

constexpr int32_t kSide = 513;

/// The planned executor against TensorFlow Lite's reference kernels on the 20 photos of a model.
struct GoldenAgreement {
  Agreement graph;  ///< The file's whole graph, last resize and arg-max included.
  Agreement head;   ///< Scores through the label head.
};

void compare_with_goldens(const std::string& file, GoldenAgreement& agreement) {
  const auto model = api::Model::load(test_data(file));
  ASSERT_TRUE(model.ok()) << model.status().message();
  auto segmenter = api::Segmenter::create(*model, {});
  ASSERT_TRUE(segmenter.ok()) << segmenter.status().message();
  const auto file_graph = (*model)->graph_with_weights();
  ASSERT_TRUE(file_graph.ok()) << file_graph.status().message();
  graph::Graph whole = **file_graph;
  ASSERT_TRUE(passes::optimize(whole).ok());
  plan::PlanOptions options;
  options.isa = available_isas().back();
  auto plan = plan::Plan::build(std::move(whole), options);
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  auto executor = exec::PlannedExecutor::create(*plan, nullptr);
  ASSERT_TRUE(executor.ok());
  const graph::Graph& graph = (*executor)->graph();

  const std::string stem = std::filesystem::path(file).stem();
  std::vector<uint8_t> mask(kSide * kSide), from_graph(kSide * kSide);
  for (const std::string& id : lines_of(test_data("voc2012/ImageSets/Segmentation/val.txt"))) {
    const std::string golden_path = test_data("golden/labels_pad513/" + stem + "/" + id + ".png");
    if (!std::filesystem::exists(golden_path)) continue;
    const auto golden = imageio::read_label_png(golden_path);
    ASSERT_TRUE(golden.ok()) << golden.status().message();
    const auto photo = imageio::read_image(test_data("voc2012/JPEGImages/" + id + ".jpg"));
    ASSERT_TRUE(photo.ok()) << photo.status().message();
    // The golden map covers the canvas, not only the photo.
    const std::vector<uint8_t> canvas = padded_canvas(*photo);
    ASSERT_TRUE((*segmenter)->run(rgb_view(canvas, kSide, kSide)).ok());
    ASSERT_TRUE((*segmenter)->category_mask(kSide, kSide, mask.data(), kSide).ok());
    agreement.head.add(mask, golden->pixels);

    const auto input = (*executor)->tensor(graph.inputs.front());
    ASSERT_EQ(input.size(), canvas.size());
    for (size_t i = 0; i < canvas.size(); ++i) {
      input[i] = static_cast<std::byte>(canvas[i] ^ 0x80);  // int8 = pixel - 128
    }
    (*executor)->run();
    const auto output = (*executor)->tensor(graph.outputs.front());
    ASSERT_EQ(output.size(), mask.size() * sizeof(int64_t));
    const auto* labels = reinterpret_cast<const int64_t*>(output.data());
    std::transform(labels, labels + from_graph.size(), from_graph.begin(),
                   [](int64_t label) { return static_cast<uint8_t>(label); });
    agreement.graph.add(from_graph, golden->pixels);
  }
  ASSERT_EQ(agreement.graph.photos, 20);
}

// Bottom-up rows of B, G, R padded to 4 bytes, as bitmaps have them, read in place.
TEST(CppApi, PhotoInLabelMapOut) {
  const auto photo = imageio::read_image(kCatPhoto);
  ASSERT_TRUE(photo.ok()) << photo.status().message();
  const int32_t width = photo->width, height = photo->height;
  const ptrdiff_t stride = (width * 3 + 3) / 4 * 4;
  std::vector<uint8_t> bitmap(static_cast<size_t>(stride * height));
  for (int32_t y = 0; y < height; ++y) {
    for (int32_t x = 0; x < width; ++x) {
      const uint8_t* from = &photo->pixels[(static_cast<size_t>(y) * width + x) * 3];
      std::reverse_copy(from, from + 3, &bitmap[(height - 1 - y) * stride + 3 * x]);
    }
  }

  auto model = Model::load(kInt8FloatIo);
  ASSERT_TRUE(model.ok()) << model.status().message();
  EXPECT_EQ(model->label(8), "cat");
  EXPECT_EQ(model->input_size(), std::make_pair(513, 513));
  auto segmenter = Segmenter::create(*model);
  ASSERT_TRUE(segmenter.ok()) << segmenter.status().message();
  const auto result = segmenter->segment(
      {&bitmap[(height - 1) * stride], width, height, -stride, PixelFormat::kBgr8});
  ASSERT_TRUE(result.ok()) << result.status().message();

  const auto counts = result->class_pixels();
  const int64_t pixels = int64_t{width} * height;
  EXPECT_GT(counts[8], pixels / 10) << "no cat";
  EXPECT_GT(counts[0] + counts[8], pixels * 98 / 100) << "something but cat and background";
  EXPECT_GT(segmenter->timing().infer_ms, 0);

  std::vector<float> confidence(static_cast<size_t>(pixels));
  ASSERT_TRUE(segmenter->confidence_mask(8, width, height, confidence).ok());
  for (size_t i = 0; i < confidence.size(); ++i) {
    ASSERT_GE(confidence[i], 0.0f);
    ASSERT_LE(confidence[i], 1.0f);
    if (confidence[i] > 0.5f) {
      ASSERT_EQ(result->category_mask[i], 8);
    }
  }
  EXPECT_FALSE(segmenter->category_mask(width, height, std::span<uint8_t>()).ok());
}

// The original page's own file, whose maps were made from its float scores.
TEST(AgainstGoldenLabels, ThePlannedExecutorAgreesOnThePagesTwentyMaps) {
  DEEPLAB_NEEDS_TEST_DATA();
  const auto model = api::Model::load(test_data("models/tfhub_deeplabv3_mnv2_dm05_int8.tflite"));
  ASSERT_TRUE(model.ok()) << model.status().message();
  auto segmenter = api::Segmenter::create(*model, {});
  ASSERT_TRUE(segmenter.ok()) << segmenter.status().message();
  Agreement agreement;
  std::vector<uint8_t> mask(kSide * kSide);
  const std::string golden = test_data("golden/labels_pad513/tfhub_dm05_int8");
  for (const auto& entry : std::filesystem::directory_iterator(golden)) {
    const auto expected = imageio::read_label_png(entry.path().string());
    ASSERT_TRUE(expected.ok()) << expected.status().message();
    const std::string id = entry.path().stem();
    const auto photo = imageio::read_image(test_data("voc2012/JPEGImages/" + id + ".jpg"));
    ASSERT_TRUE(photo.ok()) << photo.status().message();
    const std::vector<uint8_t> canvas = padded_canvas(*photo);
    ASSERT_TRUE((*segmenter)->run(rgb_view(canvas, kSide, kSide)).ok());
    ASSERT_TRUE((*segmenter)->category_mask(kSide, kSide, mask.data(), kSide).ok());
    agreement.add(mask, expected->pixels);
  }
  ASSERT_EQ(agreement.photos, 20);
  std::printf("the page's file: labels equal to TensorFlow Lite's, mean %.4f worst %.4f\n",
              agreement.mean(), agreement.worst);
  EXPECT_GE(agreement.mean(), 0.98);
}

TEST(AgainstGoldenLabels, ThePlannedExecutorAgreesOnTheSixtyMaps) {
  DEEPLAB_NEEDS_TEST_DATA();
  double graph_mean = 0, head_mean = 0;
  const std::string files[] = {kRealInt8Labels, kRealUint8, kRealUint8Dm10};
  for (const std::string& file : files) {
    GoldenAgreement agreement;
    ASSERT_NO_FATAL_FAILURE(compare_with_goldens(file, agreement));
    std::printf(
        "%s: labels equal to TensorFlow Lite's, 20 photos: whole graph mean %.4f worst "
        "%.4f, label head mean %.4f worst %.4f\n",
        file.c_str(), agreement.graph.mean(), agreement.graph.worst, agreement.head.mean(),
        agreement.head.worst);
    graph_mean += agreement.graph.mean() / 3;
    head_mean += agreement.head.mean() / 3;
  }
  std::printf("all 60 maps: whole graph mean %.4f, label head mean %.4f\n", graph_mean, head_mean);
  EXPECT_GE(graph_mean, 0.98);
  EXPECT_GE(head_mean, 0.98);
}

}  // namespace
}  // namespace deeplab::testing
