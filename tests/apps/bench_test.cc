// deeplab bench: the numbers it gives, and that it gives none for a wrong output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <new>
#include <nlohmann/json.hpp>
#include <regex>
#include <span>

#include "apps/deeplab/bench/first.h"
#include "apps/deeplab/bench/measure.h"
#include "apps/deeplab/bench/verify.h"
#include "apps/deeplab/common/photos.h"
#include "base/file.h"
#include "imageio/reader.h"
#include "imageio/writer.h"
#include "peak/peak.h"
#include "tests/apps/program.h"
#include "tests/apps/read_npy.h"
#include "tests/graph/graph_builder.h"
#include "tests/samples/samples.h"
#include "tflite/writer.h"

namespace deeplab::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST(Spread, MedianExtremesAverageDeviationAndNearestRanks) {
  const app::Spread odd = app::spread_of({3, 1, 2});
  EXPECT_EQ(odd.median, 2);
  EXPECT_EQ(odd.min, 1);
  EXPECT_EQ(odd.max, 3);
  EXPECT_EQ(odd.p5, 1);
  EXPECT_EQ(odd.p95, 3);
  std::vector<double> hundred;
  for (int i = 100; i > 0; --i) hundred.push_back(i);
  const app::Spread even = app::spread_of(hundred);
  EXPECT_EQ(even.median, 50.5);
  EXPECT_EQ(even.p5, 5);
  EXPECT_EQ(even.p95, 95);
  EXPECT_EQ(even.average, 50.5);
  // The average is not the median here, and the deviation divides by 4, not by 3.
  const app::Spread skewed = app::spread_of({1, 1, 1, 9});
  EXPECT_EQ(skewed.average, 3);
  EXPECT_DOUBLE_EQ(skewed.deviation, std::sqrt((3 * 2.0 * 2.0 + 6.0 * 6.0) / 4));
  const app::Spread one = app::spread_of({7});
  EXPECT_EQ(one.p5, 7);
  EXPECT_EQ(one.p95, 7);
  EXPECT_EQ(one.average, 7);
  EXPECT_EQ(one.deviation, 0);
}

TEST(SyntheticPhoto, IsTheSameEveryTimeAndNotFlat) {
  const imageio::Image photo = app::synthetic_photo(65, 33);
  EXPECT_EQ(photo.pixels.size(), size_t{65} * 33 * 3);
  EXPECT_EQ(photo.pixels, app::synthetic_photo(65, 33).pixels);
  const auto [low, high] = std::ranges::minmax(photo.pixels);
  EXPECT_LT(low, 40);
  EXPECT_GT(high, 210);
}

TEST(Peak, EveryInstructionSetHasLoopsThatItRuns) {
  for (peak::Operands operands : {peak::Operands::kInt8, peak::Operands::kFloat32}) {
    for (Isa isa : available_isas()) {
      const peak::Loop& loop = peak::best_loop(isa, operands);
      EXPECT_TRUE(runs(isa, loop.isa)) << loop.name;
      const auto peak = app::peak_gmacs_per_s(isa, operands, 1);
      ASSERT_TRUE(peak.ok());
      EXPECT_GT(*peak, 0) << loop.name;
    }
  }
}

TEST(Peak, ALoopOfFloatsDependsOnEveryIteration) {
  // Each adds 3 * -2 to sums that begin at 0; a result holds the first lane of two sums or more.
  for (Isa isa : available_isas()) {
    const peak::Loop& loop = peak::best_loop(isa, peak::Operands::kFloat32);
    EXPECT_EQ(loop.run(0), 0) << loop.name;
    EXPECT_LE(loop.run(100), 2 * 100 * -6) << loop.name;
    EXPECT_EQ(loop.run(100), 100 * loop.run(1)) << loop.name;
  }
}

class Bench : public ::testing::Test {
 protected:
  const std::string model_ = kInt8Labels;
};

