// How well predicted masks agree with the truth: counts first, scores from counts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/status.h"
#include "vision/image_view.h"

namespace deeplab::eval {

/// Pixels of one photo with the same true and predicted class.
struct ConfusionCell {
  uint8_t truth = 0;
  uint8_t predicted = 0;
  int64_t pixels = 0;
  bool operator==(const ConfusionCell&) const = default;
};

/// What one photo adds to a confusion matrix: the few cells that are not 0, by truth, then by
/// prediction.
struct PhotoCounts {
  std::vector<ConfusionCell> cells;
  int64_t ignored = 0;  ///< Pixels whose truth is 255.
};

/// Errors: sizes that differ, a truth that is neither 255 nor in 0..classes-1, a prediction that is
/// no class.
Result<PhotoCounts> count_pixels(const vision::MaskView& truth, const vision::MaskView& predicted,
                                 int32_t classes);

/// Pixels by true and predicted class. Counts are whole numbers, so that the order in which
/// photos are added does not matter.
class Confusion {
 public:
  explicit Confusion(int32_t classes);

  int32_t classes() const { return classes_; }
  int64_t at(int32_t truth, int32_t predicted) const { return counts_[index(truth, predicted)]; }
  /// [truth][predicted], row by row.
  std::span<const int64_t> counts() const { return counts_; }
  /// Pixels whose truth is 255; everything else ignores them.
  int64_t ignored() const { return ignored_; }

  /// Class ids in range.
  void add(const PhotoCounts& photo);
  /// Of as many classes.
  void add(const Confusion& other);
  /// Counts a photo. Errors: those of count_pixels(); nothing is counted then.
  Status add(const vision::MaskView& truth, const vision::MaskView& predicted);

 private:
  size_t index(int32_t truth, int32_t predicted) const {
    return static_cast<size_t>(truth) * static_cast<size_t>(classes_) +
           static_cast<size_t>(predicted);
  }

  int32_t classes_;
  std::vector<int64_t> counts_;
  int64_t ignored_ = 0;
};

struct ClassScore {
  int64_t pixels = 0;     ///< True pixels.
  int64_t predicted = 0;  ///< Predicted ones whose truth is not 255.
  int64_t both = 0;
  /// both / (pixels + predicted - both); nothing if the class has no true pixel.
  std::optional<double> iou;
  /// both / pixels, likewise.
  std::optional<double> accuracy;
};

/// The usual measures (Long, Shelhamer, Darrell 2015, section 5), with means over the classes that
/// occur in the truth: a class without a true pixel is left out, but pixels wrongly predicted as
/// that class count against their true class. All are 0 if nothing was counted.
struct Scores {
  std::vector<ClassScore> classes;
  int32_t counted_classes = 0;  ///< Those with true pixels.
  int64_t pixels = 0;           ///< All true pixels except the ignored ones.
  double miou = 0;
  double pixel_accuracy = 0;
  double mean_accuracy = 0;  ///< Mean of the classes' accuracies.
  double frequency_weighted_iou = 0;
};

Scores score(const Confusion& confusion);

}  // namespace deeplab::eval
