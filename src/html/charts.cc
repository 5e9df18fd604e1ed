#include "html/charts.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>

#include "base/status.h"
#include "html/page.h"

namespace deeplab::html {
namespace {

// Charts are drawn 900 units wide, which on the page are about as many pixels.
constexpr double kWidth = 900;
constexpr std::string_view kGrid = "#e3e8ed";
constexpr std::string_view kSoft = "#5b6876";

// Told apart by people who see colours otherwise, and in grey by their lightness.
constexpr std::array<std::string_view, 6> kColours = {"#2f6db3", "#c8642b", "#2f8a68",
                                                      "#8757a6", "#a88412", "#4c5b6b"};

std::string colour_of(const std::string& given, size_t index) {
  return given.empty() ? std::string(kColours[index % kColours.size()]) : escape_html(given);
}

/// Coordinates: two digits are finer than any screen.
std::string px(double value) { return fixed(value, 2); }

std::string svg_open(double width, double height, std::string_view label) {
  return str_cat("<svg viewBox=\"0 0 ", px(width), " ", px(height), "\" role=\"img\" aria-label=\"",
                 escape_html(label), "\" xmlns=\"http://www.w3.org/2000/svg\" font-size=\"13\">\n");
}

std::string line(double x1, double y1, double x2, double y2, std::string_view attributes) {
  return str_cat("<line x1=\"", px(x1), "\" y1=\"", px(y1), "\" x2=\"", px(x2), "\" y2=\"", px(y2),
                 "\" ", attributes, "/>\n");
}

enum class Anchor { kStart, kMiddle, kEnd };

std::string text(double x, double y, Anchor anchor, std::string_view content,
                 std::string_view attributes = "") {
  constexpr std::string_view kNames[] = {"start", "middle", "end"};
  return str_cat("<text x=\"", px(x), "\" y=\"", px(y), "\" text-anchor=\"",
                 kNames[static_cast<size_t>(anchor)], "\" ", attributes, ">", escape_html(content),
                 "</text>\n");
}

const std::string kSoftText = str_cat("style=\"fill:", kSoft, "\"");
const std::string kGridLine = str_cat("stroke=\"", kGrid, "\"");

/// Room for the longest label at 13 px, by the letter.
double label_space(size_t letters) { return std::min(7.2 * static_cast<double>(letters), 260.0); }

/// Letters, not bytes.
size_t letter_count(std::string_view utf8) {
  return static_cast<size_t>(
      std::ranges::count_if(utf8, [](char c) { return (c & 0xC0) != 0x80; }));
}

// ---- Scales ----------------------------------------------------------------------------------

/// 1, 2 or 5 times a power of ten, so that about `count` steps cover `range`.
double round_step(double range, int count) {
  const double raw = range / count;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (raw <= factor * power) return factor * power;
  }
  return 10 * power;
}

struct Scale {
  double low = 0;
  double high = 1;
  bool log = false;
  std::vector<double> ticks;

  /// 0 at low, 1 at high.
  double at(double value) const {
    if (log) return (std::log(value) - std::log(low)) / (std::log(high) - std::log(low));
    return (value - low) / (high - low);
  }
};

Scale linear_scale(double low, double high, int count, bool widen) {
  if (!(high > low)) {  // One value, against 0: a share shall not have an axis beyond 1.
    low = std::min(low, 0.0);
    high = low < 0 ? 0 : high > 0 ? high : 1;
  }
  const double step = round_step(high - low, count);
  Scale scale{low, high, false, {}};
  if (widen) {
    scale.low = std::floor(low / step) * step;
    scale.high = std::ceil(high / step) * step;
  }
  const double first = std::ceil(scale.low / step - 1e-9);
  for (double k = first; k * step <= scale.high + 1e-9 * step; ++k) scale.ticks.push_back(k * step);
  return scale;
}

/// Ticks at 1, 2 and 5 times the powers of ten; at the powers alone if there are many.
Scale log_scale(double low, double high) {
  if (!(high > low * 1.01)) {
    low /= 2;
    high *= 2;
  }
  Scale scale{low, high, true, {}};
  const int first = static_cast<int>(std::floor(std::log10(low)));
  const int last = static_cast<int>(std::ceil(std::log10(high)));
  for (int e = first; e <= last; ++e) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor > 1 && last - first > 3) continue;
      const double tick = factor * std::pow(10.0, e);
      if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) scale.ticks.push_back(tick);
    }
  }
  return scale;
}

