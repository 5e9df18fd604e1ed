#include "train/run/report_charts.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "html/charts.h"

namespace deeplab::train {
namespace {

/// Means over 2 * radius + 1 neighbours, without what is not a number. Unlike an exponential
/// average this does not lag. Near the start, where curves are steep, the window shrinks on
/// both sides; near the end, where they are flat, on one, so that the last value is a mean too.
std::vector<double> box_mean(const std::vector<double>& values, size_t radius) {
  std::vector<double> sums(values.size() + 1, 0.0);
  std::vector<double> counts(values.size() + 1, 0.0);
  for (size_t i = 0; i < values.size(); ++i) {
    const bool is_number = std::isfinite(values[i]);
    sums[i + 1] = sums[i] + (is_number ? values[i] : 0.0);
    counts[i + 1] = counts[i] + (is_number ? 1.0 : 0.0);
  }
  std::vector<double> means(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t begin = i - std::min(radius, i);
    const size_t end = std::min(i + std::min(radius, i) + 1, values.size());
    const double count = counts[end] - counts[begin];
    means[i] =
        count > 0 ? (sums[end] - sums[begin]) / count : std::numeric_limits<double>::quiet_NaN();
  }
  return means;
}

}  // namespace

Curve curve_of(const RunLog& log, const std::string& name, double factor) {
  Curve curve;
  for (const auto& [step, values] : log.steps) {
    const auto it = values.find(name);
    if (it == values.end()) continue;
    curve.x.push_back(static_cast<double>(step));
    curve.y.push_back(it->second * factor);
  }
  return curve;
}

std::vector<double> smoothed(const std::vector<double>& values) {
  const size_t radius = values.size() / 100;
  return box_mean(box_mean(values, radius), radius);
}

std::optional<double> quantile(std::vector<double> values, double share) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return std::nullopt;
  const auto index = static_cast<size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(index), values.end());
  return values[index];
}

std::string step_chart(const RunLog& log, const std::vector<Quantity>& quantities,
                       const std::string& y_label, const ChartOptions& options) {
  html::LineChart chart;
  chart.x_label = "step";
  chart.y_label = y_label;
  chart.y_min = options.y_min;
  std::vector<html::Series> strong;
  std::vector<double> all;
  for (size_t i = 0; i < quantities.size(); ++i) {
    Curve curve = curve_of(log, quantities[i].key, quantities[i].factor);
    if (!quantile(curve.y, 0)) continue;
    const Ink& ink = kInks[i % kInks.size()];
    const std::string name = quantities.size() > 1 ? quantities[i].title : "";
    all.insert(all.end(), curve.y.begin(), curve.y.end());
    strong.push_back(
        {name, curve.x, options.smooth ? smoothed(curve.y) : curve.y, std::string(ink.strong)});
    if (options.smooth) {
      chart.series.push_back({"", std::move(curve.x), std::move(curve.y), std::string(ink.pale)});
    }
  }
  if (strong.empty()) return {};
  if (options.clip_peaks) {
    const double low = std::min(*quantile(all, 0), chart.y_min.value_or(*quantile(all, 0)));
    const double high = *quantile(all, 0.99);
    chart.y_max = high + 0.05 * (high - low);
  }
  for (html::Series& series : strong) chart.series.push_back(std::move(series));
  return html::line_chart_svg(chart);
}

}  // namespace deeplab::train
