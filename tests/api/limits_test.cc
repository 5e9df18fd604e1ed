// Models that are made to exhaust the machine: each is read and planned, or refused with one
// sentence, within a second and a gigabyte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>

#include "api/segmenter.h"
#include "deeplab/deeplab.hpp"
#include "tests/graph/graph_builder.h"
#include "tests/sanitizers.h"
#include "tflite/writer.h"

namespace deeplab::api {
namespace {

using graph::DataType;
using graph::TensorId;
using testing::GraphBuilder;
using ::testing::HasSubstr;
using testing::per_tensor;

// Instrumented code is several times slower.
constexpr double kMostSeconds = testing::kSanitizer ? 10 : 1;

std::vector<std::byte> file_of(graph::Graph graph) {
  tflite::ModelFile file;
  file.graph = std::move(graph);
  auto bytes = tflite::write_model(file);
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  return bytes.ok() ? *bytes : std::vector<std::byte>();
}

/// The peak of the process so far, in bytes.
int64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{usage.ru_maxrss} * 1024;
}

/// Loads and plans the model, within its time and memory.
Status prepare(const std::vector<std::byte>& file, const SegmenterOptions& given = {}) {
  SegmenterOptions options = given;
  options.threads = 2;
  const int64_t before = peak_memory();
  const auto start = std::chrono::steady_clock::now();
  const Status status = [&] {
    const auto model = Model::parse(file, "hostile");
    return model.ok() ? Segmenter::create(*model, options).status() : model.status();
  }();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_LT(seconds.count(), kMostSeconds);
  EXPECT_LT(peak_memory() - before, int64_t{1} << 30);
  if (!status.ok()) {
    EXPECT_THAT(status.message(), HasSubstr("hostile"));
  }
  return status;
}

/// `count` times the op that `next` appends to the last tensor.
template <typename Next>
std::vector<std::byte> chain(int count, graph::Shape shape, const Next& next) {
  GraphBuilder b;
  TensorId x = b.input(DataType::kFloat32, std::move(shape));
  for (int i = 0; i < count; ++i) x = next(b, x);
  return file_of(b.build({x}));
}

constexpr int kMostOps = 1 << 12;

TEST(HostileModel, AsManyOpsAsAreAllowed) {
  const graph::Shape pixel = {1, 2, 2, 3};
  const auto relu = [](GraphBuilder& b, TensorId x) {
    return b.op(graph::Relu6{}, {x}, DataType::kFloat32);
  };
  EXPECT_TRUE(prepare(chain(kMostOps, pixel, relu)).ok());
  EXPECT_THAT(prepare(chain(kMostOps + 1, pixel, relu)).message(), HasSubstr("4097 ops"));
  const auto reshape = [&](GraphBuilder& b, TensorId x) {
    return b.op(graph::Reshape{pixel}, {x}, DataType::kFloat32);
  };
  EXPECT_TRUE(prepare(chain(kMostOps, pixel, reshape)).ok());
  int turn = 0;
  const auto there_and_back = [&](GraphBuilder& b, TensorId x) {
    return ++turn % 2 == 1
               ? b.op(graph::SpaceToBatchNd{2, 2, {0, 0}, {0, 0}}, {x}, DataType::kFloat32)
               : b.op(graph::BatchToSpaceNd{2, 2, {0, 0}, {0, 0}}, {x}, DataType::kFloat32);
  };
  EXPECT_TRUE(prepare(chain(kMostOps, pixel, there_and_back)).ok());
  const auto pad = [](GraphBuilder& b, TensorId x) {
    return b.op(graph::Pad{{{0, 0}, {0, 1}, {0, 0}, {0, 0}}}, {x}, DataType::kFloat32);
  };
  EXPECT_TRUE(prepare(chain(kMostOps, pixel, pad)).ok());
}

TEST(HostileModel, OpsWithManyInputs) {
  const auto join = [](GraphBuilder& b, TensorId x) {
    const TensorId all =
        b.op(graph::Concatenation{1}, std::vector<TensorId>(1000, x), DataType::kFloat32);
    return b.op(graph::Mean{{1}, true}, {all}, DataType::kFloat32);
  };
  EXPECT_THAT(prepare(chain(1000, {1, 1, 1, 3}, join)).message(), HasSubstr("inputs"));
}

TEST(HostileModel, OneFilterUsedManyTimes) {
  GraphBuilder b;
  TensorId x = b.input(DataType::kFloat32, {1, 1, 1, 3});
  const TensorId wide = b.constant(DataType::kFloat32, {1024, 1, 1, 3}, 0.5f);
  const TensorId filter = b.constant(DataType::kFloat32, {1024, 1, 1, 1024}, 0.5f);
  x = b.op(graph::Conv2D{}, {x, wide}, DataType::kFloat32);
  for (int i = 0; i < 1000; ++i) x = b.op(graph::Conv2D{}, {x, filter}, DataType::kFloat32);
  EXPECT_THAT(prepare(file_of(b.build({x}))).message(), HasSubstr("weights"));
}

// Panels of 64 channels for one channel each.
TEST(HostileModel, FiltersThatPackBadly) {
  GraphBuilder b;
  TensorId x = b.input(DataType::kFloat32, {1, 1, 1, 3});
  const TensorId narrow = b.constant(DataType::kFloat32, {1, 1, 1, 3}, 0.5f);
  const TensorId wide = b.constant(DataType::kFloat32, {3, 1, 1, 1}, 0.5f);
  for (int i = 0; i < kMostOps / 2; ++i) {
    x = b.op(graph::Conv2D{}, {x, narrow}, DataType::kFloat32);
    x = b.op(graph::Conv2D{}, {x, wide}, DataType::kFloat32);
  }
  EXPECT_TRUE(prepare(file_of(b.build({x}))).ok());
}

// The deepest products have no fast kernel: blocks of them cannot be fused.
TEST(HostileModel, BlocksThatNoStepRuns) {
  constexpr int32_t kDeep = (1 << 15) + 1;
  GraphBuilder b;
  TensorId x = b.input(DataType::kFloat32, {1, 1, 1, 3});
  const TensorId expand = b.constant(DataType::kFloat32, {kDeep, 1, 1, 3}, 0.5f);
  const TensorId depthwise = b.constant(DataType::kFloat32, {1, 1, 1, kDeep}, 0.5f);
  const TensorId project = b.constant(DataType::kFloat32, {3, 1, 1, kDeep}, 0.5f);
  for (int i = 0; i < 20; ++i) {
    x = b.op(graph::Conv2D{}, {x, expand}, DataType::kFloat32);
    x = b.op(graph::DepthwiseConv2D{}, {x, depthwise}, DataType::kFloat32);
    x = b.op(graph::Conv2D{}, {x, project}, DataType::kFloat32);
  }
  EXPECT_TRUE(prepare(file_of(b.build({x}))).ok());
}

// As many classes as columns: a mask of another canvas would have ids that the model does not know.
TEST(HostileModel, ClassesThatAreColumns) {
  GraphBuilder b;
  const TensorId x = b.input(DataType::kFloat32, {1, 8, 6, 3});
  const TensorId turned = b.op(graph::Transpose{{0, 1, 3, 2}}, {x}, DataType::kFloat32);
  const auto file = file_of(b.build({b.op(graph::Relu{}, {turned}, DataType::kFloat32)}));
  EXPECT_TRUE(prepare(file).ok());
  SegmenterOptions options;
  options.height = 8;
  options.width = 12;
  EXPECT_THAT(prepare(file, options).message(),
              HasSubstr("on a canvas of 12x8 it would have 12 classes instead of 6"));
}

TEST(HostileModel, PicturesOutOfNothing) {
  const auto grown = [](graph::Attributes grow) {
    GraphBuilder b;
    const TensorId x = b.input(DataType::kInt8, {1, 1, 1, 3}, per_tensor(1, 0));
    TensorId y = b.op(std::move(grow), {x}, DataType::kInt8, per_tensor(1, 0));
    // Interpolation after the scores is not the network's: this op keeps it inside.
    y = b.op(graph::Pad{{{0, 0}, {0, 1}, {0, 0}, {0, 0}}}, {y}, DataType::kInt8, per_tensor(1, 0));
    return file_of(b.build({y}));
  };
  const std::string much = "limit of 1073741824 bytes";
  EXPECT_THAT(prepare(grown(graph::ResizeBilinear{16384, 16384, true, false})).message(),
              HasSubstr(much));
  EXPECT_THAT(prepare(grown(graph::ResizeNearestNeighbor{16384, 16384, false, false})).message(),
              HasSubstr(much));
  EXPECT_THAT(prepare(grown(graph::Tile{{1, 16384, 16384, 1}})).message(), HasSubstr(much));
  EXPECT_THAT(prepare(grown(graph::Pad{{{0, 0}, {0, 16383}, {0, 16383}, {0, 0}}})).message(),
              HasSubstr(much));
}

TEST(HostileModel, WorkThatShowsInNoSize) {
  GraphBuilder b;
  const TensorId x = b.input(DataType::kFloat32, {1, 4096, 4096, 3});
  graph::AveragePool2D pool;
  pool.filter_h = pool.filter_w = 4096;
  TensorId y = b.op(pool, {x}, DataType::kFloat32);
  EXPECT_THAT(prepare(file_of(b.build({y}))).message(), HasSubstr("multiply-accumulates"));
}

TEST(Limits, AreTheCallersToSet) {
  const auto file = file_of(testing::small_deeplab(DataType::kInt8));
  const auto model = deeplab::Model::load(std::span(file));
  ASSERT_TRUE(model.ok()) << model.status().message();
  const auto code = [&](int64_t bytes, int64_t macs) {
    deeplab::Options options;
    options.threads = 1;
    options.max_memory_bytes = bytes;
    options.max_macs = macs;
    return deeplab::Segmenter::create(*model, options).status().code();
  };
  EXPECT_EQ(code(0, 0), StatusCode::kOk);
  EXPECT_EQ(code(1 << 20, 1 << 20), StatusCode::kOk);
  EXPECT_EQ(code(1 << 12, 0), StatusCode::kResourceExhausted);
  EXPECT_EQ(code(0, 1000), StatusCode::kResourceExhausted);
  EXPECT_EQ(code(-1, 0), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(0, -1), StatusCode::kInvalidArgument);
  // Segmenters of one canvas share a plan, but not their limits.
  deeplab::Options one;
  one.threads = 1;
  const auto keep = deeplab::Segmenter::create(*model, one);
  ASSERT_TRUE(keep.ok());
  EXPECT_EQ(code(1 << 12, 0), StatusCode::kResourceExhausted);
}

// A file of more than the default may be read, and runs for a caller who raises the limit.
TEST(Limits, MayBeRaised) {
  GraphBuilder b;
  const TensorId x = b.input(DataType::kInt8, {1, 1, 1, 3}, per_tensor(1, 0));
  TensorId y = b.op(graph::Tile{{1, 16384, 16384, 1}}, {x}, DataType::kInt8, per_tensor(1, 0));
  y = b.op(graph::Relu6{}, {y}, DataType::kInt8, per_tensor(1, 0));
  y = b.op(graph::AveragePool2D{{graph::Padding::kValid, 4096, 1024}, 4096, 1024}, {y},
           DataType::kInt8, per_tensor(1, 0));
  const auto file = file_of(b.build({y}));
  SegmenterOptions raised;
  raised.max_memory_bytes = int64_t{3} << 30;
  EXPECT_TRUE(prepare(file, raised).ok());
  EXPECT_EQ(prepare(file).code(), StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace deeplab::api
