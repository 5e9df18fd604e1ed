#include "vision/labels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <iterator>
#include <limits>
#include <new>

#include "vision/image_view.h"

namespace deeplab::vision {
namespace {

float lerp(float a, float b, float t) { return a + t * (b - a); }

template <typename T>
void lerp_row(const T* top, const T* bottom, float t, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) {
    out[i] = lerp(static_cast<float>(top[i]), static_cast<float>(bottom[i]), t);
  }
}

int32_t argmax(const float* values, int32_t count) {
  int32_t best = 0;
  for (int32_t c = 1; c < count; ++c) {
    if (values[c] > values[best]) best = c;
  }
  return best;
}

/// The class that beats all others by one or more, or kIgnoreLabel. Of 8-bit scores: elsewhere a
/// lead may be as small as rounding is.
template <typename T>
uint8_t clear_winner(const T* values, int32_t count) {
  if constexpr (sizeof(T) != 1) return kIgnoreLabel;
  int32_t best = 0;
  bool clear = true;
  for (int32_t c = 1; c < count; ++c) {
    if (values[c] < values[best]) continue;
    clear = values[c] > values[best];
    if (clear) best = c;
  }
  return clear ? static_cast<uint8_t>(best) : kIgnoreLabel;
}

constexpr float kSmallestExponent = -87.0f;  // e^-87 is about the smallest normal float

/// e^x for kSmallestExponent <= x <= 0, within 2e-7 relative and the same on every machine.
/// x = k ln2 + r with |r| <= ln2 / 2, e^r by its Taylor series up to r^6, 2^k through the exponent.
float exp_of_negative(float x) {
  constexpr float kLog2E = 1.44269504f;
  constexpr float kLn2High = 0.693359375f;    // few bits: k * kLn2High is exact
  constexpr float kLn2Low = -2.12194440e-4f;  // ln2 - kLn2High
  constexpr float kRounder = 12582912.0f;     // 1.5 * 2^23: adding it rounds to a whole number
  const float k = (x * kLog2E + kRounder) - kRounder;
  const float r = (x - k * kLn2High) - k * kLn2Low;
  float p = 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p * std::bit_cast<float>((static_cast<int32_t>(k) + 127) << 23);
}

/// Exponentials, relative to the pixel's highest score, and their sums for `count` pixels between
/// two columns of scores. Layout as in for_each_softmax().
void softmax_block(const float* left, const float* right, const float* fractions, int32_t count,
                   int32_t classes, float scale, float* __restrict e, float* __restrict total,
                   float* __restrict highest) {
  std::fill(highest, highest + count, -std::numeric_limits<float>::infinity());
  std::fill(total, total + count, 0.0f);
  for (int32_t c = 0; c < classes; ++c) {
    float* of_class = e + ptrdiff_t{c} * kSoftmaxBlock;
    const float from = left[c];
    const float to = right[c];
    for (int32_t i = 0; i < count; ++i) {
      const float score = lerp(from, to, fractions[i]);
      of_class[i] = score;
      highest[i] = score > highest[i] ? score : highest[i];
    }
  }
  for (int32_t c = 0; c < classes; ++c) {
    float* of_class = e + ptrdiff_t{c} * kSoftmaxBlock;
    // Two loops: clamping in the second one makes GCC 12 branch and give up vectors (4x slower).
    for (int32_t i = 0; i < count; ++i) {
      const float exponent = scale * (of_class[i] - highest[i]);
      of_class[i] = exponent > kSmallestExponent ? exponent : kSmallestExponent;  // for NaN, too
    }
    for (int32_t i = 0; i < count; ++i) {
      of_class[i] = exp_of_negative(of_class[i]);
      total[i] += of_class[i];
    }
  }
}

/// Calls `run` with the scores in their own type.
template <typename Run>
void with_values(const ScoreView& scores, const Run& run) {
  switch (scores.type) {
    case ElementType::kInt8:
      return run(static_cast<const int8_t*>(scores.data));
    case ElementType::kUint8:
      return run(static_cast<const uint8_t*>(scores.data));
    case ElementType::kInt32:
      return run(static_cast<const int32_t*>(scores.data));
    case ElementType::kFloat32:
      return run(static_cast<const float*>(scores.data));
  }
}

}  // namespace

