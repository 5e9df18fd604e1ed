#include "train/run/report_scores.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "html/charts.h"
#include "html/page.h"
#include "train/run/report_charts.h"

namespace deeplab::train {
namespace {

using html::escape_html;
using html::fixed;
using html::grouped;

std::vector<const RunValidation*> validations_of(const RunLog& log, const std::string& dataset) {
  std::vector<const RunValidation*> list;
  for (const RunValidation& validation : log.validations) {
    if (validation.dataset == dataset) list.push_back(&validation);
  }
  return list;
}

const RunValidation* best_of(const std::vector<const RunValidation*>& list) {
  const RunValidation* best = list.front();
  for (const RunValidation* validation : list) {
    if (!(validation->miou <= best->miou)) best = std::isnan(validation->miou) ? best : validation;
  }
  return best;
}

std::string validation_chart(const RunLog& log, double RunValidation::*score,
                             const std::string& y_label) {
  html::LineChart chart;
  chart.x_label = "step";
  chart.y_label = y_label;
  const std::vector<std::string> names = datasets_of(log);
  bool is_empty = true;
  for (size_t i = 0; i < names.size(); ++i) {
    html::Series series;
    series.name = names[i];
    series.colour = kInks[i % kInks.size()].strong;
    for (const RunValidation* validation : validations_of(log, names[i])) {
      series.x.push_back(static_cast<double>(validation->step));
      series.y.push_back(validation->*score);
      is_empty = is_empty && !std::isfinite(series.y.back());
    }
    chart.series.push_back(std::move(series));
  }
  return is_empty ? std::string() : html::line_chart_svg(chart);
}

std::string score_table(const RunLog& log) {
  const std::vector<std::string> heading = {"Dataset",   "Best mIoU", "at step",
                                            "Last mIoU", "at step",   "Last pixel accuracy"};
  std::vector<std::vector<std::string>> rows;
  for (const std::string& name : datasets_of(log)) {
    const std::vector<const RunValidation*> list = validations_of(log, name);
    const RunValidation& best = *best_of(list);
    const RunValidation& last = *list.back();
    rows.push_back({name, fixed(best.miou, 4), grouped(best.step), fixed(last.miou, 4),
                    grouped(last.step), fixed(last.pixel_accuracy, 4)});
  }
  return html::html_table(heading, rows);
}

std::string class_name(const RunLog& log, size_t index) {
  return index < log.classes.size() && !log.classes[index].empty()
             ? log.classes[index]
             : "class " + std::to_string(index);
}

size_t class_count(const RunLog& log) {
  size_t count = 0;
  for (const RunValidation& validation : log.validations) {
    count = std::max(count, validation.iou.size());
  }
  return count;
}

/// Where the chart of one class lies, and the steps it spans.
struct ClassCell {
  static constexpr double kColumns = 4, kWidth = 225, kHeight = 96;
  static constexpr double kPlotWidth = 205, kPlotTop = 24, kPlotHeight = 56;
  double left = 0;
  double top = 0;
  double first_step = 0;
  double steps = 1;

