// The naive executor with TensorFlow Lite's rounding on the unfused graph, against the tensors
// and label maps that TensorFlow Lite's reference kernels gave.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "exec/naive_executor.h"
#include "passes/shift_uint8.h"
#include "tests/exec/golden_data.h"
#include "tests/padded_canvas.h"
#include "tests/samples/samples.h"
#include "tflite/zip.h"

namespace deeplab::exec {
namespace {

using graph::DataType;
using graph::Graph;
using graph::Tensor;

/// The graph as the file has it, except for the shift to int8.
std::unique_ptr<NaiveExecutor> naive_executor(Graph graph, kernels::Rounding rounding) {
  const Status shifted = passes::shift_uint8(graph);
  EXPECT_TRUE(shifted.ok()) << shifted.message();
  auto executor = NaiveExecutor::create(std::move(graph), rounding);
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  return executor.ok() ? std::move(*executor) : nullptr;
}

/// A model of the test data in TensorFlow Lite's rounding.
std::unique_ptr<NaiveExecutor> golden_executor(const std::string& model) {
  return naive_executor(testing::read_test_model(model), kernels::Rounding::kTfLite);
}

/// Writes 8-bit RGB into input 0 as its type has it: float pixel / 127.5 - 1, or pixel - 128 in
/// the engine's int8 (which is the raw pixel of a uint8 file).
void set_pixels(NaiveExecutor& executor, const std::vector<uint8_t>& pixels) {
  const graph::TensorId id = executor.graph().inputs[0];
  const std::span<std::byte> input = executor.tensor(id);
  const Tensor& tensor = executor.graph().tensor(id);
  ASSERT_EQ(static_cast<size_t>(tensor.elements()), pixels.size());
  if (tensor.type == DataType::kFloat32) {
    auto* values = reinterpret_cast<float*>(input.data());
    for (size_t i = 0; i < pixels.size(); ++i) {
      values[i] = static_cast<float>(pixels[i]) / 127.5f - 1.0f;
    }
  } else {
    for (size_t i = 0; i < pixels.size(); ++i) input[i] = std::byte{pixels[i]} ^ std::byte{0x80};
  }
}

/// An op's output in the type that the file gives it.
std::vector<std::byte> file_bytes(NaiveExecutor& executor, graph::TensorId id) {
  const std::span<std::byte> stored = executor.tensor(id);
  std::vector<std::byte> bytes(stored.begin(), stored.end());
  if (executor.graph().tensor(id).file_type == DataType::kUInt8) {
    for (std::byte& value : bytes) value ^= std::byte{0x80};
  }
  return bytes;
}

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

/// Runs `model` on `image`, then calls check(op, golden, got, stored) for every stored tensor.
/// Op, type and shape are compared for all of them.
template <typename Check>
void for_each_golden(const std::string& model, const std::string& image,
                     const std::string& directory, size_t expected_tensors, const Check& check) {
  const std::unique_ptr<NaiveExecutor> executor = golden_executor(model);
  ASSERT_NE(executor, nullptr);
  set_pixels(*executor, testing::read_test_image(image).pixels);
  executor->run();
  const Graph& graph = executor->graph();
  const auto index = testing::read_golden_index(directory);
  ASSERT_EQ(index.size(), graph.ops.size());
  size_t compared = 0;
  for (const testing::GoldenTensor& golden : index) {
    const graph::Op& op = graph.ops[static_cast<size_t>(golden.op)];
    EXPECT_EQ(op.index, golden.op);
    const Tensor& tensor = graph.tensor(op.output());
    SCOPED_TRACE(graph::op_label(op));
    EXPECT_EQ(graph::op_name(op.attributes), golden.op_name);
    EXPECT_EQ(upper(graph::type_name(tensor.file_type)), golden.type);
    EXPECT_EQ(graph::shape_text(tensor.shape), golden.shape);
    if (golden.file == "-") continue;
    const std::vector<std::byte> stored = testing::read_test_file(directory + "/" + golden.file);
    const std::vector<std::byte> got = file_bytes(*executor, op.output());
    ASSERT_EQ(got.size(), stored.size());
    check(got, stored);
    ++compared;
  }
  EXPECT_EQ(compared, expected_tensors);
}

void expect_same_bytes(const std::vector<std::byte>& got, const std::vector<std::byte>& stored) {
  const auto [a, b] = std::mismatch(got.begin(), got.end(), stored.begin());
  if (a == got.end()) return;
  int64_t different = 0;
  for (size_t i = 0; i < got.size(); ++i) different += got[i] != stored[i];
  ADD_FAILURE() << different << " of " << got.size() << " bytes differ, the first at "
                << a - got.begin() << ": got " << std::to_integer<int>(*a) << ", stored "
                << std::to_integer<int>(*b);
}

TEST(Golden, UInt8TensorsAreByteIdentical) {
  DEEPLAB_NEEDS_TEST_DATA();
  for_each_golden("deeplabv3_mnv2_dm05_pascal_quant.tflite", "golden/dog_513.png",
                  "golden/dog_dm05_u8", 50, expect_same_bytes);
}

TEST(Golden, Int8TensorsAreByteIdentical) {
  DEEPLAB_NEEDS_TEST_DATA();
  for_each_golden("deeplabv3_mnv2_dm05_int8_f32io.tflite", "golden/dog_513.png",
                  "golden/dog_dm05_int8_f32io", 50, expect_same_bytes);
}

// The original page's own file, and what of its 113 ops is stored.
TEST(Golden, ThePagesTensorsAreByteIdentical) {
  DEEPLAB_NEEDS_TEST_DATA();
  for_each_golden("tfhub_deeplabv3_mnv2_dm05_int8.tflite", "golden/dog_513.png",
                  "golden/dog_tfhub_int8", 21, expect_same_bytes);
}

/// The lowest of the classes with the highest score, for each pixel.
std::vector<uint8_t> labels_of(NaiveExecutor& executor) {
  const graph::TensorId id = executor.graph().outputs[0];
  const Tensor& output = executor.graph().tensor(id);
  EXPECT_EQ(output.type, DataType::kFloat32);
  const auto classes = static_cast<size_t>(output.shape[3]);
  const auto* scores = reinterpret_cast<const float*>(executor.tensor(id).data());
  std::vector<uint8_t> labels(static_cast<size_t>(output.elements()) / classes);
  for (size_t i = 0; i < labels.size(); ++i) {
    const float* pixel = scores + i * classes;
    labels[i] = static_cast<uint8_t>(std::max_element(pixel, pixel + classes) - pixel);
  }
  return labels;
}

size_t count_different(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  EXPECT_EQ(a.size(), b.size());
  size_t different = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) different += a[i] != b[i];
  return different;
}

// Its float16 parent. TensorFlow Lite's own float kernels sum in another order, so scores may
// differ in their last bits.
TEST(Golden, ThePagesFloat16ParentHasTheSameLabelsAndNearlyTheSameScores) {
  DEEPLAB_NEEDS_TEST_DATA();
  const std::string directory = "golden/dog_tfhub_float16";
  const auto executor = golden_executor("tfhub_deeplabv3_mnv2_dm05_float16.tflite");
  ASSERT_NE(executor, nullptr);
  set_pixels(*executor, testing::read_test_image("golden/dog_513.png").pixels);
  executor->run();
  const auto golden = imageio::read_label_png(testing::test_data(directory + "/labels.png"));
  ASSERT_TRUE(golden.ok()) << golden.status().message();
  EXPECT_EQ(count_different(labels_of(*executor), golden->pixels), 0u);

  // NumPy's file ends with the numbers of every 8th row and column.
  const std::vector<std::byte> file = testing::read_test_file(directory + "/scores_every_8th.npy");
  constexpr size_t kSide = 65;
  constexpr size_t kClasses = 21;
  constexpr size_t kCount = kSide * kSide * kClasses;
  ASSERT_GT(file.size(), kCount * sizeof(float));
  std::vector<float> expected(kCount);
  std::memcpy(expected.data(), file.data() + file.size() - kCount * sizeof(float),
              kCount * sizeof(float));
  const auto* scores =
      reinterpret_cast<const float*>(executor->tensor(executor->graph().outputs[0]).data());
  float largest = 0;
  for (float score : expected) largest = std::max(largest, std::abs(score));
  for (size_t i = 0; i < kCount; ++i) {
    const size_t pixel = i / kClasses;
    const size_t at = (pixel / kSide * 8 * 513 + pixel % kSide * 8) * kClasses + i % kClasses;
    ASSERT_NEAR(scores[at], expected[i], 1e-4f * largest) << i;
  }
}

// Float sums keep TensorFlow Lite's order too, and no compiler flag lets a multiplication and an
// addition melt together: nothing is left to differ.
TEST(Golden, FloatTensorsAreByteIdentical) {
  DEEPLAB_NEEDS_TEST_DATA();
  for_each_golden("deeplabv3_257_mv_gpu.tflite", "golden/dog_257.png", "golden/dog_257_float", 30,
                  expect_same_bytes);
}

/// The array of a .npz file of one: floats, of this many.
std::vector<std::byte> npz_floats(const std::string& relative, size_t count) {
  const auto entry =
      tflite::read_zip_entry(testing::read_test_file(relative), "output.npy", 1 << 24);
  EXPECT_TRUE(entry.ok() && entry->has_value()) << relative;
  if (!entry.ok() || !entry->has_value()) return {};
  const std::span<const std::byte> bytes = std::as_bytes(std::span(**entry));
  EXPECT_NE((*entry)->find("'descr': '<f4', 'fortran_order': False"), std::string::npos);
  EXPECT_GE(bytes.size(), count * sizeof(float));  // After a header.
  const auto values = bytes.last(std::min(bytes.size(), count * sizeof(float)));
  return {values.begin(), values.end()};
}

// int8 filters, float activations: the input is quantized while it runs, in float32 numbers that
// leave nothing open, so that even the floats of the result are the same.
TEST(Golden, DynamicRangeScoresAreByteIdentical) {
  DEEPLAB_NEEDS_TEST_DATA();
  const std::unique_ptr<NaiveExecutor> executor =
      golden_executor("../faults/models/hybrid_dynamic_range.tflite");
  ASSERT_NE(executor, nullptr);
  set_pixels(*executor, testing::read_test_image("faults/dog33.png").pixels);
  executor->run();
  const graph::TensorId output = executor->graph().outputs[0];
  const std::vector<std::byte> got = file_bytes(*executor, output);
  expect_same_bytes(
      got, npz_floats("faults/models/hybrid_dynamic_range.0.npz", got.size() / sizeof(float)));
}

/// Each op on the inputs that TensorFlow Lite's rounding gave: a step may differ by one, and few
/// do.
void expect_within_one_step(const std::string& model) {
  const std::unique_ptr<NaiveExecutor> tflite =
      naive_executor(testing::read_model(model), kernels::Rounding::kTfLite);
  const std::unique_ptr<NaiveExecutor> engine =
      naive_executor(testing::read_model(model), kernels::Rounding::kEngine);
  ASSERT_TRUE(tflite != nullptr && engine != nullptr);
  set_pixels(*tflite, testing::padded_canvas(testing::read_photo(testing::kCatPhoto)));
  tflite->run();
  int64_t values = 0;
  int64_t different = 0;
  for (int step = 0; step < tflite->step_count(); ++step) {
    const graph::Op& op = tflite->graph().ops[static_cast<size_t>(step)];
    SCOPED_TRACE(graph::op_label(op));
    for (graph::TensorId id : op.inputs) {
      if (id == graph::kNoTensor || tflite->tensor(id).empty()) continue;
      std::ranges::copy(tflite->tensor(id), engine->tensor(id).begin());
    }
    engine->run_step(step);
    const std::span<const std::byte> a = tflite->tensor(op.output());
    const std::span<const std::byte> b = engine->tensor(op.output());
    if (tflite->graph().tensor(op.output()).type != DataType::kInt8) {
      EXPECT_TRUE(std::ranges::equal(a, b));
      continue;
    }
    int worst = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      const int difference = std::abs(static_cast<int8_t>(a[i]) - static_cast<int8_t>(b[i]));
      worst = std::max(worst, difference);
      different += difference != 0;
    }
    values += static_cast<int64_t>(a.size());
    EXPECT_LE(worst, 1);
  }
  // Measured: 0.967 for the uint8 file and 0.992 for the int8 ones. What differs is TensorFlow
  // Lite's second rounding, upwards after an upward one, if the shift to the right is short.
  const double exact = 1 - static_cast<double>(different) / static_cast<double>(values);
  ::testing::Test::RecordProperty("exact_share", std::to_string(exact));
  EXPECT_GT(exact, 0.96);
}

