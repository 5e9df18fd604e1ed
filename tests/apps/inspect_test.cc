// deeplab inspect: the facts of known files, and files that are no models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "tests/apps/program.h"
#include "tests/graph/graph_builder.h"
#include "tests/samples/samples.h"
#include "tflite/writer.h"

namespace deeplab::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Inspect : public ::testing::Test {
 protected:
  static json facts(const std::string& model, std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(), {"inspect", model, "--json"});
    const ProgramRun run = run_deeplab(flags);
    EXPECT_EQ(run.status, 0) << run.err;
    EXPECT_THAT(lines_of(run.out), SizeIs(1));
    return json::parse(run.out);
  }
};

TEST_F(Inspect, JsonHasTheFileAsItIs) {
  const json model = facts(kUint8Labels);
  EXPECT_EQ(model["bytes"], std::filesystem::file_size(kUint8Labels));
  EXPECT_EQ(model["macs"], 835127968);
  EXPECT_EQ(model["flops"], 2 * 835127968LL);
  EXPECT_EQ(model["parameters"], 707114);
  EXPECT_EQ(model["ops"].size(), 79u);
  const json& input = model["inputs"][0];
  EXPECT_EQ(input["type"], "uint8");
  EXPECT_EQ(input["shape"], json({1, 513, 513, 3}));
  EXPECT_EQ(input["quantization"]["scales"].size(), 1u);
  EXPECT_EQ(input["quantization"]["zero_points"], json({128}));
  EXPECT_EQ(model["outputs"][0]["type"], "int64");
  EXPECT_EQ(model["ops"][0]["type"], "CONV_2D");
  EXPECT_EQ(model["ops"][0]["attributes"]["stride"], json({2, 2}));
  EXPECT_EQ(model["ops"][78]["attributes"], json({{"axis", 3}}));
  const json& head = model["label_head"];
  EXPECT_EQ(head["width"], 65);
  EXPECT_EQ(head["classes"], 21);
  EXPECT_EQ(head["align_corners"], true);
  EXPECT_EQ(head["argmax"], true);
  EXPECT_FALSE(model.contains("plan"));
}

TEST_F(Inspect, EveryIdOfAnOpIsDescribed) {
  const json model = facts(kInt8FloatIo);
  std::set<int> described;
  for (const json& tensor : model["tensors"]) described.insert(tensor["id"].get<int>());
  for (const json& op : model["ops"]) {
    EXPECT_TRUE(described.contains(op["output"].get<int>()));
    for (const json& id : op["inputs"]) EXPECT_TRUE(described.contains(id.get<int>()));
  }
}

TEST_F(Inspect, ThePlanAddsUp) {
  const json model = facts(kInt8Labels, {"--plan", "--threads", "1"});
  const json& plan = model["plan"];
  EXPECT_EQ(plan["threads"], 1);
  EXPECT_GT(plan["packed_weight_bytes"], 600000);
  int64_t macs = 0;
  for (const json& step : plan["steps"]) {
    macs += step["macs"].get<int64_t>();
    EXPECT_FALSE(step["kernel"].get<std::string>().empty());
    EXPECT_LE(step["offset"].get<int64_t>() + step["bytes"].get<int64_t>(), plan["arena_bytes"]);
  }
  EXPECT_EQ(macs, model["macs"]);
}

TEST_F(Inspect, AnotherSize) {
  const json model = facts(kInt8FloatIo, {"--size", "257x129"});
  EXPECT_EQ(model["inputs"][0]["shape"], json({1, 129, 257, 3}));
  EXPECT_EQ(model["outputs"][0]["shape"], json({1, 129, 257, 21}));
}

