// From the network's low-resolution class scores to masks at the photo's own
// size, without ever holding the scores at that size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "vision/element_type.h"
#include "vision/placement.h"

namespace deeplab::vision {

/// Class scores (logits) as the network leaves them: [height][width][classes], batch 1. Int32
/// scores beyond 2^24 lose their last bits. `quantization` counts for the integer types.
struct ScoreView {
  const void* data = nullptr;
  ElementType type = ElementType::kFloat32;
  int32_t height = 0;
  int32_t width = 0;
  int32_t classes = 0;
  Quantization quantization;
};

/// How a resize maps an output coordinate to an input one (TensorFlow Lite's RESIZE_BILINEAR);
/// the result is clamped to the input.
enum class CornerMode : uint8_t {
  kAlignCorners,  ///< y * (in - 1) / (out - 1)
  kHalfPixel,     ///< (y + 0.5) * in / out - 0.5
  kLegacy,        ///< y * in / out
};

/// Pixels whose softmax is computed at a time, class by class, so that the inner loops are vectors.
inline constexpr int32_t kSoftmaxBlock = 64;

/// Memory that one thread needs for rows; see MaskMaker::grow().
struct LabelScratch {
  std::vector<float> row;        // [score columns][classes]
  std::vector<uint8_t> winners;  // [3][score columns]: in the row, and settled above and below it
  std::vector<uint8_t> ready;    // [score columns]: whether `row` has them
  std::vector<float> block;      // [classes + 2][kSoftmaxBlock]: exponentials, sums, maxima
};

/// A photo pixel's score is the bilinear value of the raw scores at the place that the placement
/// and the network's own resize give it, in float, with no 8-bit rounding in between; its label
/// is the class of the highest score, the lowest id on a tie.
///
/// configure() once per photo (it allocates only when sizes grow), then the const methods from any
/// number of threads, each with a scratch of its own. They read the configured scores, neither
/// allocate nor fail, and write the rows [y_begin, y_end) of the photo. `out` points to the
/// photo's first row, not to the range's; strides are in elements from row to row.
class MaskMaker {
 public:
  /// `corners`: the resize from the score map to the canvas. Errors: no data, sizes that are not
  /// positive, more than 255 classes (ids are bytes and 255 is the ignore label), a scale that is
  /// not positive, no memory.
  Status configure(const ScoreView& scores, CornerMode corners, const Placement& placement);

  /// Makes `scratch` large enough for the present configuration.
  Status grow(LabelScratch& scratch) const;

  int32_t width() const { return placement_.photo_width; }
  int32_t height() const { return placement_.photo_height; }
  int32_t classes() const { return scores_.classes; }

  /// The category mask.
  void label_rows(int32_t y_begin, int32_t y_end, uint8_t* mask, ptrdiff_t stride,
                  LabelScratch& scratch) const;

  /// The softmax probability, in [0, 1], of a pixel being of any of the different `class_ids` (one
  /// id: that class's confidence mask). The classes' probabilities are added in the order of the
  /// ids; if these are more than half of the classes, the probabilities of the others are taken
  /// from 1 in rising order, which is less work and more exact.
  void confidence_rows(std::span<const int32_t> class_ids, int32_t y_begin, int32_t y_end,
                       float* out, ptrdiff_t stride, LabelScratch& scratch) const;

  /// The softmax probability of every class: out[class * plane + y * stride + x].
  void all_confidence_rows(int32_t y_begin, int32_t y_end, float* out, ptrdiff_t stride,
                           ptrdiff_t plane, LabelScratch& scratch) const;

  /// The probability of the most probable class: how sure the network is.
  void max_confidence_rows(int32_t y_begin, int32_t y_end, float* out, ptrdiff_t stride,
                           LabelScratch& scratch) const;

 private:
  /// A coordinate on one axis of the score map: between `index` and its next one (or itself, on
  /// the border, where `fraction` is 0).
  struct Tap {
    int32_t index;
    float fraction;
  };
  /// The photo columns [begin, end) between the same two score columns.
  struct Cell {
    int32_t left;
    int32_t right;
    int32_t begin;
    int32_t end;
  };

  static Tap tap_at(double canvas, int32_t in, int32_t out, CornerMode corners);
  void interpolate_row(int32_t y, float* row) const;
  template <typename T>
  void label_rows_of(const T* data, int32_t y_begin, int32_t y_end, uint8_t* mask, ptrdiff_t stride,
                     LabelScratch& scratch) const;
  void label_cell(const Cell& cell, const float* row, const uint8_t* winners, uint8_t* out) const;
  template <typename Emit>
  void for_each_softmax(int32_t y_begin, int32_t y_end, LabelScratch& scratch, Emit emit) const;

  ScoreView scores_;
  CornerMode corners_ = CornerMode::kAlignCorners;
  Placement placement_;
  int32_t first_column_ = 0;  // score columns that the photo touches
  int32_t column_count_ = 0;
  std::vector<Cell> cells_;
  std::vector<float> fractions_;  // [photo width] position within the cell
};

}  // namespace deeplab::vision
