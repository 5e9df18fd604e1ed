// The page of an evaluation: numbers, bars, the confusion matrix, and photos to look at.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/evaluation.h"
#include "imageio/image.h"

namespace deeplab::eval {

/// Photos to show, as indices into the dataset, the most extreme one first.
struct PhotoChoice {
  std::vector<size_t> worst;
  std::vector<size_t> best;
};

/// By the photo's own mean IoU, `count` of each at most and none in both. A photo whose truth has
/// one class only is easy and says little: it is among the best only if there is no other.
PhotoChoice choose_photos(std::span<const std::optional<PhotoScore>> photos, int32_t classes,
                          size_t count);

/// One photo of the page.
struct ReportPhoto {
  std::string name;
  double miou = 0;
  imageio::Image photo;  ///< RGB; may be smaller than the masks.
  imageio::Image truth;  ///< Label maps at the photo's own size.
  imageio::Image predicted;
};

/// The whole page. `program` is the name and version of the program that made it. Errors: pictures
/// that cannot be encoded.
Result<std::string> evaluation_page(const Evaluation& evaluation,
                                    std::span<const ReportPhoto> worst,
                                    std::span<const ReportPhoto> best, const std::string& program);

}  // namespace deeplab::eval
