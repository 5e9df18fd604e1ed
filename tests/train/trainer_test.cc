// The whole chain on photos that the test paints: what is learned, exported and resumed.
#include "train/run/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "api/segmenter.h"
#include "base/isa.h"
#include "exec/naive_executor.h"
#include "passes/label_head.h"
#include "quantize/dequantize_graph.h"
#include "quantize/quantize_graph.h"
#include "quantize/statistics.h"
#include "tests/test_data.h"
#include "tests/train/data_folder.h"
#include "tflite/reader.h"
#include "tflite/writer.h"
#include "train/network/build_network.h"
#include "train/network/graph_network.h"
#include "train/run/validation.h"

namespace deeplab::train {
namespace {

using deeplab::testing::DataFolder;
using torch::Tensor;

constexpr int32_t kSide = 97;
constexpr int32_t kClasses = 3;

/// A disc of class 1 and a square of class 2 on background, each with a colour of its own that
/// shading and noise blur.
int label_at(int photo, int32_t x, int32_t y) {
  const double disc_x = 28 + 7.0 * photo, disc_y = 66 - 6.0 * photo;
  if (std::hypot(x - disc_x, y - disc_y) < 21) return 1;
  const int32_t left = 52 - 8 * photo, top = 8 + 9 * photo;
  return x >= left && x < left + 34 && y >= top && y < top + 36 ? 2 : 0;
}

Rgb colour_at(int photo, int32_t x, int32_t y) {
  static constexpr int kColours[kClasses][3] = {{90, 120, 90}, {180, 90, 70}, {80, 90, 190}};
  const int noise = (x * 73 + y * 151 + photo * 31 + x * y) % 41 - 20;
  const int* colour = kColours[label_at(photo, x, y)];
  const auto mixed = [&](int c) { return static_cast<uint8_t>(colour[c] + noise + x / 6); };
  return {mixed(0), mixed(1), mixed(2)};
}

/// Four photos as the splits train and val.
void paint(const DataFolder& folder) {
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) {
    ids.push_back("p" + std::to_string(i));
    folder.photo(ids.back(), kSide, kSide,
                 [&](int32_t x, int32_t y) { return colour_at(i, x, y); });
    folder.mask(ids.back(), kSide, kSide, [&](int32_t x, int32_t y) { return label_at(i, x, y); });
  }
  folder.list("train", ids);
  folder.list("val", ids);
}

TrainOptions small_run(const DataFolder& folder) {
  TrainOptions options;
  options.network.classes = kClasses;
  options.network.width = options.network.height = kSide;
  options.network.output_stride = 8;
  options.network.decoder = Decoder::kRefine;
  options.network.depth_multiplier = 0.25;
  options.batch_norm = BatchNorm::kTrain;
  options.data.sources = {{folder.root(), "train", 1, true, nullptr}};
  options.data.augment.crop_width = options.data.augment.crop_height = kSide;
  options.data.augment.scale_min = options.data.augment.scale_max = 1;
  options.data.augment.flip = 0;
  options.data.batch = 4;
  options.micro_batch = 4;
  options.loss.pixel_stride = 1;
  options.optimizer = Optimizer::kAdamW;
  options.learning_rate = 4e-3;
  options.average = 0.98;
  return options;
}

std::unique_ptr<Trainer> make_trainer(const TrainOptions& options, ProcessGroup* group) {
  auto trainer = Trainer::create(options, 2, group);
  EXPECT_TRUE(trainer.ok()) << trainer.status().message();
  return trainer.ok() ? std::move(*trainer) : nullptr;
}

std::unique_ptr<ProcessGroup> alone() {
  auto group = ProcessGroup::join({}, ProcessGroup::kDefaultTimeout);
  EXPECT_TRUE(group.ok());
  return std::move(*group);
}

tflite::ModelFile as_file(graph::Graph graph) {
  tflite::ModelFile file;
  file.graph = std::move(graph);
  file.metadata.labels = {"background", "disc", "square"};
  return file;
}

double miou_of(graph::Graph graph, const DataFolder& folder) {
  const auto dataset =
      eval::open_voc_dataset(folder.root(), "val", eval::MaskRequirement::kRequired);
  EXPECT_TRUE(dataset.ok());
  const auto scores = validate_model(as_file(std::move(graph)), *dataset, nullptr, 2);
  EXPECT_TRUE(scores.ok()) << scores.status().message();
  return scores.ok() ? scores->miou : 0;
}

std::vector<double> losses_of(Trainer& trainer, int steps) {
  std::vector<double> losses;
  for (int i = 0; i < steps; ++i) {
    const auto report = trainer.step();
    EXPECT_TRUE(report.ok()) << report.status().message();
    losses.push_back(report.ok() ? report->loss : -1);
  }
  return losses;
}

TEST(Trainer, FromNothingItLearnsASmallSetByHeartAndQuantizationKeepsIt) {
  const DataFolder folder;
  paint(folder);
  const auto group = alone();
  TrainOptions options = small_run(folder);
  options.steps = 240;
  const auto trainer = make_trainer(options, group.get());
  ASSERT_NE(trainer, nullptr);
  losses_of(*trainer, 240);
  const graph::Graph learned = trainer->float_graph();
  EXPECT_GT(miou_of(learned, folder), 0.95);

  // Quantization-aware training starts from the exported file.
  const auto bytes = tflite::write_model(as_file(learned));
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  const std::string path = folder.root() + "/float.tflite";
  ASSERT_TRUE(write_file_atomically(path, *bytes).ok());
  options.init = path;
  options.batch_norm = BatchNorm::kNone;
  options.quantize_photos = 4;
  options.learning_rate = 1e-4;
  options.steps = 20;
  const auto fine = make_trainer(options, group.get());
  ASSERT_NE(fine, nullptr);
  EXPECT_TRUE(fine->fresh_layers().empty());
  losses_of(*fine, 20);
  const auto quantized = fine->int8_graph();
  ASSERT_TRUE(quantized.ok()) << quantized.status().message();
  EXPECT_GT(miou_of(*quantized, folder), 0.94);
}

TEST(Trainer, ACheckpointGoesOnAsIfNothingHadHappened) {
  const DataFolder folder;
  paint(folder);
  const auto group = alone();
  TrainOptions options = small_run(folder);
  options.steps = 8;
  options.data.augment.scale_min = 0.5;  // samples that differ from step to step
  options.data.augment.scale_max = 2;
  options.data.augment.flip = 0.5;
  const auto whole = make_trainer(options, group.get());
  const auto expected = losses_of(*whole, 8);

  const std::string path = folder.root() + "/checkpoint.pt";
  {
    const auto first = make_trainer(options, group.get());
    losses_of(*first, 5);
    ASSERT_TRUE(first->save(path).ok());
  }
  const auto second = make_trainer(options, group.get());
  ASSERT_TRUE(second->load(path).ok());
  EXPECT_EQ(second->steps_done(), 5);
  EXPECT_EQ(losses_of(*second, 3), std::vector<double>(expected.begin() + 5, expected.end()));
}

/// Every weight, layer by layer.
std::vector<std::vector<float>> weights_of(const graph::Graph& graph) {
  std::vector<std::vector<float>> weights;
  for (const graph::Tensor& tensor : graph.tensors) {
    if (!tensor.is_constant()) continue;
    const auto values = tensor.values<float>();
    weights.emplace_back(values.begin(), values.end());
  }
  return weights;
}

TEST(Trainer, ABlendLiesBetweenTheStartAndWhatWasLearned) {
  const DataFolder folder;
  paint(folder);
  const auto group = alone();
  TrainOptions options = small_run(folder);
  options.batch_norm = BatchNorm::kNone;
  options.network.decoder = Decoder::kNone;
  const auto start = build_network(options.network, 3);
  ASSERT_TRUE(start.ok());
  const auto bytes = tflite::write_model(as_file(*start));
  ASSERT_TRUE(bytes.ok());
  options.init = folder.root() + "/start.tflite";
  ASSERT_TRUE(write_file_atomically(options.init, *bytes).ok());
  options.network.decoder = Decoder::kRefine;  // which the file has not
  options.learning_rate = 1e-3;
  options.steps = 3;

  const std::string checkpoint = folder.root() + "/checkpoint.pt";
  const auto learner = make_trainer(options, group.get());
  ASSERT_NE(learner, nullptr);
  const auto before = weights_of(learner->float_graph());
  losses_of(*learner, 3);
  ASSERT_TRUE(learner->save(checkpoint).ok());
  const auto after = weights_of(learner->float_graph());
  ASSERT_NE(before, after);

  // The finished run once more, with other shares.
  for (const float share : {0.0f, 0.25f}) {
    options.blend = share;
    const auto again = make_trainer(options, group.get());
    ASSERT_NE(again, nullptr);
    ASSERT_TRUE(again->load(checkpoint).ok());
    const graph::Graph graph = again->float_graph();
    const auto blended = weights_of(graph);
    ASSERT_EQ(blended.size(), after.size());
    size_t layer = 0, fresh = 0;
    for (const graph::Tensor& tensor : graph.tensors) {
      if (!tensor.is_constant()) continue;
      const bool random_start = tensor.name.starts_with("decoder/");
      fresh += random_start;
      for (size_t i = 0; i < after[layer].size(); ++i) {
        const float from = random_start ? after[layer][i] : before[layer][i];
        const float expected = from + share * (after[layer][i] - from);
        ASSERT_NEAR(blended[layer][i], expected, 1e-6f) << tensor.name << " at " << share;
      }
      ++layer;
    }
    EXPECT_GT(fresh, 0u);
  }
}

TEST(Trainer, ThreadsMakeNoDifference) {
  const DataFolder folder;
  paint(folder);
  const auto group = alone();
  TrainOptions options = small_run(folder);
  options.batch_norm = BatchNorm::kNone;
  options.micro_batch = 1;
  options.learning_rate = 1e-4;
  auto one = Trainer::create(options, 1, group.get());
  auto three = Trainer::create(options, 3, group.get());
  ASSERT_TRUE(one.ok() && three.ok());
  EXPECT_EQ(losses_of(**one, 4), losses_of(**three, 4));
}

TEST(Trainer, ADamagedCheckpointIsRefusedByName) {
  const DataFolder folder;
  paint(folder);
  const auto group = alone();
  const auto trainer = make_trainer(small_run(folder), group.get());
  const std::string path = folder.root() + "/broken.pt";
  const std::string text = "not a checkpoint";
  ASSERT_TRUE(write_file_atomically(path, std::as_bytes(std::span(text))).ok());
  const Status status = trainer->load(path);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find("broken.pt"), std::string::npos);
}