MaskMaker::Tap MaskMaker::tap_at(double canvas, int32_t in, int32_t out, CornerMode corners) {
  double at = canvas * in / out;
  if (corners == CornerMode::kHalfPixel) at = (canvas + 0.5) * in / out - 0.5;
  if (corners == CornerMode::kAlignCorners && out > 1) at = canvas * (in - 1) / (out - 1);
  at = std::clamp(at, 0.0, double(in - 1));
  const auto index = static_cast<int32_t>(at);
  return {index, static_cast<float>(at - index)};
}

Status MaskMaker::configure(const ScoreView& scores, CornerMode corners,
                            const Placement& placement) {
  if (scores.data == nullptr) return invalid_argument("scores: data is null");
  DEEPLAB_RETURN_IF_ERROR(validate_size(scores.width, scores.height, "scores"));
  DEEPLAB_RETURN_IF_ERROR(validate_size(placement.photo_width, placement.photo_height, "photo"));
  DEEPLAB_RETURN_IF_ERROR(validate_size(placement.canvas_width, placement.canvas_height, "canvas"));
  if (scores.classes < 1 || scores.classes > kIgnoreLabel) {
    return unsupported("scores: ", scores.classes, " classes, expected 1 to ", int{kIgnoreLabel},
                       " (masks hold bytes, and 255 means ignore)");
  }
  if (!(scores.quantization.scale > 0) || !std::isfinite(scores.quantization.scale)) {
    return invalid_argument("scores: quantization scale ", scores.quantization.scale,
                            " is not positive and finite");
  }
  scores_ = scores;
  corners_ = corners;
  placement_ = placement;
  try {
    cells_.clear();
    fractions_.resize(static_cast<size_t>(width()));
    for (int32_t x = 0; x < width(); ++x) {
      const Tap tap = tap_at(placement.canvas_x(x), scores.width, placement.canvas_width, corners);
      fractions_[static_cast<size_t>(x)] = tap.fraction;
      if (cells_.empty() || cells_.back().left != tap.index) {
        cells_.push_back({tap.index, std::min(tap.index + 1, scores.width - 1), x, x});
      }
      cells_.back().end = x + 1;
    }
  } catch (const std::bad_alloc&) {
    return resource_exhausted("no memory for the label head");
  }
  first_column_ = cells_.front().left;
  column_count_ = cells_.back().right - first_column_ + 1;
  for (Cell& cell : cells_) {  // from here on relative to the first column in use
    cell.left -= first_column_;
    cell.right -= first_column_;
  }
  return {};
}

Status MaskMaker::grow(LabelScratch& scratch) const {
  const auto columns = static_cast<size_t>(column_count_);
  const auto classes = static_cast<size_t>(scores_.classes);
  try {
    if (scratch.row.size() < columns * classes) scratch.row.resize(columns * classes);
    if (scratch.winners.size() < 3 * columns) scratch.winners.resize(3 * columns);
    if (scratch.ready.size() < columns) scratch.ready.resize(columns);
    if (scratch.block.size() < (classes + 2) * kSoftmaxBlock) {
      scratch.block.resize((classes + 2) * kSoftmaxBlock);
    }
  } catch (const std::bad_alloc&) {
    return resource_exhausted("no memory for the label head");
  }
  return {};
}

/// The scores of all columns in use at the height of photo row y.
void MaskMaker::interpolate_row(int32_t y, float* row) const {
  const Tap tap =
      tap_at(placement_.canvas_y(y), scores_.height, placement_.canvas_height, corners_);
  const auto classes = static_cast<size_t>(scores_.classes);
  const size_t pitch = static_cast<size_t>(scores_.width) * classes;
  const size_t first = static_cast<size_t>(first_column_) * classes;
  const size_t top = static_cast<size_t>(tap.index) * pitch + first;
  const size_t bottom =
      static_cast<size_t>(std::min(tap.index + 1, scores_.height - 1)) * pitch + first;
  const size_t count = static_cast<size_t>(column_count_) * classes;
  const auto run = [&](const auto* data) {
    lerp_row(data + top, data + bottom, tap.fraction, count, row);
  };
  with_values(scores_, run);
}

void MaskMaker::label_rows(int32_t y_begin, int32_t y_end, uint8_t* mask, ptrdiff_t stride,
                           LabelScratch& scratch) const {
  assert(0 <= y_begin && y_end <= height());
  const auto run = [&](const auto* data) {
    label_rows_of(data, y_begin, y_end, mask, stride, scratch);
  };
  with_values(scores_, run);
}