TEST(EngineRounding, IsWithinOneStepOfTfLiteOpByOp) {
  for (const std::string& model :
       {testing::kUint8Labels, testing::kInt8FloatIo, testing::kInt8Dilated}) {
    SCOPED_TRACE(model);
    expect_within_one_step(model);
  }
}

/// The ids of the golden label maps of a model, sorted: all 20 with DEEPLAB_FULL_TESTS=1, else
/// three spread over them.
std::vector<std::string> label_map_ids(const std::string& directory) {
  std::vector<std::string> ids;
  for (const auto& entry : std::filesystem::directory_iterator(testing::test_data(directory))) {
    ids.push_back(entry.path().stem().string());
  }
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(ids.size(), 20u);
  if (ids.size() != 20) return {};
  const char* full = std::getenv("DEEPLAB_FULL_TESTS");
  if (full != nullptr && std::string_view(full) == "1") return ids;
  return {ids[0], ids[9], ids[19]};
}

/// The labels that the file itself gives, or the highest of its scores.
std::vector<uint8_t> label_map(NaiveExecutor& executor) {
  const graph::TensorId id = executor.graph().outputs[0];
  if (executor.graph().tensor(id).type == DataType::kFloat32) return labels_of(executor);
  EXPECT_EQ(executor.graph().tensor(id).type, DataType::kInt64);
  const auto* labels = reinterpret_cast<const int64_t*>(executor.tensor(id).data());
  std::vector<uint8_t> map(executor.tensor(id).size() / sizeof(int64_t));
  std::transform(labels, labels + map.size(), map.begin(),
                 [](int64_t label) { return static_cast<uint8_t>(label); });
  return map;
}