TEST_F(Bench, JsonHasTheKeysOfTheContract) {
  const ProgramRun run = run_deeplab({"bench", "-m", model_, "--threads", "1,2", "--runs", "3",
                                      "--size", "129", "--profile", "--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.err, IsEmpty());
  const std::vector<std::string> lines = lines_of(run.out);
  ASSERT_THAT(lines, SizeIs(2));
  const std::string isa(isa_name(*selected_isa()));
  for (int threads : {1, 2}) {
    const json bench = json::parse(lines[static_cast<size_t>(threads - 1)]);
    EXPECT_EQ(bench["model"], model_);
    EXPECT_EQ(bench["threads"], threads);
    EXPECT_EQ(bench["size"], "129x129");
    EXPECT_EQ(bench["photo_size"], "129x129");
    EXPECT_EQ(bench["isa"], isa);
    EXPECT_EQ(bench["runs"], 3);
    for (const char* key :
         {"load_ms", "naive_ms", "prepare_ms", "gmacs_per_s", "peak_rss_mib", "macs"}) {
      EXPECT_GT(bench[key], 0) << key;
    }
    EXPECT_EQ(bench["peak_operands"], "int8");
    // The peak is a measurement of its own: a busy machine may have bent it meanwhile.
    const double peak = bench["peak_gmacs_per_s"];
    EXPECT_GT(peak, 0);
    EXPECT_DOUBLE_EQ(bench["share_of_peak"], bench["gmacs_per_s"].get<double>() / peak);
    for (const char* stage :
         {"decode_ms", "input_ms", "infer_ms", "labels_ms", "total_ms", "write_ms"}) {
      EXPECT_GT(bench[stage]["min"], 0) << stage;
      EXPECT_LE(bench[stage]["min"], bench[stage]["p5"]) << stage;
      EXPECT_LE(bench[stage]["p5"], bench[stage]["median"]) << stage;
      EXPECT_LE(bench[stage]["median"], bench[stage]["p95"]) << stage;
      EXPECT_LE(bench[stage]["p95"], bench[stage]["max"]) << stage;
      EXPECT_LE(bench[stage]["min"], bench[stage]["average"]) << stage;
      EXPECT_LE(bench[stage]["average"], bench[stage]["max"]) << stage;
      EXPECT_GE(bench[stage]["std"], 0) << stage;
      EXPECT_LE(bench[stage]["std"].get<double>(),
                bench[stage]["max"].get<double>() - bench[stage]["min"].get<double>())
          << stage;
    }
    int64_t macs = 0;
    for (const json& step : bench["steps"]) {
      macs += step["macs"].get<int64_t>();
      EXPECT_DOUBLE_EQ(step["share_of_peak"], step["gmacs_per_s"].get<double>() / peak) << step;
    }
    EXPECT_EQ(macs, bench["macs"]);
  }
}

TEST_F(Bench, AFloatNetworkHasTheFloatPeak) {
  const std::vector<std::string> args = {"bench",  "-m", kFloat257, "--threads", "1",
                                         "--runs", "1",  "--size",  "65"};
  const ProgramRun text = run_deeplab(args);
  ASSERT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("of this machine's float32 peak of"));
  std::vector<std::string> as_json = args;
  as_json.emplace_back("--json");
  const ProgramRun run = run_deeplab(as_json);
  ASSERT_EQ(run.status, 0) << run.err;
  const json bench = json::parse(run.out);
  EXPECT_EQ(bench["peak_operands"], "float32");
  EXPECT_GT(bench["peak_gmacs_per_s"], 0);
}

// The engine sums a float TRANSPOSE_CONV in another order than the op by itself.
TEST_F(Bench, AFloatNetworkWithTransposeConv) {
  GraphBuilder b;
  const auto type = graph::DataType::kFloat32;
  const auto x = b.input(type, {1, 17, 17, 3});
  const auto filter = b.constant(type, {5, 3, 3, 3}, 0.0f);
  std::vector<float> weights(5 * 3 * 3 * 3);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = std::sin(static_cast<float>(i));
  const auto bytes = std::as_bytes(std::span(weights));
  b.set_data(filter, {bytes.begin(), bytes.end()});
  const auto y = b.op(graph::TransposeConv{34, 34, 2, 2, 0, 0}, {x, filter}, type);
  const auto file = tflite::write_model({b.build({y}), {}, ""});
  ASSERT_TRUE(file.ok()) << file.status().message();
  TempDir directory;
  const std::string path = directory / "transposed.tflite";
  ASSERT_TRUE(write_file_atomically(path, *file).ok());
  const ProgramRun run = run_deeplab({"bench", "-m", path, "--threads", "1", "--runs", "1"});
  EXPECT_EQ(run.status, 0) << run.err;
}

TEST_F(Bench, HasWhatBenchmarkModelHas) {
  const ProgramRun run = run_deeplab(
      {"bench", "-m", model_, "--threads", "1", "--runs", "4", "--size", "129", "--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  const json bench = json::parse(run.out);
  EXPECT_EQ(bench["file_bytes"], std::filesystem::file_size(model_));
  EXPECT_DOUBLE_EQ(bench["init_ms"],
                   bench["load_ms"].get<double>() + bench["prepare_ms"].get<double>());
  EXPECT_GE(bench["warmup_runs"], 2);
  EXPECT_GT(bench["warmup_ms"], 0);
  // At least 0.2 seconds of warm-up. A millisecond for what the average was rounded by.
  EXPECT_GE(bench["warmup_runs"].get<double>() * bench["warmup_ms"].get<double>(), 199);
  // The first inference is one of all stages; no stage of it is left out.
  EXPECT_GT(bench["first_ms"], bench["infer_ms"]["min"].get<double>() / 2);
  double stages = 0;
  for (const char* stage : {"input_ms", "infer_ms", "labels_ms"}) {
    stages += bench[stage]["average"].get<double>();
  }
  EXPECT_GE(bench["total_ms"]["average"].get<double>() * 1.001, stages);
  EXPECT_LE(bench["total_ms"]["min"].get<double>(), 2 * stages);
  // Weights alone are 0.7 MB; the canvas of the first inference comes on top of what init took.
  EXPECT_GT(bench["memory_mib"]["init"], 0.7);
  EXPECT_GE(bench["memory_mib"]["overall"], bench["memory_mib"]["init"].get<double>());
  EXPECT_LT(bench["memory_mib"]["overall"], bench["peak_rss_mib"].get<double>());
}

TEST_F(Bench, TextNamesTheNumbersAsBenchmarkModelDoes) {
  const ProgramRun run =
      run_deeplab({"bench", "-m", model_, "--threads", "1", "--runs", "3", "--size", "65"});
  ASSERT_EQ(run.status, 0) << run.err;
  std::smatch us, mb;
  ASSERT_TRUE(std::regex_search(
      run.out, us,
      std::regex(R"(us: Init: (\d+), First inference: (\d+), Warmup \(avg\): ([\d.]+), )"
                 R"(Inference \(avg\): ([\d.]+); count=3 min=(\d+) max=(\d+) std=(\d+))")))
      << run.out;
  ASSERT_TRUE(std::regex_search(run.out, mb, std::regex(R"(MB.*: init=([\d.]+) overall=([\d.]+))")))
      << run.out;
  const auto number = [](const std::ssub_match& match) { return std::stod(match.str()); };
  EXPECT_GT(number(us[2]), 0);
  EXPECT_LE(number(us[5]), std::ceil(number(us[4])));
  EXPECT_LE(number(us[4]), number(us[6]) + 1);
  EXPECT_LE(number(mb[1]), number(mb[2]));
  // The table has the same numbers in ms.
  std::smatch ms;
  ASSERT_TRUE(std::regex_search(run.out, ms, std::regex(R"(\n  init +([\d.]+) )"))) << run.out;
  EXPECT_NEAR(number(ms[1]) * 1e3, number(us[1]), 1);
  ASSERT_TRUE(std::regex_search(run.out, ms, std::regex(R"(\n  first +([\d.]+) )"))) << run.out;
  EXPECT_NEAR(number(ms[1]) * 1e3, number(us[2]), 1);
}

TEST_F(Bench, EverySizeWithEveryFamilyWithEveryThreadCount) {
  const ProgramRun run = run_deeplab({"bench", "-m", model_, "--threads", "2,1", "--runs", "1",
                                      "--size", "65,97x33", "--isa", "all", "--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  std::vector<std::string> expected, found;
  for (const char* size : {"65x65", "97x33"}) {
    for (const Isa isa : available_isas()) {
      for (const char* threads : {"2", "1"}) {
        expected.push_back(str_cat(size, " ", isa_name(isa), " ", threads));
      }
    }
  }
  for (const std::string& line : lines_of(run.out)) {
    const json bench = json::parse(line);
    found.push_back(str_cat(bench["size"].get<std::string>(), " ", bench["isa"].get<std::string>(),
                            " ", bench["threads"].get<int>()));
    EXPECT_GT(bench["peak_rss_mib"], 1);
    EXPECT_LT(bench["peak_rss_mib"], 512);
  }
  EXPECT_EQ(found, expected);
}

TEST_F(Bench, AnExplicitFamilyIsTheOneThatRuns) {
  const ProgramRun run = run_deeplab({"bench", "-m", model_, "--threads", "1", "--runs", "1",
                                      "--size", "65", "--isa", "scalar", "--profile", "--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  const json bench = json::parse(run.out);
  EXPECT_EQ(bench["isa"], "scalar");
  for (const json& step : bench["steps"]) {
    for (const char* other : {"avx", "neon"}) {
      EXPECT_THAT(step["kernel"].get<std::string>(), Not(HasSubstr(other)));
    }
  }
}

TEST_F(Bench, TheLabelMapIsThatOfSegmentAtThePhotosOwnSize) {
  TempDir dir;
  // Larger than the canvas, so that the JPEG is decoded at a fraction of its size.
  const int32_t width = 301, height = 222;
  const imageio::Image photo = app::synthetic_photo(width, height);
  const auto jpeg = imageio::encode_jpeg(width, height, photo.pixels, 95);
  ASSERT_TRUE(jpeg.ok());
  ASSERT_TRUE(write_file_atomically(dir / "photo.jpg", *jpeg).ok());
  ProgramRun run =
      run_deeplab({"bench", "-m", model_, "--threads", "1", "--runs", "1", "--size", "65",
                   "--photo", dir / "photo.jpg", "--label-map", dir / "map.npy", "--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(json::parse(run.out)["photo_size"], "301x222");
  run = run_deeplab({"segment", dir / "photo.jpg", "-m", model_, "--size", "65", "--write", "mask",
                     "-o", dir.path().string(), "--quiet"});
  ASSERT_EQ(run.status, 0) << run.err;
  const auto mask = imageio::read_label_png(dir / "photo.mask.png");
  ASSERT_TRUE(mask.ok()) << mask.status().message();
  const NpyFile map = read_npy(dir / "map.npy");
  EXPECT_EQ(map.type, "|u1");
  EXPECT_EQ(map.shape, "222, 301");
  EXPECT_EQ(std::vector<uint8_t>(map.data.begin(), map.data.end()), mask->pixels);
}

TEST_F(Bench, WrongListsAreUsageErrors) {
  const std::vector<std::vector<std::string>> wrong = {
      {"--isa", "scalar,mmx"},
      {"--isa", ""},
      {"--size", "65,0"},
      {"--size", "65,"},
      {"--threads", "1,,2"},
      {"--threads", "-1"},
      {"--size", "65,97", "--label-map", "map.npy"}};
  for (const auto& arguments : wrong) {
    std::vector<std::string> line = {"bench", "-m", model_, "--runs", "1"};
    line.insert(line.end(), arguments.begin(), arguments.end());
    const ProgramRun run = run_deeplab(line);
    EXPECT_EQ(run.status, 2) << arguments[1];
    EXPECT_THAT(run.out, IsEmpty()) << arguments[1];
    EXPECT_THAT(run.err, HasSubstr(arguments.size() > 2 ? "--label-map" : arguments[0]));
  }
}

TEST(FirstPhoto, MemoryIsTheChildsOwn) {
  const auto take = [](size_t mib) {
    return app::measure_first_photo([mib](app::FirstPhoto& first) {
      std::vector<char> memory(mib << 20, 'x');
      first.threads = memory.back();
      return Status();
    });
  };
  const auto large = take(200);
  const auto small = take(1);
  ASSERT_TRUE(large.ok()) << large.status().message();
  ASSERT_TRUE(small.ok()) << small.status().message();
  EXPECT_EQ(small->threads, 'x');
  EXPECT_GT(large->peak_rss_mib, 200);
  EXPECT_GT(large->start_rss_mib, 0);
  EXPECT_GT(large->peak_rss_mib - large->start_rss_mib, 190);
  EXPECT_LT(small->peak_rss_mib - small->start_rss_mib, 50);
  // Sanitizers keep what was freed, and shadows of it; a child starts without either.
  EXPECT_LT(small->peak_rss_mib, large->peak_rss_mib - 150);
}

TEST(FirstPhoto, MemoryAtInitIsWhatWasHeldThen) {
  const auto photo = app::measure_first_photo([](app::FirstPhoto& first) {
    const std::vector<char> before(60 << 20, 'x');
    first.init_rss_mib = app::peak_rss_mib();
    const std::vector<char> after(60 << 20, 'y');
    first.threads = before.back() + after.back();
    return Status();
  });
  ASSERT_TRUE(photo.ok()) << photo.status().message();
  EXPECT_GT(photo->init_rss_mib - photo->start_rss_mib, 55);
  EXPECT_GT(photo->peak_rss_mib - photo->init_rss_mib, 55);
}

TEST(FirstPhoto, ErrorsComeBackAndADeathIsOne) {
  auto first =
      app::measure_first_photo([](app::FirstPhoto&) { return unsupported("no such thing: ", 42); });
  EXPECT_EQ(first.status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(first.status().message(), "no such thing: 42");
  first = app::measure_first_photo([](app::FirstPhoto&) -> Status { throw std::bad_alloc(); });
  EXPECT_EQ(first.status().code(), StatusCode::kResourceExhausted);
  first = app::measure_first_photo([](app::FirstPhoto&) {
    ::raise(SIGKILL);
    return Status();
  });
  EXPECT_EQ(first.status().code(), StatusCode::kInternal);
  EXPECT_THAT(first.status().message(), HasSubstr("signal 9"));
}

TEST_F(Bench, TextHasEveryStageAndStepsOnRequest) {
  const ProgramRun run = run_deeplab({"bench", "-m", model_, "--threads", "1", "--runs", "1",
                                      "--size", "65", "--profile", "--photo", kCatPhoto});
  ASSERT_EQ(run.status, 0) << run.err;
  for (const char* text : {"load", "prepare", "init", "first", "warmup", "decode", "input", "infer",
                           "labels", "total", "write", "AVERAGE_POOL_2D", "of peak", "photo "}) {
    EXPECT_THAT(run.out, HasSubstr(text));
  }
}

class BenchVerify : public Bench {
 protected:
  void make(int32_t side) {
    auto model = api::Model::load(model_);
    ASSERT_TRUE(model.ok());
    api::SegmenterOptions options;
    options.threads = 1;
    options.width = options.height = side;
    auto segmenter = api::Segmenter::create(*model, options);
    ASSERT_TRUE(segmenter.ok());
    segmenter_ = std::move(*segmenter);
    app::FileNetworkOptions naive;
    naive.executor = app::ExecutorKind::kNaive;
    naive.size = {side, side};
    auto reference = app::FileNetwork::load(model_, naive);
    ASSERT_TRUE(reference.ok());
    reference_ = std::move(*reference);
  }

  std::unique_ptr<api::Segmenter> segmenter_;
  std::unique_ptr<app::FileNetwork> reference_;
};

TEST_F(BenchVerify, PassesWhatIsRight) {
  ASSERT_NO_FATAL_FAILURE(make(129));
  const imageio::Image photo = app::synthetic_photo(129, 129);
  ASSERT_TRUE(reference_->run(app::view_of(photo), vision::Fit::kPad).ok());
  const Status status =
      app::verify_scores(*segmenter_, *reference_, app::view_of(photo), vision::Fit::kPad);
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST_F(BenchVerify, RefusesWhatIsWrongAndNamesTheFirstOp) {
  ASSERT_NO_FATAL_FAILURE(make(129));
  const imageio::Image photo = app::synthetic_photo(129, 129);
  imageio::Image other = photo;
  for (uint8_t& pixel : other.pixels) pixel = static_cast<uint8_t>(255 - pixel);
  ASSERT_TRUE(reference_->run(app::view_of(other), vision::Fit::kPad).ok());
  const Status status =
      app::verify_scores(*segmenter_, *reference_, app::view_of(photo), vision::Fit::kPad);
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_THAT(status.message(), HasSubstr("op 0 (CONV_2D)"));
}

TEST_F(BenchVerify, RefusesALabelMapWithOneWrongPixel) {
  ASSERT_NO_FATAL_FAILURE(make(129));
  app::LabelMap labels(40, 30);
  const imageio::Image photo = app::synthetic_photo(129, 129);
  ASSERT_TRUE(app::run_once(*segmenter_, app::view_of(photo), labels).ok());
  ASSERT_TRUE(reference_->run(app::view_of(photo), vision::Fit::kPad).ok());
  auto expected = reference_->labels(40, 30);
  ASSERT_TRUE(expected.ok());
  EXPECT_TRUE(app::verify_labels(*segmenter_, labels, *expected).ok());
  (*expected)[40 * 7 + 5] ^= 1;
  const Status status = app::verify_labels(*segmenter_, labels, *expected);
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_THAT(status.message(), HasSubstr("at pixel 5,7"));
  expected->pop_back();
  EXPECT_FALSE(app::verify_labels(*segmenter_, labels, *expected).ok());
}

TEST_F(BenchVerify, NamesAnOpInTheMiddle) {
  ASSERT_NO_FATAL_FAILURE(make(129));
  const imageio::Image photo = app::synthetic_photo(129, 129);
  ASSERT_TRUE(reference_->run(app::view_of(photo), vision::Fit::kPad).ok());
  // One byte of the reference's op 20 and one of its scores: as if two kernels were wrong.
  const graph::Graph& graph = reference_->file_graph();
  for (graph::TensorId id : {graph.ops[20].output(), segmenter_->head().scores}) {
    reference_->executor().tensor(id)[5] ^= std::byte{1};
  }
  const Status status =
      app::verify_scores(*segmenter_, *reference_, app::view_of(photo), vision::Fit::kPad);
  EXPECT_EQ(status.code(), StatusCode::kInternal);
  EXPECT_THAT(status.message(), HasSubstr("op 20 (ADD) is the first that differs, in 1 of"));
}

}  // namespace
}  // namespace deeplab::testing
