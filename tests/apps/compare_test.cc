// deeplab compare: what is the same is called the same, and what differs is found where it
// starts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/isa.h"
#include "tests/apps/program.h"
#include "tests/samples/samples.h"

namespace deeplab::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Compare : public ::testing::Test {
 protected:
  json compare(const std::string& a, const std::string& b, std::vector<std::string> flags) const {
    flags.insert(flags.begin(), {"compare", a, b, kCatPhoto, "--json"});
    const ProgramRun run = run_deeplab(flags);
    EXPECT_EQ(run.status, 0) << run.err;
    EXPECT_THAT(run.err, IsEmpty());
    EXPECT_THAT(lines_of(run.out), SizeIs(1));
    return json::parse(run.out);
  }
};

void expect_no_difference(const json& report) {
  EXPECT_EQ(report["op_mismatch"], json());
  EXPECT_GT(report["ops_compared"], 65);
  EXPECT_EQ(report["ops_differing"], 0);
  EXPECT_EQ(report["first_difference"], json());
  EXPECT_EQ(report["label_agreement"], 1.0);
}

TEST_F(Compare, AFileIsItself) {
  expect_no_difference(compare(kUint8Labels, kUint8Labels, {"--size", "129"}));
  expect_no_difference(compare(kFloat257, kFloat257, {"--size", "129"}));
}

TEST_F(Compare, EveryInstructionSetGivesTheBytesOfTheScalarOne) {
  const std::string best(isa_name(available_isas().back()));
  for (const std::string& model : {kUint8Labels, kInt8FloatIo, kFloat257}) {
    const json report = compare(model, model, {"--isa", "scalar," + best});
    EXPECT_EQ(report["a"]["isa"], "scalar");
    EXPECT_EQ(report["b"]["isa"], best);
    expect_no_difference(report);
  }
}

TEST_F(Compare, ThePlannedExecutorGivesTheBytesOfTheNaiveOne) {
  expect_no_difference(
      compare(kInt8Labels, kInt8Labels, {"--executor", "naive,planned", "--size", "257x129"}));
}

// TensorFlow Lite's kernels round otherwise, and may differ by one step if both see the same.
TEST_F(Compare, OnTheSameInputsTheRoundingsDifferByAStep) {
  const json report = compare(kUint8Labels, kUint8Labels,
                              {"--executor", "naive", "--rounding", "tflite,engine", "--size",
                               "257", "--same-input", "--all-ops"});
  EXPECT_EQ(report["a"]["rounding"], "tflite");
  ASSERT_EQ(report["ops"].size(), 79u);
  for (const json& op : report["ops"]) {
    if (op["type"] == "ARG_MAX") continue;  // a class is not a number
    EXPECT_LE(op["max_steps"], 1) << op;
    // If the factor is nearly a power of two, a large share of the accumulators are ties.
    EXPECT_GT(op["equal_fraction"], 0.75) << op;
  }
  EXPECT_GT(report["ops_differing"], 10);
}

TEST_F(Compare, OtherWeightsAreReportedFromTheFirstOp) {
  const json report = compare(kInt8Labels, kUint8Labels, {});
  EXPECT_EQ(report["op_mismatch"], json());
  EXPECT_GT(report["ops_differing"], 60);
  const json& first = report["first_difference"];
  EXPECT_EQ(first["op"], 0);
  EXPECT_EQ(first["type"], "CONV_2D");
  EXPECT_GT(first["max_steps"], 0);
  EXPECT_LT(first["equal_fraction"], 1);
  EXPECT_GT(report["label_agreement"], 0.9);
  EXPECT_LT(report["label_agreement"], 1);
}

TEST_F(Compare, GraphsThatDoNotMatchAreComparedByTheirLabels) {
  const json report = compare(kInt8Labels, kInt8FloatIo, {});
  EXPECT_THAT(report["op_mismatch"].get<std::string>(), HasSubstr("op 0 (QUANTIZE)"));
  EXPECT_EQ(report["ops_compared"], 0);
  EXPECT_EQ(report["label_pixels"], 500 * 334);
  EXPECT_GT(report["label_agreement"], 0.98);
}

TEST_F(Compare, TextNamesTheFirstOpAndListsAllOnRequest) {
  const std::vector<std::string> words = {"compare", kInt8Labels, kUint8Labels,
                                          kCatPhoto, "--size",    "129"};
  const ProgramRun brief = run_deeplab(words);
  EXPECT_EQ(brief.status, 0);
  EXPECT_THAT(brief.out, HasSubstr("first: op 0 (CONV_2D) 1x65x65x16"));
  EXPECT_THAT(brief.out, HasSubstr("pixels agree"));
  std::vector<std::string> all = words;
  all.emplace_back("--all-ops");
  EXPECT_EQ(lines_of(run_deeplab(all).out).size(), lines_of(brief.out).size() + 1 + 79);
}

TEST_F(Compare, APhotoThatFailsDoesNotStopTheOthers) {
  const TempDir dir;
  const ProgramRun run = run_deeplab({"compare", kUint8Labels, kUint8Labels, dir / "missing.png",
                                      kCatPhoto, "--json", "--size", "65"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(lines_of(run.out), SizeIs(1));
  ASSERT_THAT(lines_of(run.err), SizeIs(1));
  EXPECT_THAT(run.err, HasSubstr("missing.png"));
}

TEST_F(Compare, ModelsThatStoreTensorsDifferentlyCannotShareInputs) {
  const ProgramRun run =
      run_deeplab({"compare", kInt8Labels, kFloat257, kCatPhoto, "--size", "65", "--same-input"});
  // Another op list: labels only, and nothing to share.
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("not comparable"));
}

}  // namespace
}  // namespace deeplab::testing
