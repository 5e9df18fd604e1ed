// int8 depthwise convolution on WebAssembly's vectors, eight channels at a time. 3x3 windows,
// nearly all of the network's: two taps are interleaved, and i32x4.dot_i16x8_s adds both products;
// a window shares columns with the next one. Rows outside the picture are read from a line of zero
// points, which is taken back in the bias. Other windows, and those at the left and right edge: tap
// by tap, those inside the picture.
#include <string.h>

#include "kernels/depthwise_conv2d/kernel_list.h"
#include "kernels/requantize_simd128.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kPanel = 8;
constexpr int32_t kBlockOutputs = 64;

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
// pairs of taps, int16 [7][8][2]: (0, 3), (1, 4), (2, 5), the upper rows of each column; (6, 7),
// (8, none) for a window that starts with a pair of columns; (none, 6), (7, 8) for one that starts
// in the middle of it.
struct Header {
  int32_t bias[kPanel];
  int32_t inside_bias[kPanel];  // Without what the input's zero point adds to a whole window.
  float scale[kPanel];
};
constexpr int32_t kPairs = 7;
constexpr int8_t kPairTaps[kPairs][2] = {{0, 3}, {1, 4}, {2, 5}, {6, 7}, {8, -1}, {-1, 6}, {7, 8}};
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
        for (int32_t both = 0; is_3x3(s) && both < kPairs * 2; ++both) {
          if (kPairTaps[both / 2][both % 2] == t) pairs[(both / 2 * kPanel + i) * 2 + both % 2] = w;
        }
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

v128_t words_of(const RequantizeSimd128& r, const Header& header, v128_t low, v128_t high) {
  return to_words(r, low, wasm_v128_load(header.scale), high, wasm_v128_load(header.scale + 4));
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
  const v128_t words = words_of(r, header, low, high);
  wasm_v128_store64_lane(out, to_bytes(r, words, words), 0);
}

// Two taps of eight channels, interleaved.
struct Pair {
  v128_t low;
  v128_t high;
};
[[gnu::always_inline]] inline Pair interleave(v128_t a, v128_t b) {
  return {wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11),
          wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15)};
}
[[gnu::always_inline]] inline void add(Pair& sum, const Pair& x, const Pair& weights) {
  sum.low = wasm_i32x4_add(sum.low, wasm_i32x4_dot_i16x8(x.low, weights.low));
  sum.high = wasm_i32x4_add(sum.high, wasm_i32x4_dot_i16x8(x.high, weights.high));
}

// A column of the three input rows.
struct Column {
  Pair upper;
  v128_t lower;
};
[[gnu::always_inline]] inline Column load_column(const int8_t* const (&rows)[3], ptrdiff_t at) {
  return {interleave(wasm_i16x8_load8x8(rows[0] + at), wasm_i16x8_load8x8(rows[1] + at)),
          wasm_i16x8_load8x8(rows[2] + at)};
}

// One panel at `count` 3x3 windows next to each other, which start Step columns apart: 1 or 2;
// rows[k] is the first one's row k. Two columns at a time: in them start two windows, or one.
template <int Step>
void windows3(const RequantizeSimd128& r, const std::byte* packed, const std::byte* pairs,
              const int8_t* const (&rows)[3], ptrdiff_t column, int32_t count, ptrdiff_t out_step,
              int8_t* out) {
  constexpr int32_t kWindows = 2 / Step;
  const auto& header = *reinterpret_cast<const Header*>(packed);
  // Loaded once: V8 puts all loads of a loop's body first, and does not have registers for so many.
  Pair w[kPairs];
#pragma GCC unroll 7
  for (int32_t p = 0; p < kPairs; ++p) {
    w[p] = {wasm_v128_load(pairs + p * kPairBytes), wasm_v128_load(pairs + p * kPairBytes + 16)};
  }
  const Pair bias = {wasm_v128_load(header.inside_bias), wasm_v128_load(header.inside_bias + 4)};
  const Pair scale = {wasm_v128_load(header.scale), wasm_v128_load(header.scale + 4)};
  Column c0 = load_column(rows, 0);
  Column c1 = load_column(rows, column);
  Pair lower01 = interleave(c0.lower, c1.lower);
  ptrdiff_t at = 2 * column;
  for (; count > 0; count -= kWindows, at += 2 * column, out += kWindows * out_step) {
    const Column c2 = load_column(rows, at);
    // The last window's third column may be the picture's last one.
    const Column c3 = load_column(rows, count > 1 ? at + column : at);
    const Pair lower23 = interleave(c2.lower, c3.lower);
    Pair sum = bias;
    Pair next = sum;
    add(sum, c0.upper, w[0]);
    add(sum, c1.upper, w[1]);
    add(sum, c2.upper, w[2]);
    add(sum, lower01, w[3]);
    add(sum, lower23, w[4]);
    const v128_t words = to_words(r, sum.low, scale.low, sum.high, scale.high);
    if constexpr (kWindows == 2) {
      add(next, c1.upper, w[0]);
      add(next, c2.upper, w[1]);
      add(next, c3.upper, w[2]);
      add(next, lower01, w[5]);
      add(next, lower23, w[6]);
      const v128_t bytes =
          to_bytes(r, words, to_words(r, next.low, scale.low, next.high, scale.high));
      wasm_v128_store64_lane(out, bytes, 0);
      if (count > 1) wasm_v128_store64_lane(out + out_step, bytes, 1);
    } else {
      wasm_v128_store64_lane(out, to_bytes(r, words, words), 0);
    }
    c0 = c2;
    c1 = c3;
    lower01 = lower23;
  }
}

