// int8 depthwise convolution on WebAssembly's vectors, eight channels at a time. 3x3 windows inside
// the picture, nearly all of the network's: two taps are interleaved, and
// i32x4.dot_i16x8_s adds both products; the input's zero point is taken back in the bias. Other
// windows: tap by tap, those inside the picture.
#include <string.h>

#include "kernels/depthwise_conv2d/kernel_list.h"
#include "kernels/requantize_simd128.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kPanel = 8;

/// The sum of so many products of 8-bit differences stays inside int32.
constexpr int64_t kMaxTaps = 1 << 15;

bool supports(const DepthwiseConv2DInt8& conv) {
  return conv.depth_multiplier == 1 && conv.shape.out_c >= kPanel &&
         int64_t{conv.shape.filter_h} * conv.shape.filter_w <= kMaxTaps;
}

// The last panel ends with the last channel: what it shares with the one before is computed twice,
// and comes out the same.
int32_t panels(const WindowShape& s) { return (s.out_c + kPanel - 1) / kPanel; }
int32_t first_channel(const WindowShape& s, int32_t panel) {
  const int32_t last = s.out_c - kPanel;
  return panel * kPanel < last ? panel * kPanel : last;
}

// packed: panels of a header, then weights tap by tap, int16 [taps][8], then, of 3x3 filters, by
// pairs of taps, int16 [5][8][2], the last one with a zero.
struct Header {
  int32_t bias[kPanel];
  int32_t inside_bias[kPanel];  // Without what the input's zero point adds to a whole window.
  float scale[kPanel];
};
constexpr int32_t kPairs = 5;
constexpr int32_t kPairBytes = kPanel * 2 * sizeof(int16_t);

bool is_3x3(const WindowShape& s) { return s.filter_h == 3 && s.filter_w == 3; }
size_t taps_bytes(const WindowShape& s) {
  return static_cast<size_t>(s.filter_h) * static_cast<size_t>(s.filter_w) * kPanel *
         sizeof(int16_t);
}
size_t panel_bytes(const WindowShape& s) {
  return sizeof(Header) + taps_bytes(s) + (is_3x3(s) ? size_t{kPairs * kPairBytes} : 0);
}
size_t packed_bytes(const DepthwiseConv2DInt8& conv) {
  return static_cast<size_t>(panels(conv.shape)) * panel_bytes(conv.shape);
}

void pack(const DepthwiseConv2DInt8& conv, const int8_t* filter, const int32_t* bias,
          std::byte* packed) {
  const WindowShape& s = conv.shape;
  memset(packed, 0, packed_bytes(conv));
  for (int32_t p = 0; p < panels(s); ++p, packed += panel_bytes(s)) {
    auto* header = reinterpret_cast<Header*>(packed);
    auto* weights = reinterpret_cast<int16_t*>(packed + sizeof(Header));
    auto* pairs = reinterpret_cast<int16_t*>(packed + sizeof(Header) + taps_bytes(s));
    for (int32_t i = 0; i < kPanel; ++i) {
      const int32_t c = first_channel(s, p) + i;
      uint32_t sum = 0;
      for (int32_t t = 0; t < s.filter_h * s.filter_w; ++t) {
        const auto w = static_cast<int16_t>(filter[static_cast<ptrdiff_t>(t) * s.out_c + c] -
                                            conv.filter_zero_point);
        weights[t * kPanel + i] = w;
        if (is_3x3(s)) pairs[(t / 2 * kPanel + i) * 2 + t % 2] = w;
        sum += static_cast<uint32_t>(w);
      }
      header->bias[i] = bias != nullptr ? bias[c] : 0;
      header->inside_bias[i] =
          static_cast<int32_t>(static_cast<uint32_t>(header->bias[i]) -
                               static_cast<uint32_t>(conv.input_zero_point) * sum);
      header->scale[i] = conv.multipliers[c].scale;
    }
  }
}

size_t no_scratch(const DepthwiseConv2DInt8&) { return 0; }

void finish(const RequantizeSimd128& r, const Header& header, v128_t low, v128_t high,
            int8_t* out) {
  const v128_t bytes = to_bytes(to_values(r, low, wasm_v128_load(header.scale)),
                                to_values(r, high, wasm_v128_load(header.scale + 4)));
  wasm_v128_store64_lane(out, bytes, 0);
}

// One panel at one output; `input` is at the panel's first channel of the pixel under tap (0, 0).
void any_window(const DepthwiseConv2DInt8& conv, const RequantizeSimd128& r,
                const std::byte* packed, const int8_t* input, TapRange rows, TapRange columns,
                int8_t* out) {
  const WindowShape& s = conv.shape;
  const auto& header = *reinterpret_cast<const Header*>(packed);
  const std::byte* weights = packed + sizeof(Header);
  const v128_t zero_point = wasm_i16x8_splat(static_cast<int16_t>(conv.input_zero_point));
  v128_t low = wasm_v128_load(header.bias);
  v128_t high = wasm_v128_load(header.bias + 4);
  for (int32_t ky = rows.begin; ky < rows.end; ++ky) {
    for (int32_t kx = columns.begin; kx < columns.end; ++kx) {
      const int64_t pixel = int64_t{ky} * s.dilation_h * s.in_w + kx * s.dilation_w;
      const v128_t x = wasm_i16x8_sub(wasm_i16x8_load8x8(input + pixel * s.in_c), zero_point);
      const v128_t w = wasm_v128_load(weights + (ky * s.filter_w + kx) * 16);
      low = wasm_i32x4_add(low, wasm_i32x4_extmul_low_i16x8(x, w));
      high = wasm_i32x4_add(high, wasm_i32x4_extmul_high_i16x8(x, w));
    }
  }
  finish(r, header, low, high, out);
}

