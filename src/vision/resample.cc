#include "vision/resample.h"

#include <algorithm>
#include <cmath>

namespace deeplab::vision {

void ResampleAxis::compute(int32_t in_size, int32_t out_size) {
  in = in_size;
  out = out_size;
  const double scale = double(in) / out;      // input pixels per output pixel
  const double reach = std::max(scale, 1.0);  // half the width of the triangle
  const double inverse_reach = 1.0 / reach;
  taps = std::min(in, static_cast<int32_t>(std::ceil(reach)) * 2 + 1);
  first.resize(static_cast<size_t>(out));
  count.resize(static_cast<size_t>(out));
  weights.assign(static_cast<size_t>(out) * static_cast<size_t>(taps), 0);

  for (int32_t o = 0; o < out; ++o) {
    const double centre = (o + 0.5) * scale;
    const int32_t begin = std::max(0, static_cast<int32_t>(centre - reach + 0.5));
    const int32_t end = std::min(in, static_cast<int32_t>(centre + reach + 0.5));
    const auto triangle = [&](int32_t i) {
      return std::max(0.0, 1.0 - std::abs((i - centre + 0.5) * inverse_reach));
    };
    double sum = 0;
    for (int32_t i = begin; i < end; ++i) sum += triangle(i);
    int32_t* w = weights.data() + static_cast<size_t>(o) * static_cast<size_t>(taps);
    for (int32_t i = begin; i < end; ++i) {
      w[i - begin] = static_cast<int32_t>(triangle(i) / sum * (1 << kernels::kResampleShift) + 0.5);
    }
    first[static_cast<size_t>(o)] = begin;
    count[static_cast<size_t>(o)] = end - begin;
  }
}

void ResampleAxis::split() {
  using kernels::kResampleGroup;
  group_begin.assign(1, 0);
  groups.clear();
  for (int32_t o = 0; o < out; ++o) {
    const int32_t* w = weights_of(o);
    const int32_t n = count[static_cast<size_t>(o)];
    for (int32_t k = 0; k < n; k += kResampleGroup) {
      // [half][pair of taps][four times][tap of the pair]
      int16_t group[2][2][4][2] = {};
      for (int32_t t = 0; t < std::min(kResampleGroup, n - k); ++t) {
        for (int32_t i = 0; i < 4; ++i) {
          group[0][t / 2][i][t % 2] = static_cast<int16_t>(w[k + t] >> kernels::kResampleLowBits);
          group[1][t / 2][i][t % 2] =
              static_cast<int16_t>(w[k + t] & ((1 << kernels::kResampleLowBits) - 1));
        }
      }
      const int16_t* flat = &group[0][0][0][0];
      groups.insert(groups.end(), flat, flat + sizeof group / sizeof *flat);
    }
    group_begin.push_back(static_cast<int32_t>(groups.size() / 32));
  }
}

}  // namespace deeplab::vision