/// As few digits as tell the ticks apart.
std::string tick_text(double value, double step) {
  if (value == 0) return "0";
  const double size = std::abs(value);
  if (size >= 1e6 || size < 1e-4) {
    const int exponent = static_cast<int>(std::floor(std::log10(size) + 1e-9));
    return str_cat(value / std::pow(10.0, exponent), "e", exponent);
  }
  const int digits = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
  return digits == 0 ? grouped(std::llround(value)) : fixed(value, std::min(digits, 6));
}

// ---- Lines -----------------------------------------------------------------------------------

struct Point {
  double x;
  double y;
};

bool is_drawn(double y, bool log_y) { return std::isfinite(y) && (!log_y || y > 0); }

/// Runs of points without a gap, of at most about `columns` points in all.
std::vector<std::vector<Point>> runs_of(const Series& series, bool log_y, size_t columns) {
  assert(series.x.size() == series.y.size());
  const size_t bucket = std::max<size_t>(1, (series.x.size() + columns - 1) / columns);
  std::vector<std::vector<Point>> runs(1);
  for (size_t begin = 0; begin < series.x.size(); begin += bucket) {
    Point mean{0, 0};
    int count = 0;
    for (size_t i = begin; i < std::min(begin + bucket, series.x.size()); ++i) {
      if (!is_drawn(series.y[i], log_y) || !std::isfinite(series.x[i])) continue;
      mean.x += series.x[i];
      mean.y += series.y[i];
      ++count;
    }
    if (count > 0) {
      runs.back().push_back({mean.x / count, mean.y / count});
    } else if (!runs.back().empty()) {
      runs.emplace_back();
    }
  }
  return runs;
}

struct Limits {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
};

struct Frame {
  double left = 70;
  double right = kWidth - 16;
  double top = 34;
  double bottom = 300;
  Scale x;
  Scale y;

  double at_x(double value) const { return left + (right - left) * x.at(value); }
  double at_y(double value) const {
    return bottom - (bottom - top) * std::clamp(y.at(value), 0.0, 1.0);
  }
};

std::string draw_axes(const Frame& frame, const LineChart& chart) {
  std::string svg;
  const auto step = [](const Scale& scale, size_t i) {
    if (scale.log) return scale.ticks[i];
    return scale.ticks.size() > 1 ? scale.ticks[1] - scale.ticks[0] : scale.high - scale.low;
  };
  for (size_t i = 0; i < frame.y.ticks.size(); ++i) {
    const double y = frame.at_y(frame.y.ticks[i]);
    svg += line(frame.left, y, frame.right, y, kGridLine);
    svg += text(frame.left - 8, y + 4.5, Anchor::kEnd,
                tick_text(frame.y.ticks[i], step(frame.y, i)), kSoftText);
  }
  for (size_t i = 0; i < frame.x.ticks.size(); ++i) {
    const double x = frame.at_x(frame.x.ticks[i]);
    svg += line(x, frame.bottom, x, frame.bottom + 5, str_cat("stroke=\"", kSoft, "\""));
    svg += text(x, frame.bottom + 20, Anchor::kMiddle,
                tick_text(frame.x.ticks[i], step(frame.x, i)), kSoftText);
  }
  svg +=
      line(frame.left, frame.bottom, frame.right, frame.bottom, str_cat("stroke=\"", kSoft, "\""));
  svg += text((frame.left + frame.right) / 2, frame.bottom + 40, Anchor::kMiddle, chart.x_label,
              kSoftText);
  svg += text(frame.left - 8, 14, Anchor::kStart, chart.y_label, kSoftText);
  return svg;
}

