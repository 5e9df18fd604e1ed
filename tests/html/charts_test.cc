// Charts: what is drawn where, and data that would break a careless one.
#include "html/charts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>

#include "tests/html/markup.h"

namespace deeplab::html {
namespace {

using ::testing::AllOf;
using testing::count_of;
using ::testing::HasSubstr;
using testing::is_well_formed;
using ::testing::Not;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// No coordinate is NaN (fixed() writes "-") or infinite.
::testing::AssertionResult draws_numbers(const std::string& svg) {
  static const std::regex kBad(R"re(="-"|="-,|[ "]-,|,- |inf|nan)re");
  std::smatch match;
  if (std::regex_search(svg, match, kBad)) {
    return ::testing::AssertionFailure()
           << match.str() << " in " << match.suffix().str().substr(0, 60);
  }
  return ::testing::AssertionSuccess();
}

TEST(BarChart, ABarAClassAsLongAsItsValue) {
  BarChart chart;
  chart.bars = {{"cat & dog", 0.5, "12 px"}, {"sofa", std::nullopt}, {"all", 1.0}, {"none", 0.0}};
  chart.mark = 0.5;
  chart.mark_label = "mean";
  const std::string svg = bar_chart_svg(chart);
  EXPECT_TRUE(is_well_formed(svg));
  EXPECT_TRUE(draws_numbers(svg));
  EXPECT_EQ(count_of(svg, "<rect"), 3u);  // no bar without a value
  EXPECT_THAT(svg, AllOf(HasSubstr("cat &amp; dog"), HasSubstr(">0.500<"), HasSubstr("12 px")));
  // The bar of 0.5 is half as wide as that of 1.
  const std::regex width("<rect[^>]* width=\"([0-9.]+)\"");
  std::vector<double> widths;
  for (std::sregex_iterator it(svg.begin(), svg.end(), width), end; it != end; ++it) {
    widths.push_back(std::stod((*it)[1]));
  }
  ASSERT_EQ(widths.size(), 3u);
  EXPECT_NEAR(widths[0] * 2, widths[1], 0.02);
  EXPECT_LE(widths[2], 1);
}

TEST(BarChart, NoBarsAtAll) { EXPECT_TRUE(is_well_formed(bar_chart_svg({}))); }

TEST(LineChart, GapsWhereValuesAreNotFinite) {
  LineChart chart;
  chart.x_label = "step";
  chart.y_label = "loss";
  chart.series = {{"train", {0, 1, 2, 3, 4}, {1, 2, kNan, 2, 1}}};
  const std::string svg = line_chart_svg(chart);
  EXPECT_TRUE(is_well_formed(svg));
  EXPECT_TRUE(draws_numbers(svg));
  EXPECT_EQ(count_of(svg, "<polyline"), 2u);
  EXPECT_THAT(svg, AllOf(HasSubstr(">step<"), HasSubstr(">loss<"), HasSubstr(">train<")));
}

TEST(LineChart, LogScaleHasNoPlaceForZero) {
  LineChart chart;
  chart.log_y = true;
  chart.series = {{"a", {0, 1, 2, 3}, {100, 0, 1, 0.01}}};
  const std::string svg = line_chart_svg(chart);
  EXPECT_TRUE(draws_numbers(svg));
  EXPECT_EQ(count_of(svg, "<polyline") + count_of(svg, "<circle"), 2u);
  EXPECT_THAT(svg, AllOf(HasSubstr(">0.01<"), HasSubstr(">0.1<"), HasSubstr(">100<")));
}

TEST(LineChart, ManyPointsAreDrawnAsMeans) {
  LineChart chart;
  chart.series = {{"a", {}, {}}};
  for (int i = 0; i < 100000; ++i) {
    chart.series[0].x.push_back(i);
    chart.series[0].y.push_back(i % 2);
  }
  const std::string svg = line_chart_svg(chart);
  EXPECT_LT(svg.size(), 40000u);
  EXPECT_TRUE(draws_numbers(svg));
}

TEST(LineChart, LittleOrNothingToDraw) {
  for (const bool log_y : {false, true}) {
    LineChart chart;
    chart.log_y = log_y;
    EXPECT_TRUE(draws_numbers(line_chart_svg(chart)));
    chart.series = {{"empty", {}, {}}, {"gaps", {1, 2}, {kNan, kNan}}};
    EXPECT_TRUE(draws_numbers(line_chart_svg(chart)));
    chart.series = {{"one", {5}, {0.25}}};
    const std::string one = line_chart_svg(chart);
    EXPECT_TRUE(draws_numbers(one));
    EXPECT_EQ(count_of(one, "<circle"), 1u);
    chart.series = {{"flat", {1, 2, 3}, {7, 7, 7}}};
    EXPECT_TRUE(draws_numbers(line_chart_svg(chart)));
    chart.series = {{"huge", {0, 1e9}, {1e-12, 1e12}}};
    EXPECT_TRUE(draws_numbers(line_chart_svg(chart)));
  }
}

TEST(LineChart, OneValueIsDrawnAgainstZero) {
  LineChart chart;
  chart.series = {{"mIoU", {500}, {0.93}}};
  const std::string share = line_chart_svg(chart);
  EXPECT_THAT(share, AllOf(HasSubstr(">0<"), HasSubstr(">1.0<"), Not(HasSubstr(">1.2<"))));
  chart.series = {{"loss", {1, 2}, {-7, -7}}};
  EXPECT_THAT(line_chart_svg(chart), AllOf(HasSubstr(">0<"), HasSubstr(">-8<")));
}

TEST(LineChart, GivenLimitsHold) {
  LineChart chart;
  chart.series = {{"iou", {0, 1, 2}, {0.2, 0.3, 5.0}}};
  chart.y_min = 0;
  chart.y_max = 1;
  const std::string svg = line_chart_svg(chart);
  EXPECT_THAT(svg, AllOf(HasSubstr(">0.2<"), HasSubstr(">1.0<"), Not(HasSubstr(">5"))));
}

TEST(MatrixChart, ACellAPairWithItsPercent) {
  MatrixChart chart;
  chart.labels = {"cat", "d<g"};
  chart.values = {0.9, 0.1, 0.004, 0.996};
  chart.row_label = "truth";
  chart.column_label = "prediction";
  const std::string svg = matrix_chart_svg(chart);
  EXPECT_TRUE(is_well_formed(svg));
  EXPECT_TRUE(draws_numbers(svg));
  EXPECT_EQ(count_of(svg, "<title>"), 4u);
  EXPECT_THAT(svg, AllOf(HasSubstr("d&lt;g \xE2\x86\x92 cat: 0.40%"), HasSubstr(">90<"),
                         HasSubstr(">100<"), Not(HasSubstr(">0<"))));
}

TEST(MatrixChart, ManyClassesStaySmall) {
  MatrixChart chart;
  chart.labels.assign(150, "class");
  chart.values.assign(150 * 150, 0.0);
  for (size_t i = 0; i < 150; ++i) chart.values[i * 151] = 1;
  const std::string svg = matrix_chart_svg(chart);
  EXPECT_EQ(count_of(svg, "<title>"), 150u);
  EXPECT_LT(svg.size(), 100000u);
}

}  // namespace
}  // namespace deeplab::html
