// int8 convolution as a matrix product on WebAssembly's vectors: i32x4.dot_i16x8_s adds the
// products of two neighbouring taps for four channels, exactly. 4 pixels by 8 channels: eight
// accumulators, of 16 registers on x86-64.
#include <string.h>

#include "kernels/conv2d/gemm_int8_i16.h"
#include "kernels/conv2d/kernel_list.h"
#include "kernels/requantize_simd128.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kTileM = 4;
constexpr int32_t kTileN = 8;
constexpr int32_t kDepthUnit = 2;

int32_t padded_depth(const Conv2DInt8& conv) {
  return round_up(gemm_depth(conv.shape), kDepthUnit);
}

// packed: [Co / 8] panels of bias int32 [8], scale float [8], then weights int16 [depth / 2][8][2];
// channels and depth are filled up with zeros.
size_t panel_bytes(const Conv2DInt8& conv) {
  return kTileN * (sizeof(int32_t) + sizeof(float) +
                   static_cast<size_t>(padded_depth(conv)) * sizeof(int16_t));
}
size_t packed_bytes(const Conv2DInt8& conv) {
  return static_cast<size_t>(round_up(conv.shape.out_c, kTileN) / kTileN) * panel_bytes(conv);
}

void pack(const Conv2DInt8& conv, const int8_t* filter, const int32_t* bias, std::byte* packed) {
  const int32_t depth = gemm_depth(conv.shape);
  memset(packed, 0, packed_bytes(conv));
  for (int32_t n = 0; n < conv.shape.out_c; ++n) {
    std::byte* panel = packed + static_cast<size_t>(n / kTileN) * panel_bytes(conv);
    auto* panel_bias = reinterpret_cast<int32_t*>(panel);
    auto* panel_scale = reinterpret_cast<float*>(panel_bias + kTileN);
    auto* weights = reinterpret_cast<int16_t*>(panel_scale + kTileN);
    panel_bias[n % kTileN] = bias != nullptr ? bias[n] : 0;
    panel_scale[n % kTileN] = conv.multipliers[n].scale;
    for (int32_t k = 0; k < depth; ++k) {
      weights[(k / 2 * kTileN + n % kTileN) * 2 + k % 2] = static_cast<int16_t>(
          filter[static_cast<ptrdiff_t>(n) * depth + k] - conv.filter_zero_point);
    }
  }
}

void add_bias(const Conv2DInt8& conv, const int32_t* extra, std::byte* packed) {
  for (int32_t n = 0; n < conv.shape.out_c; ++n) {
    auto* bias =
        reinterpret_cast<uint32_t*>(packed + static_cast<size_t>(n / kTileN) * panel_bytes(conv));
    bias[n % kTileN] += static_cast<uint32_t>(extra[n]);
  }
}

// scratch: 16-bit rows of one block, one row of taps.
size_t rows_bytes(const Conv2DInt8& conv) {
  const int32_t row = padded_depth(conv) * static_cast<int32_t>(sizeof(int16_t));
  return static_cast<size_t>(gemm_block_pixels(row)) * static_cast<size_t>(row);
}
size_t scratch_bytes(const Conv2DInt8& conv) {
  return rows_bytes(conv) + static_cast<size_t>(gemm_depth(conv.shape));
}

// Pixel 0 or 1 of two.
template <int Pixel>
[[gnu::always_inline]] inline void store_pixel(v128_t bytes, int32_t channels, int8_t* out) {
  if (channels == kTileN) {
    wasm_v128_store64_lane(out, bytes, Pixel);
  } else {
    int8_t all[16];
    wasm_v128_store(all, bytes);
    memcpy(out, all + Pixel * kTileN, static_cast<size_t>(channels));
  }
}

// M pixels of `depth` 16-bit taps by one panel, of which `channels` exist.
template <int M>
void tile(const int16_t* rows, const std::byte* panel, int32_t depth, const RequantizeSimd128& r,
          int32_t channels, int8_t* out, ptrdiff_t out_stride) {
  v128_t acc[M][2];
  for (int m = 0; m < M; ++m) {
    acc[m][0] = wasm_v128_load(panel);
    acc[m][1] = wasm_v128_load(panel + 16);
  }
  const std::byte* w = panel + 64;
  for (int32_t k = 0; k < depth; k += 2, w += 32) {
    const v128_t w0 = wasm_v128_load(w);
    const v128_t w1 = wasm_v128_load(w + 16);
    for (int m = 0; m < M; ++m) {
      const v128_t x = wasm_v128_load32_splat(rows + static_cast<ptrdiff_t>(m) * depth + k);
      acc[m][0] = wasm_i32x4_add(acc[m][0], wasm_i32x4_dot_i16x8(x, w0));
      acc[m][1] = wasm_i32x4_add(acc[m][1], wasm_i32x4_dot_i16x8(x, w1));
    }
  }
  const v128_t scale0 = wasm_v128_load(panel + 32);
  const v128_t scale1 = wasm_v128_load(panel + 48);
#pragma GCC unroll 2
  for (int m = 0; m < M; m += 2, out += 2 * out_stride) {
    constexpr int kLast = M - 1;
    const int next = m < kLast ? m + 1 : m;
    const v128_t bytes = to_bytes(r, to_words(r, acc[m][0], scale0, acc[m][1], scale1),
                                  to_words(r, acc[next][0], scale0, acc[next][1], scale1));
    store_pixel<0>(bytes, channels, out);
    if (m < kLast) store_pixel<1>(bytes, channels, out + out_stride);
  }
}

void run(const Conv2DInt8& conv, const std::byte* packed, const int8_t* input, int8_t* output,
         int32_t row_begin, int32_t row_end, std::byte* scratch) {
  const int32_t depth = padded_depth(conv);
  const int32_t out_c = conv.shape.out_c;
  const RequantizeSimd128 r = make_requantize(conv);
  auto* rows = reinterpret_cast<int16_t*>(scratch);
  auto* taps = reinterpret_cast<int8_t*>(scratch + rows_bytes(conv));
  const int32_t block = gemm_block_pixels(depth * static_cast<int32_t>(sizeof(int16_t)));
  const int32_t end = row_end * conv.shape.out_w;
  for (int32_t pixel = row_begin * conv.shape.out_w; pixel < end; pixel += block) {
    const int32_t count = end - pixel < block ? end - pixel : block;
    widen_block(conv, input, pixel, count, depth, taps, rows);
    const std::byte* panel = packed;
    for (int32_t n = 0; n < out_c; n += kTileN, panel += panel_bytes(conv)) {
      const int32_t channels = out_c - n < kTileN ? out_c - n : kTileN;
      for (int32_t m = 0; m < count; m += kTileM) {
        const int16_t* a = rows + static_cast<ptrdiff_t>(m) * depth;
        int8_t* out = output + static_cast<ptrdiff_t>(pixel + m) * out_c + n;
        switch (count - m) {
          case 1:
            tile<1>(a, panel, depth, r, channels, out, out_c);
            break;
          case 2:
            tile<2>(a, panel, depth, r, channels, out, out_c);
            break;
          case 3:
            tile<3>(a, panel, depth, r, channels, out, out_c);
            break;
          default:
            tile<kTileM>(a, panel, depth, r, channels, out, out_c);
        }
      }
    }
  }
}

bool supports(const Conv2DInt8& conv) { return gemm_supports(conv.shape); }

}  // namespace

const Conv2DInt8Kernel kConv2DInt8GemmSimd128 = {
    "gemm/simd128", Isa::kSimd128, supports, packed_bytes, pack, scratch_bytes, run, add_bias};

}  // namespace deeplab::kernels
