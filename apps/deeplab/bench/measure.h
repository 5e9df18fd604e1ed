// Measuring for `bench`: spreads of samples, a segmenter's stages, the machine's peak.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/segmenter.h"
#include "apps/deeplab/bench/first.h"
#include "apps/deeplab/common/photos.h"
#include "base/isa.h"
#include "base/status.h"
#include "imageio/image.h"
#include "peak/peak.h"

namespace deeplab::app {

/// Milliseconds.
struct Spread {
  double median = 0;
  double min = 0;
  double max = 0;
  double average = 0;
  double deviation = 0;  ///< Standard deviation of these samples: squares divided by their number.
  double p5 = 0;         ///< Nearest rank: the smallest sample that 5 % do not exceed.
  double p95 = 0;        ///< The same with 95 %.
};
/// All 0 for no samples.
Spread spread_of(std::vector<double> samples);

/// Where the time of the network goes.
struct StepProfile {
  int32_t op = 0;  ///< Op::index
  std::string type;
  std::string kernel;
  graph::Shape shape;
  int64_t macs = 0;
  double ms = 0;  ///< Median of the runs.

  double gmacs_per_s() const { return ms > 0 ? static_cast<double>(macs) / ms * 1e-6 : 0; }
};

/// The runs before the timed ones, each from pixels to label map.
struct WarmUp {
  int runs = 0;
  double first_ms = 0;  ///< The first of them: what a delegate compiles, it compiles here.
  double average_ms = 0;
};

/// Of a network that TensorFlow Lite runs.
struct LiteFacts {
  std::string version;
  std::string library;
  std::string delegate;  ///< Empty: none.
  api::Delegation delegation;
  /// Share of the photo's pixels that have the engine's class; nothing: the engine cannot run it.
  std::optional<double> label_agreement;
};

/// What one kernel family gave on one canvas with one thread count.
struct Measurement {
  Isa isa = Isa::kScalar;
  std::optional<LiteFacts> lite;  ///< Nothing: the engine runs the network.
  FirstPhoto first;               ///< Of a process that does nothing else.
  WarmUp warmup;
  Spread input;   ///< Pixels onto the canvas.
  Spread infer;   ///< Canvas to low-resolution scores.
  Spread labels;  ///< Scores to the label map at the photo's size.
  Spread total;   ///< All three: pixels in memory to label map.
  int64_t macs = 0;
  peak::Operands operands = peak::Operands::kInt8;  ///< Of most of these.
  std::optional<double> peak_gmacs_per_s;           ///< With such operands.
  std::vector<StepProfile> steps;                   ///< Empty if not asked for.

  double gmacs_per_s() const { return static_cast<double>(macs) / infer.median * 1e-6; }
  /// Of the peak, 0..1; nothing if that is not known.
  std::optional<double> share_of_peak(double gmacs_per_s) const {
    if (!peak_gmacs_per_s) return std::nullopt;
    return gmacs_per_s / *peak_gmacs_per_s;
  }
};

/// A deterministic photo: gradients, discs and noise, so that neither the resize nor the label
/// head meets a flat picture.
imageio::Image synthetic_photo(int32_t width, int32_t height);
/// The same as a JPEG.
Result<PhotoFile> synthetic_file(int32_t width, int32_t height);

/// Class ids, rows tight.
struct LabelMap {
  LabelMap(int32_t map_width, int32_t map_height)
      : width(map_width),
        height(map_height),
        ids(static_cast<size_t>(map_width) * static_cast<size_t>(map_height)) {}

  int32_t width;
  int32_t height;
  std::vector<uint8_t> ids;
};

/// One photo through all stages; the times are then the segmenter's. `labels` has the size that is
/// wanted.
Status run_once(api::Segmenter& segmenter, const vision::ImageView& photo, LabelMap& labels);

/// Warms up, then times `runs` photos, all stages every time. Fills warmup, input, infer, labels
/// and total of `measurement`.
Status time_network(api::Segmenter& segmenter, const vision::ImageView& photo, LabelMap& labels,
                    int runs, Measurement& measurement);

/// The photo's file, in memory, to the pixels that a canvas of this size needs.
Result<Spread> time_decode(const PhotoFile& file, vision::Fit fit, int32_t canvas_width,
                           int32_t canvas_height, int runs);

/// A label map to the bytes of the PNG that `segment` writes.
Result<Spread> time_write(const LabelMap& labels, int runs);

/// The median time of each step over `runs` further runs, in which every step is timed by itself.
Result<std::vector<StepProfile>> profile_steps(api::Segmenter& segmenter,
                                               const vision::ImageView& photo, int runs);

/// What most multiply-accumulates of a graph multiply.
peak::Operands operands_of(const graph::Graph& graph);

/// Multiply-accumulates, in billions per second, that `threads` threads reach together in a loop
/// that does nothing else; see src/peak.
Result<double> peak_gmacs_per_s(Isa isa, peak::Operands operands, int threads);

}  // namespace deeplab::app
