// Delegates: what they take is known, what they compute is the same, and how they fail is said.
#include "tflite_library/delegate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "api/segmenter.h"
#include "tests/api/test_models.h"
#include "tests/tflite/model_builder.h"
#include "tests/tflite_library/library.h"

namespace deeplab::testing {
namespace {

using api::Segmenter;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Delegates : public ::testing::Test {
 protected:
  void SetUp() override {
    DEEPLAB_NEEDS_TFLITE();
    auto model = api::Model::load(kInt8FloatIo);
    ASSERT_TRUE(model.ok()) << model.status().message();
    model_ = *model;
    options_.library = tflite_library_path();
    options_.delegate = delegate_path("all");
  }

  Result<std::unique_ptr<Segmenter>> make() {
    api::SegmenterOptions options;
    options.threads = 1;
    options.tflite = std::make_shared<const tflite_library::Options>(options_);
    return Segmenter::create(model_, options);
  }
  /// The sentence of a segmenter that cannot be made.
  std::string refusal() {
    const auto segmenter = make();
    EXPECT_FALSE(segmenter.ok());
    return segmenter.status().message();
  }
  void set_mode(const std::string& mode) { options_.delegate_options = {{"mode", mode}}; }
  /// The scores of one photo.
  std::vector<float> scores() {
    auto segmenter = make();
    EXPECT_TRUE(segmenter.ok()) << segmenter.status().message();
    if (!segmenter.ok()) return {};
    delegation_ = *(*segmenter)->facts().delegation;
    const Status ran = (*segmenter)->run(rgb_view(pixels_, 320, 240));
    EXPECT_TRUE(ran.ok()) << ran.message();
    const auto found = (*segmenter)->scores();
    return found.ok() ? std::vector<float>(found->begin(), found->end()) : std::vector<float>();
  }

  std::shared_ptr<const api::Model> model_;
  tflite_library::Options options_;
  api::Delegation delegation_;
  const std::vector<uint8_t> pixels_ = synthetic_photo(320, 240);
};

TEST_F(Delegates, TakeOpsAndComputeTheSame) {
  tflite_library::Options alone;
  alone.library = options_.library;
  std::swap(options_, alone);
  const std::vector<float> expected = scores();
  EXPECT_EQ(delegation_.delegated_ops, 0);
  EXPECT_EQ(delegation_.share(), 0);
  std::swap(options_, alone);
  EXPECT_EQ(scores(), expected);
  EXPECT_GT(delegation_.delegated_ops, 20);
  EXPECT_GT(delegation_.share(), 0.2);
  EXPECT_LE(delegation_.share(), 1);
}

TEST_F(Delegates, TakeEveryDepthwiseConvolution) {
  int depthwise = 0;
  int64_t macs = 0, all = 0;
  for (const graph::Op& op : model_->graph().ops) {
    all += graph::macs(model_->graph(), op);
    if (graph::op_name(op.attributes) != "DEPTHWISE_CONV_2D") continue;
    ++depthwise;
    macs += graph::macs(model_->graph(), op);
  }
  set_mode("depthwise");
  scores();
  EXPECT_EQ(delegation_.delegated_ops, depthwise);
  EXPECT_EQ(delegation_.partitions, depthwise);  // no two are neighbours
  EXPECT_EQ(delegation_.delegated_macs, macs);
  EXPECT_EQ(delegation_.macs, all);
}

TEST_F(Delegates, MustTakeAsMuchAsIsRequired) {
  set_mode("depthwise");
  options_.required_percent = 0.5;
  EXPECT_TRUE(make().ok());
  options_.required_percent = 50;
  EXPECT_THAT(refusal(), AllOf(HasSubstr("deeplab.tflite: the delegate"), HasSubstr("ops, in"),
                               HasSubstr("% of the multiply-accumulates"),
                               HasSubstr("at least 50 % are required")));
  set_mode("none");
  options_.required_percent = 1;
  EXPECT_THAT(refusal(), HasSubstr("took 0 % of the multiply-accumulates (0 of "));
}

TEST_F(Delegates, ThatCannotBeLoadedSayWhy) {
  options_.delegate = "/nowhere/libvx_delegate.so";
  EXPECT_THAT(refusal(), AllOf(HasSubstr("the delegate: cannot open /nowhere/libvx_delegate.so"),
                               HasSubstr("No such file or directory")));
  options_.delegate = delegate_path("with_unknown_function");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("with_unknown_function.so"),
                               HasSubstr("undefined symbol: a_function_that_no_library_has")));
}

TEST_F(Delegates, KeepTheirCacheInADirectoryThatIsThere) {
  options_.delegate_cache = "/nowhere/at/all";
  EXPECT_THAT(refusal(), HasSubstr("the delegate's cache: no directory /nowhere/at/all"));
  options_.delegate_cache = "/";
  EXPECT_THAT(refusal(), HasSubstr("nobody knows what libtest_delegate_all.so calls its cache"));
}

TEST_F(Delegates, ThatLackAFunctionAreNone) {
  options_.delegate = delegate_path("without_create");
  EXPECT_THAT(refusal(), HasSubstr("has no function tflite_plugin_create_delegate"));
  options_.delegate = delegate_path("without_destroy");
  EXPECT_THAT(refusal(), HasSubstr("has no function tflite_plugin_destroy_delegate"));
}

