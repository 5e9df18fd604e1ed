// The whole way: a float model file and photos in, the bytes of an int8 model file and the
// facts about it out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/model.h"
#include "quantize/measure_drop.h"
#include "quantize/quantize_graph.h"
#include "quantize/statistics.h"
#include "quantize_file/calibration_photos.h"

namespace deeplab::quantize {

/// What is to be made of which files.
struct QuantizeSetup {
  std::string model;
  /// The float model's normalization and labels; the written file has them in its metadata.
  api::ModelOptions model_options;
  std::vector<std::string> calibration;
  size_t photos = 128;
  vision::Fit fit = vision::Fit::kPad;
  photos::DecodeOptions decode;
  int32_t output_stride = 0;  ///< Of the file to be made; 0: the float model's own.
  QuantizeOptions graph;
  RangeOptions ranges;
  bool equalize = true;
  /// Kept only if the photos say that the network is better with it: see QuantizeResult.
  bool bias_correction = true;
  int threads = 0;
  // The written file's metadata; empty: the input file's.
  std::string name;
  std::string description;
  std::string license;
  std::string author;
};

/// One op, in float and quantized.
struct QuantizedOp {
  OpDrop drop;
  graph::Quantization quantization;  ///< Of its result.
  double spread_before = 1;          ///< See weight_spread().
  double spread_after = 1;           ///< After equalization.
};

/// A damaged photo that was read nevertheless.
struct PhotoWarning {
  photos::Photo photo;
  std::string text;
};

struct QuantizeResult {
  std::vector<std::byte> bytes;  ///< Of the .tflite file.
  std::shared_ptr<const api::Model> float_model;
  std::shared_ptr<const api::Model> int8_model;
  int64_t photos = 0;          ///< That calibration saw.
  std::vector<Status> errors;  ///< Photos that it did not, since they could not be read.
  std::vector<PhotoWarning> warnings;
  std::vector<photos::PassedOver> passed_over;  ///< In directories of photos.
  int64_t equalized_channels = 0;
  /// Whether the file's biases are corrected: asked for, and the last op of `ops` has no more noise
  /// with it than without. Both are its OpDrop::sqnr_db; 0 if not asked for.
  bool bias_correction = false;
  double sqnr_corrected_db = 0;
  double sqnr_uncorrected_db = 0;
  std::vector<QuantizedOp> ops;
  /// Share of pixels on which the two label maps agree, over the photos of the drop: mean and
  /// least, at the photo's own size.
  double mean_agreement = 0;
  double least_agreement = 0;
  int64_t compared_photos = 0;
};

/// Told before each look at all calibration photos how many there are; what it gives is then called
/// once per photo, and let go of after the last. Both may be empty.
using StartProgress = std::function<std::function<void()>(size_t photos)>;

/// The same for the same files and options, whatever the threads. Errors name the file.
Result<QuantizeResult> quantize_model(const QuantizeSetup& setup,
                                      const StartProgress& start_progress = nullptr);

/// Names as the command line has them.
std::string_view granularity_name(Granularity granularity);
std::string_view border_name(Border border);
std::string_view output_name(Output output);
std::string_view method_name(CalibrationMethod method);

}  // namespace deeplab::quantize
