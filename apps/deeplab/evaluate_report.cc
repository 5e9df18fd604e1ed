#include "evaluate_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace deeplab::app {

std::string text_report(const Evaluation& evaluation) {
  const eval::Scores& scores = evaluation.scores;
  std::string text = fmt::format("{} {}: {} photos, {}\n", evaluation.dataset, evaluation.split,
                                 evaluation.images, evaluation.model);
  text += fmt::format("fit {}, canvas {}x{}, scored at each photo's own size\n\n",
                      vision::fit_name(evaluation.setup.fit), evaluation.setup.size.width,
                      evaluation.setup.size.height);
  size_t widest = 0;
  for (const std::string& label : evaluation.labels) widest = std::max(widest, label.size());
  for (size_t id = 0; id < scores.classes.size(); ++id) {
    const eval::ClassScore& of = scores.classes[id];
    text += fmt::format("{:<{}}  {}  {:>12} pixels\n", evaluation.labels[id], widest,
                        of.iou ? fmt::format("{:.4f}", *of.iou) : "     -", of.pixels);
  }
  text += fmt::format(
      "\nmean IoU {:.4f} over the {} classes that occur in the masks (background included; pixels "
      "labelled 255 left out)\npixel accuracy {:.4f}\nmean class accuracy {:.4f}\n"
      "frequency-weighted IoU {:.4f}\n",
      scores.miou, scores.counted_classes, scores.pixel_accuracy, scores.mean_accuracy,
      scores.frequency_weighted_iou);
  if (evaluation.failed > 0) {
    text += fmt::format("{} photos failed and are not counted\n", evaluation.failed);
  }
  return text;
}

std::string json_line(const Evaluation& evaluation) {
  using Json = nlohmann::ordered_json;
  const eval::Scores& scores = evaluation.scores;
  Json classes = Json::array();
  for (size_t id = 0; id < scores.classes.size(); ++id) {
    const eval::ClassScore& of = scores.classes[id];
    classes.push_back({{"name", evaluation.labels[id]},
                       {"iou", of.iou ? Json(*of.iou) : Json()},
                       {"pixels", of.pixels}});
  }
  const Json object = {{"dataset", evaluation.dataset},
                       {"split", evaluation.split},
                       {"images", evaluation.images},
                       {"fit", vision::fit_name(evaluation.setup.fit)},
                       {"miou", scores.miou},
                       {"pixel_accuracy", scores.pixel_accuracy},
                       {"classes", std::move(classes)},
                       {"model", evaluation.model},
                       {"mean_accuracy", scores.mean_accuracy},
                       {"frequency_weighted_iou", scores.frequency_weighted_iou},
                       {"failed", evaluation.failed}};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace deeplab::app
