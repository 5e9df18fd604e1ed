// What `compare` says about a photo on standard output.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/deeplab/compare/ops.h"

namespace deeplab::app {

struct LabelAgreement {
  int64_t pixels = 0;
  int64_t equal = 0;  ///< Pixels of the same class in both label maps.
  double share() const { return static_cast<double>(equal) / static_cast<double>(pixels); }
};

struct CompareReport {
  std::string image;
  int32_t width = 0;  ///< Of the label maps.
  int32_t height = 0;
  std::optional<std::string> op_mismatch;  ///< See op_mismatch(); then there are no ops.
  std::vector<OpDifference> ops;
  std::optional<LabelAgreement> labels;  ///< Nothing if one is not a segmentation network.
  std::string no_labels;                 ///< Why.

  int64_t compared() const;
  int64_t differing() const;
};

/// A few lines; with `all_ops` a table below them.
std::string text_report(const CompareReport& report, bool all_ops);

/// One object and a newline; with `all_ops` it has "ops".
std::string json_report(const CompareReport& report, const FileNetwork& a, const FileNetwork& b,
                        bool all_ops);

}  // namespace deeplab::app
