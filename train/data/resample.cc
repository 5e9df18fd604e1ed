#include "train/data/resample.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace deeplab::train {
namespace {

constexpr int kWeightBits = 14;
constexpr int kFractionBits = 7;  // between the passes: 255 << 7 still fits 16 bits

// One input row to one row of 16-bit sums. kTaps = 0: the number is only known at run time.
template <int kTaps>
void resample_row(const uint8_t* row, const Resampler::Weights& weights, int16_t* out) {
  constexpr int kShift = kWeightBits - kFractionBits;
  const int32_t taps = kTaps > 0 ? kTaps : weights.taps;
  const int16_t* w = weights.values.data();
  for (const int32_t first : weights.first) {
    const uint8_t* p = row + static_cast<ptrdiff_t>(first) * 3;
    int32_t r = 1 << (kShift - 1);
    int32_t g = r;
    int32_t b = r;
    for (int32_t t = 0; t < taps; ++t) {
      r += p[3 * t] * w[t];
      g += p[3 * t + 1] * w[t];
      b += p[3 * t + 2] * w[t];
    }
    out[0] = static_cast<int16_t>(r >> kShift);
    out[1] = static_cast<int16_t>(g >> kShift);
    out[2] = static_cast<int16_t>(b >> kShift);
    out += 3;
    w += taps;
  }
}

// `taps` rows of sums, `stride` apart, to one row of bytes.
template <int kTaps>
void blend_rows(const int16_t* rows, ptrdiff_t stride, const int16_t* w, int32_t taps,
                int32_t count, uint8_t* out) {
  constexpr int kShift = kWeightBits + kFractionBits;
  const int32_t n = kTaps > 0 ? kTaps : taps;
  for (int32_t i = 0; i < count; ++i) {
    int32_t sum = 1 << (kShift - 1);
    for (int32_t t = 0; t < n; ++t) sum += rows[i + t * stride] * w[t];
    out[i] = static_cast<uint8_t>(sum >> kShift);
  }
}

void copy_row(const uint8_t* row, const CutAxis& x, uint8_t* out) {
  if (!x.mirrored) {
    std::memcpy(out, row + static_cast<ptrdiff_t>(x.first) * 3, static_cast<size_t>(x.size) * 3);
    return;
  }
  for (int32_t i = 0; i < x.size; ++i, out += 3) {
    std::memcpy(out, row + static_cast<ptrdiff_t>(x.place(i)) * 3, 3);
  }
}

}  // namespace

void Resampler::Weights::compute(const CutAxis& axis) {
  const double scale = static_cast<double>(axis.in) / axis.full;  // input pixels per output pixel
  const double reach = std::max(scale, 1.0);
  taps = std::min(axis.in, reach > 1.0 ? static_cast<int32_t>(std::ceil(reach)) * 2 + 1 : 2);
  first.resize(static_cast<size_t>(axis.size));
  values.assign(static_cast<size_t>(axis.size) * static_cast<size_t>(taps), 0);
  begin = axis.in;
  end = 0;
  std::vector<double> triangle(static_cast<size_t>(taps));
  for (int32_t o = 0; o < axis.size; ++o) {
    const double centre = (axis.place(o) + 0.5) * scale;
    // The first input pixel whose centre lies inside the triangle, moved so that all taps do exist.
    const auto inside = static_cast<int32_t>(std::floor(centre - reach + 0.5));
    const int32_t from = std::clamp(inside, 0, axis.in - taps);
    double sum = 0;
    for (int32_t t = 0; t < taps; ++t) {
      const double distance = std::abs(from + t + 0.5 - centre) / reach;
      triangle[static_cast<size_t>(t)] = std::max(0.0, 1.0 - distance);
      sum += triangle[static_cast<size_t>(t)];
    }
    int16_t* w = values.data() + static_cast<ptrdiff_t>(o) * taps;
    int32_t missing = 1 << kWeightBits;
    for (int32_t t = 0; t < taps; ++t) {
      w[t] =
          static_cast<int16_t>(triangle[static_cast<size_t>(t)] / sum * (1 << kWeightBits) + 0.5);
      missing -= w[t];
    }
    int16_t& largest = *std::max_element(w, w + taps);
    largest = static_cast<int16_t>(largest + missing);
    first[static_cast<size_t>(o)] = from;
    begin = std::min(begin, from);
    end = std::max(end, from + taps);
  }
}

void Resampler::resample(const uint8_t* pixels, const CutAxis& x, const CutAxis& y, uint8_t* out,
                         int64_t out_stride) {
  if (x.size <= 0 || y.size <= 0) return;
  const ptrdiff_t in_stride = static_cast<ptrdiff_t>(x.in) * 3;
  if (x.in == x.full && y.in == y.full) {
    for (int32_t i = 0; i < y.size; ++i) {
      copy_row(pixels + y.place(i) * in_stride, x, out + i * out_stride);
    }
    return;
  }

  x_.compute(x);
  y_.compute(y);
  const int32_t row_size = x.size * 3;
  rows_.resize(static_cast<size_t>(y_.end - y_.begin) * static_cast<size_t>(row_size));
  for (int32_t i = y_.begin; i < y_.end; ++i) {
    const uint8_t* row = pixels + i * in_stride;
    int16_t* sums = rows_.data() + static_cast<ptrdiff_t>(i - y_.begin) * row_size;
    switch (x_.taps) {
      case 2:
        resample_row<2>(row, x_, sums);
        break;
      case 5:
        resample_row<5>(row, x_, sums);
        break;
      default:
        resample_row<0>(row, x_, sums);
    }
  }
  for (int32_t o = 0; o < y.size; ++o) {
    const int16_t* sums =
        rows_.data() +
        static_cast<ptrdiff_t>(y_.first[static_cast<size_t>(o)] - y_.begin) * row_size;
    const int16_t* w = y_.values.data() + static_cast<ptrdiff_t>(o) * y_.taps;
    uint8_t* to = out + o * out_stride;
    switch (y_.taps) {
      case 2:
        blend_rows<2>(sums, row_size, w, 2, row_size, to);
        break;
      case 5:
        blend_rows<5>(sums, row_size, w, 5, row_size, to);
        break;
      default:
        blend_rows<0>(sums, row_size, w, y_.taps, row_size, to);
    }
  }
}

}  // namespace deeplab::train