// ---- The exported file against libtorch ----

/// Random pixels as a float picture.
Tensor noise_picture(int64_t side) {
  torch::manual_seed(5);
  const Tensor coarse = torch::rand({1, 3, 9, 9}) * 255;
  return at::upsample_bilinear2d(coarse, {side, side}, true)
                 .permute({0, 2, 3, 1})
                 .contiguous()
                 .round() /
             127.5f -
         1.0f;
}

/// What the engine's reference executor leaves in the scores' tensor, as real numbers.
Tensor engine_scores(graph::Graph graph, const Tensor& picture) {
  const auto head = passes::cut_label_head(graph);
  EXPECT_TRUE(head.ok()) << head.status().message();
  const graph::TensorId input = graph.inputs[0];
  const graph::Tensor scores = graph.tensor(head->scores);
  auto executor = exec::NaiveExecutor::create(graph, kernels::Rounding::kEngine);
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  const auto target = (*executor)->tensor(input);
  EXPECT_EQ(target.size(), static_cast<size_t>(picture.numel()) * sizeof(float));
  std::memcpy(target.data(), picture.data_ptr<float>(), target.size());
  (*executor)->run();
  const auto stored = (*executor)->tensor(head->scores);
  Tensor result = torch::empty({1, head->height, head->width, head->classes});
  float* to = result.data_ptr<float>();
  for (int64_t i = 0; i < result.numel(); ++i) {
    to[i] = scores.type == graph::DataType::kInt8
                ? scores.quantization.scale() *
                      static_cast<float>(
                          static_cast<int>(static_cast<int8_t>(stored[static_cast<size_t>(i)])) -
                          scores.quantization.zero_point())
                : reinterpret_cast<const float*>(stored.data())[i];
  }
  return result;
}

