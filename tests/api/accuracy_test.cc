// The last level of the goldens: real photos, real masks. Every 8th photo by default, all of
// them with DEEPLAB_FULL_TESTS=1.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "api/segmenter.h"
#include "exec/planned_executor.h"
#include "imageio/reader.h"
#include "passes/pipeline.h"
#include "tests/api/test_models.h"

namespace deeplab::testing {
namespace {

bool full_tests() { return std::getenv("DEEPLAB_FULL_TESTS") != nullptr; }

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

vision::ImageView view_of(const imageio::Image& image) {
  return {image.pixels.data(), image.width, image.height, ptrdiff_t{3} * image.width,
          vision::PixelFormat::kRgb8};
}

/// confusion[truth][label] over the pixels that are not 255.
using Confusion = std::array<std::array<int64_t, 21>, 21>;

double pixel_accuracy(const Confusion& confusion) {
  int64_t right = 0, all = 0;
  for (size_t t = 0; t < 21; ++t) {
    right += confusion[t][t];
    for (int64_t n : confusion[t]) all += n;
  }
  return static_cast<double>(right) / static_cast<double>(all);
}

/// Mean over the classes that occur in the truth.
double mean_iou(const Confusion& confusion) {
  double sum = 0;
  int classes = 0;
  for (size_t t = 0; t < 21; ++t) {
    int64_t truth = 0, labelled = 0;
    for (size_t k = 0; k < 21; ++k) {
      truth += confusion[t][k];
      labelled += confusion[k][t];
    }
    if (truth == 0) continue;
    const int64_t both = confusion[t][t];
    sum += static_cast<double>(both) / static_cast<double>(truth + labelled - both);
    ++classes;
  }
  return sum / classes;
}

struct Floor {
  const char* model;
  /// TensorFlow Lite's own pixel accuracy on all 400 photos; see the test data's README.
  double peer_accuracy;
};

class OnRealMasks : public ::testing::TestWithParam<Floor> {};

TEST_P(OnRealMasks, PixelAccuracyIsNoLowerThanTensorFlowLites) {
  DEEPLAB_NEEDS_TEST_DATA();
  const auto model = api::Model::load(test_data(GetParam().model));
  ASSERT_TRUE(model.ok()) << model.status().message();
  auto segmenter = api::Segmenter::create(*model, {});
  ASSERT_TRUE(segmenter.ok()) << segmenter.status().message();

  const auto ids = lines_of(test_data("voc2012/ImageSets/Segmentation/val.txt"));
  ASSERT_EQ(ids.size(), 400u);
  Confusion confusion{};
  for (size_t i = 0; i < ids.size(); i += full_tests() ? 1 : 8) {
    const auto photo = imageio::read_image(test_data("voc2012/JPEGImages/" + ids[i] + ".jpg"));
    ASSERT_TRUE(photo.ok()) << photo.status().message();
    const auto truth =
        imageio::read_label_png(test_data("voc2012/SegmentationClass/" + ids[i] + ".png"));
    ASSERT_TRUE(truth.ok()) << truth.status().message();
    ASSERT_EQ(truth->width, photo->width);
    ASSERT_EQ(truth->height, photo->height);
    ASSERT_TRUE((*segmenter)->run(view_of(*photo)).ok());
    std::vector<uint8_t> mask(truth->pixels.size());
    ASSERT_TRUE(
        (*segmenter)->category_mask(photo->width, photo->height, mask.data(), photo->width).ok());
    for (size_t p = 0; p < mask.size(); ++p) {
      if (truth->pixels[p] < 21) ++confusion[truth->pixels[p]][mask[p]];
    }
  }
  const double accuracy = pixel_accuracy(confusion);
  std::printf("%s: pixel accuracy %.4f (peer on all 400: %.4f), mIoU %.4f\n", GetParam().model,
              accuracy, GetParam().peer_accuracy, mean_iou(confusion));
  // A subset scores differently from the whole; it only has to show that nothing is broken.
  EXPECT_GE(accuracy, GetParam().peer_accuracy - (full_tests() ? 0.002 : 0.02));
}

INSTANTIATE_TEST_SUITE_P(Models, OnRealMasks,
                         ::testing::Values(Floor{kUint8Labels, 0.9300}, Floor{kInt8FloatIo, 0.9298},
                                           Floor{kUint8Dm10, 0.9420}));

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

constexpr int32_t kSide = 513;

/// The photo top left on a canvas of 127, which the golden maps cover.
std::vector<uint8_t> canvas_of(const imageio::Image& photo) {
  std::vector<uint8_t> canvas(static_cast<size_t>(kSide) * kSide * 3, 127);
  for (int32_t y = 0; y < photo.height; ++y) {
    std::memcpy(&canvas[static_cast<size_t>(y) * kSide * 3],
                &photo.pixels[static_cast<size_t>(y) * photo.width * 3],
                static_cast<size_t>(photo.width) * 3);
  }
  return canvas;
}

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
  graph::Graph whole = (*model)->graph();
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
    const std::vector<uint8_t> canvas = canvas_of(*photo);
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
    const std::vector<uint8_t> canvas = canvas_of(*photo);
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
  const std::string files[] = {kInt8Labels, kUint8Labels, kUint8Dm10};
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
