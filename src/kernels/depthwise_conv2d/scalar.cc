// Depthwise convolution in portable C++: channels in groups of 16, whose sums stay in registers
// while the taps inside the picture go by; compilers vectorize over the channels.
#include <cstring>

#include "kernels/depthwise_conv2d/kernel_list.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kGroup = 16;

/// The sum of so many products of 8-bit differences stays inside int32.
constexpr int64_t kMaxTaps = 1 << 15;

bool supports(const DepthwiseConv2DInt8& conv) {
  return conv.depth_multiplier == 1 &&
         int64_t{conv.shape.filter_h} * conv.shape.filter_w <= kMaxTaps;
}

int32_t groups(const WindowShape& s) { return (s.out_c + kGroup - 1) / kGroup; }
int32_t taps(const WindowShape& s) { return s.filter_h * s.filter_w; }

// Calls body(origin, rows, columns, output pixel) for the pixels of output rows [begin, end):
// `origin` is the input pixel that tap (0, 0) reads, the ranges are the taps inside the picture.
template <typename Body>
void for_each_pixel(const WindowShape& s, int32_t begin, int32_t end, const Body& body) {
  for (int32_t row = begin; row < end; ++row) {
    const int32_t y0 = row % s.out_h * s.stride_h - s.pad_top;
    const TapRange rows = taps_inside(y0, s.dilation_h, s.filter_h, s.in_h);
    const int64_t line = (int64_t{row / s.out_h} * s.in_h + y0) * s.in_w;
    for (int32_t x = 0; x < s.out_w; ++x) {
      const int32_t x0 = x * s.stride_w - s.pad_left;
      body(line + x0, rows, taps_inside(x0, s.dilation_w, s.filter_w, s.in_w),
           int64_t{row} * s.out_w + x);
    }
  }
}

// packed: one panel per group: bias int32 [16], scale float [16], weights int16
// [taps][16].

size_t panel_bytes(const WindowShape& s) {
  return kGroup *
         (sizeof(int32_t) + sizeof(float) + static_cast<size_t>(taps(s)) * sizeof(int16_t));
}

size_t packed_bytes(const DepthwiseConv2DInt8& conv) {
  return static_cast<size_t>(groups(conv.shape)) * panel_bytes(conv.shape);
}

void pack(const DepthwiseConv2DInt8& conv, const int8_t* filter, const int32_t* bias,
          std::byte* packed) {
  std::memset(packed, 0, packed_bytes(conv));
  for (int32_t c = 0; c < conv.shape.out_c; ++c) {
    std::byte* panel = packed + static_cast<size_t>(c / kGroup) * panel_bytes(conv.shape);
    auto* panel_bias = reinterpret_cast<int32_t*>(panel);
    auto* panel_scale = reinterpret_cast<float*>(panel_bias + kGroup);
    auto* weights = reinterpret_cast<int16_t*>(panel_scale + kGroup);
    panel_bias[c % kGroup] = bias != nullptr ? bias[c] : 0;
    panel_scale[c % kGroup] = conv.multipliers[c].scale;
    for (int32_t t = 0; t < taps(conv.shape); ++t) {
      weights[t * kGroup + c % kGroup] = static_cast<int16_t>(
          filter[static_cast<ptrdiff_t>(t) * conv.shape.out_c + c] - conv.filter_zero_point);
    }
  }
}

struct GroupInt8 {
  const int32_t* bias;
  const float* scale;
  const int16_t* weights;
};

// One group at one pixel; `input` is at the group's first channel. Count is kGroup, or the channels
// of the last group if it is 0.
template <int Count>
void group_at(const DepthwiseConv2DInt8& conv, const GroupInt8& group, const int8_t* input,
              int64_t origin, TapRange rows, TapRange columns, int32_t count, int8_t* output) {
  const WindowShape& s = conv.shape;
  const int32_t n = Count != 0 ? Count : count;
  const int32_t input_zero_point = conv.input_zero_point;
  int32_t sums[kGroup] = {};
  for (int32_t ky = rows.begin; ky < rows.end; ++ky) {
    for (int32_t kx = columns.begin; kx < columns.end; ++kx) {
      const int8_t* x =
          input + (origin + int64_t{ky} * s.dilation_h * s.in_w + kx * s.dilation_w) * s.in_c;
      const int16_t* w = group.weights + (ky * s.filter_w + kx) * kGroup;
#pragma GCC unroll 1  // Unrolled first, GCC 12 does not vectorize it.
      for (int32_t c = 0; c < n; ++c) {
        sums[c] += static_cast<int16_t>(x[c] - input_zero_point) * w[c];
      }
    }
  }
  const int32_t zero_point = conv.output_zero_point;
  const int32_t min = conv.output_min;
  const int32_t max = conv.output_max;
  for (int32_t c = 0; c < n; ++c) {
    const uint32_t acc = static_cast<uint32_t>(sums[c]) + static_cast<uint32_t>(group.bias[c]);
    output[c] = requantize_engine(static_cast<int32_t>(acc), group.scale[c], zero_point, min, max);
  }
}

size_t no_scratch(const DepthwiseConv2DInt8&) { return 0; }

void run(const DepthwiseConv2DInt8& conv, const std::byte* packed, const int8_t* input,
         int8_t* output, int32_t row_begin, int32_t row_end, std::byte* /*scratch*/) {
  const WindowShape& s = conv.shape;
  for_each_pixel(
      s, row_begin, row_end, [&](int64_t origin, TapRange rows, TapRange columns, int64_t pixel) {
        for (int32_t c = 0; c < s.out_c; c += kGroup) {
          const std::byte* panel = packed + static_cast<size_t>(c / kGroup) * panel_bytes(s);
          GroupInt8 group;
          group.bias = reinterpret_cast<const int32_t*>(panel);
          group.scale = reinterpret_cast<const float*>(group.bias + kGroup);
          group.weights = reinterpret_cast<const int16_t*>(group.scale + kGroup);
          const int8_t* x = input + c;
          int8_t* out = output + pixel * s.out_c + c;
          if (s.out_c - c >= kGroup) {
            group_at<kGroup>(conv, group, x, origin, rows, columns, kGroup, out);
          } else {
            group_at<0>(conv, group, x, origin, rows, columns, s.out_c - c, out);
          }
        }
      });
}

}  // namespace

const DepthwiseConv2DInt8Kernel kDepthwiseInt8Scalar = {
    "direct/scalar", Isa::kScalar, supports, packed_bytes, pack, no_scratch, run};

}  // namespace deeplab::kernels
