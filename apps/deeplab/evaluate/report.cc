#include "apps/deeplab/evaluate/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "html/page.h"

namespace deeplab::app {
namespace {

using Json = nlohmann::ordered_json;

std::string score_text(const std::optional<double>& score) {
  return html::fixed(score.value_or(std::numeric_limits<double>::quiet_NaN()), 4);
}

Json to_json(const std::optional<double>& score) { return score ? Json(*score) : Json(); }

std::string class_lines(const eval::Evaluation& evaluation) {
  size_t widest = 0;
  for (const std::string& label : evaluation.labels) widest = std::max(widest, label.size());
  std::string text = fmt::format("{:<{}}     IoU  accuracy  boundary F          pixels\n", "class",
                                 std::max<size_t>(widest, 5));
  for (size_t id = 0; id < evaluation.labels.size(); ++id) {
    const eval::ClassScore& of = evaluation.scores.classes[id];
    text += fmt::format("{:<{}}  {:>6}  {:>8}  {:>10}  {:>14}\n", evaluation.labels[id],
                        std::max<size_t>(widest, 5), score_text(of.iou), score_text(of.accuracy),
                        score_text(evaluation.class_boundary_f[id]), html::grouped(of.pixels));
  }
  return text;
}

}  // namespace

std::string text_report(const eval::Evaluation& evaluation) {
  const eval::Scores& scores = evaluation.scores;
  std::string text =
      fmt::format("{} on {}, split {}: {} photos\n", evaluation.model, evaluation.dataset,
                  evaluation.split, html::grouped(evaluation.images));
  if (evaluation.failed > 0) {
    text += fmt::format("{} photos failed and are not counted\n", html::grouped(evaluation.failed));
  }
  text += eval::protocol_text(evaluation.protocol) + "\n\n" + class_lines(evaluation) + "\n";
  text += fmt::format("mean IoU                 {:.4f}  over {}\n", scores.miou,
                      eval::counting_text(evaluation));
  text += fmt::format("pixel accuracy           {:.4f}\n", scores.pixel_accuracy);
  text += fmt::format("mean class accuracy      {:.4f}\n", scores.mean_accuracy);
  text += fmt::format("frequency-weighted IoU   {:.4f}\n", scores.frequency_weighted_iou);
  text += fmt::format(
      "boundary F               {}  mean over photos, tolerance {} % of a photo's "
      "diagonal\n",
      score_text(evaluation.boundary_f), 100 * eval::kBoundaryTolerance);
  return text;
}

std::string json_line(const eval::Evaluation& evaluation) {
  const eval::Scores& scores = evaluation.scores;
  Json classes = Json::array();
  Json confusion = Json::array();
  for (size_t id = 0; id < evaluation.labels.size(); ++id) {
    const eval::ClassScore& of = scores.classes[id];
    classes.push_back({{"name", evaluation.labels[id]},
                       {"iou", to_json(of.iou)},
                       {"pixels", of.pixels},
                       {"accuracy", to_json(of.accuracy)},
                       {"predicted_pixels", of.predicted},
                       {"boundary_f", to_json(evaluation.class_boundary_f[id])}});
    const auto counts = evaluation.confusion.counts();
    const size_t count = evaluation.labels.size();
    confusion.push_back(
        std::vector<int64_t>(counts.begin() + static_cast<ptrdiff_t>(id * count),
                             counts.begin() + static_cast<ptrdiff_t>((id + 1) * count)));
  }
  const eval::Protocol& protocol = evaluation.protocol;
  Json object = {{"dataset", evaluation.dataset},
                 {"split", evaluation.split},
                 {"images", evaluation.images},
                 {"fit", vision::fit_name(protocol.fit)},
                 {"miou", scores.miou},
                 {"pixel_accuracy", scores.pixel_accuracy},
                 {"classes", std::move(classes)},
                 {"model", evaluation.model},
                 {"size", fmt::format("{}x{}", protocol.width, protocol.height)},
                 {"scales", protocol.scales},
                 {"flip", protocol.flip},
                 {"failed", evaluation.failed},
                 {"miou_classes", scores.counted_classes},
                 {"ignored_pixels", evaluation.confusion.ignored()},
                 {"mean_accuracy", scores.mean_accuracy},
                 {"frequency_weighted_iou", scores.frequency_weighted_iou},
                 {"boundary_f", to_json(evaluation.boundary_f)},
                 {"boundary_tolerance", eval::kBoundaryTolerance},
                 {"confusion", std::move(confusion)}};
  if (protocol.output_stride != 0) object["output_stride"] = protocol.output_stride;
  return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace deeplab::app