TEST_F(Inspect, ALargerOutputStrideIsTheNetworkMadeForIt) {
  const std::string name = kInt8Dilated;
  EXPECT_EQ(facts(name)["label_head"]["width"], 65);
  const json model = facts(name, {"--output-stride", "16"});
  EXPECT_EQ(model["label_head"]["width"], 33);
  EXPECT_EQ(model["macs"], 867496704);  // as the file that was trained at 16
  const ProgramRun run = run_deeplab({"inspect", name, "--output-stride", "64"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, HasSubstr("its output stride is 8 and cannot be 64: too few"));
}

TEST_F(Inspect, TextForPeople) {
  const ProgramRun run = run_deeplab({"inspect", kFloat257, "--plan"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.out, AllOf(HasSubstr("label head"), HasSubstr("1x257x257x3"),
                             HasSubstr("multiply-accumulates"), HasSubstr("\nplan: ")));
}

TEST_F(Inspect, TextSaysTheWorkAndHowItIsCounted) {
  const ProgramRun run = run_deeplab({"inspect", kInt8FloatIo});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.out, HasSubstr("\nwork          835.1 M multiply-accumulates, 1670.3 M FLOPs (2 "
                                 "per multiply-accumulate); 707114 parameters\n"));
}

// In the order of the graph; the published networks have none of these ops.
TEST(InspectOps, JsonHasTheAttributesOfRareOps) {
  const std::vector<std::pair<graph::Attributes, const char*>> ops = {
      {graph::Pad{{{0, 0}, {1, 1}, {2, 0}, {0, 0}}},
       R"({"amounts":[[0,0],[1,1],[2,0],[0,0]],"value":0})"},
      {graph::SpaceToBatchNd{2, 3, {0, 0}, {1, 2}},
       R"({"block":[2,3],"pad_h":[0,0],"pad_w":[1,2]})"},
      {graph::BatchToSpaceNd{2, 3, {0, 0}, {1, 2}},
       R"({"block":[2,3],"crop_h":[0,0],"crop_w":[1,2]})"},
      {graph::ResizeNearestNeighbor{3, 5, true, false},
       R"({"height":3,"width":5,"align_corners":true,"half_pixel_centers":false})"},
      {graph::Mean{{1, 2}, true}, R"({"axes":[1,2],"keep_dims":true})"},
      {graph::Tile{{1, 2, 3, 1}}, R"({"multiples":[1,2,3,1]})"},
      {graph::Relu{}, "{}"},
      {graph::Relu6{}, "{}"},
      {graph::Softmax{2}, R"({"beta":2.0})"},
      {graph::Reshape{{1, 6, 2}}, R"({"shape":[1,6,2]})"},
  };
  GraphBuilder b;
  graph::TensorId last = b.input(graph::DataType::kFloat32, {1, 4, 4, 2});
  for (const auto& [attributes, text] : ops) {
    last = b.op(attributes, {last}, graph::DataType::kFloat32);
  }
  tflite::ModelFile file;
  file.graph = b.build({last});
  const auto bytes = tflite::write_model(file);
  ASSERT_TRUE(bytes.ok()) << bytes.status().message();
  const TempDir dir;
  ASSERT_TRUE(write_file_atomically(dir / "rare.tflite", *bytes).ok());

  const ProgramRun run = run_deeplab({"inspect", dir / "rare.tflite", "--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  const json model = json::parse(run.out);
  ASSERT_THAT(model["ops"], SizeIs(ops.size()));
  for (size_t i = 0; i < ops.size(); ++i) {
    const json& op = model["ops"][i];
    EXPECT_EQ(op["type"], graph::op_name(ops[i].first));
    EXPECT_EQ(op["attributes"], json::parse(ops[i].second)) << op["type"];
  }
}

TEST(InspectFailure, IsStatus1AndOneLineThatNamesTheFile) {
  const TempDir dir;
  write_text(dir / "text.tflite", "no model at all, but long enough to hold a header\n");
  for (const std::string& model : {dir / "text.tflite", dir / "missing.tflite"}) {
    const ProgramRun run = run_deeplab({"inspect", model, "--json"});
    EXPECT_EQ(run.status, 1);
    EXPECT_THAT(run.out, IsEmpty());
    ASSERT_THAT(lines_of(run.err), SizeIs(1));
    EXPECT_THAT(run.err, HasSubstr(model));
  }
}

}  // namespace
}  // namespace deeplab::testing
