#include "train/run/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>

#include "html/charts.h"
#include "html/page.h"

namespace deeplab::train {
namespace {

using html::escape_html;
using html::fixed;
using html::grouped;

// A strong colour and its pale companion, for the smoothed and the raw curve of one quantity.
struct Ink {
  std::string_view strong;
  std::string_view pale;
};
constexpr std::array<Ink, 4> kInks = {{{"#2f6db3", "#cfdfef"},
                                       {"#c8642b", "#f3dccd"},
                                       {"#2f8a68", "#cfe5dc"},
                                       {"#8757a6", "#e3d7ea"}}};

/// A quantity over the steps at which it was logged.
struct Curve {
  std::vector<double> x;
  std::vector<double> y;
};

Curve curve_of(const RunLog& log, const std::string& name, double factor = 1) {
  Curve curve;
  for (const auto& [step, values] : log.steps) {
    const auto it = values.find(name);
    if (it == values.end()) continue;
    curve.x.push_back(static_cast<double>(step));
    curve.y.push_back(it->second * factor);
  }
  return curve;
}

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

/// Two passes of a box of a fiftieth of the curve: smooth enough for the eye, true to its bends.
std::vector<double> smoothed(const std::vector<double>& values) {
  const size_t radius = values.size() / 100;
  return box_mean(box_mean(values, radius), radius);
}

/// The value that a share of the finite values stays below.
std::optional<double> quantile(std::vector<double> values, double share) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return std::nullopt;
  const auto index = static_cast<size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(index), values.end());
  return values[index];
}

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
                       const std::string& y_label, const ChartOptions& options = {}) {
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

// ---- Validation ------------------------------------------------------------------------------

std::vector<std::string> datasets_of(const RunLog& log) {
  std::vector<std::string> names;
  for (const RunValidation& validation : log.validations) {
    if (std::find(names.begin(), names.end(), validation.dataset) == names.end()) {
      names.push_back(validation.dataset);
    }
  }
  return names;
}

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

/// One small chart per class, 0 to 1 from bottom to top, one line per dataset: whether a class is
/// won or lost shows at a glance. SVG of its own, since the page's charts are made for its whole
/// width.
std::string class_multiples_svg(const RunLog& log) {
  constexpr double kColumns = 4, kCellWidth = 225, kCellHeight = 96;
  constexpr double kPlotWidth = 205, kPlotTop = 24, kPlotHeight = 56;
  const std::vector<std::string> names = datasets_of(log);
  const size_t count = class_count(log);
  double first = std::numeric_limits<double>::infinity(), last = 0;
  for (const RunValidation& validation : log.validations) {
    first = std::min(first, static_cast<double>(validation.step));
    last = std::max(last, static_cast<double>(validation.step));
  }
  const double span = std::max(last - first, 1.0);
  const double height = kCellHeight * std::ceil(static_cast<double>(count) / kColumns);
  std::string svg = str_cat("<svg viewBox=\"0 0 900 ", fixed(height, 0),
                            "\" role=\"img\" aria-label=\"IoU of each class over the steps\" "
                            "xmlns=\"http://www.w3.org/2000/svg\" font-size=\"13\">\n");
  for (size_t c = 0; c < count; ++c) {
    const double left = kCellWidth * std::fmod(static_cast<double>(c), kColumns);
    const double top = kCellHeight * std::floor(static_cast<double>(c) / kColumns) + kPlotTop;
    std::string name = escape_html(class_name(log, c));
    svg += str_cat("<text x=\"", fixed(left, 1), "\" y=\"", fixed(top - 8, 1), "\">", name,
                   "</text>\n");
    for (const double level : {0.0, 0.5, 1.0}) {
      const double y = top + kPlotHeight * (1 - level);
      svg += str_cat("<line x1=\"", fixed(left, 1), "\" x2=\"", fixed(left + kPlotWidth, 1),
                     "\" y1=\"", fixed(y, 1), "\" y2=\"", fixed(y, 1), "\" stroke=\"",
                     level == 0 ? "#5b6876" : "#e3e8ed", "\"/>\n");
    }
    std::string figures;
    for (size_t d = 0; d < names.size(); ++d) {
      const std::string_view colour = kInks[d % kInks.size()].strong;
      std::string points;
      double x = 0, y = 0, value = std::numeric_limits<double>::quiet_NaN();
      for (const RunValidation* validation : validations_of(log, names[d])) {
        if (c >= validation->iou.size() || !std::isfinite(validation->iou[c])) continue;
        value = validation->iou[c];
        x = left + kPlotWidth * (static_cast<double>(validation->step) - first) / span;
        y = top + kPlotHeight * (1 - std::clamp(value, 0.0, 1.0));
        points += str_cat(fixed(x, 1), ",", fixed(y, 1), " ");
      }
      if (!points.empty()) {
        svg +=
            str_cat("<polyline points=\"", points, "\" fill=\"none\" stroke=\"", colour,
                    "\" stroke-width=\"1.6\" stroke-linejoin=\"round\"/>\n<circle cx=\"",
                    fixed(x, 1), "\" cy=\"", fixed(y, 1), "\" r=\"2.2\" fill=\"", colour, "\"/>\n");
      }
      figures += str_cat(d == 0 ? "" : "  ", "<tspan style=\"fill:", colour, "\">", fixed(value, 3),
                         "</tspan>");
    }
    svg += str_cat("<text x=\"", fixed(left + kPlotWidth, 1), "\" y=\"", fixed(top - 8, 1),
                   "\" text-anchor=\"end\" xml:space=\"preserve\">", figures, "</text>\n");
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

// ---- The page --------------------------------------------------------------------------------

std::string headline(const RunLog& log) {
  std::vector<std::pair<std::string, std::string>> figures;
  for (const std::string& name : datasets_of(log)) {
    const RunValidation& best = *best_of(validations_of(log, name));
    figures.emplace_back(fixed(best.miou, 4),
                         str_cat("best mIoU, ", name, ", step ", grouped(best.step)));
  }
  if (!log.steps.empty()) {
    figures.emplace_back(grouped(log.steps.rbegin()->first), "steps");
  }
  const Curve loss = curve_of(log, "loss");
  if (quantile(loss.y, 0))
    figures.emplace_back(fixed(smoothed(loss.y).back(), 4), "loss at the end");
  if (const auto speed = quantile(curve_of(log, "photos_per_s").y, 0.5)) {
    figures.emplace_back(fixed(*speed, 2), "photos a second, median");
  }
  if (const auto wait = quantile(curve_of(log, "data_wait").y, 0.5)) {
    figures.emplace_back(fixed(100 * *wait, 1) + " %",
                         "of the time spent waiting for data, median");
  }
  return figures.empty() ? std::string() : html::html_figures(figures);
}

std::string section_with(const std::string& heading, const std::string& svg,
                         const std::string& caption) {
  if (svg.empty()) return {};
  return html::html_section(heading, html::html_figure(svg, caption));
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

/// Numbers that nobody foresaw get a plain chart each.
std::string other_section(const RunLog& log) {
  const std::set<std::string> known = {"loss", "loss_masks",   "loss_teacher",
                                       "lr",   "photos_per_s", "data_wait"};
  std::set<std::string> others;
  for (const auto& [step, values] : log.steps) {
    for (const auto& [name, value] : values) {
      if (!known.contains(name)) others.insert(name);
    }
  }
  std::string html;
  for (const std::string& name : others) {
    const std::string svg = step_chart(log, {{name, name}}, name);
    if (!svg.empty()) html += html::html_figure(svg, name);
  }
  return html.empty() ? html : html::html_section("Other measurements", html);
}

std::string text_block(const std::vector<std::string>& lines) {
  std::string html = "<pre style=\"white-space:pre-wrap;margin:0;font-size:0.85rem\">";
  for (const std::string& line : lines) html += escape_html(line) + "\n";
  return html + "</pre>\n";
}

std::string links_section(const RunReportOptions& options) {
  if (options.links.empty()) return {};
  std::string html = "<ul>\n";
  for (const auto& [name, address] : options.links) {
    html +=
        str_cat("<li><a href=\"", escape_html(address), "\">", escape_html(name), "</a></li>\n");
  }
  return html::html_section("Files", html + "</ul>\n");
}

}  // namespace

std::string render_run_report(const RunLog& log, const RunReportOptions& options) {
  std::string subtitle = options.subtitle;
  if (subtitle.empty()) {
    subtitle =
        log.steps.empty() ? "no step yet" : "up to step " + grouped(log.steps.rbegin()->first);
  }
  std::string body = headline(log);
  body += section_with(
      "Loss",
      step_chart(log, {{"loss", "total"}, {"loss_masks", "masks"}, {"loss_teacher", "teacher"}},
                 "loss", {.clip_peaks = true}),
      "Pale: as logged. Strong: the mean over a fiftieth of the run around each "
      "step. The highest percent is cut off.");
  body += scores_section(log);
  body += section_with(
      "Learning rate",
      step_chart(log, {{"lr", "learning rate"}}, "learning rate", {.y_min = 0, .smooth = false}),
      "Of the layers that were not new.");
  body += section_with(
      "Throughput",
      step_chart(log, {{"photos_per_s", ""}}, "photos a second", {.y_min = 0, .clip_peaks = true}),
      "All processes together.");
  body += section_with("Waiting for data",
                       step_chart(log, {{"data_wait", "", 100}}, "% of the time", {.y_min = 0}),
                       "How long a step stood still because its photos were not ready.");
  body += other_section(log);
  if (!log.options.empty()) body += html::html_section("Options", html::html_facts(log.options));
  if (!log.dataset.empty()) body += html::html_section("Data", text_block(log.dataset));
  body += links_section(options);
  if (log.torn_lines > 0) {
    body += str_cat("<footer>", log.torn_lines, log.torn_lines == 1 ? " line" : " lines",
                    " of the log, torn when the run was killed, could not be read.</footer>\n");
  }
  return html::html_page(options.title, subtitle, body);
}

}  // namespace deeplab::train
