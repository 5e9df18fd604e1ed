// What `segment` says about a photo on standard output.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "apps/deeplab/common/class_shares.h"
#include "deeplab/deeplab.hpp"

namespace deeplab::app {

/// Milliseconds. `write` is everything after the mask: drawing, encoding and writing.
struct StageTimes {
  double decode = 0;
  double prepare = 0;
  double infer = 0;
  double labels = 0;
  double write = 0;
};

struct SegmentReport {
  bool was_there = false;  ///< Skipped, since its outputs are there; nothing below is set then.
  std::string image;       ///< As on the command line, or as found.
  int32_t width = 0;       ///< The photo's own size, and the mask's.
  int32_t height = 0;
  std::string warning;  ///< What is wrong with a photo that was read nevertheless; or empty.
  std::string model;
  Fit fit = Fit::kPad;
  std::vector<ClassShare> shares;
  std::span<const std::string> labels;  ///< By class id.
  StageTimes times;
};

/// "cat.jpg: background 71.4%, cat 28.6%" and a newline.
std::string text_line(const SegmentReport& report);

/// The object of --json and a newline. Bytes of a file name that are not UTF-8 become U+FFFD.
std::string json_line(const SegmentReport& report);

}  // namespace deeplab::app
