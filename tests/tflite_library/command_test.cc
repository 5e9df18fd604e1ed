// --backend tflite in every command that has it: what it prints, what it writes, how it fails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/apps/program.h"
#include "tests/apps/read_npy.h"
#include "tests/samples/samples.h"
#include "tests/test_data.h"
#include "tests/tflite/model_builder.h"
#include "tests/tflite_library/library.h"

namespace deeplab::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;
using Arguments = std::vector<std::string>;

/// `arguments` with the real library.
Arguments with_tflite(Arguments arguments) {
  arguments.insert(arguments.end(),
                   {"--backend", "tflite", "--tflite-library", tflite_library_path()});
  return arguments;
}

Arguments with_delegate(Arguments arguments, const std::string& mode) {
  arguments = with_tflite(std::move(arguments));
  arguments.insert(arguments.end(),
                   {"--delegate", delegate_path("all"), "--delegate-option", "mode=" + mode});
  return arguments;
}

TEST(TfLiteCommand, SegmentWritesTheMaskAtThePhotosSize) {
  DEEPLAB_NEEDS_TFLITE();
  const TempDir dir;
  const ProgramRun run = run_deeplab(with_delegate(
      {"segment", kCatPhoto, "-m", kInt8FloatIo, "-o", dir / "out", "--json"}, "depthwise"));
  ASSERT_EQ(run.status, 0) << run.err;
  const Json json = Json::parse(run.out);
  EXPECT_EQ(json["classes"][1]["name"], "cat");
  EXPECT_TRUE(std::filesystem::exists(dir / "out/cat.mask.png"));
}

TEST(TfLiteCommand, ANameWithoutASlashIsAFileHereOrTheLoaders) {
  const TempDir dir;
  write_text(dir / "lite.so", "no library");
  RunOptions here;
  here.directory = dir.path();
  const auto error_of = [&](const Arguments& flags) {
    Arguments line = {"inspect", kInt8FloatIo, "--backend", "tflite"};
    line.insert(line.end(), flags.begin(), flags.end());
    const ProgramRun run = run_deeplab(line, here);
    EXPECT_EQ(run.status, 1);
    return run.err;
  };
  EXPECT_THAT(error_of({"--tflite-library", "lite.so"}), HasSubstr("./lite.so: file too short"));
  EXPECT_THAT(error_of({"--tflite-library", "other.so"}),
              HasSubstr("other.so: cannot open shared object file"));
  // Without the flag nothing is taken from here.
  write_text(dir / "libtensorflowlite_c.so", "no library");
  EXPECT_THAT(error_of({}), Not(HasSubstr("too short")));

  DEEPLAB_NEEDS_TFLITE();
  std::filesystem::create_symlink(tflite_library_path(), dir / "real.so");
  std::filesystem::create_symlink(delegate_path("all"), dir / "delegate.so");
  EXPECT_THAT(error_of({"--tflite-library", "real.so", "--delegate", "lite.so"}),
              HasSubstr("./lite.so: file too short"));
  const ProgramRun run = run_deeplab({"inspect", kInt8FloatIo, "--backend", "tflite",
                                      "--tflite-library", "real.so", "--delegate", "delegate.so"},
                                     here);
  EXPECT_EQ(run.status, 0) << run.err;
}

TEST(TfLiteCommand, RunWritesTheFilesOwnOutputs) {
  DEEPLAB_NEEDS_TFLITE();
  const TempDir dir;
  const ProgramRun run =
      run_deeplab(with_tflite({"run", kCatPhoto, "-m", kInt8Labels, "-o", dir / "out"}));
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("1 tensor of"));
  EXPECT_THAT(run.out, HasSubstr("(TensorFlow Lite "));
  const auto files = files_below(dir / "out");
  ASSERT_EQ(files.size(), 1u);
  const NpyFile labels = read_npy(dir / ("out/" + files[0]));
  EXPECT_EQ(labels.shape, "1, 513, 513");
}