/// Between two rows of scores, too, every class's score is a straight line: where one class is the
/// clear winner in both, it is the winner of all photo rows between them, and the column has to be
/// interpolated only if the class of a neighbouring column is another one.
template <typename T>
void MaskMaker::label_rows_of(const T* data, int32_t y_begin, int32_t y_end, uint8_t* mask,
                              ptrdiff_t stride, LabelScratch& scratch) const {
  const auto classes = static_cast<size_t>(scores_.classes);
  const auto columns = static_cast<size_t>(column_count_);
  uint8_t* winners = scratch.winners.data();
  uint8_t* above = winners + columns;
  uint8_t* below = above + columns;
  const auto scores_at = [&](int32_t row) {
    return data + (static_cast<size_t>(row) * static_cast<size_t>(scores_.width) +
                   static_cast<size_t>(first_column_)) *
                      classes;
  };
  int32_t settled = -1;  // The upper score row that `above` and `below` are of.
  for (int32_t y = y_begin; y < y_end; ++y) {
    const Tap tap =
        tap_at(placement_.canvas_y(y), scores_.height, placement_.canvas_height, corners_);
    const T* top = scores_at(tap.index);
    const T* bottom = scores_at(std::min(tap.index + 1, scores_.height - 1));
    if (tap.index != settled) {
      for (size_t s = 0; s < columns; ++s) {
        above[s] = clear_winner(top + s * classes, scores_.classes);
        below[s] = clear_winner(bottom + s * classes, scores_.classes);
      }
      settled = tap.index;
    }
    float* row = scratch.row.data();
    const auto interpolate = [&](size_t s) {
      const size_t at = s * classes;
      if (scratch.ready[s] == 0) lerp_row(top + at, bottom + at, tap.fraction, classes, row + at);
      scratch.ready[s] = 1;
    };
    for (size_t s = 0; s < columns; ++s) {
      scratch.ready[s] = 0;
      winners[s] = above[s];
      if (above[s] == below[s] && above[s] != kIgnoreLabel) continue;
      interpolate(s);
      winners[s] = static_cast<uint8_t>(argmax(row + s * classes, scores_.classes));
    }
    for (const Cell& cell : cells_) {
      if (winners[cell.left] != winners[cell.right]) {
        interpolate(static_cast<size_t>(cell.left));
        interpolate(static_cast<size_t>(cell.right));
      }
      label_cell(cell, row, winners, mask + y * stride);
    }
  }
}

/// Between two score columns every class's score is a straight line. So where one class wins on
/// both ends, it wins in between. Otherwise let a win left and b win right, and let their lines
/// cross at t. max(a, b) is convex with its kink at t, and every other line lies below it on both
/// ends; a third class can therefore come out on top somewhere only if it does so at t. Testing
/// all classes at t alone leaves the few that have to be compared pixel by pixel.
void MaskMaker::label_cell(const Cell& cell, const float* row, const uint8_t* winners,
                           uint8_t* out) const {
  const uint8_t a = winners[cell.left];
  const uint8_t b = winners[cell.right];
  if (a == b) {
    std::fill(out + cell.begin, out + cell.end, a);
    return;
  }
  const float* left = row + ptrdiff_t{cell.left} * scores_.classes;
  const float* right = row + ptrdiff_t{cell.right} * scores_.classes;
  const float lead_left = left[a] - left[b];
  const float lead_right = right[b] - right[a];
  const float t = lead_left > 0 ? lead_left / (lead_left + lead_right) : 0.0f;
  // The slack covers the rounding of t and of the sums: a candidate too many costs nothing.
  const float size = std::abs(left[a]) + std::abs(right[b]) + lead_left + lead_right;
  const float bar = lerp(left[a], right[a], t) - 16 * std::numeric_limits<float>::epsilon() * size;

  uint8_t candidates[kIgnoreLabel];
  int32_t count = 0;
  for (int32_t c = 0; c < scores_.classes; ++c) {
    if (c == a || c == b || lerp(left[c], right[c], t) >= bar) {
      candidates[count++] = static_cast<uint8_t>(c);
    }
  }
  for (int32_t x = cell.begin; x < cell.end; ++x) {
    const float fraction = fractions_[static_cast<size_t>(x)];
    uint8_t best = candidates[0];
    float best_score = lerp(left[best], right[best], fraction);
    for (int32_t k = 1; k < count; ++k) {
      const uint8_t c = candidates[k];
      const float score = lerp(left[c], right[c], fraction);
      if (score > best_score) {
        best = c;
        best_score = score;
      }
    }
    out[x] = best;
  }
}

