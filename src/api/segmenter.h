// Runs a model on pictures: what deeplab_segmenter points to.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "api/lite_runner.h"
#include "api/model.h"
#include "api/runner.h"
#include "base/aligned_buffer.h"
#include "base/isa.h"
#include "base/memory_hook.h"
#include "base/parallel.h"
#include "base/status.h"
#include "exec/planned_executor.h"
#include "vision/image_view.h"
#include "vision/labels.h"
#include "vision/picture.h"
#include "vision/prepare.h"
#include "vision/smooth.h"

namespace deeplab::api {

struct SegmenterOptions {
  int threads = 0;  ///< 0: one per CPU. Ignored if there is a pool.
  vision::Fit fit = vision::Fit::kPad;
  int32_t width = 0;  ///< Canvas in pixels; 0, 0: the model's own size.
  int32_t height = 0;
  int32_t output_stride = 0;  ///< 0: the model's own; see passes::set_output_stride().
  double pad_limit = 1;       ///< Largest scale of Fit::kPad; see vision::place().
  std::optional<vision::Normalization> normalization;
  std::optional<Isa> isa;  ///< Nothing: the best one of this machine.
  /// Limits of the model, see deeplab_segmenter_options.
  int64_t max_memory_bytes = graph::Limits{}.max_plan_bytes;
  int64_t max_macs = graph::Limits{}.max_macs;
  float temporal = 0;                ///< In [0, 1): see deeplab_segmenter_options.
  std::shared_ptr<ThreadPool> pool;  ///< Shared with others; null: one of its own.
  MemoryHook allocator;              ///< Of weights, activations, scratch and scores.
  /// TensorFlow Lite runs the network, not the engine. Null: the engine.
  std::shared_ptr<const tflite_library::Options> tflite;
};

/// What a segmenter is, or would be.
struct SegmenterFacts {
  int32_t canvas_width = 0;
  int32_t canvas_height = 0;
  int32_t scores_width = 0;
  int32_t scores_height = 0;
  int32_t classes = 0;
  int threads = 1;
  Isa isa = Isa::kScalar;
  int64_t macs = 0;          ///< Multiply-accumulates of one picture.
  int64_t shared_bytes = 0;  ///< Packed weights: the plan's.
  int64_t own_bytes = 0;     ///< Activations, scratch, scores. Of TensorFlow Lite: what is ours.
  /// What TensorFlow Lite's delegate took; nothing: the engine runs the network.
  std::optional<Delegation> delegation;
};

/// Milliseconds of the last picture's stages.
struct Timing {
  double prepare_ms = 0;
  double infer_ms = 0;
  double labels_ms = 0;
};

/// Everything about a segmenter but its memory and its threads.
struct SegmenterSetup;

/// One thread at a time. Plans and allocates in create(); run() allocates only when a picture is
/// larger than any before it.
class Segmenter {
 public:
  static Result<std::unique_ptr<Segmenter>> create(std::shared_ptr<const Model> model,
                                                   const SegmenterOptions& options);

  /// What create() would make, without its memory and its threads. Same errors.
  static Result<SegmenterFacts> estimate(std::shared_ptr<const Model> model,
                                         const SegmenterOptions& options);

  /// Pixels to scores. The calls below refer to this picture until the next run. Errors besides
  /// those of the picture: kCancelled and kDeadlineExceeded, as `control` says.
  Status run(const vision::ImageView& image, const RunControl& control = {});
  Status run(const vision::PictureView& picture, const RunControl& control = {});

  /// The next picture starts a sequence: it is not mixed with those before it.
  void reset();

  // The two halves of run(), for a caller that prepares pictures while others are inferred.
  /// Puts pictures onto the canvas. The caller's own; may be used on any thread.
  vision::Preparer preparer() const;
  /// The table and the number of bytes that a Preparer writes with.
  const vision::PixelLut& input_lut() const { return lut_; }
  size_t input_bytes() const;
  /// run() of a picture that a preparer() has put into `input`, input_bytes() long.
  Status run_prepared(std::span<const std::byte> input, const vision::Placement& placement,
                      const RunControl& control = {});