TEST(TfLiteCommand, RunWritesTheResultOfEveryOp) {
  DEEPLAB_NEEDS_TFLITE();
  const TempDir dir;
  const auto tensors = [&](const Arguments& more, const std::string& folder) {
    Arguments arguments = {"run", kCatPhoto, "-m", kInt8FloatIo, "-o", dir / folder};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramRun run = run_deeplab(arguments);
    EXPECT_EQ(run.status, 0) << run.err;
    std::map<std::string, NpyFile> found;
    for (const auto& file : files_below(dir / folder)) {
      found[file] = read_npy(dir / (folder + "/" + file));
    }
    return found;
  };
  const auto lite = tensors(with_tflite({"--all-tensors"}), "lite");
  const auto engine = tensors({"--all-tensors", "--executor", "naive"}, "engine");
  const auto outputs = tensors(with_tflite({}), "outputs");
  const auto delegate = tensors(with_delegate({"--all-tensors"}, "depthwise"), "delegate");
  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_EQ(lite.at(outputs.begin()->first).data, outputs.begin()->second.data);
  ASSERT_EQ(lite.size(), engine.size());
  EXPECT_GT(lite.size(), 70u);
  for (const auto& [name, tensor] : lite) {
    ASSERT_EQ(engine.count(name), 1u) << name;
    EXPECT_EQ(tensor.shape, engine.at(name).shape) << name;
    EXPECT_EQ(tensor.type, engine.at(name).type) << name;
    EXPECT_EQ(tensor.data, delegate.at(name).data) << name;
  }
}

TEST(TfLiteCommand, InspectListsWhereEachOpRuns) {
  DEEPLAB_NEEDS_TFLITE();
  const ProgramRun run =
      run_deeplab(with_delegate({"inspect", kInt8FloatIo, "--json"}, "depthwise"));
  ASSERT_EQ(run.status, 0) << run.err;
  const Json placed = Json::parse(run.out)["tflite"];
  int depthwise = 0;
  for (const Json& op : placed["ops"]) {
    const bool is_depthwise = op["type"] == "DEPTHWISE_CONV_2D";
    EXPECT_EQ(op["partition"].is_null(), !is_depthwise) << op;
    depthwise += is_depthwise;
  }
  EXPECT_EQ(depthwise, 18);
  EXPECT_EQ(placed["partitions"], 18);
  EXPECT_EQ(placed["delegated_ops"], 18);
  const ProgramRun text = run_deeplab(with_delegate({"inspect", kInt8FloatIo}, "depthwise"));
  ASSERT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("partition 17\n"), HasSubstr("  CPU\n"),
                              HasSubstr("18 of "), HasSubstr("ops in 18 partitions")));
  const ProgramRun none = run_deeplab(with_tflite({"inspect", kInt8FloatIo}));
  EXPECT_THAT(none.out, HasSubstr("no delegate: every op on the CPU"));
}

TEST(TfLiteCommand, CompareChecksTheLabels) {
  DEEPLAB_NEEDS_TFLITE();
  const ProgramRun run = run_deeplab(
      with_delegate({"compare", kInt8FloatIo, kInt8FloatIo, kCatPhoto, "--json"}, "all"));
  ASSERT_EQ(run.status, 0) << run.err;
  const Json json = Json::parse(run.out);
  EXPECT_EQ(json["a"]["executor"], "planned");
  EXPECT_EQ(json["b"]["backend"], "tflite");
  EXPECT_GT(json["b"]["delegated"], 0.2);
  EXPECT_GT(json["label_agreement"], 0.99);
  EXPECT_EQ(json["ops_compared"], 1);  // the one that gives the scores
  // The same library on both sides.
  Arguments same = with_delegate({"compare", kInt8Labels, kInt8Labels, kCatPhoto, "--json"}, "all");
  same.insert(same.end(), {"--backend", "tflite,tflite"});
  const auto first = std::find(same.begin(), same.end(), "--backend");
  same.erase(first, first + 2);
  const ProgramRun both = run_deeplab(same);
  ASSERT_EQ(both.status, 0) << both.err;
  EXPECT_EQ(Json::parse(both.out)["label_agreement"], 1.0);
}

/// Every model on a real photo: the masks of two implementations of one network.
TEST(TfLiteCommand, LabelsAreNearlyTheEngines) {
  DEEPLAB_NEEDS_TFLITE();
  std::vector<std::string> models = kSampleModels;
  for (const auto& entry : std::filesystem::exists(test_data("models"))
                               ? std::filesystem::directory_iterator(test_data("models"))
                               : std::filesystem::directory_iterator()) {
    if (entry.path().extension() == ".tflite") models.push_back(entry.path().string());
  }
  std::ranges::sort(models);
  for (const std::string& model : models) {
    const ProgramRun run = run_deeplab(with_tflite({"compare", model, model, kCatPhoto, "--json"}));
    ASSERT_EQ(run.status, 0) << run.err;
    const double agreement = Json::parse(run.out)["label_agreement"];
    std::printf("%-40s %6.2f %% of the labels\n", sample_name(model).c_str(), 100 * agreement);
    EXPECT_GT(agreement, 0.98) << model;
  }
}

