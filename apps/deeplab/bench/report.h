// What `bench` says on standard output.
#pragma once

#include <string>

#include "apps/deeplab/bench/measure.h"

namespace deeplab::app {

/// What all measurements on one canvas have in common.
struct BenchSubject {
  std::string model;
  std::string photo;  ///< A path, or "synthetic".
  int32_t canvas_width = 0;
  int32_t canvas_height = 0;
  int32_t photo_width = 0;  ///< The photo's own size, and the label map's.
  int32_t photo_height = 0;
  int64_t file_bytes = 0;
  /// The engine cannot run it: nothing is verified, and nothing is beside TensorFlow Lite.
  bool has_custom_ops = false;
  int runs = 0;
  /// The one run of the naive executor that everything is verified against: photo to the file's
  /// own output, one thread.
  double naive_ms = 0;
  Spread decode;  ///< The photo's file, in memory, to pixels.
  Spread write;   ///< The label map to a PNG in memory.
};

std::string text_head(const BenchSubject& subject);
/// `engine`: of the same network, beside one that TensorFlow Lite runs; else null.
std::string text_measurement(const BenchSubject& subject, const Measurement& measurement,
                             const Measurement* engine = nullptr);

/// One object and a newline; the engine's is inside it.
std::string json_measurement(const BenchSubject& subject, const Measurement& measurement,
                             const Measurement* engine = nullptr);

}  // namespace deeplab::app
