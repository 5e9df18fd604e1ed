// deeplab quantize: from a float file and photos to an int8 file that the other commands run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <random>
#include <span>

#include "base/file.h"
#include "quantize_file/sha256.h"
#include "tests/apps/program.h"
#include "tests/graph/graph_builder.h"
#include "tests/imageio/sample_files.h"
#include "tests/samples/samples.h"
#include "tests/test_data.h"
#include "tflite/reader.h"
#include "tflite/writer.h"

namespace deeplab::testing {
namespace {

namespace fs = std::filesystem;
using graph::DataType;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::Not;
using ::testing::SizeIs;

void write_bytes(const std::string& path, std::span<const std::byte> bytes) {
  const Status status = write_file_atomically(path, bytes);
  ASSERT_TRUE(status.ok()) << status.message();
}

/// small_deeplab() of a type; in float with random weights and five labels.
void write_model_file(const std::string& path, DataType type) {
  tflite::ModelFile file;
  file.graph = small_deeplab(type);
  std::mt19937 random(11);
  for (graph::Tensor& tensor : file.graph.tensors) {
    if (!tensor.is_constant() || tensor.type != DataType::kFloat32) continue;
    std::vector<std::byte> bytes(tensor.data->size());
    for (size_t i = 0; i < bytes.size(); i += sizeof(float)) {
      const float value = static_cast<float>(random() % 2001) / 1000 - 1;
      std::memcpy(&bytes[i], &value, sizeof value);
    }
    tensor.data = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  }
  file.metadata.name = "Small";
  file.metadata.license = "Apache-2.0";
  file.metadata.labels = {"background", "one", "two", "three", "four"};
  const auto bytes = tflite::write_model(file);
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  write_bytes(path, *bytes);
}

/// A directory with a float model and three photos.
class Quantize : public ::testing::Test {
 protected:
  void SetUp() override {
    write_model_file(model, DataType::kFloat32);
    fs::create_directory(photos);
    std::mt19937 random(3);
    for (const char* name : {"a.png", "b.png", "c.png"}) {
      imageio::testing::PngSpec spec;
      spec.width = 80;
      spec.height = 50;
      spec.rows.resize(80 * 50 * 3);
      for (uint8_t& sample : spec.rows) sample = static_cast<uint8_t>(random());
      write_bytes(photos + "/" + name, imageio::testing::png_file(spec));
    }
  }