TEST(TfLiteCommand, BenchHasTheEngineBesideIt) {
  DEEPLAB_NEEDS_TFLITE();
  const ProgramRun run = run_deeplab(with_delegate(
      {"bench", "-m", kFloat257, "--runs", "2", "--threads", "1", "--json"}, "depthwise"));
  ASSERT_EQ(run.status, 0) << run.err;
  const Json json = Json::parse(run.out);
  EXPECT_EQ(json["backend"], "tflite");
  EXPECT_GT(json["tflite"]["delegated"], 0.01);
  EXPECT_LT(json["tflite"]["delegated"], 0.5);
  EXPECT_GT(json["tflite"]["label_agreement"], 0.98);
  EXPECT_GT(json["warmup_first_ms"], 0);
  EXPECT_EQ(json["engine"]["backend"], "engine");
  EXPECT_GT(json["engine"]["infer_ms"]["median"], 0);
  EXPECT_GT(json["macs"], 0);
}

/// Scores that are the pixels themselves, made by an op that only the delegate knows.
void write_file_with_custom_op(const std::string& path) {
  using Type = ModelBuilder::TensorType;
  ModelBuilder b;
  const FileQuantization pixels{{1.0f / 128}, {0}};
  const int32_t input = b.input(Type::INT8, {1, 33, 33, 3}, pixels);
  const int32_t scores = b.add(ModelBuilder::BuiltinOperator::CUSTOM, {input},
                               b.activation(Type::INT8, {1, 33, 33, 3}, pixels));
  b.model.operator_codes.back()->custom_code = "test-copy";
  const auto bytes = b.build({scores});
  write_text(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

TEST(TfLiteCommand, CustomOpsAreForThoseWhoAllowThem) {
  DEEPLAB_NEEDS_TFLITE();
  const TempDir dir;
  const std::string model = dir / "vela.tflite";
  write_file_with_custom_op(model);
  const Arguments segment = {"segment", kCatPhoto, "-m", model, "-o", dir / "out", "--quiet"};
  const ProgramRun refused = run_deeplab(with_delegate(segment, "custom"));
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("test-copy"));
  const auto allowed = [](Arguments arguments) {
    arguments = with_delegate(std::move(arguments), "custom");
    arguments.insert(arguments.end(), "--allow-custom-ops");
    return run_deeplab(arguments);
  };
  const ProgramRun run = allowed(segment);
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_TRUE(std::filesystem::exists(dir / "out/cat.mask.png"));
  Arguments engine = segment;
  engine.push_back("--allow-custom-ops");
  const ProgramRun without = run_deeplab(engine);
  EXPECT_EQ(without.status, 1);
  EXPECT_THAT(without.err, HasSubstr("only TensorFlow Lite with its delegate runs"));
  const ProgramRun placed = allowed({"inspect", model, "--json"});
  ASSERT_EQ(placed.status, 0) << placed.err;
  EXPECT_EQ(Json::parse(placed.out)["tflite"]["ops"][0]["partition"], 0);
  const ProgramRun bench = allowed({"bench", "-m", model, "--runs", "1", "--json"});
  ASSERT_EQ(bench.status, 0) << bench.err;
  const Json measured = Json::parse(bench.out);
  EXPECT_EQ(measured["tflite"]["delegated"], 1);
  EXPECT_TRUE(measured["tflite"]["label_agreement"].is_null());
  EXPECT_FALSE(measured.contains("engine"));
}

TEST(TfLiteCommand, EvaluateMeasuresIt) {
  DEEPLAB_NEEDS_TFLITE();
  namespace fs = std::filesystem;
  const TempDir dir;
  for (const char* folder : {"JPEGImages", "SegmentationClass", "ImageSets/Segmentation"}) {
    fs::create_directories(dir.path() / folder);
  }
  fs::copy_file(kCatPhoto, dir.path() / "JPEGImages/cat.jpg");
  write_text(dir / "ImageSets/Segmentation/val.txt", "cat\n");
  // The engine's mask is the truth that TensorFlow Lite is measured by.
  ASSERT_EQ(run_deeplab({"segment", kCatPhoto, "-o", dir / "out", "--write", "mask"}).status, 0);
  fs::copy_file(dir / "out/cat.mask.png", dir.path() / "SegmentationClass/cat.png");
  const Arguments evaluate = {"evaluate", dir.path().string(), "--json", "--resume", dir / "state"};
  const ProgramRun run = run_deeplab(with_delegate(evaluate, "all"));
  ASSERT_EQ(run.status, 0) << run.err;
  const double accuracy = Json::parse(run.out)["pixel_accuracy"];
  EXPECT_GT(accuracy, 0.98);
  EXPECT_LT(accuracy, 1);
  const ProgramRun other = run_deeplab(evaluate);
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err, HasSubstr("it was made with another --backend: tflite"));
}