TEST_F(Delegates, ThatRefuseToBeCreatedAreQuoted) {
  set_mode("create");
  EXPECT_THAT(refusal(), HasSubstr("refused to be created: no accelerator on this board"));
  options_.delegate_options = {{"speed", "11"}};
  EXPECT_THAT(refusal(), HasSubstr("refused to be created: unknown option 'speed'; expected mode"));
  options_.delegate_options = {{"silent", "1"}};
  EXPECT_THAT(refusal(), HasSubstr("refused to be created, and did not say why"));
}

TEST_F(Delegates, ThatRefuseTheModelAreQuoted) {
  set_mode("prepare");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("refused to take part of the model"),
                               HasSubstr("driver is of version 3, expected 7")));
}

TEST_F(Delegates, ThatFailInARunAreQuotedAndMayBeAskedAgain) {
  set_mode("run");
  auto segmenter = make();
  ASSERT_TRUE(segmenter.ok()) << segmenter.status().message();
  for (int i = 0; i < 2; ++i) {
    const Status ran = (*segmenter)->run(rgb_view(pixels_, 320, 240));
    EXPECT_EQ(ran.code(), StatusCode::kInternal);
    EXPECT_THAT(ran.message(), AllOf(HasSubstr("failed in the run"),
                                     HasSubstr("the accelerator has lost its clock")));
    EXPECT_FALSE((*segmenter)->scores().ok());
  }
}

TEST_F(Delegates, XnnpackIsInsideTheLibrary) {
  auto model = api::Model::load(kFloat257);
  ASSERT_TRUE(model.ok());
  model_ = *model;
  options_.delegate = tflite_library::kXnnpack;
  scores();
  EXPECT_GT(delegation_.share(), 0.9);
  options_.delegate_options = {{"threads", "2"}};
  EXPECT_THAT(refusal(), HasSubstr("xnnpack takes no options"));
}

TEST_F(Delegates, StopBeforeTheNetworkRuns) {
  auto segmenter = make();
  ASSERT_TRUE(segmenter.ok()) << segmenter.status().message();
  api::RunControl control;
  control.should_stop = [](void*) { return true; };
  EXPECT_EQ((*segmenter)->run(rgb_view(pixels_, 320, 240), control).code(), StatusCode::kCancelled);
}

// ---- Custom ops: code for an accelerator in the file

/// Scores that are the pixels themselves, so that the class is the brightest channel.
std::vector<std::byte> file_with_custom_op(bool with_labels) {
  using Type = ModelBuilder::TensorType;
  ModelBuilder b;
  const FileQuantization pixels{{1.0f / 128}, {0}};
  const int32_t input = b.input(Type::INT8, {1, 9, 9, 3}, pixels);
  const int32_t scores = b.add(ModelBuilder::BuiltinOperator::CUSTOM, {input},
                               b.activation(Type::INT8, {1, 9, 9, 3}, pixels));
  b.model.operator_codes.back()->custom_code = "test-copy";
  if (!with_labels) return b.build({scores});
  tflite::schema::ArgMaxOptionsT arg_max;
  arg_max.output_type = Type::INT32;
  return b.build({b.add(ModelBuilder::BuiltinOperator::ARG_MAX, {scores, b.numbers({3}, {1})},
                        b.activation(Type::INT32, {1, 9, 9}), arg_max)});
}

class CustomOps : public Delegates, public ::testing::WithParamInterface<bool> {};

TEST_P(CustomOps, RunOnTheDelegateThatKnowsThem) {
  if (IsSkipped()) return;
  const std::vector<std::byte> file = file_with_custom_op(GetParam());
  EXPECT_THAT(api::Model::parse(file, "file").status().message(), HasSubstr("test-copy"));
  api::ModelOptions with_custom_ops;
  with_custom_ops.allow_custom_ops = true;
  auto model = api::Model::parse(file, "file", with_custom_ops);
  ASSERT_TRUE(model.ok()) << model.status().message();
  EXPECT_EQ((*model)->class_count(), 3);
  const auto engine = Segmenter::create(*model, {});
  EXPECT_THAT(engine.status().message(), HasSubstr("only TensorFlow Lite with its delegate"));
  model_ = *model;
  set_mode("depthwise");
  EXPECT_THAT(refusal(), HasSubstr("unresolved custom op: test-copy"));
  set_mode("custom");
  options_.required_percent = 100;  // of the ops
  auto segmenter = make();
  ASSERT_TRUE(segmenter.ok()) << segmenter.status().message();
  std::vector<uint8_t> photo, expected, mask(81);
  for (int i = 0; i < 81; ++i) {
    const uint8_t pixel[3] = {static_cast<uint8_t>(i * 3), static_cast<uint8_t>(255 - i * 3), 100};
    photo.insert(photo.end(), pixel, pixel + 3);
    expected.push_back(static_cast<uint8_t>(std::max_element(pixel, pixel + 3) - pixel));
  }
  ASSERT_TRUE((*segmenter)->run(rgb_view(photo, 9, 9)).ok());
  ASSERT_TRUE((*segmenter)->category_mask(9, 9, mask.data(), 9).ok());
  EXPECT_EQ(mask, expected);
  api::SegmenterOptions larger;
  larger.width = larger.height = 17;
  larger.tflite = std::make_shared<const tflite_library::Options>(options_);
  EXPECT_THAT(Segmenter::create(model_, larger).status().message(),
              HasSubstr("runs at its own canvas only, 9x9"));
}

INSTANTIATE_TEST_SUITE_P(Ends, CustomOps, ::testing::Bool());

}  // namespace
}  // namespace deeplab::testing