// Windows that share columns: of neighbouring outputs, every one, or with dilation every second,
// every fourth... The number of such chains that outputs of a row make, or 0 if windows do not
// share columns so.
int32_t chains(const WindowShape& s) {
  if (!is_3x3(s) || int64_t{2} * s.dilation_w >= s.in_w) return 0;  // None is inside.
  if (s.dilation_w % s.stride_w == 0) return s.dilation_w / s.stride_w;
  return s.stride_w == 2 * s.dilation_w ? 1 : 0;
}

// Outputs of a row that are computed together, panel by panel: few enough for the lines of L1 under
// them, of which each holds several panels, to stay there.
int32_t block_outputs(const WindowShape& s) {
  const int32_t least = 4 * chains(s);
  return least < kBlockOutputs ? kBlockOutputs : least;
}

// A line of zero points under the windows of a block: at most as wide as the picture, since they
// are inside.
size_t scratch_bytes(const DepthwiseConv2DInt8& conv) {
  const WindowShape& s = conv.shape;
  if (chains(s) == 0) return 0;
  const int64_t columns =
      (int64_t{block_outputs(s)} - 1) * s.stride_w + int64_t{2} * s.dilation_w + 1;
  return static_cast<size_t>((columns < s.in_w ? columns : s.in_w) * s.in_c);
}

// One panel at `count` outputs next to each other.
void chains_run(const WindowShape& s, const RequantizeSimd128& r, const std::byte* packed,
                const int8_t* const (&rows)[3], int32_t count, int8_t* out) {
  const std::byte* pairs = packed + sizeof(Header) + taps_bytes(s);
  const ptrdiff_t column = static_cast<ptrdiff_t>(s.dilation_w) * s.in_c;
  const int32_t all = chains(s);
  for (int32_t chain = 0; chain < all && chain < count; ++chain) {
    const ptrdiff_t at = static_cast<ptrdiff_t>(chain) * s.stride_w * s.in_c;
    const int8_t* const first[3] = {rows[0] + at, rows[1] + at, rows[2] + at};
    const int32_t windows = (count - chain + all - 1) / all;
    const ptrdiff_t out_step = static_cast<ptrdiff_t>(all) * s.out_c;
    int8_t* to = out + static_cast<ptrdiff_t>(chain) * s.out_c;
    if (s.stride_w > s.dilation_w) {
      windows3<2>(r, packed, pairs, first, column, windows, out_step, to);
    } else {
      windows3<1>(r, packed, pairs, first, column, windows, out_step, to);
    }
  }
}

void run(const DepthwiseConv2DInt8& conv, const std::byte* packed, const int8_t* input,
         int8_t* output, int32_t row_begin, int32_t row_end, std::byte* scratch) {
  const WindowShape& s = conv.shape;
  const RequantizeSimd128 r = make_requantize(conv);
  const int32_t block = block_outputs(s);
  const auto* line = reinterpret_cast<const int8_t*>(scratch);
  bool line_filled = false;
  for (int32_t row = row_begin; row < row_end; ++row) {
    const int32_t y0 = row % s.out_h * s.stride_h - s.pad_top;
    const TapRange rows = taps_inside(y0, s.dilation_h, s.filter_h, s.in_h);
    if (chains(s) > 0 && !line_filled && (rows.begin > 0 || rows.end < 3)) {
      memset(scratch, conv.input_zero_point & 255, scratch_bytes(conv));
      line_filled = true;
    }
    const int64_t top = (int64_t{row / s.out_h} * s.in_h + y0) * s.in_w;
    for (int32_t begin = 0; begin < s.out_w; begin += block) {
      const int32_t end = s.out_w - begin < block ? s.out_w : begin + block;
      for (int32_t i = begin; i < end;) {
        const int32_t x0 = i * s.stride_w - s.pad_left;
        const TapRange columns = taps_inside(x0, s.dilation_w, s.filter_w, s.in_w);
        int32_t count = 1;
        const bool inside = chains(s) > 0 && columns.begin == 0 && columns.end == 3;
        if (inside) {
          // Outputs from here on whose windows are inside.
          const int64_t room = (s.in_w - 1 - x0 - int64_t{2} * s.dilation_w) / s.stride_w + 1;
          count = room < end - i ? static_cast<int32_t>(room) : end - i;
        }
        const int64_t pixel = top + x0;
        int8_t* out = output + (int64_t{row} * s.out_w + i) * s.out_c;
        const std::byte* panel = packed;
        for (int32_t p = 0; p < panels(s); ++p, panel += panel_bytes(s)) {
          const int32_t channel = first_channel(s, p);
          if (inside) {
            const int8_t* from[3];
            for (int32_t k = 0; k < 3; ++k) {
              const int64_t at = pixel + int64_t{k} * s.dilation_h * s.in_w;
              from[k] = (k < rows.begin || k >= rows.end ? line : input + at * s.in_c) + channel;
            }
            chains_run(s, r, panel, from, count, out + channel);
          } else {
            any_window(conv, r, panel, input + pixel * s.in_c + channel, rows, columns,
                       out + channel);
          }
        }
        i += count;
      }
    }
  }
}

}  // namespace

const DepthwiseConv2DInt8Kernel kDepthwiseInt8Simd128 = {
    "direct/simd128", Isa::kSimd128, supports, packed_bytes, pack, scratch_bytes, run};

}  // namespace deeplab::kernels
