// Damaged files: each is read or refused with one line, quickly. Under the sanitizers this is
// also the proof that nothing is touched that should not be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "base/file.h"
#include "tests/samples/samples.h"
#include "tests/tflite/metadata_builder.h"
#include "tests/tflite/zip_writer.h"
#include "tflite/reader.h"

namespace deeplab::tflite {
namespace {

using ::deeplab::testing::ModelBuilder;
using ::deeplab::testing::small_int8_model;

/// What must hold for any bytes at all. Returns whether they were a model.
bool survives(std::span<const std::byte> bytes) {
  const auto start = std::chrono::steady_clock::now();
  const auto file = read_model(bytes, "file");
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_LT(seconds.count(), 1.0);
  if (file.ok()) {
    EXPECT_TRUE(graph::validate(file->graph).ok());
    EXPECT_FALSE(graph::dump(file->graph).empty());
    return true;
  }
  const Status status = file.status();
  EXPECT_TRUE(status.code() == StatusCode::kInvalidModel ||
              status.code() == StatusCode::kUnsupported ||
              status.code() == StatusCode::kResourceExhausted)
      << status.message();
  EXPECT_TRUE(status.message().starts_with("file: ")) << status.message();
  EXPECT_EQ(status.message().find('\n'), std::string::npos) << status.message();
  EXPECT_LT(status.message().size(), 1000u) << status.message();
  return false;
}

std::vector<std::byte> small_model_with_labels() {
  ModelBuilder b = small_int8_model();
  testing::set_metadata(b, testing::sample_metadata("labels.txt"));
  auto bytes = b.build();
  testing::append_zip(bytes, {{"labels.txt", "background\ndog\ncat\n", true}});
  return bytes;
}

/// Flips 1 to `most` bytes, `rounds` times; returns how many of the files were still models.
int flip(const std::vector<std::byte>& original, unsigned seed, int rounds, int most) {
  std::mt19937 random(seed);
  std::vector<std::byte> bytes = original;
  int models = 0;
  for (int round = 0; round < rounds; ++round) {
    std::vector<size_t> touched;
    const auto flips = 1 + static_cast<int>(random() % static_cast<unsigned>(most));
    for (int i = 0; i < flips; ++i) {
      const size_t at = random() % bytes.size();
      // Small changes, extremes and noise: each finds other mistakes.
      const auto kind = random() % 4;
      const auto old = std::to_integer<uint32_t>(bytes[at]);
      const uint32_t value = kind == 0   ? old ^ (1u << (random() % 8))
                             : kind == 1 ? 0xFF
                             : kind == 2 ? 0
                                         : static_cast<uint32_t>(random());
      bytes[at] = static_cast<std::byte>(value);
      touched.push_back(at);
    }
    models += survives(bytes);
    if (::testing::Test::HasFailure()) {
      ADD_FAILURE() << "seed " << seed << ", round " << round;
      return models;
    }
    for (size_t at : touched) bytes[at] = original[at];
  }
  return models;
}

TEST(Hostile, TruncatedAnywhere) {
  const auto bytes = small_model_with_labels();
  ASSERT_TRUE(survives(bytes));
  for (size_t size = 0; size < bytes.size(); ++size) {
    // Its own allocation, so that reading past the end is seen.
    const std::vector<std::byte> cut(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size));
    survives(cut);
  }
}

TEST(Hostile, BytesFlipped) {
  const auto bytes = small_model_with_labels();
  const int single = flip(bytes, 1, 8000, 1);
  const int several = flip(bytes, 2, 4000, 8);
  // Both outcomes must occur, or the damage is not where it should be.
  EXPECT_GT(single, 800);
  EXPECT_LT(single, 7200);
  EXPECT_LT(several, single / 2);
}

TEST(Hostile, EveryWordReplaced) {
  const auto original = small_model_with_labels();
  auto bytes = original;
  for (size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    for (const uint32_t value : {0u, 1u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu, 0x10000u}) {
      std::memcpy(bytes.data() + at, &value, 4);
      survives(bytes);
    }
    std::memcpy(bytes.data() + at, original.data() + at, 4);
  }
}

TEST(Hostile, Noise) {
  std::mt19937 random(3);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::byte> bytes(random() % 600);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random());
    if (bytes.size() >= 8) std::memcpy(bytes.data() + 4, "TFL3", 4);
    EXPECT_FALSE(survives(bytes));
  }
}