  ProgramRun quantize(std::vector<std::string> more, const std::string& from = "") const {
    std::vector<std::string> arguments = {
        "quantize", from.empty() ? model : from, "--calibration", photos, "-o", out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_deeplab(arguments);
  }

  tflite::ModelFile read_out() const {
    const auto bytes = read_file(out, int64_t{1} << 30);
    EXPECT_TRUE(bytes.ok()) << bytes.status().message();
    auto file = tflite::read_model(*bytes, out);
    EXPECT_TRUE(file.ok()) << file.status().message();
    return std::move(file).value();
  }

  TempDir directory;
  std::string model = directory / "float.tflite";
  std::string photos = directory / "photos";
  std::string out = directory / "int8.tflite";
};

TEST_F(Quantize, PrintsATableAndWritesTheFile) {
  const ProgramRun run = quantize({});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.err, IsEmpty());
  EXPECT_THAT(run.out, AllOf(HasSubstr("SQNR dB"), HasSubstr("DEPTHWISE_CONV_2D"),
                             HasSubstr("label maps agree"), HasSubstr("minmax on 3 photos")));
  const tflite::ModelFile file = read_out();
  EXPECT_EQ(file.graph.tensor(file.graph.inputs[0]).type, DataType::kFloat32);
  EXPECT_EQ(file.graph.tensor(file.graph.outputs[0]).type, DataType::kFloat32);
  EXPECT_EQ(file.graph.tensor(file.graph.outputs[0]).shape, (graph::Shape{1, 65, 65, 5}));
  // Nothing else is left in the directory.
  EXPECT_THAT(files_below(directory.path()), SizeIs(5));
}

TEST_F(Quantize, WritesIntoStandardOutputAndPipes) {
  ASSERT_EQ(quantize({"--quiet"}).status, 0);
  const std::string file = file_text(out);
  ASSERT_THAT(file, AllOf(SizeIs(Gt(1000u)), SizeIs(Lt(size_t{64} << 10))));

  out = "/dev/stdout";
  const ProgramRun quiet = quantize({"--quiet"});
  EXPECT_EQ(quiet.status, 0) << quiet.err;
  EXPECT_TRUE(quiet.out == file);
  const ProgramRun run = quantize({});  // the table continues where the file ends
  EXPECT_TRUE(run.out.starts_with(file));
  EXPECT_THAT(run.out.substr(file.size()), HasSubstr("SQNR dB"));

  out = directory / "pipe";
  const NamedPipe pipe(out);
  EXPECT_EQ(quantize({"--quiet"}).status, 0);
  EXPECT_TRUE(pipe.text() == file);
  EXPECT_TRUE(fs::is_fifo(out));
  EXPECT_THAT(files_below(directory.path()), SizeIs(6));
}

TEST_F(Quantize, WarnsOfDamagedPhotosAndCountsWhatItPassesOver) {
  const auto cat = read_file(kCatPhoto, int64_t{1} << 30);
  ASSERT_TRUE(cat.ok());
  const std::string cut = photos + "/cut.jpg";
  write_bytes(cut, std::span(*cat).first(20000));
  write_bytes(photos + "/notes.txt", std::as_bytes(std::span("no photo", 8)));
  const std::string damage = "damaged JPEG: the data ends early (truncated file)";
  const std::string passed_over = "deeplab: passed over 1 file: 1 text file (notes.txt)\n";
  const ProgramRun run = quantize({});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.err,
            "deeplab: warning: " + cut + ": " + damage + "; --strict refuses it\n" + passed_over);
  EXPECT_THAT(run.out, HasSubstr("minmax on 4 photos"));
  EXPECT_EQ(lines_of(quantize({"--quiet"}).err).size(), 1u);
  const ProgramRun strict = quantize({"--strict"});
  EXPECT_EQ(strict.status, 1);
  EXPECT_EQ(strict.err, "deeplab: " + cut + ": " + damage + "\n" + passed_over);
  EXPECT_THAT(strict.out, HasSubstr("minmax on 3 photos"));
}

TEST_F(Quantize, KeepsMetadataAndSaysWhereItComesFrom) {
  ASSERT_EQ(quantize({"--description", "A toy.", "--author", "Somebody"}).status, 0);
  const tflite::Metadata metadata = read_out().metadata;
  EXPECT_EQ(metadata.name, "Small");
  EXPECT_EQ(metadata.license, "Apache-2.0");
  EXPECT_EQ(metadata.author, "Somebody");
  EXPECT_THAT(metadata.labels, ElementsAre("background", "one", "two", "three", "four"));
  const auto from = read_file(model, int64_t{1} << 30);
  EXPECT_THAT(metadata.description,
              AllOf(HasSubstr("A toy."), HasSubstr("float.tflite"), HasSubstr("3 photos"),
                    HasSubstr(quantize::sha256_hex(*from))));
  ASSERT_TRUE(metadata.normalization.has_value());
  EXPECT_THAT(metadata.normalization->mean, ElementsAre(127.5f));
}

/// A float U-Net in small: 65x65 in, halved and doubled again, 5 classes.
graph::Graph small_unet(bool labels) {
  GraphBuilder b;
  std::mt19937 random(6);
  const auto weights = [&](graph::Shape shape) {
    const auto id = b.constant(DataType::kFloat32, shape, 0.0f);
    std::vector<float> values(static_cast<size_t>(shape[0] * shape[1] * shape[2] * shape[3]));
    for (float& value : values) value = static_cast<float>(random() % 2001) / 1000 - 1;
    const auto bytes = std::as_bytes(std::span(values));
    b.set_data(id, {bytes.begin(), bytes.end()});
    return id;
  };
  const auto x = b.input(DataType::kFloat32, {1, 64, 64, 3});
  graph::Conv2D half;
  half.window.stride_h = half.window.stride_w = 2;
  half.activation = graph::Activation::kRelu6;
  const auto small = b.op(half, {x, weights({6, 3, 3, 3})}, DataType::kFloat32);
  const auto large = b.op(graph::TransposeConv{64, 64, 2, 2, 0, 0}, {small, weights({5, 3, 3, 6})},
                          DataType::kFloat32);
  if (!labels) return b.build({small, large});
  const auto ids = b.op(graph::ArgMax{3}, {large}, DataType::kInt64);
  return b.build({b.op(graph::Cast{}, {ids}, DataType::kFloat32)});
}

TEST_F(Quantize, TransposedConvolutionsSeveralOutputsAndLabelsThatWereCast) {
  for (const bool labels : {false, true}) {
    const auto bytes = tflite::write_model({small_unet(labels), {}, ""});
    ASSERT_TRUE(bytes.ok()) << bytes.status().message();
    const std::string unet = directory / "unet.tflite";
    write_bytes(unet, *bytes);
    for (const char* output : {"scores", "labels"}) {
      const ProgramRun run = quantize({"--output", output, "--fit", "letterbox"}, unet);
      ASSERT_EQ(run.status, 0) << run.err;
      const graph::Graph graph = read_out().graph;
      ASSERT_THAT(graph.outputs, SizeIs(1));
      const graph::Tensor& result = graph.tensor(graph.outputs[0]);
      const bool scores = output == std::string("scores");
      EXPECT_EQ(result.type, scores ? DataType::kFloat32 : DataType::kInt64);
      EXPECT_EQ(result.shape, scores ? graph::Shape({1, 64, 64, 5}) : graph::Shape({1, 64, 64}));
      const double agreement =
          nlohmann::json::parse(quantize({"--output", output, "--json"}, unet).out)
              .at("label_agreement")
              .at("mean");
      EXPECT_GT(agreement, 0.9);
    }
  }
  // The other output, by its index.
  const auto bytes = tflite::write_model({small_unet(false), {}, ""});
  write_bytes(directory / "unet.tflite", *bytes);
  ASSERT_EQ(quantize({"--output-tensor", "0"}, directory / "unet.tflite").status, 0);
  const graph::Graph graph = read_out().graph;
  EXPECT_EQ(graph.tensor(graph.outputs[0]).shape, graph::Shape({1, 32, 32, 6}));
}

TEST_F(Quantize, EightBitBordersTakePixels) {
  ASSERT_EQ(quantize({"--io", "uint8", "--output", "labels"}).status, 0);
  const tflite::ModelFile file = read_out();
  EXPECT_EQ(file.graph.tensor(file.graph.inputs[0]).type, DataType::kUInt8);
  EXPECT_EQ(file.graph.tensor(file.graph.outputs[0]).type, DataType::kInt64);
  EXPECT_THAT(file.metadata.normalization->mean, ElementsAre(128));
}

struct Combination {
  std::string io, output, granularity;
};
class QuantizeCombination : public Quantize, public ::testing::WithParamInterface<Combination> {};

TEST_P(QuantizeCombination, RunsInEveryCommand) {
  const auto& [io, output, granularity] = GetParam();
  const ProgramRun made =
      quantize({"--io", io, "--output", output, "--granularity", granularity, "--quiet"});
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(made.out, IsEmpty());
  const std::string photo = photos + "/a.png";
  EXPECT_EQ(run_deeplab({"inspect", out}).status, 0);
  EXPECT_EQ(run_deeplab({"segment", photo, "-m", out, "-o", directory / "masks"}).status, 0);
  EXPECT_EQ(run_deeplab({"compare", out, model, photo}).status, 0);
  for (const char* executor : {"planned", "naive"}) {
    EXPECT_EQ(
        run_deeplab({"run", photo, "-m", out, "-o", directory / executor, "--executor", executor})
            .status,
        0);
  }
  const auto planned = files_below(directory / "planned");
  ASSERT_THAT(planned, SizeIs(1));
  EXPECT_EQ(file_text(directory / ("planned/" + planned[0])),
            file_text(directory / ("naive/" + planned[0])));
}

INSTANTIATE_TEST_SUITE_P(All, QuantizeCombination,
                         ::testing::Values(Combination{"float32", "scores", "per-channel"},
                                           Combination{"float32", "labels", "per-tensor"},
                                           Combination{"int8", "scores", "per-tensor"},
                                           Combination{"int8", "labels", "per-channel"},
                                           Combination{"uint8", "scores", "per-channel"},
                                           Combination{"uint8", "labels", "per-tensor"}));

TEST_F(Quantize, IsDeterministic) {
  ASSERT_EQ(quantize({"--threads", "1", "--calibration-method", "mse"}).status, 0);
  const std::string first = file_text(out);
  ASSERT_EQ(quantize({"--threads", "3", "--calibration-method", "mse"}).status, 0);
  EXPECT_EQ(file_text(out), first);
  ASSERT_EQ(quantize({"--calibration-method", "percentile", "--percentile", "99"}).status, 0);
  EXPECT_NE(file_text(out), first);
}

TEST_F(Quantize, JsonSaysTheSame) {
  const ProgramRun run = quantize({"--json", "--equalize", "off", "--bias-correction", "off"});
  ASSERT_EQ(run.status, 0) << run.err;
  ASSERT_THAT(lines_of(run.out), SizeIs(1));
  const auto json = nlohmann::json::parse(run.out);
  EXPECT_EQ(json["output"], out);
  EXPECT_EQ(json["bytes"], fs::file_size(out));
  EXPECT_EQ(json["granularity"], "per-channel");
  EXPECT_EQ(json["calibration"]["photos"], 3);
  EXPECT_EQ(json["equalize"], false);
  EXPECT_EQ(json["ops"].size(), 6u);
  EXPECT_GT(json["ops"][0]["sqnr_db"], 20);
  EXPECT_GT(json["label_agreement"]["mean"], 0.8);
}

/// The second convolution is so dilated that all taps but the middle one read padding only, which
/// the means of its input do not tell: what its correction takes back was never there.
void write_overdilated_model(const std::string& path) {
  GraphBuilder b;
  std::mt19937 random(2);
  const auto constant = [&](graph::Shape shape, float low) {
    const graph::TensorId id = b.constant(DataType::kFloat32, std::move(shape), 0.0f);
    std::vector<float> values(b.build({}).tensor(id).byte_size() / sizeof(float));
    for (float& value : values) value = std::uniform_real_distribution<float>(low, 1)(random);
    const auto bytes = std::as_bytes(std::span(values));
    b.set_data(id, {bytes.begin(), bytes.end()});
    return id;
  };
  graph::Conv2D first;
  first.activation = graph::Activation::kRelu;
  graph::Conv2D dilated;
  dilated.window.dilation_h = dilated.window.dilation_w = 16;
  const auto x = b.input(DataType::kFloat32, {1, 16, 16, 3});
  const auto y =
      b.op(first, {x, constant({32, 1, 1, 3}, -1), constant({32}, 0)}, DataType::kFloat32);
  const auto z =
      b.op(dilated, {y, constant({5, 3, 3, 32}, -1), constant({5}, 0)}, DataType::kFloat32);
  tflite::ModelFile file;
  file.graph = b.build({z});
  const auto bytes = tflite::write_model(file);
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  write_bytes(path, *bytes);
}

TEST_F(Quantize, BiasesAreCorrectedOnlyIfThatMakesTheNetworkBetter) {
  const std::string overdilated = directory / "overdilated.tflite";
  write_overdilated_model(overdilated);
  const ProgramRun off = quantize({"--bias-correction", "off"}, overdilated);
  ASSERT_EQ(off.status, 0) << off.err;
  EXPECT_THAT(off.out, Not(HasSubstr("left out")));
  const std::string uncorrected = file_text(out);

  const ProgramRun text = quantize({}, overdilated);
  ASSERT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("bias correction left out: the last op has "));
  EXPECT_EQ(file_text(out), uncorrected);
  EXPECT_THAT(read_out().metadata.description, HasSubstr("bias correction off"));
  const ProgramRun json = quantize({"--json"}, overdilated);
  EXPECT_EQ(nlohmann::json::parse(json.out)["bias_correction"], false);

