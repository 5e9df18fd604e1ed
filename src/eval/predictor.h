// One photo to its label map by a protocol: one run of the network, or the mean over several.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/segmenter.h"
#include "eval/evaluation.h"
#include "imageio/image.h"

namespace deeplab::eval {

/// A canvas side at a scale: of the form 16 k + 1, as the network's strides need it, and the
/// nearest to 1 + scale * (side - 1); the side itself at scale 1.
int32_t scaled_side(int32_t side, double scale);

/// Works on one photo at a time, on one thread; one per thread.
///
/// Several scales or mirroring: the label of a pixel is the class with the highest mean of the
/// softmax probabilities, each interpolated at the photo's own size (the lowest id on a tie). The
/// canvas of a scale has sides of scaled_side(), and the photo on it is larger or smaller by
/// that scale: with pad, that is the largest enlargement (vision::place()).
class Predictor {
 public:
  static Result<std::unique_ptr<Predictor>> create(std::shared_ptr<const api::Model> model,
                                                   const Protocol& protocol);

  /// Decodes the file as far as the largest canvas needs it (photos::decode_photo()).
  Result<imageio::Image> read_photo(const std::string& path) const;
  /// Of all canvases the widest.
  int32_t canvas_width() const;

  /// The label map of the photo's original_width x original_height pixels, rows tight.
  Result<std::vector<uint8_t>> predict(const imageio::Image& photo);

 private:
  struct Run {
    std::unique_ptr<api::Segmenter> segmenter;
    bool mirrored = false;
  };

  const api::Segmenter& largest() const;
  Status run_all(const imageio::Image& photo);
  Status mean_labels(int32_t width, int32_t height, std::vector<uint8_t>& mask);

  Protocol protocol_;
  std::vector<Run> runs_;
  imageio::Image mirrored_;
  std::vector<float> confidences_;  // [classes][rows][width] of one run
  std::vector<float> sums_;         // likewise, of all
};

}  // namespace deeplab::eval
