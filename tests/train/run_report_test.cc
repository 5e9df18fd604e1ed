// The log of a run as a killed and resumed trainer leaves it, and the page made of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "train/run/log.h"
#include "train/run/report.h"

namespace deeplab::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr std::string_view kHeader =
    R"({"options":{"crop":321,"data":[{"root":"voc","weight":1.5}],"init":"a <b>.tflite"},)"
    R"("classes":["background","cat & dog"],"dataset":["voc: 20 photos"]})";

class RunLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "metrics_" + std::to_string(::getpid()) + ".jsonl";
  }
  void TearDown() override { std::filesystem::remove(path_); }

  Result<RunLog> read(std::string_view text) {
    std::ofstream(path_, std::ios::binary) << text;
    return read_run_log(path_);
  }
  /// Of text after the header line.
  RunLog log_of(std::string_view text) {
    Result<RunLog> log = read(std::string(kHeader) + "\n" + std::string(text));
    EXPECT_TRUE(log.ok()) << log.status().message();
    return log.ok() ? *log : RunLog();
  }

  std::string path_;
};

std::vector<int64_t> steps_of(const RunLog& log) {
  std::vector<int64_t> steps;
  for (const auto& [step, values] : log.steps) steps.push_back(step);
  return steps;
}

size_t count(std::string_view text, std::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST_F(RunLogTest, ReadsWhatTheTrainerWrites) {
  const RunLog log = log_of(
      R"({"step":20,"loss":1.5,"loss_masks":1.25,"lr":0.007,"photos_per_s":3,"data_wait":0.01})"
      "\n"
      R"({"step":20,"validation":"voc:val","miou":0.5,"pixel_accuracy":0.9,"iou":[0.75,null]})"
      "\n");
  EXPECT_THAT(log.options,
              ElementsAre(Pair("crop", "321"), Pair("data", R"([{"root":"voc","weight":1.5}])"),
                          Pair("init", "a <b>.tflite")));
  EXPECT_THAT(log.classes, ElementsAre("background", "cat & dog"));
  EXPECT_THAT(log.dataset, ElementsAre("voc: 20 photos"));
  EXPECT_THAT(log.steps.at(20),
              ElementsAre(Pair("data_wait", 0.01), Pair("loss", 1.5), Pair("loss_masks", 1.25),
                          Pair("lr", 0.007), Pair("photos_per_s", 3)));
  ASSERT_EQ(log.validations.size(), 1u);
  EXPECT_EQ(log.validations[0].step, 20);
  EXPECT_EQ(log.validations[0].dataset, "voc:val");
  EXPECT_EQ(log.validations[0].miou, 0.5);
  EXPECT_EQ(log.validations[0].pixel_accuracy, 0.9);
  ASSERT_EQ(log.validations[0].iou.size(), 2u);
  EXPECT_EQ(log.validations[0].iou[0], 0.75);
  EXPECT_TRUE(std::isnan(log.validations[0].iou[1]));
  EXPECT_EQ(log.torn_lines, 0);
}

TEST_F(RunLogTest, AResumedRunDropsTheLifeThatWasLost) {
  // Killed after step 70, resumed from a checkpoint at 40 with lines at other steps.
  const RunLog log = log_of(
      "{\"step\":20,\"loss\":1}\n{\"step\":40,\"loss\":2}\n"
      "{\"step\":40,\"validation\":\"a\",\"miou\":0.1}\n"
      "{\"step\":40,\"validation\":\"b\",\"miou\":0.2}\n"
      "{\"step\":60,\"loss\":3}\n{\"step\":60,\"validation\":\"a\",\"miou\":0.3}\n"
      "{\"step\":70,\"loss\":4}\n{\"step\":80,\"lo\n\n"
      "{\"step\":50,\"loss\":5}\n{\"step\":60,\"loss\":6}\n");
  EXPECT_THAT(steps_of(log), ElementsAre(20, 40, 50, 60));
  EXPECT_EQ(log.steps.at(60).at("loss"), 6);
  ASSERT_EQ(log.validations.size(), 2u);
  EXPECT_EQ(log.validations[1].dataset, "b");
  EXPECT_EQ(log.torn_lines, 1);
}

TEST_F(RunLogTest, AValidationLoggedAgainReplacesItsOwnOnly) {
  const RunLog log = log_of(
      "{\"step\":40,\"loss\":2}\n{\"step\":40,\"validation\":\"a\",\"miou\":0.1}\n"
      "{\"step\":40,\"validation\":\"b\",\"miou\":0.2}\n{\"step\":60,\"loss\":2}\n"
      "{\"step\":60,\"validation\":\"a\",\"miou\":0.5}\n"
      "{\"step\":40,\"validation\":\"a\",\"miou\":0.3}\n");
  ASSERT_EQ(log.validations.size(), 2u);
  EXPECT_EQ(log.validations[0].dataset, "b");
  EXPECT_EQ(log.validations[1].miou, 0.3);
  EXPECT_THAT(steps_of(log), ElementsAre(40));
}

TEST_F(RunLogTest, NullIsNotANumberAndUnknownNumbersAreKept) {
  const RunLog log = log_of("{\"step\":1,\"loss\":null,\"new\":7,\"text\":\"x\",\"list\":[1]}\n");
  ASSERT_EQ(log.steps.at(1).size(), 2u);
  EXPECT_TRUE(std::isnan(log.steps.at(1).at("loss")));
  EXPECT_EQ(log.steps.at(1).at("new"), 7);
}

TEST_F(RunLogTest, LinesThatAreNoObjectsAreCounted) {
  const std::string deep = "{\"step\":1,\"x\":" + std::string(100000, '[') + "\n";
  const RunLog log = log_of("{\"step\":1}\r\n" + deep +
                            "[1]\n{\"loss\":1}\n{\"step\":\"1\"}\n{\"step\":1.5}\n\xff\xfe\n"
                            "{\"step\":2}\n{\"step\":3,\"los");
  EXPECT_THAT(steps_of(log), ElementsAre(1, 2));
  EXPECT_EQ(log.torn_lines, 7);
}

TEST_F(RunLogTest, FilesThatAreNoLogsAreErrorsWithTheirPath) {
  EXPECT_THAT(read("").status().message(), HasSubstr(path_ + ": the log of a run, but empty"));
  for (const char* text : {"step,loss\n1,2\n", "{\"step\":1,\"loss\":2}\n", "{\"options\":3}\n"}) {
    const Result<RunLog> log = read(text);
    ASSERT_FALSE(log.ok()) << text;
    EXPECT_EQ(log.status().code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(log.status().message(), HasSubstr(path_ + ": the first line of a run's log"));
  }
  EXPECT_EQ(read_run_log(path_ + ".missing").status().code(), StatusCode::kIoError);
}

/// A run of `count` lines with two validations.
RunLog long_run(int64_t count) {
  RunLog log;
  log.options = {{"crop", "321"}, {"init", "a <b>.tflite"}};
  log.classes = {"background", "cat & dog"};
  log.dataset = {"voc: 20 <photos>"};
  for (int64_t i = 1; i <= count; ++i) {
    const double loss = 1 + std::exp(-static_cast<double>(i) / 50) + (i % 2 == 0 ? 0.25 : -0.25);
    log.steps[20 * i] = {{"loss", 2 * loss},     {"loss_masks", loss},  {"loss_teacher", loss},
                         {"lr", 0.007},          {"photos_per_s", 3.5}, {"data_wait", 0.0125},
                         {"gradient_norm", 1.25}};
  }
  log.validations = {{20, "voc:val", 0.6, 0.9, {0.9, 0.3}},
                     {40, "voc:val", 0.7, 0.92, {0.95, 0.45}},
                     {60, "voc:val", 0.65, 0.91, {0.94, std::nan("")}}};
  return log;
}

TEST(RunReport, ShowsWhatTheLogHas) {
  const std::string page = render_run_report(
      long_run(500), {.title = "Run <1>", .links = {{"the model", "model.tflite"}}});
  for (const char* heading :
       {"<h1>Run &lt;1&gt;</h1>", "<h2>Loss</h2>", "<h2>Validation</h2>", "<h2>Classes</h2>",
        "<h2>Learning rate</h2>", "<h2>Throughput</h2>", "<h2>Waiting for data</h2>",
        "<h2>Other measurements</h2>", "<h2>Options</h2>", "<h2>Data</h2>", "<h2>Files</h2>"}) {
    EXPECT_THAT(page, HasSubstr(heading));
  }
  EXPECT_THAT(page, HasSubstr("up to step 10,000"));
  // The best mean and the last are told apart, in figures and in tables.
  EXPECT_THAT(page, HasSubstr("<b>0.7000</b><span>best mIoU, voc:val, step 40</span>"));
  EXPECT_THAT(page, HasSubstr("<td class=\"number\">0.6500</td>"));
  // The last score, absent from the masks, and the one at the best mean.
  EXPECT_THAT(page, HasSubstr("<td>cat &amp; dog</td><td class=\"number\">-</td>"
                              "<td class=\"number\">0.4500</td>"));
  EXPECT_THAT(page, HasSubstr("<b>3.50</b><span>photos a second, median</span>"));
  EXPECT_THAT(page, HasSubstr("<b>1.2 %</b>"));
  EXPECT_THAT(page, HasSubstr("a &lt;b&gt;.tflite"));
  EXPECT_THAT(page, HasSubstr("voc: 20 &lt;photos&gt;"));
  EXPECT_THAT(page, HasSubstr("<a href=\"model.tflite\">the model</a>"));
  EXPECT_THAT(page, HasSubstr("gradient_norm"));
  // Self-contained: nothing is fetched, nothing runs.
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("src=\"http")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
  // The smoothed loss at the end: the noise of +-0.5 is gone.
  EXPECT_THAT(page, HasSubstr("<b>2.0"));
  EXPECT_THAT(page, HasSubstr("loss at the end"));
}

TEST(RunReport, LossHasAPaleAndAStrongCurveAPart) {
  RunLog log = long_run(500);
  log.validations.clear();
  const std::string page = render_run_report(log);
  const std::string loss =
      page.substr(page.find("<h2>Loss"), page.find("<h2>Learning rate") - page.find("<h2>Loss"));
  EXPECT_EQ(count(loss, "<polyline"), 6u);
  for (const char* name : {">total<", ">masks<", ">teacher<"}) EXPECT_EQ(count(loss, name), 1u);
  for (auto& [step, values] : log.steps) values.erase("loss_teacher");
  EXPECT_THAT(render_run_report(log), Not(HasSubstr(">teacher<")));
}

TEST(RunReport, EmptyAndDivergedRunsHaveAPageToo) {
  const std::string empty = render_run_report(RunLog());
  EXPECT_THAT(empty, HasSubstr("no step yet"));
  EXPECT_THAT(empty, Not(HasSubstr("<svg")));
  RunLog log;
  for (int64_t step = 1; step < 300; ++step) {
    log.steps[step] = {{"loss", step < 3 ? 1.0 : std::nan("")}, {"lr", INFINITY}};
  }
  log.validations = {{1, "v", std::nan(""), std::nan(""), {}}};
  log.torn_lines = 2;
  const std::string page = render_run_report(log);
  EXPECT_THAT(page, HasSubstr("<h2>Loss</h2>"));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_THAT(page, Not(HasSubstr("inf")));
  EXPECT_THAT(page, HasSubstr("2 lines of the log"));
}

}  // namespace
}  // namespace deeplab::train
