// int8 depthwise 3x3 convolution on NEON, eight channels at a time, read in place: no strip
// is interleaved, since nine loads of eight bytes cost an in-order core less than the moves would.
// A tap outside the picture is read from a line of zero points in scratch.
//
// Symmetric weights (wz = 0): SMULL and SMLAL leave the sums of two products in 16 bits, SADDW adds
// them to the accumulators. Others (uint8 files): 16-bit differences w - wz, SMLAL into 32 bits.
// The input's zero point is taken back in the packed bias, since padding reads as the zero point.
#include <arm_neon.h>
#include <string.h>

#include "kernels/depthwise_conv2d/kernel_list.h"
#include "kernels/requantize_neon.h"
#include "kernels/same_taps.h"

namespace deeplab::kernels {
namespace {

constexpr int32_t kPanel = 8;
constexpr int32_t kTaps = 9;

// A panel. The last one ends with the last channel: what it shares with the one before is computed
// twice, and comes out the same.
struct Panel {
  int32_t bias[kPanel];
  float scale[kPanel];
  int16_t words[kTaps][kPanel];
  int8_t bytes[kTaps][kPanel];
  int8_t unused[8];
};
struct Header {
  int32_t use_words;
  int32_t narrow;  // Whether all channels are; see requantize_neon.h.
  int32_t unused[2];
};

int32_t panels(const WindowShape& s) { return (s.out_c + kPanel - 1) / kPanel; }
int32_t first_channel(const WindowShape& s, int32_t panel) {
  const int32_t last = s.out_c - kPanel;
  return panel * kPanel < last ? panel * kPanel : last;
}

bool supports(const DepthwiseConv2DInt8& conv) {
  const WindowShape& s = conv.shape;
  return conv.depth_multiplier == 1 && s.filter_h == 3 && s.filter_w == 3 && s.out_c >= kPanel &&
         scales_below_one(conv.multipliers, s.out_c);
}

size_t packed_bytes(const DepthwiseConv2DInt8& conv) {
  return sizeof(Header) + static_cast<size_t>(panels(conv.shape)) * sizeof(Panel);
}

void pack(const DepthwiseConv2DInt8& conv, const int8_t* filter, const int32_t* bias,
          std::byte* packed) {
  const WindowShape& s = conv.shape;
  Header header = {};
  header.use_words = conv.filter_zero_point != 0;
  header.narrow = may_be_narrow(conv);
  auto* panel = reinterpret_cast<Panel*>(packed + sizeof header);
  for (int32_t p = 0; p < panels(s); ++p, ++panel) {
    memset(panel, 0, sizeof *panel);
    for (int32_t i = 0; i < kPanel; ++i) {
      const int32_t c = first_channel(s, p) + i;
      int32_t sum = 0;
      int32_t size = 0;
      int32_t lowest = 0;
      for (int32_t t = 0; t < kTaps; ++t) {
        const int8_t w = filter[t * static_cast<ptrdiff_t>(s.out_c) + c];
        panel->bytes[t][i] = w;
        panel->words[t][i] = static_cast<int16_t>(w - conv.filter_zero_point);
        sum += w - conv.filter_zero_point;
        size += panel->words[t][i] < 0 ? -panel->words[t][i] : panel->words[t][i];
        lowest += w == -128;
      }
      // Two products of -128 * -128 do not fit into 16 bits.
      if (lowest > 1) header.use_words = 1;
      panel->bias[i] = static_cast<int32_t>(static_cast<uint32_t>(bias != nullptr ? bias[c] : 0) -
                                            static_cast<uint32_t>(conv.input_zero_point) *
                                                static_cast<uint32_t>(sum));
      panel->scale[i] = conv.multipliers[c].scale;
      if (!is_narrow(panel->bias[i], size, panel->scale[i])) header.narrow = 0;
    }
  }
  memcpy(packed, &header, sizeof header);
}

// Outputs of a row that are computed together, panel by panel: as many as keep the three input rows
// under them in half of a 32 KB L1.
int32_t block_outputs(const WindowShape& s) {
  const int64_t outputs = 16 * 1024 / (int64_t{3} * s.stride_w * s.in_c);
  return static_cast<int32_t>(outputs < 4 ? 4 : outputs > 64 ? 64 : outputs);
}

// Outputs of a row that are computed together at most: of a block, as many as one line of zero
// points, at most as wide as the picture, is enough for.
int32_t most_outputs(const WindowShape& s) {
  const int32_t block = block_outputs(s);
  const int32_t room = (s.in_w - 1) / s.stride_w + 1;
  return block < room ? block : room;
}

// scratch: a line of zero points, as wide as what one tap of so many outputs spans.
int64_t line_bytes(const WindowShape& s) {
  return (int64_t{most_outputs(s) - 1} * s.stride_w + 1) * s.in_c;
}
size_t scratch_bytes(const DepthwiseConv2DInt8& conv) {
  return static_cast<size_t>(line_bytes(conv.shape));
}

// One panel at `count` outputs whose windows start `step` bytes apart; tap t of the first reads
// x[t].
template <bool Narrow>
void bytes_run(const Panel& panel, const RequantizeNeon& r, const int8_t* const (&x)[kTaps],
               int32_t count, ptrdiff_t step, ptrdiff_t out_step, int8_t* out) {
  // In registers: as far as the compiler knows, a write to int8_t may change what is in memory.
  int8x8_t w[kTaps];
#pragma GCC unroll 9
  for (int t = 0; t < kTaps; ++t) w[t] = vld1_s8(panel.bytes[t]);
  const int32x4_t bias0 = vld1q_s32(panel.bias), bias1 = vld1q_s32(panel.bias + 4);
  const float32x4_t scale0 = vld1q_f32(panel.scale), scale1 = vld1q_f32(panel.scale + 4);
  const int8_t* const x0 = x[0];
  const int8_t* const x1 = x[1];
  const int8_t* const x2 = x[2];
  const int8_t* const x3 = x[3];
  const int8_t* const x4 = x[4];
  const int8_t* const x5 = x[5];
  const int8_t* const x6 = x[6];
  const int8_t* const x7 = x[7];
  const int8_t* const x8 = x[8];
  const auto window = [&](ptrdiff_t at) __attribute__((always_inline)) {
    const int16x8_t p01 = vmlal_s8(vmull_s8(w[0], vld1_s8(x0 + at)), w[1], vld1_s8(x1 + at));
    const int16x8_t p23 = vmlal_s8(vmull_s8(w[2], vld1_s8(x2 + at)), w[3], vld1_s8(x3 + at));
    const int16x8_t p45 = vmlal_s8(vmull_s8(w[4], vld1_s8(x4 + at)), w[5], vld1_s8(x5 + at));
    const int16x8_t p67 = vmlal_s8(vmull_s8(w[6], vld1_s8(x6 + at)), w[7], vld1_s8(x7 + at));
    const int16x8_t p8 = vmull_s8(w[8], vld1_s8(x8 + at));
    // Sums in pairs first: shorter chains for a core that works in order.
    const int32x4_t low01 = vaddw_s16(bias0, vget_low_s16(p01));
    const int32x4_t high01 = vaddw_high_s16(bias1, p01);
    const int32x4_t low25 = vaddl_s16(vget_low_s16(p23), vget_low_s16(p45));
    const int32x4_t high25 = vaddl_high_s16(p23, p45);
    const int32x4_t low68 = vaddl_s16(vget_low_s16(p67), vget_low_s16(p8));
    const int32x4_t high68 = vaddl_high_s16(p67, p8);
    const int32x4_t low = vaddq_s32(vaddq_s32(low01, low25), low68);
    const int32x4_t high = vaddq_s32(vaddq_s32(high01, high25), high68);
    return to_bytes<Narrow>(r, to_words<Narrow>(r, low, scale0, high, scale1));
  };
  // Three at a time: a core that works in order would wait for the long chain of one.
  ptrdiff_t at = 0;
  for (; count >= 3; count -= 3, at += 3 * step, out += 3 * out_step) {
    const int8x8_t a = window(at);
    const int8x8_t b = window(at + step);
    const int8x8_t c = window(at + 2 * step);
    vst1_s8(out, a);
    vst1_s8(out + out_step, b);
    vst1_s8(out + 2 * out_step, c);
  }
  for (; count > 0; --count, at += step, out += out_step) vst1_s8(out, window(at));
}

template <bool Narrow>
void words_run(const Panel& panel, const RequantizeNeon& r, const int8_t* const (&x)[kTaps],
               int32_t count, ptrdiff_t step, ptrdiff_t out_step, int8_t* out) {
  int16x8_t w[kTaps];
#pragma GCC unroll 9
  for (int t = 0; t < kTaps; ++t) w[t] = vld1q_s16(panel.words[t]);
  const int32x4_t bias0 = vld1q_s32(panel.bias), bias1 = vld1q_s32(panel.bias + 4);
  const float32x4_t scale0 = vld1q_f32(panel.scale), scale1 = vld1q_f32(panel.scale + 4);
  const auto window = [&](ptrdiff_t at) __attribute__((always_inline)) {
    int32x4_t low = bias0, high = bias1;
#pragma GCC unroll 9
    for (int t = 0; t < kTaps; ++t) {
      const int16x8_t value = vmovl_s8(vld1_s8(x[t] + at));
      low = vmlal_s16(low, vget_low_s16(w[t]), vget_low_s16(value));
      high = vmlal_high_s16(high, w[t], value);
    }
    return to_bytes<Narrow>(r, to_words<Narrow>(r, low, scale0, high, scale1));
  };
  ptrdiff_t at = 0;
  for (; count >= 2; count -= 2, at += 2 * step, out += 2 * out_step) {
    const int8x8_t a = window(at);
    const int8x8_t b = window(at + step);
    vst1_s8(out, a);
    vst1_s8(out + out_step, b);
  }
  if (count > 0) vst1_s8(out, window(at));
}

// All panels at `count` outputs next to each other whose windows have the same taps inside: of
// channel 0, tap t of the first reads tap[t].
template <bool Words, bool Narrow>
void panels_run(const WindowShape& s, const Panel* panel, const RequantizeNeon& r,
                const int8_t* const (&tap)[kTaps], int32_t count, int8_t* out) {
  const ptrdiff_t step = static_cast<ptrdiff_t>(s.stride_w) * s.in_c;
  for (int32_t p = 0; p < panels(s); ++p) {
    const int32_t channel = first_channel(s, p);
    const int8_t* x[kTaps];
#pragma GCC unroll 9
    for (int t = 0; t < kTaps; ++t) x[t] = tap[t] + channel;
    const auto run = Words ? words_run<Narrow> : bytes_run<Narrow>;
    run(panel[p], r, x, count, step, s.out_c, out + channel);
  }
}

void run(const DepthwiseConv2DInt8& conv, const std::byte* packed, const int8_t* input,
         int8_t* output, int32_t row_begin, int32_t row_end, std::byte* scratch) {
  const WindowShape& s = conv.shape;
  const RequantizeNeon r = make_requantize(conv);
  Header header;
  memcpy(&header, packed, sizeof header);
  const bool narrow = header.narrow != 0;
  const auto run_panels = header.use_words != 0
                              ? (narrow ? panels_run<true, true> : panels_run<true, false>)
                              : (narrow ? panels_run<false, true> : panels_run<false, false>);
  const auto* panel = reinterpret_cast<const Panel*>(packed + sizeof header);
  const int32_t most = most_outputs(s);
  const auto* line = reinterpret_cast<const int8_t*>(scratch);
  memset(scratch, conv.input_zero_point & 255, scratch_bytes(conv));
  for (int32_t row = row_begin; row < row_end; ++row) {
    const int64_t y0 = int64_t{row % s.out_h} * s.stride_h - s.pad_top;
    const int8_t* rows[3];  // Null: outside the picture.
    for (int ky = 0; ky < 3; ++ky) {
      const int64_t y = y0 + int64_t{ky} * s.dilation_h;
      rows[ky] = y < 0 || y >= s.in_h
                     ? nullptr
                     : input + (int64_t{row / s.out_h} * s.in_h + y) * s.in_w * s.in_c;
    }
    TapRange inside;
    int32_t same_end = 0;  // Of the outputs whose windows have these taps inside.
    for (int32_t begin = 0; begin < s.out_w;) {
      const int32_t left = begin * s.stride_w - s.pad_left;
      if (begin == same_end) {
        inside = taps_inside(left, s.dilation_w, 3, s.in_w);
        same_end = same_taps_end(s, inside, begin);
      }
      const int32_t count = same_end - begin < most ? same_end - begin : most;
      const int8_t* tap[kTaps];
      for (int t = 0; t < kTaps; ++t) {
        const int64_t column = left + int64_t{t % 3} * s.dilation_w;
        const bool outside = rows[t / 3] == nullptr || t % 3 < inside.begin || t % 3 >= inside.end;
        tap[t] = outside ? line : rows[t / 3] + column * s.in_c;
      }
      run_panels(s, panel, r, tap, count, output + (int64_t{row} * s.out_w + begin) * s.out_c);
      begin += count;
    }
  }
}

}  // namespace

const DepthwiseConv2DInt8Kernel kDepthwiseInt8Neon = {
    "window3/neon", Isa::kNeon, supports, packed_bytes, pack, scratch_bytes, run};

}  // namespace deeplab::kernels