/// A chain of additions whose constants are `count` buffers over one and the same vector.
std::vector<std::byte> shared_vector_bomb(int32_t count, int32_t size) {
  namespace fb = flatbuffers;
  fb::FlatBufferBuilder b;
  const auto data = b.CreateVector(std::vector<uint8_t>(static_cast<size_t>(size)));
  std::vector<fb::Offset<schema::Buffer>> buffers = {schema::CreateBuffer(b)};
  for (int32_t i = 0; i < count; ++i) buffers.push_back(schema::CreateBuffer(b, data));
  std::vector<fb::Offset<schema::Tensor>> tensors;
  std::vector<fb::Offset<schema::Operator>> ops;
  const auto one = schema::CreateQuantizationParameters(
      b, 0, 0, b.CreateVector(std::vector<float>{1}), b.CreateVector(std::vector<int64_t>{0}));
  const auto shape = b.CreateVector(std::vector<int32_t>{1, 1, 1, size});
  const auto add_tensor = [&](int32_t buffer) {
    tensors.push_back(schema::CreateTensor(b, shape, schema::TensorType::INT8,
                                           static_cast<uint32_t>(buffer), 0, one));
    return static_cast<int32_t>(tensors.size() - 1);
  };
  int32_t x = add_tensor(0);
  for (int32_t i = 0; i < count; ++i) {
    const auto inputs = b.CreateVector(std::vector<int32_t>{x, add_tensor(i + 1)});
    x = add_tensor(0);
    ops.push_back(schema::CreateOperator(b, 0, inputs, b.CreateVector(std::vector<int32_t>{x})));
  }
  const auto ends = b.CreateVector(std::vector<int32_t>{0});
  const auto last = b.CreateVector(std::vector<int32_t>{x});
  const auto graph =
      schema::CreateSubGraph(b, b.CreateVector(tensors), ends, last, b.CreateVector(ops));
  const auto codes = b.CreateVector(std::vector{schema::CreateOperatorCode(b)});
  const auto graphs = b.CreateVector(std::vector{graph});
  schema::FinishModelBuffer(b,
                            schema::CreateModel(b, 3, codes, graphs, 0, b.CreateVector(buffers)));
  const auto bytes = std::as_bytes(std::span(b.GetBufferPointer(), b.GetSize()));
  return {bytes.begin(), bytes.end()};
}

TEST(Hostile, ASmallFileThatNamesOneVectorManyTimes) {
  EXPECT_TRUE(survives(shared_vector_bomb(3, 1 << 20)));
  const auto file = read_model(shared_vector_bomb(2000, 1 << 20), "file");
  ASSERT_FALSE(file.ok());
  EXPECT_THAT(file.status().message(), ::testing::HasSubstr("name more data"));
}

/// The small model with the zero point of its input at an address that is not a multiple of 8.
std::vector<std::byte> model_with_misaligned_zero_point(int64_t value) {
  std::vector<std::byte> bytes = small_int8_model().build();
  const size_t model_size = bytes.size();
  bytes.resize((model_size + 7) / 8 * 8 + 12);
  const size_t at = bytes.size() - 12;  // Length, element.
  const uint32_t one = 1;
  std::memcpy(&bytes[at], &one, sizeof one);
  std::memcpy(&bytes[at + 4], &value, sizeof value);
  const auto* graph = schema::GetModel(bytes.data())->subgraphs()->Get(0);
  const auto* input = graph->tensors()->Get(static_cast<uint32_t>(graph->inputs()->Get(0)));
  const auto* table = reinterpret_cast<const flatbuffers::Table*>(input->quantization());
  const auto* field = table->GetAddressOf(schema::QuantizationParameters::VT_ZERO_POINT);
  const auto from = reinterpret_cast<const std::byte*>(field) - bytes.data();
  const auto offset = static_cast<uint32_t>(static_cast<std::ptrdiff_t>(at) - from);
  std::memcpy(bytes.data() + from, &offset, sizeof offset);
  return bytes;
}

TEST(Hostile, ZeroPointsThatAreNotAligned) {
  const auto file = read_model(model_with_misaligned_zero_point(-7), "file");
  ASSERT_TRUE(file.ok()) << file.status().message();
  const graph::Graph& graph = file->graph;
  EXPECT_EQ(graph.tensor(graph.inputs[0]).quantization.zero_points, std::vector<int32_t>{-7});
}

TEST(Hostile, TooManyTensors) {
  ModelBuilder b = small_int8_model();
  for (int i = 0; i < 70000; ++i) b.activation(schema::TensorType::INT8, {1});
  const auto file = read_model(b.build(), "file");
  EXPECT_EQ(file.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(file.status().message(), ::testing::HasSubstr("at most 65536 and"));
}

TEST(Hostile, WholeFilesTruncatedAndFlipped) {
  unsigned seed = 10;
  for (const std::string& path : testing::kSampleModels) {
    SCOPED_TRACE(path);
    const auto bytes = read_file(path, 1 << 28);
    ASSERT_TRUE(bytes.ok());
    for (size_t i = 0; i < 16; ++i) {
      const std::vector<std::byte> cut(
          bytes->begin(), bytes->begin() + static_cast<ptrdiff_t>(bytes->size() * i / 16));
      EXPECT_FALSE(survives(cut));
    }
    // One byte in a few hundred is structure, the others are weights: flip many at a time.
    flip(*bytes, ++seed, 60, 1);
    flip(*bytes, ++seed, 60, 400);
  }
}

}  // namespace
}  // namespace deeplab::tflite
