#include "train/run/report.h"

#include <optional>
#include <set>

#include "html/charts.h"
#include "html/page.h"
#include "train/run/report_charts.h"
#include "train/run/report_scores.h"

namespace deeplab::train {
namespace {

using html::escape_html;
using html::fixed;
using html::grouped;

std::string headline(const RunLog& log) {
  std::vector<std::pair<std::string, std::string>> figures;
  for (const std::string& name : datasets_of(log)) {
    const RunValidation& best = best_validation(log, name);
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
  const std::string subtitle =
      log.steps.empty() ? "no step yet" : "up to step " + grouped(log.steps.rbegin()->first);
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
