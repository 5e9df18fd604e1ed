// A model measured on a dataset: the protocol and the results.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/boundary.h"
#include "eval/scores.h"
#include "photos/photos.h"
#include "tflite_library/interpreter.h"
#include "vision/placement.h"

namespace deeplab::eval {

/// How a photo becomes a mask. All of it changes the scores, so the output states all of it.
struct Protocol {
  vision::Fit fit = vision::Fit::kPad;
  int32_t width = 0;  ///< The canvas at scale 1.
  int32_t height = 0;
  std::vector<double> scales = {1};
  bool flip = false;          ///< Each scale mirrored, too.
  int32_t output_stride = 0;  ///< 0: the model's own.
  photos::DecodeOptions decode = {};
  /// TensorFlow Lite runs the network; null: the engine.
  std::shared_ptr<const tflite_library::Options> tflite = nullptr;

  /// One run of the network per photo, whose labels are used as they are.
  bool is_plain() const { return scales.size() == 1 && scales[0] == 1 && !flip; }
};

/// What is kept of a photo.
struct PhotoScore {
  PhotoCounts counts;
  std::vector<BoundaryScore> boundary;
};

/// The mean IoU of one photo over the classes that occur in its truth; nothing if its pixels are
/// all ignored.
std::optional<double> photo_miou(const PhotoScore& photo, int32_t classes);

struct Evaluation {
  std::string dataset;
  std::string split;
  std::string model;
  std::vector<std::string> labels;  ///< By class id.
  Protocol protocol;
  int64_t images = 0;  ///< Photos that are counted.
  int64_t failed = 0;  ///< Photos that are not, since they or their masks could not be read.
  Confusion confusion{1};
  Scores scores;
  std::optional<double> boundary_f;
  std::vector<std::optional<double>> class_boundary_f;
};

/// Fills in all that follows from the photos; an empty one counts as failed. The order of the
/// photos must be that of the dataset, for the means to be the same to the last bit.
void summarize(std::span<const std::optional<PhotoScore>> photos, Evaluation& evaluation);

// Sentences for people, the same on the terminal and on the report page.

/// "pad on a 513x513 canvas, one scale, no flip; scored at each photo's own size".
std::string protocol_text(const Protocol& protocol);
/// What the mean IoU counts: which classes, the background, the ignored pixels.
std::string counting_text(const Evaluation& evaluation);

}  // namespace deeplab::eval