  /// See deeplab_segmenter_category_mask() and deeplab_segmenter_confidence_mask(); strides are
  /// in bytes.
  Status category_mask(int32_t width, int32_t height, uint8_t* mask, ptrdiff_t stride);
  Status confidence_mask(int32_t class_id, int32_t width, int32_t height, float* mask,
                         ptrdiff_t stride) {
    return confidence_mask({&class_id, 1}, width, height, mask, stride);
  }
  /// Of a set of different classes.
  Status confidence_mask(std::span<const int32_t> class_ids, int32_t width, int32_t height,
                         float* mask, ptrdiff_t stride) {
    return confidence_mask(class_ids, width, height, 0, height, mask, stride);
  }
  /// The rows [y_begin, y_end) of it alone; `mask` points to y_begin.
  Status confidence_mask(std::span<const int32_t> class_ids, int32_t width, int32_t height,
                         int32_t y_begin, int32_t y_end, float* mask, ptrdiff_t stride);
  /// The probability of the most probable class.
  Status certainty_mask(int32_t width, int32_t height, float* mask, ptrdiff_t stride);
  /// The probability of every class in the rows [y_begin, y_end) of a confidence mask of width x
  /// height: out[(class * (y_end - y_begin) + y - y_begin) * width + x]. By rows, since all classes
  /// of a large photo would be gigabytes. Errors: as confidence_mask(), or rows out of range.
  Status all_confidences(int32_t width, int32_t height, int32_t y_begin, int32_t y_end, float* out);
  /// The same with any strides, in bytes: see deeplab_segmenter_all_confidences().
  Status all_confidences(int32_t width, int32_t height, int32_t y_begin, int32_t y_end, float* out,
                         ptrdiff_t stride, ptrdiff_t class_stride);
  /// Scores as float [head().height][head().width][classes], owned by the segmenter. Error:
  /// nothing was run yet.
  Result<std::span<const float>> scores();

  const Model& model() const { return *model_; }
  const passes::LabelHead& head() const { return head_; }
  /// The engine's; not with SegmenterOptions::tflite.
  const plan::Plan& plan() const { return engine_->executor().plan(); }
  exec::PlannedExecutor& executor() { return engine_->executor(); }
  /// Null unless TensorFlow Lite runs the network.
  const LiteRunner* lite() const { return lite_; }
  int32_t canvas_width() const { return facts_.canvas_width; }
  int32_t canvas_height() const { return facts_.canvas_height; }
  int threads() const { return pool_->threads(); }
  const Timing& timing() const { return timing_; }
  const SegmenterFacts& facts() const { return facts_; }
  /// Where the last picture lies. Error: nothing was run yet.
  Result<vision::Placement> placement() const;

 private:
  Segmenter() = default;
  Status use_engine(const SegmenterSetup& setup, const vision::Normalization& normalization,
                    int32_t output_stride);
  Status use_tflite(const SegmenterSetup& setup, const vision::Normalization& normalization,
                    int32_t output_stride, const tflite_library::Options& options);
  Status make_pool(int threads);
  /// Input tensor to scores.
  Status infer(const vision::Placement& placement, const RunControl& control);
  template <typename Image>
  Status run_image(const Image& image, const RunControl& control);
  /// Sets the label head up for the last picture at a size of `width` x `height`.
  Status configure_labels(int32_t width, int32_t height);
  /// body(begin, end, scratch) over the rows, split between the workers.
  template <typename Body>
  void for_label_rows(int32_t row_begin, int32_t row_end, const Body& body);

  std::shared_ptr<const Model> model_;
  SegmenterFacts facts_;
  passes::LabelHead head_;
  std::shared_ptr<ThreadPool> pool_;
  std::unique_ptr<Runner> runner_;
  EngineRunner* engine_ = nullptr;  // runner_, if it is this one
  LiteRunner* lite_ = nullptr;      // likewise
  vision::Fit fit_ = vision::Fit::kPad;
  double pad_limit_ = 1;
  std::optional<vision::Preparer> preparer_;
  vision::Placement placement_;  // of the last picture
  vision::PixelLut lut_;
  vision::ScoreView score_view_;    // what masks are made of: the runner's, or smoothed
  vision::ScoreSmoother smoother_;  // without memory if temporal_ is 0
  float temporal_ = 0;
  vision::CornerMode corners_ = vision::CornerMode::kAlignCorners;
  vision::MaskMaker labels_;
  std::vector<vision::LabelScratch> label_scratch_;  // one per worker
  AlignedBuffer float_scores_;  // floats, for scores(); no memory until it is called
  bool has_run_ = false;
  Timing timing_;
};

}  // namespace deeplab::api