std::string draw_run(const Frame& frame, const std::vector<Point>& run, const std::string& colour) {
  if (run.size() == 1) {
    return str_cat("<circle cx=\"", px(frame.at_x(run[0].x)), "\" cy=\"", px(frame.at_y(run[0].y)),
                   "\" r=\"3\" fill=\"", colour, "\"/>\n");
  }
  std::string svg = "<polyline points=\"";
  for (const Point& point : run) {
    svg += str_cat(px(frame.at_x(point.x)), ",", px(frame.at_y(point.y)), " ");
  }
  return svg + str_cat("\" fill=\"none\" stroke=\"", colour,
                       "\" stroke-width=\"1.8\" stroke-linejoin=\"round\"/>\n");
}

/// From the right edge to the left, in one row.
std::string draw_legend(const Frame& frame, const LineChart& chart) {
  std::string svg;
  double x = frame.right;
  for (size_t i = chart.series.size(); i-- > 0;) {
    const Series& series = chart.series[i];
    if (series.name.empty()) continue;
    x -= label_space(letter_count(series.name));
    svg += text(x, 14, Anchor::kStart, series.name);
    svg += line(x - 26, 10, x - 7, 10,
                str_cat("stroke=\"", colour_of(series.colour, i), "\" stroke-width=\"3\""));
    x -= 44;
  }
  return svg;
}

/// White on blue: a share of 1 is the accent, the first few percent are already visible.
std::string shade(double share) {
  const double t = std::sqrt(std::clamp(share, 0.0, 1.0));
  const auto mix = [t](double paper, double ink) { return std::lround(paper + t * (ink - paper)); };
  return str_cat("rgb(", mix(255, 32), ",", mix(255, 84), ",", mix(255, 147), ")");
}

}  // namespace

std::string bar_chart_svg(const BarChart& chart) {
  constexpr double kPitch = 22, kTop = 22;
  size_t letters = 0, note_letters = 0;
  for (const Bar& bar : chart.bars) {
    letters = std::max(letters, letter_count(bar.label));
    note_letters = std::max(note_letters, letter_count(bar.note));
  }
  const double left = label_space(letters) + 14;
  const double right = kWidth - 46 - label_space(note_letters);
  const double bottom = kTop + kPitch * static_cast<double>(chart.bars.size());
  const auto at = [&](double value) {
    return left + (right - left) * std::clamp(value / chart.maximum, 0.0, 1.0);
  };
  std::string svg = svg_open(kWidth, bottom + 24, "bar chart");
  std::string values;
  const Scale scale = linear_scale(0, chart.maximum, 5, false);
  for (const double tick : scale.ticks) {
    svg += line(at(tick), kTop, at(tick), bottom, kGridLine);
    svg +=
        text(at(tick), bottom + 17, Anchor::kMiddle,
             tick_text(tick, scale.ticks.size() > 1 ? scale.ticks[1] : chart.maximum), kSoftText);
  }
  for (size_t i = 0; i < chart.bars.size(); ++i) {
    const Bar& bar = chart.bars[i];
    const double y = kTop + kPitch * static_cast<double>(i);
    const double base = y + 15.5;
    svg += text(left - 10, base, Anchor::kEnd, bar.label);
    svg += text(kWidth, base, Anchor::kEnd, bar.note, kSoftText);
    if (!bar.value) {
      svg += text(left + 6, base, Anchor::kStart, "\xE2\x80\x93", kSoftText);
      continue;
    }
    const double end = at(*bar.value);
    svg += str_cat("<rect x=\"", px(left), "\" y=\"", px(y + 4), "\" width=\"",
                   px(std::max(end - left, 1.0)), "\" height=\"", px(kPitch - 8),
                   "\" rx=\"2\" fill=\"", colour_of(bar.colour, 0), "\"/>\n");
    // On a halo of paper, since the mark may pass under it.
    values += text(end + 6, base, Anchor::kStart, fixed(*bar.value, 3),
                   "style=\"paint-order:stroke;stroke:#fff;stroke-width:4px\"");
  }
  if (chart.mark) {
    const double x = at(*chart.mark);
    svg += line(x, kTop - 3, x, bottom, "stroke=\"#1d2733\" stroke-dasharray=\"4 3\"");
    svg += text(x, kTop - 8, Anchor::kMiddle, chart.mark_label);
  }
  return svg + values + "</svg>\n";
}