TEST(Golden, LabelMapsAreIdentical) {
  DEEPLAB_NEEDS_TEST_DATA();
  const std::pair<const char*, const char*> models[] = {
      {"deeplabv3_mnv2_dm05_pascal_quant", "deeplabv3_mnv2_dm05_pascal_quant"},
      {"deeplabv3_mnv2_dm05_int8_labels", "deeplabv3_mnv2_dm05_int8_labels"},
      {"deeplabv3_mnv2_pascal_quant", "deeplabv3_mnv2_pascal_quant"},
      // Its maps were made from the float scores, outside the graph.
      {"tfhub_deeplabv3_mnv2_dm05_int8", "tfhub_dm05_int8"}};
  for (const auto& [model, maps] : models) {
    SCOPED_TRACE(model);
    const std::string directory = std::string("golden/labels_pad513/") + maps;
    const std::vector<std::string> ids = label_map_ids(directory);
    ASSERT_FALSE(ids.empty());
    const auto executor = golden_executor(std::string(model) + ".tflite");
    ASSERT_NE(executor, nullptr);
    for (const std::string& id : ids) {
      SCOPED_TRACE(id);
      const auto golden =
          imageio::read_label_png(testing::test_data(directory + "/" + id + ".png"));
      ASSERT_TRUE(golden.ok()) << golden.status().message();
      set_pixels(*executor, testing::padded_canvas(
                                testing::read_test_image("voc2012/JPEGImages/" + id + ".jpg")));
      executor->run();
      EXPECT_EQ(count_different(label_map(*executor), golden->pixels), 0u);
    }
  }
}

}  // namespace
}  // namespace deeplab::exec
