// The command line of deeplab-train, and what options.json holds of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "train/run/command_line.h"
#include "train/run/option_list.h"

namespace deeplab::train {
namespace {

using ::testing::HasSubstr;

/// What a run gets from these arguments; an argument that CLI11 refuses fails the test.
Result<RunOptions> parse(std::vector<std::string> arguments) {
  CLI::App app;
  CommandLine line;
  add_options(app, line);
  std::reverse(arguments.begin(), arguments.end());  // as CLI::App::parse() takes them
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    ADD_FAILURE() << error.what();
  }
  return run_options(line);
}

std::string error_of(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"-o", "runs/a", "--data", "photos"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return parse(std::move(arguments)).status().message();
}

// A run that is resumed compares this with the file that it wrote at its start: other names, or
// other forms of the values, would refuse all checkpoints that people have.
TEST(Options, TheRecordStaysAsOldRunsHaveIt) {
  const auto run = parse({"-o",          "runs/a",   "--data",          "in/photos:all@2",
                          "--unlabeled", "more",     "--teacher",       "in/teacher.tflite",
                          "--size",      "257x129",  "--jitter",        "0.5",
                          "--scale",     "0.75-1.5", "--head",          "lraspp",
                          "--optimizer", "adamw",    "--class-weights", "1,2",
                          "--classes",   "2",        "--aspp-rates",    "6,12"});
  ASSERT_TRUE(run.ok()) << run.status().message();
  EXPECT_EQ(recorded_options(*run).dump(),
            R"({"aspp_rates":[6,12],"average":0.999,"batch":8,"batch_norm":1,)"
            R"("class_weights":[1.0,2.0],"classes":2,"clip":0.0,)"
            R"("data":[{"class_map":"","masks":true,"root":"photos","split":"all","weight":2.0},)"
            R"({"class_map":"","masks":false,"root":"more","split":"","weight":1.0}],)"
            R"("decoder":"none","depth_multiplier":0.5,"flip":0.5,"freeze_backbone":false,)"
            R"("fresh_factor":1.0,"hard_pixels":1.0,"head":"lraspp","height":129,"init":"",)"
            R"("jitter":[0.5,0.5,0.5,0.05],"jpeg_noise":0.0,"learning_rate":0.007,)"
            R"("long_side":0,"mask_weight":1.0,"micro_batch":1,"momentum":0.9,)"
            R"("optimizer":"adamw","output_stride":16,"pixel_stride":2,"power":0.9,)"
            R"("quantize_photos":0,"rare_classes":0.0,"scale":[0.75,1.5,0.25],"seed":1,)"
            R"("steps":1000,"teacher_flip":false,"teacher_weight":1.0,)"
            R"("teachers":["teacher.tflite"],"warmup":0,"weight_decay":4e-05,"width":257})");
}

TEST(Options, WhatChangesNoWeightIsNotRecorded) {
  const auto record = [](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"-o", "a", "--data", "photos", "--init", "x.tflite"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto run = parse(std::move(arguments));
    return run.ok() ? recorded_options(*run) : nlohmann::json();
  };
  EXPECT_FALSE(record({}).is_null());
  EXPECT_EQ(record({"--blend", "0.5", "--threads", "3", "--loader-threads", "2", "--log-every", "1",
                    "--save-every", "1", "--validate-every", "1", "--name", "n", "--no-check",
                    "--validation", "v", "--allow-missing-classes"}),
            record({}));
  EXPECT_NE(record({"--seed", "2"}), record({}));
}

TEST(Options, BatchNormIsTrainedIfTheWeightsAreRandom) {
  EXPECT_EQ(parse({"-o", "a", "--data", "b"})->train.batch_norm, BatchNorm::kTrain);
  EXPECT_EQ(parse({"-o", "a", "--data", "b", "--init", "x.tflite"})->train.batch_norm,
            BatchNorm::kNone);
}

TEST(Options, ErrorsNameTheFlag) {
  EXPECT_EQ(error_of({"--head", "x"}),
            "--head: unknown value \"x\"; expected one of pooling, lraspp");
  EXPECT_EQ(error_of({"--batch-norm", "x"}),
            "--batch-norm: unknown value \"x\"; expected one of auto, none, train, frozen");
  EXPECT_EQ(error_of({"--steps", "0"}), "--steps 0: expected at least 1");
  EXPECT_EQ(error_of({"--micro-batch", "0"}), "--micro-batch 0: expected at least 1");
  EXPECT_EQ(error_of({"--pixel-stride", "17"}), "--pixel-stride 17: expected 1 to 16");
  EXPECT_EQ(error_of({"--hard-pixels", "0"}), "--hard-pixels 0: expected above 0 and at most 1");
  EXPECT_EQ(error_of({"--learning-rate", "0"}), "--learning-rate 0: expected above 0");
  EXPECT_EQ(error_of({"--average", "1"}), "--average 1: expected 0 to below 1");
  EXPECT_EQ(error_of({"--blend", "2"}), "--blend 2: expected 0 to 1");
  EXPECT_THAT(error_of({"--blend", "0.5"}), HasSubstr("--blend: needs --init"));
  EXPECT_THAT(error_of({"--quantize", "3"}), HasSubstr("--quantize: batch norm"));
  EXPECT_THAT(error_of({"--unlabeled", "x"}), HasSubstr("need a --teacher"));
  EXPECT_EQ(error_of({"--size", "12"}), "--size: \"12\": expected N or WxH, 33 to 4097 per side");
  EXPECT_EQ(error_of({"--scale", "1-2-3"}), "--scale: \"1-2-3\": expected MIN-MAX");
  EXPECT_EQ(error_of({"--class-weights", "1,2"}), "--class-weights: 2 for 21 classes");
  EXPECT_EQ(error_of({"--data", ":x"}), "--data: a folder is missing");
}

}  // namespace
}  // namespace deeplab::train