  double x(int64_t step) const {
    return left + kPlotWidth * (static_cast<double>(step) - first_step) / steps;
  }
  double y(double iou) const { return top + kPlotHeight * (1 - std::clamp(iou, 0.0, 1.0)); }
};

/// A class's curve on one dataset; its last score goes to `last`.
std::string class_curve(const ClassCell& cell, const std::vector<const RunValidation*>& validations,
                        size_t index, std::string_view colour, double& last) {
  std::string points;
  double x = 0, y = 0;
  for (const RunValidation* validation : validations) {
    if (index >= validation->iou.size() || !std::isfinite(validation->iou[index])) continue;
    last = validation->iou[index];
    x = cell.x(validation->step);
    y = cell.y(last);
    points += str_cat(fixed(x, 1), ",", fixed(y, 1), " ");
  }
  if (points.empty()) return {};
  return str_cat("<polyline points=\"", points, "\" fill=\"none\" stroke=\"", colour,
                 "\" stroke-width=\"1.6\" stroke-linejoin=\"round\"/>\n<circle cx=\"", fixed(x, 1),
                 "\" cy=\"", fixed(y, 1), "\" r=\"2.2\" fill=\"", colour, "\"/>\n");
}

std::string class_chart(const RunLog& log, const ClassCell& cell, size_t index) {
  std::string svg = str_cat("<text x=\"", fixed(cell.left, 1), "\" y=\"", fixed(cell.top - 8, 1),
                            "\">", escape_html(class_name(log, index)), "</text>\n");
  const double right = cell.left + ClassCell::kPlotWidth;
  for (const double level : {0.0, 0.5, 1.0}) {
    const double y = cell.y(level);
    svg += str_cat("<line x1=\"", fixed(cell.left, 1), "\" x2=\"", fixed(right, 1), "\" y1=\"",
                   fixed(y, 1), "\" y2=\"", fixed(y, 1), "\" stroke=\"",
                   level == 0 ? "#5b6876" : "#e3e8ed", "\"/>\n");
  }
  std::string figures;
  const std::vector<std::string> names = datasets_of(log);
  for (size_t d = 0; d < names.size(); ++d) {
    const std::string_view colour = kInks[d % kInks.size()].strong;
    double last = std::numeric_limits<double>::quiet_NaN();
    svg += class_curve(cell, validations_of(log, names[d]), index, colour, last);
    figures += str_cat(d == 0 ? "" : "  ", "<tspan style=\"fill:", colour, "\">", fixed(last, 3),
                       "</tspan>");
  }
  return svg + str_cat("<text x=\"", fixed(right, 1), "\" y=\"", fixed(cell.top - 8, 1),
                       "\" text-anchor=\"end\" xml:space=\"preserve\">", figures, "</text>\n");
}

/// One small chart per class, 0 to 1 from bottom to top, one line per dataset: whether a class is
/// won or lost shows at a glance. SVG of its own, since the page's charts are made for its whole
/// width.
std::string class_multiples_svg(const RunLog& log) {
  ClassCell cell;
  const size_t count = class_count(log);
  double first = std::numeric_limits<double>::infinity(), last = 0;
  for (const RunValidation& validation : log.validations) {
    first = std::min(first, static_cast<double>(validation.step));
    last = std::max(last, static_cast<double>(validation.step));
  }
  cell.first_step = first;
  cell.steps = std::max(last - first, 1.0);
  const double rows = std::ceil(static_cast<double>(count) / ClassCell::kColumns);
  std::string svg = str_cat("<svg viewBox=\"0 0 900 ", fixed(ClassCell::kHeight * rows, 0),
                            "\" role=\"img\" aria-label=\"IoU of each class over the steps\" "
                            "xmlns=\"http://www.w3.org/2000/svg\" font-size=\"13\">\n");
  for (size_t c = 0; c < count; ++c) {
    const auto number = static_cast<double>(c);
    cell.left = ClassCell::kWidth * std::fmod(number, ClassCell::kColumns);
    cell.top = ClassCell::kHeight * std::floor(number / ClassCell::kColumns) + ClassCell::kPlotTop;
    svg += class_chart(log, cell, c);
  }
  return svg + "</svg>\n";
}

/// Which colour is which dataset, above charts without a legend of their own.
std::string dataset_legend(const RunLog& log) {
  const std::vector<std::string> names = datasets_of(log);
  std::string html = "<div class=\"legend\">";
  for (size_t i = 0; i < names.size(); ++i) {
    html += str_cat("<span><i class=\"swatch\" style=\"background:", kInks[i % kInks.size()].strong,
                    "\"></i>", escape_html(names[i]), "</span>");
  }
  return html + "</div>\n";
}

/// Class by class, per dataset: the last score, and what it was at the dataset's best mean.
std::string class_table(const RunLog& log) {
  const std::vector<std::string> names = datasets_of(log);
  std::vector<std::string> heading = {"Class"};
  for (const std::string& name : names) {
    heading.push_back(name + ", last");
    heading.push_back(name + ", at best mIoU");
  }
  std::vector<std::vector<std::string>> rows;
  for (size_t c = 0; c < class_count(log); ++c) {
    std::vector<std::string> row = {class_name(log, c)};
    for (const std::string& name : names) {
      const std::vector<const RunValidation*> list = validations_of(log, name);
      for (const RunValidation* validation : {list.back(), best_of(list)}) {
        row.push_back(c < validation->iou.size() ? fixed(validation->iou[c], 4) : "-");
      }
    }
    rows.push_back(std::move(row));
  }
  return html::html_table(heading, rows);
}

}  // namespace

std::vector<std::string> datasets_of(const RunLog& log) {
  std::vector<std::string> names;
  for (const RunValidation& validation : log.validations) {
    if (std::find(names.begin(), names.end(), validation.dataset) == names.end()) {
      names.push_back(validation.dataset);
    }
  }
  return names;
}

const RunValidation& best_validation(const RunLog& log, const std::string& dataset) {
  return *best_of(validations_of(log, dataset));
}

std::string scores_section(const RunLog& log) {
  if (log.validations.empty()) return {};
  std::string html = score_table(log) + "<div style=\"height:1.2rem\"></div>\n";
  const std::string miou = validation_chart(log, &RunValidation::miou, "mIoU");
  if (!miou.empty()) {
    html += html::html_figure(miou, "Mean over the classes that occur in the masks.");
  }
  const std::string pixels =
      validation_chart(log, &RunValidation::pixel_accuracy, "pixel accuracy");
  if (!pixels.empty()) {
    html += html::html_figure(pixels, "Share of the labelled pixels that are right.");
  }
  html = html::html_section("Validation", html);
  if (class_count(log) == 0) return html;
  return html + html::html_section(
                    "Classes", dataset_legend(log) +
                                   html::html_figure(class_multiples_svg(log),
                                                     "IoU of each class over the steps, 0 to 1; "
                                                     "the figure is the last one.") +
                                   class_table(log));
}

}  // namespace deeplab::train
