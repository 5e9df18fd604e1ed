// Charts as inline SVG, for the pages of html.h. They take the width of the page.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace deeplab::html {

struct Bar {
  std::string label;
  std::optional<double> value;  ///< Nothing: the label with a dash, and no bar.
  std::string note = {};        ///< Small, at the right edge.
  std::string colour = {};      ///< "#rrggbb"; empty: the page's own.
};

/// Horizontal bars from 0 to `maximum`, each with its value to 3 digits. `mark` draws a dashed line
/// across (the mean), named `mark_label`.
struct BarChart {
  std::vector<Bar> bars;
  double maximum = 1;
  std::optional<double> mark = std::nullopt;
  std::string mark_label = {};
};
std::string bar_chart_svg(const BarChart& chart);

struct Series {
  std::string name;
  std::vector<double> x;  ///< Rising.
  std::vector<double> y;  ///< Of x's length; values that are not finite leave a gap.
  std::string colour = {};
};

/// Lines over a grid with round ticks and a legend. Series of more points than the picture has
/// columns are drawn as the means of neighbouring points.
struct LineChart {
  std::vector<Series> series;
  std::string x_label;
  std::string y_label;
  bool log_y = false;                          ///< Values that are not positive leave a gap.
  std::optional<double> y_min = std::nullopt;  ///< Nothing: from the data.
  std::optional<double> y_max = std::nullopt;
};
std::string line_chart_svg(const LineChart& chart);

/// A matrix of numbers in [0, 1] as shaded cells, dark = 1, with the names at the left and on
/// top. `values` is row by row, labels.size() squared; each cell's title says row, column and
/// value. Up to about 40 names, cells show their percent as well.
struct MatrixChart {
  std::vector<std::string> labels;
  std::vector<double> values;
  std::string row_label;     ///< What rows are: "truth".
  std::string column_label;  ///< And columns: "prediction".
};
std::string matrix_chart_svg(const MatrixChart& chart);

}  // namespace deeplab::html
