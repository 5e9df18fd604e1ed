// How often a tensor's values occur: enough to choose any range from, in one pass over the photos.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "quantize/parameters.h"

namespace deeplab::quantize {

/// Counts in equal bins on both sides of 0. The bins' width is a power of two and doubles, bins
/// joining in pairs, whenever a value does not fit: so the counts do not depend on the order in
/// which values come.
class Histogram {
 public:
  static constexpr int32_t kBinsPerSide = 4096;

  /// `values` are finite.
  void add(std::span<const float> values);
  /// The same if the caller knows the smallest interval that holds them.
  void add(std::span<const float> values, const Range& range);
  void add(const Histogram& other);

  int64_t count() const { return count_; }
  /// The smallest and the largest value, exactly.
  const Range& range() const { return range_; }
  /// counts()[i] values lay in [(i - kBinsPerSide) * bin_width(), one bin_width() more).
  std::span<const int64_t> counts() const { return counts_; }
  double bin_width() const;
  double bin_center(size_t bin) const {
    return (static_cast<double>(bin) - kBinsPerSide + 0.5) * bin_width();
  }

 private:
  void cover(const Range& range);
  void widen(int doublings);

  std::vector<int64_t> counts_ = std::vector<int64_t>(2 * kBinsPerSide);
  int exponent_ = -40;  ///< All values are in [-2^exponent_, 2^exponent_).
  int64_t count_ = 0;
  Range range_;
};

}  // namespace deeplab::quantize