// One panel at `count` outputs of a row whose 3x3 windows are inside the picture.
void windows3(const WindowShape& s, const RequantizeSimd128& r, const std::byte* packed,
              const int8_t* input, int32_t count, int8_t* out) {
  const auto& header = *reinterpret_cast<const Header*>(packed);
  const std::byte* pairs = packed + sizeof(Header) + taps_bytes(s);
  v128_t w[kPairs][2];
  for (int32_t p = 0; p < kPairs; ++p) {
    w[p][0] = wasm_v128_load(pairs + p * kPairBytes);
    w[p][1] = wasm_v128_load(pairs + p * kPairBytes + 16);
  }
  const v128_t bias0 = wasm_v128_load(header.inside_bias);
  const v128_t bias1 = wasm_v128_load(header.inside_bias + 4);
  const ptrdiff_t right = static_cast<ptrdiff_t>(s.dilation_w) * s.in_c;
  const ptrdiff_t down = static_cast<ptrdiff_t>(s.dilation_h) * s.in_w * s.in_c;
  const ptrdiff_t step = static_cast<ptrdiff_t>(s.stride_w) * s.in_c;
  for (int32_t i = 0; i < count; ++i, input += step, out += s.out_c) {
    const int8_t* tap[10] = {};
    for (int32_t t = 0; t < 9; ++t) tap[t] = input + t / 3 * down + t % 3 * right;
    v128_t low = bias0;
    v128_t high = bias1;
#pragma GCC unroll 5
    for (int32_t p = 0; p < kPairs; ++p) {
      const v128_t a = wasm_i16x8_load8x8(tap[2 * p]);
      const v128_t b =
          2 * p + 1 < 9 ? wasm_i16x8_load8x8(tap[2 * p + 1]) : wasm_i32x4_const_splat(0);
      const v128_t both0 = wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
      const v128_t both1 = wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
      low = wasm_i32x4_add(low, wasm_i32x4_dot_i16x8(both0, w[p][0]));
      high = wasm_i32x4_add(high, wasm_i32x4_dot_i16x8(both1, w[p][1]));
    }
    finish(r, header, low, high, out);
  }
}

// Outputs of a row that are computed together, panel by panel: as many as keep the three input rows
// under them in half of a 32 KB L1.
int32_t block_outputs(const WindowShape& s) {
  const int64_t outputs = 16 * 1024 / (int64_t{3} * s.stride_w * s.in_c);
  return static_cast<int32_t>(outputs < 4 ? 4 : outputs > 64 ? 64 : outputs);
}

void run(const DepthwiseConv2DInt8& conv, const std::byte* packed, const int8_t* input,
         int8_t* output, int32_t row_begin, int32_t row_end, std::byte* /*scratch*/) {
  const WindowShape& s = conv.shape;
  const RequantizeSimd128 r = make_requantize(conv);
  const int32_t block = block_outputs(s);
  for (int32_t row = row_begin; row < row_end; ++row) {
    const int32_t y0 = row % s.out_h * s.stride_h - s.pad_top;
    const TapRange rows = taps_inside(y0, s.dilation_h, s.filter_h, s.in_h);
    const int64_t line = (int64_t{row / s.out_h} * s.in_h + y0) * s.in_w;
    const bool whole_rows = is_3x3(s) && rows.begin == 0 && rows.end == 3;
    for (int32_t begin = 0; begin < s.out_w; begin += block) {
      const int32_t end = s.out_w - begin < block ? s.out_w : begin + block;
      for (int32_t i = begin; i < end;) {
        const int32_t x0 = i * s.stride_w - s.pad_left;
        const TapRange columns = taps_inside(x0, s.dilation_w, s.filter_w, s.in_w);
        int32_t count = 1;
        const bool inside = whole_rows && columns.begin == 0 && columns.end == 3;
        if (inside) {
          // Outputs from here on whose windows are inside.
          const int64_t room = (s.in_w - 1 - x0 - int64_t{2} * s.dilation_w) / s.stride_w + 1;
          count = room < end - i ? static_cast<int32_t>(room) : end - i;
        }
        const int8_t* x = input + (line + x0) * s.in_c;
        int8_t* out = output + (int64_t{row} * s.out_w + i) * s.out_c;
        const std::byte* panel = packed;
        for (int32_t p = 0; p < panels(s); ++p, panel += panel_bytes(s)) {
          const int32_t channel = first_channel(s, p);
          if (inside) {
            windows3(s, r, panel, x + channel, count, out + channel);
          } else {
            any_window(conv, r, panel, x + channel, rows, columns, out + channel);
          }
        }
        i += count;
      }
    }
  }
}

}  // namespace

const DepthwiseConv2DInt8Kernel kDepthwiseInt8Simd128 = {
    "direct/simd128", Isa::kSimd128, supports, packed_bytes, pack, no_scratch, run};

}  // namespace deeplab::kernels