double label_agreement(const Tensor& a, const Tensor& b) {
  return (a.argmax(3) == b.argmax(3)).to(torch::kDouble).mean().item<double>();
}

TEST(GraphNetwork, TheExportedGraphGivesTheSameScores) {
  for (const BatchNorm batch_norm : {BatchNorm::kNone, BatchNorm::kFrozen}) {
    NetworkOptions options;
    options.width = options.height = 65;
    options.decoder = Decoder::kRefine;
    options.aspp_rates = {2, 4};
    const auto graph = build_network(options, 7);
    ASSERT_TRUE(graph.ok()) << graph.status().message();
    auto network = GraphNetwork::create(*graph, 65, 65, batch_norm);
    ASSERT_TRUE(network.ok()) << network.status().message();
    torch::NoGradGuard no_grad;
    for (size_t i = 0; i < network->buffers().size(); i += 2) {
      network->buffers()[i] += 0.1;
      network->buffers()[i + 1] *= 1.2;
    }
    const Tensor picture = noise_picture(65);
    const Tensor ours = network->forward(picture, false);
    const Tensor engine = engine_scores(network->export_graph(network->values()), picture);
    EXPECT_LT((ours - engine).abs().max().item<double>(), 1e-4 * engine.abs().max().item<double>());
    EXPECT_GE(label_agreement(ours, engine), 0.995);
  }
}