  const ProgramRun good = quantize({});
  ASSERT_EQ(good.status, 0) << good.err;
  EXPECT_THAT(good.out, Not(HasSubstr("left out")));
  EXPECT_THAT(read_out().metadata.description, HasSubstr("bias correction on"));
}

TEST_F(Quantize, PhotosAreSpreadOverTheDirectory) {
  const ProgramRun run = quantize({"--photos", "2"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("on 2 photos"));
}

TEST_F(Quantize, TakesAListAndADataset) {
  write_text(directory / "list.txt", "photos/a.png\r\n\nphotos/c.png\n");
  ProgramRun run =
      run_deeplab({"quantize", model, "--calibration", directory / "list.txt", "-o", out});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("on 2 photos"));

  const std::string voc = directory / "voc";
  fs::create_directories(voc + "/ImageSets/Segmentation");
  fs::create_directory(voc + "/JPEGImages");
  fs::copy_file(photos + "/b.png", voc + "/JPEGImages/b.png");
  write_text(voc + "/ImageSets/Segmentation/train.txt", "b\n");
  run = run_deeplab({"quantize", model, "--calibration", voc + ":train", "-o", out});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("on 1 photo"));
  // As a plain directory its masks would be taken for photos.
  run = run_deeplab({"quantize", model, "--calibration", voc, "-o", out});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, HasSubstr("name a split"));
}

