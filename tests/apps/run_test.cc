// deeplab run: the files it writes are the tensors that TensorFlow Lite's reference kernels gave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "tests/apps/program.h"
#include "tests/apps/read_npy.h"
#include "tests/samples/samples.h"
#include "tests/test_data.h"

namespace deeplab::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A line of a golden index.tsv.
struct GoldenOp {
  std::string index, name, type, shape, file;
};

std::vector<GoldenOp> read_index(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);  // column names
  std::vector<GoldenOp> ops;
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    GoldenOp op;
    std::string scale, zero_point;
    fields >> op.index >> op.name >> op.type >> op.shape >> scale >> zero_point >> op.file;
    ops.push_back(op);
  }
  return ops;
}

std::string npy_name(const GoldenOp& op) {
  return std::string(3 - op.index.size(), '0') + op.index + "_" + op.name + ".npy";
}

std::string npy_type(const std::string& golden_type) {
  if (golden_type == "UINT8") return "|u1";
  if (golden_type == "INT8") return "|i1";
  return golden_type == "INT64" ? "<i8" : "<f4";
}

class Run : public ::testing::Test {
 protected:
  const TempDir dir_;
  const std::string cat_ = kCatPhoto;
};

void expect_tflites_bytes(const std::string& golden, const std::string& model) {
  const TempDir dir;
  const ProgramRun run =
      run_deeplab({"run", test_data("golden/dog_513.png"), "-m", test_data("models/" + model), "-o",
                   dir / "out", "--executor", "naive", "--rounding", "tflite", "--all-tensors"});
  ASSERT_EQ(run.status, 0) << run.err;
  const std::string folder = test_data("golden/" + golden + "/");
  const std::vector<GoldenOp> ops = read_index(folder + "index.tsv");
  ASSERT_GT(ops.size(), 70u);
  EXPECT_EQ(files_below(dir / "out").size(), ops.size());
  int compared = 0;
  for (const GoldenOp& op : ops) {
    const NpyFile npy = read_npy(dir / ("out/" + npy_name(op)));
    EXPECT_EQ(npy.type, npy_type(op.type)) << op.index;
    EXPECT_EQ(npy.shape, std::regex_replace(op.shape, std::regex("x"), ", ")) << op.index;
    if (op.file == "-") continue;
    EXPECT_TRUE(npy.data == file_text(folder + op.file)) << op.index << " " << op.name;
    ++compared;
  }
  EXPECT_GT(compared, 40);
}

TEST(GoldenRun, AllTensorsAreTfLitesBytes) {
  DEEPLAB_NEEDS_TEST_DATA();
  expect_tflites_bytes("dog_dm05_u8", "deeplabv3_mnv2_dm05_pascal_quant.tflite");
  expect_tflites_bytes("dog_dm05_int8_f32io", "deeplabv3_mnv2_dm05_int8_f32io.tflite");
}

TEST_F(Run, WithoutAllTensorsTheOutputsAlone) {
  const ProgramRun run =
      run_deeplab({"run", cat_, "-m", kInt8Labels, "-o", dir_ / "out", "--size", "129"});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(files_below(dir_ / "out"), ElementsAre("078_ARG_MAX.npy"));
  const NpyFile npy = read_npy(dir_ / "out/078_ARG_MAX.npy");
  EXPECT_EQ(npy.type, "<i8");
  EXPECT_EQ(npy.shape, "1, 129, 129");
  EXPECT_EQ(npy.data.size(), size_t{129} * 129 * 8);
}

TEST_F(Run, BothExecutorsWriteTheSameFiles) {
  const auto run = [&](const std::string& executor) {
    return run_deeplab({"run", cat_, "-m", kUint8Labels, "-o", dir_ / executor, "--size", "129",
                        "--executor", executor, "--all-tensors"});
  };
  ASSERT_EQ(run("naive").status, 0);
  const ProgramRun planned = run("planned");
  ASSERT_EQ(planned.status, 0);
  const std::vector<std::string> all = files_below(dir_ / "naive");
  const std::vector<std::string> kept = files_below(dir_ / "planned");
  EXPECT_EQ(all.size(), 79u);
  // What is missing is counted.
  ASSERT_LT(kept.size(), all.size());
  EXPECT_THAT(planned.out, HasSubstr(std::to_string(all.size() - kept.size()) + " more"));
  for (const std::string& name : kept) {
    EXPECT_TRUE(file_text(dir_ / ("naive/" + name)) == file_text(dir_ / ("planned/" + name)))
        << name;
  }
}

TEST_F(Run, WhatCannotBeReadOrWrittenIsNamed) {
  const std::string model = kUint8Labels;
  write_text(dir_ / "text", "no photo and no model\n");
  struct Failure {
    std::string photo, model, out, named;
  };
  for (const Failure& failure :
       {Failure{dir_ / "missing.png", model, dir_ / "out", dir_ / "missing.png"},
        Failure{dir_ / "text", model, dir_ / "out", dir_ / "text"},
        Failure{cat_, dir_ / "text", dir_ / "out", dir_ / "text"},
        Failure{cat_, model, dir_ / "text", dir_ / "text"}}) {
    const ProgramRun run =
        run_deeplab({"run", failure.photo, "-m", failure.model, "-o", failure.out, "--size", "65"});
    EXPECT_EQ(run.status, 1);
    EXPECT_THAT(run.out, IsEmpty());
    ASSERT_THAT(lines_of(run.err), SizeIs(1)) << run.err;
    EXPECT_THAT(run.err, HasSubstr(failure.named));
    EXPECT_THAT(files_below(dir_.path()), ElementsAre("text"));
  }
}

TEST_F(Run, AFullDiskLeavesNoHalfAFile) {
  RunOptions limit;
  limit.max_file_bytes = 4096;
  const ProgramRun run =
      run_deeplab({"run", cat_, "-m", kInt8Labels, "-o", dir_ / "out", "--size", "129"}, limit);
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(lines_of(run.err), SizeIs(1)) << run.err;
  EXPECT_THAT(files_below(dir_.path()), IsEmpty());
}

}  // namespace
}  // namespace deeplab::testing
