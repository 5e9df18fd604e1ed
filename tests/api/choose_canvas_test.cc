// The canvas for a frame rate. Nothing here depends on how fast the machine is.
#include "api/choose_canvas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deeplab/deeplab.hpp"
#include "tests/api/test_models.h"

namespace deeplab::testing {
namespace {

using api::canvases_for;
using api::CanvasSize;
using ::testing::HasSubstr;

TEST(Canvases, FallByWholeCellsWithThePicturesProportions) {
  const auto square = canvases_for(513, 513, 640, 640);
  EXPECT_EQ(square.front(), (CanvasSize{513, 513}));
  EXPECT_EQ(square[1], (CanvasSize{481, 481}));
  EXPECT_EQ(square.back(), (CanvasSize{129, 129}));
  EXPECT_EQ(square.size(), 13u);
  const auto wide = canvases_for(513, 513, 1920, 1080);
  EXPECT_EQ(wide.front(), (CanvasSize{513, 289}));
  const auto tall = canvases_for(513, 513, 1080, 1920);
  ASSERT_EQ(tall.size(), wide.size());
  for (size_t i = 0; i < wide.size(); ++i) {
    EXPECT_EQ(tall[i], (CanvasSize{wide[i].height, wide[i].width}));
    EXPECT_EQ(wide[i].width % 32, 1);
    EXPECT_EQ(wide[i].height % 32, 1);
    EXPECT_GE(wide[i].height * 1920, wide[i].width * 1080);  // the whole picture fits
  }
}

TEST(Canvases, OfOtherModels) {
  EXPECT_EQ(canvases_for(512, 512, 100, 50).front(), (CanvasSize{512, 256}));
  EXPECT_EQ(canvases_for(2049, 1025, 400, 200).front(), (CanvasSize{2049, 1025}));
  EXPECT_EQ(canvases_for(65, 65, 300, 200).size(), 1u);  // smaller than the smallest: itself
  EXPECT_EQ(canvases_for(513, 513, 65535, 1).front(), (CanvasSize{513, 1}));
}

class ChooseCanvas : public ::testing::Test {
 protected:
  void SetUp() override {
    auto model = Model::load(kInt8Labels);
    ASSERT_TRUE(model.ok()) << model.status().message();
    model_ = std::make_unique<Model>(*model);
    options_.threads = 1;
  }
  std::unique_ptr<Model> model_;
  Options options_;
};

TEST_F(ChooseCanvas, TakesTheModelsOwnIfThereIsTime) {
  const auto canvas = choose_canvas(*model_, options_, 64, 64, 1e-3);
  ASSERT_TRUE(canvas.ok()) << canvas.status().message();
  EXPECT_EQ(canvas->width, model_->input_size().first);
  EXPECT_EQ(canvas->height, model_->input_size().second);
  EXPECT_GT(canvas->milliseconds, 0);
}

TEST_F(ChooseCanvas, SaysHowFastTheSmallestIsIfNoneIsFastEnough) {
  const auto canvas = choose_canvas(*model_, options_, 64, 48, 1e9);
  ASSERT_FALSE(canvas.ok());
  EXPECT_EQ(canvas.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(canvas.status().message(), HasSubstr("129x97, takes "));
}

TEST_F(ChooseCanvas, KeepsItsPromise) {
  // What the model's own canvas takes, times two or so: whatever comes out has to hold it.
  const auto own = choose_canvas(*model_, options_, 64, 64, 1e-3);
  ASSERT_TRUE(own.ok());
  const double rate = 2000 / own->milliseconds;
  const auto canvas = choose_canvas(*model_, options_, 64, 64, rate);
  if (!canvas.ok()) GTEST_SKIP() << "the machine was busy: " << canvas.status().message();
  EXPECT_LE(canvas->milliseconds, 1000 / rate);
  EXPECT_LE(canvas->width, own->width);
  EXPECT_EQ(canvas->width, canvas->height);
}

TEST_F(ChooseCanvas, WrongArgumentsAreNamed) {
  for (const double rate : {0.0, -1.0}) {
    EXPECT_THAT(choose_canvas(*model_, options_, 64, 64, rate).status().message(),
                HasSubstr("frames per second; expected more than 0"));
  }
  EXPECT_EQ(choose_canvas(*model_, options_, 0, 64, 30).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(choose_canvas(*model_, options_, 70000, 1, 30).status().code(),
            StatusCode::kInvalidArgument);
  options_.width = options_.height = 257;
  EXPECT_THAT(choose_canvas(*model_, options_, 64, 64, 30).status().message(),
              HasSubstr("is given already"));
  EXPECT_EQ(deeplab_choose_canvas(nullptr, nullptr, 1, 1, 1, nullptr), DEEPLAB_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace deeplab::testing
