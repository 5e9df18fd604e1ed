// int8 convolution as a matrix product in portable C++: dot products over 16-bit rows, in tiles
// of 2 pixels by 4 channels, a form that compilers turn into multiply-add pairs by themselves
// (PMADDWD on baseline x86-64, SMLAL on ARM).
#include <cstring>

#include "kernels/conv2d/gemm_int8_i16.h"
#include "kernels/conv2d/kernel_list.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kTileN = 4;
constexpr int32_t kDepthUnit = 8;

int32_t padded_depth(const Conv2DInt8& conv) {
  return round_up(gemm_depth(conv.shape), kDepthUnit);
}
int32_t padded_channels(const Conv2DInt8& conv) { return round_up(conv.shape.out_c, kTileN); }

// packed: bias int32 [Co'], scale float [Co'], weights int16 [Co'][depth']; Co' and depth' padded.
size_t packed_bytes(const Conv2DInt8& conv) {
  const size_t channels = static_cast<size_t>(padded_channels(conv));
  return channels * (sizeof(int32_t) + sizeof(float)) +
         channels * static_cast<size_t>(padded_depth(conv)) * sizeof(int16_t);
}

void pack(const Conv2DInt8& conv, const int8_t* filter, const int32_t* bias, std::byte* packed) {
  const int32_t depth = gemm_depth(conv.shape);
  std::memset(packed, 0, packed_bytes(conv));
  auto* packed_bias = reinterpret_cast<int32_t*>(packed);
  auto* packed_scale = reinterpret_cast<float*>(packed_bias + padded_channels(conv));
  auto* weights = reinterpret_cast<int16_t*>(packed_scale + padded_channels(conv));
  for (int32_t n = 0; n < conv.shape.out_c; ++n) {
    packed_bias[n] = bias != nullptr ? bias[n] : 0;
    packed_scale[n] = conv.multipliers[n].scale;
    for (int32_t k = 0; k < depth; ++k) {
      weights[static_cast<ptrdiff_t>(n) * padded_depth(conv) + k] = static_cast<int16_t>(
          filter[static_cast<ptrdiff_t>(n) * depth + k] - conv.filter_zero_point);
    }
  }
}

void add_bias(const Conv2DInt8& conv, const int32_t* extra, std::byte* packed) {
  auto* bias = reinterpret_cast<uint32_t*>(packed);
  for (int32_t n = 0; n < conv.shape.out_c; ++n) bias[n] += static_cast<uint32_t>(extra[n]);
}

// scratch: 16-bit rows of one block, sums int32 [2][Co'], one row of taps.
size_t rows_bytes(const Conv2DInt8& conv) {
  const int32_t row = padded_depth(conv) * static_cast<int32_t>(sizeof(int16_t));
  return static_cast<size_t>(gemm_block_pixels(row)) * static_cast<size_t>(row);
}
size_t scratch_bytes(const Conv2DInt8& conv) {
  return rows_bytes(conv) + static_cast<size_t>(padded_channels(conv)) * 2 * sizeof(int32_t) +
         static_cast<size_t>(gemm_depth(conv.shape));
}

// sums[m * ld + n] = a[m] . w[n] for M pixels and kTileN channels.
template <int M>
void tile(const int16_t* a, const int16_t* w, int32_t depth, int32_t* sums, int32_t ld) {
  int32_t s[M][kTileN] = {};
  for (int32_t k = 0; k < depth; ++k) {
    for (int m = 0; m < M; ++m) {
      for (int n = 0; n < kTileN; ++n) s[m][n] += a[m * depth + k] * w[n * depth + k];
    }
  }
  for (int m = 0; m < M; ++m) {
    for (int n = 0; n < kTileN; ++n) sums[m * ld + n] = s[m][n];
  }
}

void requantize_row(const Conv2DInt8& conv, const int32_t* sums, const int32_t* bias,
                    const float* scale, int8_t* out) {
  // Copies: as far as the compiler knows, a write to int8_t may change any of these.
  const int32_t channels = conv.shape.out_c;
  const int32_t zero_point = conv.output_zero_point;
  const int32_t min = conv.output_min;
  const int32_t max = conv.output_max;
  for (int32_t n = 0; n < channels; ++n) {
    const uint32_t acc = static_cast<uint32_t>(sums[n]) + static_cast<uint32_t>(bias[n]);
    out[n] = requantize_engine(static_cast<int32_t>(acc), scale[n], zero_point, min, max);
  }
}

void run(const Conv2DInt8& conv, const std::byte* packed, const int8_t* input, int8_t* output,
         int32_t row_begin, int32_t row_end, std::byte* scratch) {
  const int32_t depth = padded_depth(conv);
  const int32_t channels = padded_channels(conv);
  const int32_t out_c = conv.shape.out_c;
  const auto* bias = reinterpret_cast<const int32_t*>(packed);
  const auto* scale = reinterpret_cast<const float*>(bias + channels);
  const auto* weights = reinterpret_cast<const int16_t*>(scale + channels);
  auto* rows = reinterpret_cast<int16_t*>(scratch);
  auto* sums = reinterpret_cast<int32_t*>(scratch + rows_bytes(conv));
  auto* taps = reinterpret_cast<int8_t*>(sums + 2 * channels);

  const int32_t block = gemm_block_pixels(depth * static_cast<int32_t>(sizeof(int16_t)));
  const int32_t end = row_end * conv.shape.out_w;
  for (int32_t pixel = row_begin * conv.shape.out_w; pixel < end; pixel += block) {
    const int32_t count = end - pixel < block ? end - pixel : block;
    widen_block(conv, input, pixel, count, depth, taps, rows);
    for (int32_t m = 0; m < count; m += 2) {
      const bool pair = m + 1 < count;
      const int16_t* a = rows + static_cast<ptrdiff_t>(m) * depth;
      for (int32_t n = 0; n < channels; n += kTileN) {
        const int16_t* w = weights + static_cast<ptrdiff_t>(n) * depth;
        pair ? tile<2>(a, w, depth, sums + n, channels) : tile<1>(a, w, depth, sums + n, channels);
      }
      int8_t* out = output + static_cast<ptrdiff_t>(pixel + m) * out_c;
      requantize_row(conv, sums, bias, scale, out);
      if (pair) requantize_row(conv, sums + channels, bias, scale, out + out_c);
    }
  }
}

bool supports(const Conv2DInt8& conv) { return gemm_supports(conv.shape); }

}  // namespace

const Conv2DInt8Kernel kConv2DInt8GemmScalar = {
    "gemm/scalar", Isa::kScalar, supports, packed_bytes, pack, scratch_bytes, run, add_bias};

}  // namespace deeplab::kernels