TEST_F(Quantize, ABadPhotoIsNamedAndTheOthersUsed) {
  write_text(photos + "/bad.jpg", "no JPEG");
  const ProgramRun run = quantize({});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(lines_of(run.err), SizeIs(1));
  EXPECT_THAT(run.err, HasSubstr("bad.jpg"));
  EXPECT_THAT(run.out, HasSubstr("on 3 photos"));
  EXPECT_TRUE(fs::exists(out));
}

/// Status 1, one sentence that names the thing, and no file.
void expect_failure(const ProgramRun& run, const std::string& names, const std::string& out) {
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(lines_of(run.err), SizeIs(1)) << run.err;
  EXPECT_THAT(run.err, HasSubstr(names));
  EXPECT_FALSE(fs::exists(out));
}

TEST_F(Quantize, FailuresLeaveNoFile) {
  const std::string quantized = directory / "u8.tflite";
  write_model_file(quantized, DataType::kUInt8);
  expect_failure(quantize({}, quantized), "quantized already", out);
  expect_failure(quantize({}, directory / "none.tflite"), "none.tflite", out);
  expect_failure(run_deeplab({"quantize", model, "--calibration", directory / "none", "-o", out}),
                 "none", out);
  fs::create_directory(directory / "empty");
  expect_failure(run_deeplab({"quantize", model, "--calibration", directory / "empty", "-o", out}),
                 "no photo", out);
  write_text(directory / "labels.txt", "background\none\n");
  expect_failure(quantize({"--labels", directory / "labels.txt"}), "expected 5 labels", out);
  write_text(directory / "text.tflite", "no model at all");
  expect_failure(quantize({}, directory / "text.tflite"), "text.tflite", out);
  const std::string nowhere = directory / "no/such/out.tflite";
  expect_failure(run_deeplab({"quantize", model, "--calibration", photos, "-o", nowhere}),
                 "out.tflite", nowhere);
  RunOptions full;
  full.max_file_bytes = 1000;
  expect_failure(run_deeplab({"quantize", model, "--calibration", photos, "-o", out}, full),
                 "int8.tflite", out);
}

