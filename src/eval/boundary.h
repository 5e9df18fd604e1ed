// The boundary F-score: how well outlines agree, which a mean over pixels hardly shows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/status.h"
#include "vision/image_view.h"

namespace deeplab::eval {

/// 0.75 % of the diagonal, as in the source below: 4.7 pixels of 500x375.
inline constexpr double kBoundaryTolerance = 0.0075;

struct BoundaryScore {
  uint8_t class_id = 0;
  double f = 0;
  bool operator==(const BoundaryScore&) const = default;
};

/// The boundary F1 score of each class of one photo, by class id (after Csurka, Larlus and
/// Perronnin, "What is a good evaluation measure for semantic segmentation?", BMVC 2013):
///
///     precision = share of the predicted outline nearer than d to the true one
///     recall    = share of the true outline nearer than d to the predicted one
///     F         = 2 precision recall / (precision + recall), 0 if both are 0
///
/// with d = tolerance * the photo's diagonal in pixels, and Euclidean distances. A class's outline
/// is its pixels that have a neighbour (left, right, above, below) of another class; the photo's
/// edge is not an outline. A class with an outline in one of the masks only scores 0; one without
/// any (a photo that is all background) is left out. Pixels whose truth is 255 are taken out of
/// both masks and are neighbours of another class, so that the outline of an object in VOC's masks
/// is where its rim of 255 begins.
///
/// Errors: sizes that differ, a tolerance that is not positive.
Result<std::vector<BoundaryScore>> boundary_scores(const vision::MaskView& truth,
                                                   const vision::MaskView& predicted,
                                                   double tolerance = kBoundaryTolerance);

/// The means over a dataset: of a photo over its classes and of these over the photos (the
/// measure's authors compute it a photo at a time), and of each class over the photos that have
/// it. Added in a fixed order, since sums of floats depend on it.
class BoundaryMeans {
 public:
  explicit BoundaryMeans(int32_t classes);
  void add(std::span<const BoundaryScore> photo);

  /// Nothing if no photo had an outline.
  std::optional<double> mean() const;
  std::optional<double> of_class(int32_t id) const;

 private:
  struct Sum {
    double f = 0;
    int64_t count = 0;
    void add(double value) { f += value, ++count; }
    std::optional<double> mean() const {
      return count == 0 ? std::nullopt : std::optional(f / static_cast<double>(count));
    }
  };
  Sum photos_;
  std::vector<Sum> classes_;
};

}  // namespace deeplab::eval
