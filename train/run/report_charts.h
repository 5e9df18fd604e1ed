// The curves of a run's report: what was logged, over the steps.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "train/run/log.h"

namespace deeplab::train {

/// A strong colour and its pale companion, for the smoothed and the raw curve of one quantity.
struct Ink {
  std::string_view strong;
  std::string_view pale;
};
inline constexpr std::array<Ink, 4> kInks = {{{"#2f6db3", "#cfdfef"},
                                              {"#c8642b", "#f3dccd"},
                                              {"#2f8a68", "#cfe5dc"},
                                              {"#8757a6", "#e3d7ea"}}};

/// A quantity over the steps at which it was logged.
struct Curve {
  std::vector<double> x;
  std::vector<double> y;
};

Curve curve_of(const RunLog& log, const std::string& name, double factor = 1);

/// Two passes of a box of a fiftieth of the curve: smooth enough for the eye, true to its bends.
std::vector<double> smoothed(const std::vector<double>& values);

/// The value that a share of the finite values stays below.
std::optional<double> quantile(std::vector<double> values, double share);

struct Quantity {
  std::string key;    ///< In the log.
  std::string title;  ///< In the legend.
  double factor = 1;
};

struct ChartOptions {
  std::optional<double> y_min = std::nullopt;
  bool smooth = true;
  bool clip_peaks = false;  ///< Let the highest percent leave the picture.
};

/// Raw curves in pale, smoothed ones above all of them. Nothing logged: an empty string.
std::string step_chart(const RunLog& log, const std::vector<Quantity>& quantities,
                       const std::string& y_label, const ChartOptions& options = {});

}  // namespace deeplab::train
