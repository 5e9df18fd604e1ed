// What is wrong with the training data, all of it, before the first step.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "train/data/options.h"

namespace deeplab::train {

struct CheckOptions {
  std::vector<SourceOptions> training;
  std::vector<SourceOptions> validation;  ///< Checked the same way, and for photos in both.
  int32_t class_count = 21;
  std::vector<std::string> class_names;  ///< By id, for the sentences; empty: the class maps'.
  bool allow_missing_classes = false;    ///< A class without a pixel is a warning, not an error.
  int threads = 0;                       ///< 0: one per CPU.
};

/// Sentences for a person, one per line, and the numbers they come from.
struct DatasetReport {
  std::vector<std::string> errors;  ///< Training would fail or learn nonsense.
  std::vector<std::string> warnings;
  std::vector<std::string> facts;  ///< Sources, sizes, a table of the classes.

  // Of the training sources with masks.
  std::vector<int64_t> class_pixels;  ///< [class_count]
  std::vector<int64_t> class_photos;  ///< [class_count] that show the class
  int64_t ignored_pixels = 0;
  /// [class_count] median frequency balancing (Eigen and Fergus 2015, section 6.3): the median of
  /// all f over f_c, where f_c = pixels of class c / labelled pixels of the photos that show c. 1
  /// for a class that no photo shows.
  std::vector<double> class_weights;

  bool ok() const { return errors.empty(); }
};

/// Reads the head of every photo and the whole of every mask, in parallel, and prints nothing.
/// It looks for: photos and masks that are missing or cannot be read; a mask of another size than
/// its photo; values that are neither 255 nor below class_count, or without a line in the class
/// map; colours without a meaning; masks that hold only 0 and 255; a class without a pixel; one id
/// under two names; a photo listed twice, or both for training and validation (same file or same
/// id). Error: only if nothing could be checked (no source, no threads, a nonsensical class count).
Result<DatasetReport> check_datasets(const CheckOptions& options);

/// DatasetReport::class_weights.
std::vector<double> median_frequency_weights(const std::vector<int64_t>& class_pixels,
                                             const std::vector<int64_t>& labelled_where_shown);

}  // namespace deeplab::train
