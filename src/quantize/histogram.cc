#include "quantize/histogram.h"

#include <algorithm>
#include <cmath>

namespace deeplab::quantize {

double Histogram::bin_width() const { return std::ldexp(1.0 / kBinsPerSide, exponent_); }

void Histogram::widen(int doublings) {
  exponent_ += doublings;
  std::vector<int64_t> wide(counts_.size());
  // A shift rounds down on both sides of 0, so that no bin straddles it.
  for (int32_t bin = -kBinsPerSide; bin < kBinsPerSide; ++bin) {
    const int32_t joined = bin >> std::min(doublings, 31);
    wide[static_cast<size_t>(joined + kBinsPerSide)] +=
        counts_[static_cast<size_t>(bin + kBinsPerSide)];
  }
  counts_ = std::move(wide);
}

void Histogram::cover(const Range& range) {
  // frexp() gives the exponent of the power of two that is just above.
  int needed = exponent_;
  const float largest = std::max(std::abs(range.min), std::abs(range.max));
  if (largest > 0) std::frexp(largest, &needed);
  if (needed > exponent_) widen(needed - exponent_);
  range_.include(range);
}

void Histogram::add(std::span<const float> values) {
  if (values.empty()) return;
  Range range;
  for (float value : values) {
    range.min = std::min(range.min, value);
    range.max = std::max(range.max, value);
  }
  add(values, range);
}

void Histogram::add(std::span<const float> values, const Range& range) {
  if (values.empty()) return;
  cover(range);
  const auto per_unit = static_cast<float>(1 / bin_width());
  for (float value : values) {
    const float steps = value * per_unit;  // exact: a power of two
    auto bin = static_cast<int32_t>(steps);
    bin -= static_cast<float>(bin) > steps ? 1 : 0;
    ++counts_[static_cast<size_t>(bin + kBinsPerSide)];
  }
  count_ += static_cast<int64_t>(values.size());
}

void Histogram::add(const Histogram& other) {
  if (other.count_ == 0) return;
  Histogram same = other;
  if (same.exponent_ < exponent_) same.widen(exponent_ - same.exponent_);
  if (same.exponent_ > exponent_) widen(same.exponent_ - exponent_);
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += same.counts_[i];
  count_ += other.count_;
  range_.include(other.range_);
}

}  // namespace deeplab::quantize