std::string line_chart_svg(const LineChart& chart) {
  Frame frame;
  Limits x, y;
  std::vector<std::vector<std::vector<Point>>> runs;
  for (const Series& series : chart.series) {
    runs.push_back(runs_of(series, chart.log_y, static_cast<size_t>(frame.right - frame.left)));
    for (const std::vector<Point>& run : runs.back()) {
      for (const Point& point : run) {
        x.add(point.x);
        y.add(point.y);
      }
    }
  }
  if (x.empty()) x.low = 0, x.high = 1;
  if (y.empty()) y.low = chart.log_y ? 0.1 : 0, y.high = 1;
  frame.x = linear_scale(x.low, x.high, 8, false);
  const double low = chart.y_min.value_or(y.low);
  const double high = chart.y_max.value_or(y.high);
  frame.y = chart.log_y ? log_scale(low, high) : linear_scale(low, high, 5, true);

  std::string svg = svg_open(kWidth, frame.bottom + 50, chart.y_label);
  svg += draw_axes(frame, chart);
  for (size_t i = 0; i < runs.size(); ++i) {
    for (const std::vector<Point>& run : runs[i]) {
      if (!run.empty()) svg += draw_run(frame, run, colour_of(chart.series[i].colour, i));
    }
  }
  return svg + draw_legend(frame, chart) + "</svg>\n";
}

std::string matrix_chart_svg(const MatrixChart& chart) {
  const size_t count = chart.labels.size();
  assert(chart.values.size() == count * count);
  size_t letters = 0;
  for (const std::string& label : chart.labels) letters = std::max(letters, letter_count(label));
  const double side = label_space(letters) + 40;  // beside and above the cells
  const double cell = (kWidth - side - 8) / static_cast<double>(count);
  const double font = std::min(cell * 0.36, 13.0);
  const bool has_room = cell > 18;  // for numbers, and for empty cells that can be pointed at
  const double name_font = std::clamp(cell * 0.5, 4.0, 13.0);
  const std::string name_size = str_cat("font-size=\"", px(name_font), "\"");
  std::string svg = svg_open(kWidth, side + cell * static_cast<double>(count) + 4, "matrix");
  svg += text(side - 12, 14, Anchor::kEnd, chart.column_label + " \xE2\x86\x92", kSoftText);
  svg += text(0, side - 10, Anchor::kStart, chart.row_label + " \xE2\x86\x93", kSoftText);
  for (size_t i = 0; i < count; ++i) {
    const double middle = side + cell * (static_cast<double>(i) + 0.5);
    svg += text(side - 8, middle + name_font * 0.35, Anchor::kEnd, chart.labels[i], name_size);
    svg += text(0, 0, Anchor::kStart, chart.labels[i],
                str_cat(name_size, " transform=\"translate(", px(middle + name_font * 0.35), " ",
                        px(side - 8), ") rotate(-90)\""));
  }
  const double all = cell * static_cast<double>(count);
  svg += str_cat("<rect x=\"", px(side), "\" y=\"", px(side), "\" width=\"", px(all),
                 "\" height=\"", px(all), "\" fill=\"none\" stroke=\"#eef1f4\"/>\n");
  for (size_t r = 0; r < count; ++r) {
    for (size_t c = 0; c < count; ++c) {
      const double value = chart.values[r * count + c];
      if (!has_room && value < 0.001) continue;
      const double x = side + cell * static_cast<double>(c);
      const double y = side + cell * static_cast<double>(r);
      svg += str_cat("<rect x=\"", px(x), "\" y=\"", px(y), "\" width=\"", px(cell), "\" height=\"",
                     px(cell), "\" fill=\"", shade(value), "\" stroke=\"#eef1f4\"><title>",
                     escape_html(chart.labels[r]), " \xE2\x86\x92 ", escape_html(chart.labels[c]),
                     ": ", fixed(100 * value, 2), "%</title></rect>\n");
      // A percent that rounds to 0 is noise to the eye.
      if (!has_room || value < 0.005) continue;
      svg += text(x + cell / 2, y + cell / 2 + font * 0.35, Anchor::kMiddle, fixed(100 * value, 0),
                  str_cat("font-size=\"", px(font), "\" pointer-events=\"none\"",
                          value > 0.25 ? " style=\"fill:#fff\"" : ""));
    }
  }
  return svg + "</svg>\n";
}

}  // namespace deeplab::html