TEST(TfLiteCommand, ErrorsHaveTheirStatus) {
  DEEPLAB_NEEDS_TFLITE();
  const TempDir dir;
  const auto run = [&](Arguments more) {
    Arguments arguments = {"segment", kCatPhoto, "-m", kInt8Labels, "-o", dir / "out"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramRun result = run_deeplab(arguments);
    return std::pair(result.status, result.err);
  };
  const Arguments real = with_tflite({});
  const auto with = [&](Arguments more) {
    more.insert(more.begin(), real.begin(), real.end());
    return run(more);
  };
  const auto fails = [](const std::pair<int, std::string>& found, const char* sentence) {
    EXPECT_EQ(found.first, 1);
    EXPECT_THAT(found.second, HasSubstr(sentence));
  };
  const std::string all = delegate_path("all");
  fails(run({"--backend", "tflite", "--tflite-library", "/nowhere.so"}), "cannot open /nowhere.so");
  fails(run({"--backend", "tflite", "--tflite-library", all}), "has no function TfLiteVersion");
  fails(with({"--delegate", "/nowhere.so"}), "the delegate: cannot open /nowhere.so");
  fails(with({"--delegate", delegate_path("with_unknown_function")}),
        "undefined symbol: a_function_that_no_library_has");
  fails(with({"--delegate", delegate_path("without_create")}),
        "has no function tflite_plugin_create_delegate");
  fails(with({"--delegate", all, "--delegate-option", "mode=create"}),
        "refused to be created: no accelerator on this board");
  fails(with({"--delegate", all, "--delegate-option", "mode=prepare"}),
        "driver is of version 3, expected 7");
  fails(with({"--delegate", all, "--delegate-option", "mode=run"}),
        "the accelerator has lost its clock");
  fails(
      with({"--delegate", all, "--delegate-option", "mode=depthwise", "--require-delegated", "90"}),
      "at least 90 % are required");
  fails(with({"--delegate", all, "--delegate-cache", dir / ""}), "nobody knows what");
  const auto is_usage = [](const std::pair<int, std::string>& found, const char* sentence) {
    EXPECT_EQ(found.first, 2);
    EXPECT_THAT(found.second, HasSubstr(sentence));
  };
  is_usage(run({"--delegate", all}), "--delegate: needs --backend tflite");
  is_usage(run({"--backend", "onnx"}), "unknown backend 'onnx'; expected engine or tflite");
  is_usage(with({"--require-delegated", "50"}), "--require-delegated: needs --delegate");
  is_usage(with({"--delegate", all, "--delegate-option", "mode"}), "expected KEY=VALUE");
  for (const char* percent : {"101", "nan"}) {
    is_usage(with({"--delegate", all, "--require-delegated", percent}),
             "--require-delegated: invalid value");
  }
  EXPECT_FALSE(std::filesystem::exists(dir / "out/cat.mask.png"));
}

TEST(TfLiteCommand, FindsTheLibraryUnderTheBoardsName) {
  DEEPLAB_NEEDS_TFLITE();
  const TempDir dir;
  std::filesystem::create_symlink(std::filesystem::absolute(tflite_library_path()),
                                  dir / "libtensorflow-lite.so");
  const char* before = std::getenv("LD_LIBRARY_PATH");
  const std::string old = before != nullptr ? before : "";
  ::setenv("LD_LIBRARY_PATH", dir.path().c_str(), 1);
  const ProgramRun run = run_deeplab({"inspect", kInt8FloatIo, "--backend", "tflite"});
  ::setenv("LD_LIBRARY_PATH", old.c_str(), 1);
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("(libtensorflow-lite.so)"));
}

}  // namespace
}  // namespace deeplab::testing