TEST(GraphNetwork, FakeQuantizationGivesTheInt8GraphsLabels) {
  NetworkOptions options;
  options.width = options.height = 65;
  options.depth_multiplier = 0.25;
  options.decoder = Decoder::kRefine;
  const auto built = build_network(options, 7);
  ASSERT_TRUE(built.ok()) << built.status().message();
  auto network = GraphNetwork::create(*built, 65, 65, BatchNorm::kNone);
  ASSERT_TRUE(network.ok()) << network.status().message();
  torch::NoGradGuard no_grad;
  const graph::Graph graph = network->export_graph(network->values());
  const Tensor picture = noise_picture(65);
  quantize::Samples samples;
  samples.count = 1;
  samples.load = [&](size_t, std::span<float> input) {
    std::memcpy(input.data(), picture.data_ptr<float>(), input.size() * sizeof(float));
    return Status();
  };
  const auto statistics =
      quantize::collect_statistics(graph, quantize::range_sources(graph), samples, {});
  ASSERT_TRUE(statistics.ok()) << statistics.status().message();
  const auto int8 =
      quantize::quantize_graph(graph, quantize::choose_ranges(graph, *statistics, {}), {});
  ASSERT_TRUE(int8.ok()) << int8.status().message();

  const Tensor exact = network->forward(picture, false);
  network->set_fake_quantization(fake_quantization(*int8, graph.tensors.size()));
  const Tensor ours = network->forward(picture, false);
  const Tensor engine = engine_scores(*int8, picture);
  EXPECT_GE(label_agreement(ours, engine), 0.99);
  // The rounding is really there, and is the engine's: far closer to it than float is.
  EXPECT_LT((ours - engine).abs().mean().item<double>(),
            0.2 * (exact - engine).abs().mean().item<double>());
}

TEST(GraphNetwork, RefusesWhatItCannotTrainByName) {
  NetworkOptions options;
  options.output_stride = 32;
  EXPECT_NE(build_network(options, 1).status().message().find("output stride 32"),
            std::string::npos);
  options.output_stride = 16;
  options.classes = 256;
  EXPECT_NE(build_network(options, 1).status().message().find("256 classes"), std::string::npos);
}

TEST(CopyWeights, APublishedFileFillsEveryLayerOfItsOwnKind) {
  DEEPLAB_NEEDS_TEST_DATA();
  const std::string path =
      deeplab::testing::test_data("models/deeplabv3_mnv2_dm05_pascal_quant.tflite");
  const auto bytes = read_file(path, 1 << 30);
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  const auto file = tflite::read_model(*bytes, path);
  ASSERT_TRUE(file.ok());
  const auto source = quantize::dequantize_graph(file->graph);
  ASSERT_TRUE(source.ok()) << source.status().message();
  auto target = build_network({}, 1);
  ASSERT_TRUE(target.ok());
  const auto left = copy_weights(*source, *target);
  ASSERT_TRUE(left.ok()) << left.status().message();
  EXPECT_TRUE(left->empty());

  // The same function: a split projection is a concatenation written differently.
  graph::Graph small_source = *source;
  graph::Graph small_target = *target;
  ASSERT_TRUE(graph::resize_input(small_source, 129, 129).ok());
  ASSERT_TRUE(graph::resize_input(small_target, 129, 129).ok());
  const Tensor picture = noise_picture(129);
  const Tensor a = engine_scores(small_source, picture);
  const Tensor b = engine_scores(small_target, picture);
  EXPECT_LT((a - b).abs().max().item<double>(), 1e-3 * a.abs().max().item<double>());
}

}  // namespace
}  // namespace deeplab::train
