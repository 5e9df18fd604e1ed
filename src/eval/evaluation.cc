#include "eval/evaluation.h"

#include <algorithm>

#include "html/page.h"

namespace deeplab::eval {

std::optional<double> photo_miou(const PhotoScore& photo, int32_t classes) {
  Confusion confusion(classes);
  confusion.add(photo.counts);
  const Scores scores = score(confusion);
  if (scores.counted_classes == 0) return std::nullopt;
  return scores.miou;
}

void summarize(std::span<const std::optional<PhotoScore>> photos, Evaluation& evaluation) {
  const auto classes = static_cast<int32_t>(evaluation.labels.size());
  evaluation.images = evaluation.failed = 0;
  evaluation.confusion = Confusion(classes);
  BoundaryMeans boundary(classes);
  for (const std::optional<PhotoScore>& photo : photos) {
    if (!photo) {
      ++evaluation.failed;
      continue;
    }
    ++evaluation.images;
    evaluation.confusion.add(photo->counts);
    boundary.add(photo->boundary);
  }
  evaluation.scores = score(evaluation.confusion);
  evaluation.boundary_f = boundary.mean();
  evaluation.class_boundary_f.clear();
  for (int32_t id = 0; id < classes; ++id) {
    evaluation.class_boundary_f.push_back(boundary.of_class(id));
  }
}

std::string protocol_text(const Protocol& protocol) {
  std::string text = str_cat(vision::fit_name(protocol.fit), " on a ", protocol.width, "x",
                             protocol.height, " canvas, ");
  if (protocol.scales.size() == 1) {
    text += protocol.scales[0] == 1 ? "one scale" : str_cat("scale ", protocol.scales[0]);
  } else {
    text += "scales";
    for (const double scale : protocol.scales) text += str_cat(" ", scale);
  }
  text += protocol.flip ? ", mirrored as well" : ", no flip";
  if (!protocol.is_plain()) text += " (mean of the probabilities)";
  if (protocol.decode.color == photos::ColorManagement::kAll) text += ", colour profiles honoured";
  if (protocol.tflite) text += ", by " + tflite_library::description(*protocol.tflite);
  return text + "; scored at each photo's own size";
}

std::string counting_text(const Evaluation& evaluation) {
  const Scores& scores = evaluation.scores;
  const auto all = static_cast<int32_t>(evaluation.labels.size());
  std::string text =
      scores.counted_classes == all
          ? str_cat("all ", all, " classes")
          : str_cat(scores.counted_classes, " of ", all, " classes, those that occur in the masks");
  const bool has_background = !scores.classes.empty() && scores.classes[0].pixels > 0;
  if (has_background) text += str_cat("; ", evaluation.labels[0], " (id 0) included");
  return text + str_cat("; ", html::grouped(evaluation.confusion.ignored()),
                        " pixels labelled 255 count nowhere");
}

}  // namespace deeplab::eval