/// Calls emit(x, y, count, e, total) for runs of up to kSoftmaxBlock pixels from (x, y) on: the
/// probability of class c at pixel x + i is e[c * kSoftmaxBlock + i] / total[i], and the largest e
/// of a pixel is 1. The zero point cancels in the softmax; only the scale remains.
template <typename Emit>
void MaskMaker::for_each_softmax(int32_t y_begin, int32_t y_end, LabelScratch& scratch,
                                 Emit emit) const {
  assert(0 <= y_begin && y_end <= height());
  const int32_t classes = scores_.classes;
  const float scale = scores_.type == ElementType::kFloat32 ? 1.0f : scores_.quantization.scale;
  float* e = scratch.block.data();
  float* total = e + ptrdiff_t{classes} * kSoftmaxBlock;
  float* highest = total + kSoftmaxBlock;
  for (int32_t y = y_begin; y < y_end; ++y) {
    interpolate_row(y, scratch.row.data());
    for (const Cell& cell : cells_) {
      const float* left = scratch.row.data() + ptrdiff_t{cell.left} * classes;
      const float* right = scratch.row.data() + ptrdiff_t{cell.right} * classes;
      for (int32_t x = cell.begin; x < cell.end; x += kSoftmaxBlock) {
        const int32_t count = std::min(kSoftmaxBlock, cell.end - x);
        softmax_block(left, right, fractions_.data() + x, count, classes, scale, e, total, highest);
        emit(x, y, count, e, total);
      }
    }
  }
}

void MaskMaker::confidence_rows(std::span<const int32_t> class_ids, int32_t y_begin, int32_t y_end,
                                float* out, ptrdiff_t stride, LabelScratch& scratch) const {
  std::array<bool, kIgnoreLabel> chosen{};
  for (int32_t c : class_ids) {
    assert(0 <= c && c < scores_.classes);
    chosen[static_cast<size_t>(c)] = true;
  }
  const bool is_complement = 2 * std::ssize(class_ids) > scores_.classes;
  int32_t terms[kIgnoreLabel];
  int32_t count_of_terms = 0;
  if (is_complement) {
    for (int32_t c = 0; c < scores_.classes; ++c) {
      if (!chosen[static_cast<size_t>(c)]) terms[count_of_terms++] = c;
    }
  } else {
    for (int32_t c : class_ids) terms[count_of_terms++] = c;
  }
  const float start = is_complement ? 1.0f : 0.0f;
  const float sign = is_complement ? -1.0f : 1.0f;
  for_each_softmax(y_begin, y_end, scratch,
                   [&](int32_t x, int32_t y, int32_t count, const float* e, const float* total) {
                     float* to = out + y * stride + x;
                     std::fill(to, to + count, start);
                     for (int32_t k = 0; k < count_of_terms; ++k) {
                       const float* of_class = e + ptrdiff_t{terms[k]} * kSoftmaxBlock;
                       for (int32_t i = 0; i < count; ++i) {
                         to[i] += sign * std::min(of_class[i] / total[i], 1.0f);
                       }
                     }
                     for (int32_t i = 0; i < count; ++i) {
                       to[i] = std::min(std::max(to[i], 0.0f), 1.0f);
                     }
                   });
}

void MaskMaker::all_confidence_rows(int32_t y_begin, int32_t y_end, float* out, ptrdiff_t stride,
                                    ptrdiff_t plane, LabelScratch& scratch) const {
  for_each_softmax(y_begin, y_end, scratch,
                   [&](int32_t x, int32_t y, int32_t count, const float* e, const float* total) {
                     for (int32_t c = 0; c < scores_.classes; ++c) {
                       const float* of_class = e + ptrdiff_t{c} * kSoftmaxBlock;
                       float* to = out + c * plane + y * stride + x;
                       for (int32_t i = 0; i < count; ++i)
                         to[i] = std::min(of_class[i] / total[i], 1.0f);
                     }
                   });
}

void MaskMaker::max_confidence_rows(int32_t y_begin, int32_t y_end, float* out, ptrdiff_t stride,
                                    LabelScratch& scratch) const {
  for_each_softmax(y_begin, y_end, scratch,
                   [&](int32_t x, int32_t y, int32_t count, const float*, const float* total) {
                     float* to = out + y * stride + x;
                     // e^0 / total, which scores that are not numbers may take above 1.
                     for (int32_t i = 0; i < count; ++i) to[i] = std::min(1.0f / total[i], 1.0f);
                   });
}

}  // namespace deeplab::vision