TEST_F(Quantize, WrongUsage) {
  for (const std::vector<std::string>& more : {std::vector<std::string>{"--io", "int16"},
                                               {"--output", "masks"},
                                               {"--granularity", "no"},
                                               {"--calibration-method", "max"},
                                               {"--photos", "0"},
                                               {"--equalize", "maybe"},
                                               {"--percentile", "20"},
                                               {"--percentile", "nan"}}) {
    const ProgramRun run = quantize(more);
    EXPECT_EQ(run.status, 2) << more[0];
    EXPECT_THAT(run.err, HasSubstr(more[0]));
  }
  EXPECT_EQ(run_deeplab({"quantize", model, "-o", out}).status, 2);
  EXPECT_EQ(run_deeplab({"quantize", model, "--calibration", photos}).status, 2);
}

TEST(QuantizeRealModel, ValidatesBesideFloat) {
  DEEPLAB_NEEDS_TEST_DATA();
  TempDir directory;
  // Ten photos of the validation split are enough to see that nothing is broken.
  const std::string voc = directory / "voc";
  fs::create_directories(voc + "/ImageSets/Segmentation");
  for (const char* folder : {"JPEGImages", "SegmentationClass"}) {
    fs::create_directory_symlink(fs::absolute(test_data(std::string("voc2012/") + folder)),
                                 fs::path(voc) / folder);
  }
  const auto ids = lines_of(file_text(test_data("voc2012/ImageSets/Segmentation/val.txt")));
  std::string list;
  for (size_t i = 0; i < 10; ++i) list += ids[i * ids.size() / 10] + "\n";
  write_text(voc + "/ImageSets/Segmentation/val.txt", list);
  const std::string out = directory / "int8.tflite";
  const ProgramRun run = run_deeplab({"quantize", test_data("models/deeplabv3_257_mv_gpu.tflite"),
                                      "--calibration", test_data("voc2012") + ":train", "--photos",
                                      "8", "-o", out, "--validate", voc, "--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  const auto json = nlohmann::json::parse(run.out);
  EXPECT_EQ(json["validation"]["images"], 10);
  const double of_float = json["validation"]["float32"]["miou"];
  const double of_int8 = json["validation"]["int8"]["miou"];
  EXPECT_GT(of_float, 0.5);
  EXPECT_NEAR(of_int8, of_float, 0.05);
  EXPECT_GT(json["label_agreement"]["mean"], 0.95);
  EXPECT_LE(fs::file_size(out), 983u * 1000);
}

TEST(Sha256, OfTheStandardsExamples) {
  const auto hash = [](const std::string& text) {
    return quantize::sha256_hex(std::as_bytes(std::span(text)));
  };
  EXPECT_EQ(hash(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(hash(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
}  // namespace deeplab::testing
