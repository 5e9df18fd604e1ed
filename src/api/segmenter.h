// A model at work on pictures: what deeplab_segmenter points to.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "api/model.h"
#include "base/aligned_buffer.h"
#include "base/isa.h"
#include "base/parallel.h"
#include "base/status.h"
#include "exec/planned_executor.h"
#include "vision/image_view.h"
#include "vision/labels.h"
#include "vision/prepare.h"

namespace deeplab::api {

struct SegmenterOptions {
  int threads = 0;  ///< 0: one per CPU.
  vision::Fit fit = vision::Fit::kPad;
  int32_t width = 0;  ///< Canvas in pixels; 0, 0: the model's own size.
  int32_t height = 0;
  int32_t output_stride = 0;  ///< 0: the model's own; see passes::set_output_stride().
  double pad_limit = 1;       ///< Largest scale of Fit::kPad; see vision::place().
  std::optional<vision::Normalization> normalization;
  std::optional<Isa> isa;  ///< Nothing: selected_isa().
  /// See deeplab_options: what the model may ask for.
  int64_t max_memory_bytes = graph::Limits{}.max_plan_bytes;
  int64_t max_macs = graph::Limits{}.max_macs;
};

/// Milliseconds of the last picture's stages.
struct Timing {
  double prepare_ms = 0;
  double infer_ms = 0;
  double labels_ms = 0;
};

/// One thread at a time. Plans and allocates in create(); run() allocates only when a picture is
/// larger than any before it.
class Segmenter {
 public:
  static Result<std::unique_ptr<Segmenter>> create(std::shared_ptr<const Model> model,
                                                   const SegmenterOptions& options);

  /// Pixels to scores. The calls below speak of this picture until the next run.
  Status run(const vision::ImageView& image);

  // The two halves of run(), for a caller that prepares pictures while others are inferred.
  /// What puts a picture onto the canvas; its caller's, and of use on any thread.
  vision::Preparer preparer() const;
  /// What a Preparer writes with, and how much.
  const vision::PixelLut& input_lut() const { return lut_; }
  size_t input_bytes() const;
  /// run() of a picture that a preparer() has put into `input`, input_bytes() long.
  Status run_prepared(std::span<const std::byte> input, const vision::Placement& placement);

  /// See deeplab_segmenter_category_mask() and deeplab_segmenter_confidence_mask(); strides are
  /// in bytes.
  Status category_mask(int32_t width, int32_t height, uint8_t* mask, ptrdiff_t stride);
  Status confidence_mask(int32_t class_id, int32_t width, int32_t height, float* mask,
                         ptrdiff_t stride);
  /// The probability of every class in the rows [y_begin, y_end) of a confidence mask of width x
  /// height: out[(class * (y_end - y_begin) + y - y_begin) * width + x]. By rows, since all classes
  /// of a large photo would be gigabytes. Errors: as confidence_mask(), or rows out of range.
  Status all_confidences(int32_t width, int32_t height, int32_t y_begin, int32_t y_end, float* out);
  /// Scores as float [head().height][head().width][classes], owned by the segmenter. Error:
  /// nothing was run yet.
  Result<std::span<const float>> scores();

  const Model& model() const { return *model_; }
  const passes::LabelHead& head() const { return network_.head; }
  const plan::Plan& plan() const { return *network_.plan; }
  exec::PlannedExecutor& executor() { return *executor_; }
  int32_t canvas_width() const { return network_.canvas_width; }
  int32_t canvas_height() const { return network_.canvas_height; }
  int threads() const { return pool_->threads(); }
  const Timing& timing() const { return timing_; }

 private:
  Segmenter() = default;
  /// Input tensor to scores.
  void infer(const vision::Placement& placement);
  /// Sets the label head up for the last picture at a size of `width` x `height`.
  Status configure_labels(int32_t width, int32_t height);
  /// body(row_begin, row_end, scratch) over all rows, split between the workers.
  template <typename Body>
  void for_label_rows(int32_t rows, const Body& body);

  std::shared_ptr<const Model> model_;
  PlannedNetwork network_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<exec::PlannedExecutor> executor_;
  vision::Fit fit_ = vision::Fit::kPad;
  double pad_limit_ = 1;
  std::optional<vision::Preparer> preparer_;
  vision::Placement placement_;  // of the last picture
  vision::PixelLut lut_;
  vision::ScoreView score_view_;
  vision::CornerMode corners_ = vision::CornerMode::kAlignCorners;
  vision::LabelHead labels_;
  std::vector<vision::LabelScratch> label_scratch_;  // one a worker
  AlignedBuffer float_scores_;  // floats, for scores(); no memory until it is called
  bool has_run_ = false;
  Timing timing_;
};

}  // namespace deeplab::api
