#include "eval/report.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <limits>
#include <utility>

#include "eval/thumbnail.h"
#include "html/charts.h"
#include "html/page.h"
#include "vision/palette.h"
#include "vision/statistics.h"

namespace deeplab::eval {
namespace {

constexpr int32_t kThumbnailSide = 400;
constexpr size_t kMostConfusions = 12;

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string score_text(const std::optional<double>& score, int digits = 4) {
  return html::fixed(score.value_or(std::numeric_limits<double>::quiet_NaN()), digits);
}

std::string percent(int64_t part, int64_t whole) {
  return whole == 0 ? "-"
                    : html::fixed(100 * static_cast<double>(part) / static_cast<double>(whole), 1);
}

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::string headline(const Evaluation& evaluation) {
  const Scores& scores = evaluation.scores;
  const Pairs figures = {{html::fixed(scores.miou, 4), "mean IoU"},
                         {html::fixed(scores.pixel_accuracy, 4), "pixel accuracy"},
                         {html::fixed(scores.mean_accuracy, 4), "mean class accuracy"},
                         {html::fixed(scores.frequency_weighted_iou, 4), "frequency-weighted IoU"},
                         {score_text(evaluation.boundary_f), "boundary F"}};
  return html::html_figures(figures);
}

std::string measured(const Evaluation& evaluation) {
  Pairs facts = {
      {"Model", evaluation.model},
      {"Dataset", evaluation.dataset + ", split " + evaluation.split},
      {"Photos", html::grouped(evaluation.images)},
      {"Protocol", protocol_text(evaluation.protocol)},
      {"Mean IoU over", counting_text(evaluation)},
      {"Boundary F", str_cat("mean over photos of the mean over their classes; an outline pixel "
                             "counts where the other outline is nearer than ",
                             100 * kBoundaryTolerance, " % of the photo's diagonal")}};
  if (evaluation.failed > 0) {
    facts.insert(facts.begin() + 3,
                 {"Not counted", str_cat(html::grouped(evaluation.failed), " photos that failed")});
  }
  return html::html_section("What was measured", html::html_facts(facts));
}

std::string class_section(const Evaluation& evaluation) {
  const Scores& scores = evaluation.scores;
  html::BarChart chart;
  std::vector<std::vector<std::string>> rows;
  for (size_t id = 0; id < evaluation.labels.size(); ++id) {
    const ClassScore& of = scores.classes[id];
    chart.bars.push_back(
        {evaluation.labels[id], of.iou, percent(of.pixels, scores.pixels) + " % of pixels"});
    rows.push_back({evaluation.labels[id], score_text(of.iou), score_text(of.accuracy),
                    score_text(evaluation.class_boundary_f[id]), html::grouped(of.pixels),
                    html::grouped(of.predicted)});
  }
  chart.mark = scores.miou;
  chart.mark_label = "mean " + html::fixed(scores.miou, 3);
  const std::vector<std::string> heading = {"Class",      "IoU",         "Accuracy",
                                            "Boundary F", "True pixels", "Predicted pixels"};
  return html::html_section(
      "Classes",
      html::html_figure(
          html::bar_chart_svg(chart),
          "Intersection over union of each class. A class without true pixels has none.") +
          html::html_table(heading, rows));
}

/// The classes that occur in truth or prediction; the others would be empty rows.
std::vector<int32_t> classes_in_use(const Evaluation& evaluation) {
  std::vector<int32_t> used;
  for (int32_t id = 0; id < evaluation.confusion.classes(); ++id) {
    const ClassScore& of = evaluation.scores.classes[static_cast<size_t>(id)];
    if (of.pixels > 0 || of.predicted > 0) used.push_back(id);
  }
  return used;
}

std::string confusion_table(const Evaluation& evaluation, const std::vector<int32_t>& used) {
  struct Mistake {
    int32_t truth, predicted;
    int64_t pixels;
  };
  std::vector<Mistake> mistakes;
  for (const int32_t t : used) {
    for (const int32_t p : used) {
      const int64_t pixels = evaluation.confusion.at(t, p);
      if (t != p && pixels > 0) mistakes.push_back({t, p, pixels});
    }
  }
  std::ranges::stable_sort(mistakes, std::greater(), &Mistake::pixels);
  mistakes.resize(std::min(mistakes.size(), kMostConfusions));
  if (mistakes.empty()) return "";
  const auto name = [&](int32_t id) { return evaluation.labels[static_cast<size_t>(id)]; };
  std::vector<std::vector<std::string>> rows;
  for (const Mistake& m : mistakes) {
    const int64_t of_class = evaluation.scores.classes[static_cast<size_t>(m.truth)].pixels;
    rows.push_back({name(m.truth), name(m.predicted), html::grouped(m.pixels),
                    percent(m.pixels, of_class) + " %"});
  }
  const std::vector<std::string> heading = {"Truth", "Predicted as", "Pixels",
                                            "Of the class's pixels"};
  return "<h3>The mistakes that cost most pixels</h3>\n" + html::html_table(heading, rows);
}

std::string confusion_section(const Evaluation& evaluation) {
  const std::vector<int32_t> used = classes_in_use(evaluation);
  html::MatrixChart chart;
  chart.row_label = "truth";
  chart.column_label = "prediction";
  for (const int32_t t : used) {
    chart.labels.push_back(evaluation.labels[static_cast<size_t>(t)]);
    const int64_t all = evaluation.scores.classes[static_cast<size_t>(t)].pixels;
    for (const int32_t p : used) {
      chart.values.push_back(all == 0 ? 0.0
                                      : static_cast<double>(evaluation.confusion.at(t, p)) /
                                            static_cast<double>(all));
    }
  }
  return html::html_section(
      "Confusion", html::html_figure(html::matrix_chart_svg(chart),
                                     "Where the pixels of each class went, in percent of its true "
                                     "pixels: every row adds up to 100, the diagonal is right.") +
                       confusion_table(evaluation, used));
}

/// Swatch and name of every class in either mask.
std::string legend(const ReportPhoto& photo, const std::vector<std::string>& labels) {
  std::array<int64_t, 256> counts{};
  for (const imageio::Image* mask : {&photo.truth, &photo.predicted}) {
    const auto found =
        vision::histogram({mask->pixels.data(), mask->width, mask->height, mask->width});
    for (size_t id = 0; id < counts.size(); ++id) counts[id] += found[id];
  }
  std::string html = "<div class=\"legend\">";
  for (size_t id = 0; id < counts.size(); ++id) {
    if (counts[id] == 0) continue;
    const bool ignored = id == vision::kIgnoreLabel;
    const Rgb colour = vision::kVocPalette[id];
    html += str_cat("<span><span class=\"swatch\" style=\"background:rgb(", int{colour.red}, ",",
                    int{colour.green}, ",", int{colour.blue}, ")\"></span>",
                    html::escape_html(ignored ? "not counted" : labels[id]), "</span>");
  }
  return html + "</div>\n";
}

Result<std::string> triplet(const ReportPhoto& photo, const std::vector<std::string>& labels) {
  DEEPLAB_ASSIGN_OR_RETURN(const std::string rgb, photo_thumbnail(photo.photo, kThumbnailSide));
  DEEPLAB_ASSIGN_OR_RETURN(const std::string truth, mask_thumbnail(photo.truth, kThumbnailSide));
  DEEPLAB_ASSIGN_OR_RETURN(const std::string found,
                           mask_thumbnail(photo.predicted, kThumbnailSide));
  std::string html = "<div class=\"triplet\">\n";
  for (const auto& [uri, what] :
       {std::pair(&rgb, "photo"), std::pair(&truth, "truth"), std::pair(&found, "prediction")}) {
    html += str_cat("<img src=\"", *uri, "\" alt=\"", what, "\">\n");
  }
  return html::html_figure(
             html + "</div>\n",
             str_cat(photo.name, ": mean IoU ", html::fixed(photo.miou, 3),
                     " over the classes in its truth. From left: photo, truth, prediction.")) +
         legend(photo, labels);
}

Result<std::string> photo_section(std::string_view heading, std::span<const ReportPhoto> photos,
                                  const std::vector<std::string>& labels) {
  if (photos.empty()) return std::string();
  std::string html;
  for (const ReportPhoto& photo : photos) {
    DEEPLAB_ASSIGN_OR_RETURN(const std::string one, triplet(photo, labels));
    html += one;
  }
  return html::html_section(heading, html);
}

}  // namespace

PhotoChoice choose_photos(std::span<const std::optional<PhotoScore>> photos, int32_t classes,
                          size_t count) {
  struct Ranked {
    size_t index;
    double miou;
    bool is_easy;
  };
  std::vector<Ranked> ranked;
  for (size_t i = 0; i < photos.size(); ++i) {
    if (!photos[i]) continue;
    const std::optional<double> miou = photo_miou(*photos[i], classes);
    if (!miou) continue;
    const std::vector<ConfusionCell>& cells = photos[i]->counts.cells;
    ranked.push_back({i, *miou, cells.front().truth == cells.back().truth});
  }
  PhotoChoice choice;
  std::ranges::stable_sort(ranked, {}, &Ranked::miou);
  const size_t worst = std::min(count, ranked.size() / 2 + ranked.size() % 2);
  for (size_t i = 0; i < worst; ++i) choice.worst.push_back(ranked[i].index);
  ranked.erase(ranked.begin(), ranked.begin() + static_cast<ptrdiff_t>(worst));
  std::ranges::reverse(ranked);
  std::ranges::stable_sort(ranked, {}, &Ranked::is_easy);
  for (size_t i = 0; i < std::min(count, ranked.size()); ++i) {
    choice.best.push_back(ranked[i].index);
  }
  return choice;
}

Result<std::string> evaluation_page(const Evaluation& evaluation,
                                    std::span<const ReportPhoto> worst,
                                    std::span<const ReportPhoto> best, const std::string& program) {
  std::string body = headline(evaluation) + measured(evaluation) + class_section(evaluation) +
                     confusion_section(evaluation);
  DEEPLAB_ASSIGN_OR_RETURN(const std::string bad,
                           photo_section("Worst photos", worst, evaluation.labels));
  DEEPLAB_ASSIGN_OR_RETURN(const std::string good,
                           photo_section("Best photos", best, evaluation.labels));
  body += bad + good + str_cat("<footer>", html::escape_html(program), "</footer>\n");
  const std::string dataset = file_name(evaluation.dataset);
  return html::html_page(file_name(evaluation.model),
                         str_cat("on ", dataset.empty() ? evaluation.dataset : dataset, ", split ",
                                 evaluation.split, ": ", html::grouped(evaluation.images),
                                 " photos, ", protocol_text(evaluation.protocol)),
                         body);
}

}  // namespace deeplab::eval
