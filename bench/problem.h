// One convolution with operands, to be timed.
#pragma once

#include <cmath>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "bench/shapes.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

namespace deeplab::bench {

/// Parameters and operands of one convolution, filled with the same noise every time.
template <typename Params, typename Element, typename Bias>
struct Problem {
  Params params;
  std::vector<kernels::Multiplier> multipliers;
  std::vector<Element> input;
  std::vector<Element> filter;
  std::vector<Bias> bias;
  int64_t macs = 0;

  Problem(const ConvolutionShape& shape, bool depthwise) {
    const kernels::WindowShape window = window_shape(shape);
    params.shape = window;
    const int64_t taps = int64_t{window.filter_h} * window.filter_w * (depthwise ? 1 : window.in_c);
    macs = int64_t{window.out_h} * window.out_w * window.out_c * taps;
    std::mt19937 random(1);
    fill(input, int64_t{window.in_h} * window.in_w * window.in_c, random);
    fill(filter, taps * window.out_c, random);
    fill(bias, window.out_c, random);
    if constexpr (std::is_same_v<Element, int8_t>) {
      params.input_zero_point = -3;
      params.output_zero_point = 5;
      // Spreads the sums of noise over the range of the output.
      const double factor = 0.005 / std::sqrt(static_cast<double>(taps));
      multipliers.assign(static_cast<size_t>(window.out_c), kernels::make_multiplier(factor));
      params.multipliers = multipliers.data();
    } else {
      params.output_min = -std::numeric_limits<float>::max();
      params.output_max = std::numeric_limits<float>::max();
    }
  }
  // params.multipliers points into this object.
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  int32_t out_rows() const { return params.shape.batch * params.shape.out_h; }
  size_t out_elements() const {
    return static_cast<size_t>(out_rows()) * static_cast<size_t>(params.shape.out_w) *
           static_cast<size_t>(params.shape.out_c);
  }

 private:
  template <typename T>
  static void fill(std::vector<T>& values, int64_t count, std::mt19937& random) {
    values.resize(static_cast<size_t>(count));
    for (T& value : values) {
      const auto byte = static_cast<int8_t>(random() >> 24);
      value = std::is_same_v<T, float> ? static_cast<T>(byte) / T{64} : static_cast<T>(byte);
    }
  }
};

using Conv2DInt8Problem = Problem<kernels::Conv2DInt8, int8_t, int32_t>;
using Conv2DFloatProblem = Problem<kernels::Conv2DFloat, float, float>;
using DepthwiseInt8Problem = Problem<kernels::DepthwiseConv2DInt8, int8_t, int32_t>;
using DepthwiseFloatProblem = Problem<kernels::DepthwiseConv2DFloat, float, float>;

}  // namespace deeplab::bench
