// Every entry of the kernel tables that this machine runs against its reference, byte for byte: on
// shapes, strides, dilations, paddings, zero points and scales that the input chooses, extremes
// among them. Only parameters that graph::validate() lets through are made.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "fuzz/target.h"
#include "kernels/add/add.h"
#include "kernels/arg_max/arg_max.h"
#include "kernels/average_pool2d/average_pool2d.h"
#include "kernels/channelwise/channelwise.h"
#include "kernels/conv2d/conv2d.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"
#include "kernels/resize_bilinear/resize_bilinear.h"
#include "tests/kernels/convolution_tables.h"
#include "tests/kernels/inverted_residual_run.h"
#include "tests/kernels/table_cases.h"

namespace deeplab::fuzz {
namespace {

using namespace deeplab::kernels;
using deeplab::kernels::testing::can_run;
using deeplab::kernels::testing::describe;
using deeplab::kernels::testing::GuardedCopy;
using deeplab::kernels::testing::reference;
using deeplab::kernels::testing::table;

/// Work that one input may ask for, in multiplications.
constexpr int64_t kMostWork = 1 << 17;

size_t index(int64_t value) { return static_cast<size_t>(value); }

/// Values of a tensor: noise, noise with many extremes, or one value everywhere.
template <typename T>
std::vector<T> values(Decisions& in, size_t count) {
  const uint8_t kind = in.byte() % 4;
  std::mt19937 random(in.word());
  std::vector<T> all(count);
  for (T& value : all) {
    const auto bits = static_cast<uint32_t>(random());
    if constexpr (std::is_same_v<T, float>) {
      constexpr float kSpecial[] = {0.0f, -0.0f, 1e-45f, -1e-40f, 3e38f, -3e38f, 1.0f, 1e19f};
      const float noise = static_cast<float>(static_cast<int32_t>(bits)) / 2147483648.0f;
      value = kind == 1 && bits % 4 == 0 ? kSpecial[bits / 4 % 8] : noise;
    } else {
      constexpr bool kByte = sizeof(T) == 1;
      const T low = kByte ? std::numeric_limits<T>::min() : static_cast<T>(-(1 << 29));
      const T high = kByte ? std::numeric_limits<T>::max() : static_cast<T>(1 << 29);
      const T noise =
          kByte ? static_cast<T>(bits >> 8) : static_cast<T>(static_cast<int32_t>(bits) >> 12);
      value = kind == 1 && bits % 2 == 0 ? (bits % 4 == 0 ? low : high) : noise;
    }
  }
  if (kind == 2 && count > 0) std::fill(all.begin(), all.end(), all[0]);
  return all;
}

/// A ratio of scales: what a model of trained weights has, or an extreme of what validation allows.
double ratio(Decisions& in, bool below_one) {
  const uint8_t kind = in.byte() % 8;
  const double fraction = 1 + in.byte() / 256.0;
  if (kind == 0) return 1e-45;  // Denormal in float32.
  if (kind == 1) return std::numeric_limits<float>::min();
  if (kind == 2) return std::ldexp(1.0, -in.between(1, 24));  // Ties.
  if (below_one) return std::ldexp(fraction, -in.between(1, 40));
  if (kind == 3) return 65536;
  if (kind == 4) return 1;
  return std::ldexp(fraction, in.between(-24, 15));
}

int32_t zero_point(Decisions& in) { return static_cast<int8_t>(in.byte()); }

template <typename Params>
void set_bounds(Decisions& in, Params& params) {
  if (!in.flag()) return;
  const int32_t a = zero_point(in);
  const int32_t b = zero_point(in);
  params.output_min = std::min(a, b);
  params.output_max = std::max(a, b);
}
void set_float_bounds(Decisions& in, float& low, float& high) {
  constexpr float kMost = std::numeric_limits<float>::max();
  const uint8_t kind = in.byte() % 4;
  low = kind == 0 ? -kMost : kind == 3 ? -1.0f : 0.0f;
  high = kind < 2 ? kMost : kind == 2 ? 6.0f : 1.0f;
}

void make_sizes(Decisions& in, WindowShape& s) {
  s.batch = in.between(1, 2);
  s.in_h = in.between(1, 24);
  s.in_w = in.flag() ? in.between(1, 140) : in.between(1, 24);
  s.filter_h = in.flag() ? 1 + 2 * in.between(0, 2) : in.between(1, 7);
  s.filter_w = in.flag() ? s.filter_h : in.between(1, 7);
  s.stride_h = in.flag() ? in.between(1, 2) : in.between(1, 9);
  s.stride_w = in.flag() ? s.stride_h : in.between(1, 9);
  s.dilation_h = in.flag() ? 1 : in.between(1, 20);
  s.dilation_w = in.flag() ? s.dilation_h : in.between(1, 20);
}

/// False if the window does not fit.
bool make_padding(Decisions& in, WindowShape& s) {
  using Pad = deeplab::kernels::testing::Pad;
  const uint8_t pad = in.byte() % 4;
  if (pad < 3) {
    constexpr Pad kPads[] = {Pad::kSame, Pad::kValid, Pad::kUneven};
    s = with_padding(s, kPads[pad]);
  } else {
    s.pad_top = in.between(0, 40);
    s.pad_left = in.between(0, 40);
    const auto out = [&](int32_t extent, int32_t before, int32_t filter, int32_t stride,
                         int32_t dilation) {
      const int32_t padded = extent + before + in.between(0, 40);
      const int32_t reach = (filter - 1) * dilation + 1;
      return padded < reach ? 0 : (padded - reach) / stride + 1;
    };
    s.out_h = out(s.in_h, s.pad_top, s.filter_h, s.stride_h, s.dilation_h);
    s.out_w = out(s.in_w, s.pad_left, s.filter_w, s.stride_w, s.dilation_w);
  }
  return s.out_h > 0 && s.out_w > 0;
}

bool make_window(Decisions& in, WindowShape& s) {
  make_sizes(in, s);
  return make_padding(in, s);
}

/// Zero points but the input's, bounds and scales of what has `channels` channels; the latter are
/// what is given back.
template <typename Params>
std::vector<Multiplier> make_quantization(Decisions& in, int32_t channels, Params& conv) {
  conv.filter_zero_point = in.flag() ? 0 : zero_point(in);
  conv.output_zero_point = zero_point(in);
  set_bounds(in, conv);
  const bool below_one = in.byte() % 4 != 0;
  const bool per_channel = in.flag();
  double factor = ratio(in, below_one);
  std::vector<Multiplier> multipliers;
  for (int32_t c = 0; c < channels; ++c) {
    if (per_channel && c % 4 == 1) factor = ratio(in, below_one);
    multipliers.push_back(make_multiplier(factor));
  }
  conv.multipliers = multipliers.data();
  return multipliers;
}

void fail(const char* kernel, const WindowShape& s) {
  std::fprintf(stderr, "%s: %s\n", kernel, describe(s).c_str());
  require(false, "every kernel gives the reference's bytes");
}

template <typename Kernel, typename Params, typename Element, typename Bias>
void compare_convolution(const Kernel& kernel, const Params& conv, const std::vector<Element>& x,
                         const std::vector<Element>& w, const Bias* bias,
                         const std::vector<Element>& expected, int32_t cut) {
  AlignedBuffer packed(kernel.packed_bytes(conv));
  kernel.pack(conv, w.data(), bias, packed.data());
  GuardedCopy<Element> input(x);
  GuardedCopy<Element> output(std::vector<Element>(expected.size(), Element{77}));
  const int32_t rows = conv.shape.batch * conv.shape.out_h;
  for (const auto& [begin, end] : {std::pair{cut, rows}, std::pair{0, cut}}) {
    if (begin == end) continue;
    AlignedBuffer scratch(kernel.scratch_bytes(conv));
    kernel.run(conv, packed.data(), input.data(), output.data(), begin, end, scratch.data());
  }
  if (std::memcmp(expected.data(), output.data(), expected.size() * sizeof(Element)) != 0) {
    fail(kernel.name, conv.shape);
  }
}

template <typename Params>
void fuzz_convolution(Decisions& in) {
  constexpr bool kInt8 = std::is_base_of_v<Conv2DInt8, Params>;
  constexpr bool kDepthwise = requires(Params p) { p.depth_multiplier; };
  using Element = std::conditional_t<kInt8, int8_t, float>;
  using Bias = std::conditional_t<kInt8, int32_t, float>;

  Params conv;
  WindowShape& s = conv.shape;
  if (!make_window(in, s)) return;
  constexpr int32_t kUsual[] = {1, 3, 4, 8, 16, 24, 32, 64, 96};
  s.in_c = in.flag() ? in.one_of(kUsual) : in.between(1, 70);
  if constexpr (kDepthwise) {
    conv.depth_multiplier = in.byte() % 4 == 0 ? in.between(1, 4) : 1;
    s.out_c = s.in_c * conv.depth_multiplier;
  } else {
    s.out_c = in.flag() ? in.one_of(kUsual) : in.between(1, 70);
  }
  const int64_t taps = int64_t{s.filter_h} * s.filter_w * (kDepthwise ? 1 : s.in_c);
  const int64_t outputs = int64_t{s.batch} * s.out_h * s.out_w * s.out_c;
  if (outputs * taps > kMostWork) return;

  std::vector<Multiplier> multipliers;
  if constexpr (kInt8) {
    conv.input_zero_point = zero_point(in);
    multipliers = make_quantization(in, s.out_c, conv);
  } else {
    set_float_bounds(in, conv.output_min, conv.output_max);
  }
  const auto x =
      values<Element>(in, index(s.batch) * index(s.in_h) * index(s.in_w) * index(s.in_c));
  auto w = values<Element>(in, index(taps) * index(s.out_c));
  const auto biases = values<Bias>(in, index(s.out_c));
  const Bias* bias = in.flag() ? biases.data() : nullptr;
  if constexpr (kInt8) {
    if (in.flag()) std::replace(w.begin(), w.end(), int8_t{-128}, int8_t{-127});
  }
  const int32_t cut = in.between(0, 255) % (s.batch * s.out_h + 1);

  std::vector<Element> expected(index(outputs));
  reference(conv, x.data(), w.data(), bias, expected.data());
  for (const auto& kernel : table(conv)) {
    if (!can_run(kernel.isa) || !kernel.supports(conv)) continue;
    compare_convolution(kernel, conv, x, w, bias, expected, cut);
  }
}

/// A CONV_2D of one pixel or a small window, the depthwise convolution after it, a projection.
void fuzz_inverted_residual(Decisions& in) {
  Conv2DInt8 expand;
  DepthwiseConv2DInt8 depthwise;
  Conv2DInt8 project;
  WindowShape& s = expand.shape;
  WindowShape& d = depthwise.shape;
  WindowShape& p = project.shape;
  make_sizes(in, s);
  s.batch = s.dilation_h = s.dilation_w = 1;
  if (in.flag()) s.filter_h = s.filter_w = s.stride_h = s.stride_w = 1;
  if (!make_padding(in, s)) return;
  constexpr int32_t kUsual[] = {1, 3, 4, 8, 16, 24, 32, 48, 64, 96, 144};
  s.in_c = in.flag() ? in.one_of(kUsual) : in.between(1, 70);
  d.in_h = s.out_h;
  d.in_w = s.out_w;
  d.filter_h = d.filter_w = 3;
  d.stride_h = d.stride_w = in.between(1, 2);
  if (!make_padding(in, d)) return;
  // As many channels as are asked for or as there may be.
  const int64_t taps = int64_t{s.filter_h} * s.filter_w * s.in_c;
  p.out_c = in.flag() ? in.one_of(kUsual) : in.between(1, 40);
  const int64_t work =
      int64_t{s.out_h} * s.out_w * taps + int64_t{d.out_h} * d.out_w * (9 + p.out_c);
  const int32_t channels = in.flag() ? in.one_of(kUsual) : in.between(1, 150);
  s.out_c = static_cast<int32_t>(std::min<int64_t>(channels, kMostWork / work));
  if (s.out_c == 0) return;
  d.in_c = d.out_c = p.in_c = s.out_c;
  p.in_h = p.out_h = d.out_h;
  p.in_w = p.out_w = d.out_w;
  p.filter_h = p.filter_w = 1;

  expand.input_zero_point = zero_point(in);
  const auto multipliers = make_quantization(in, s.out_c, expand);
  const auto depthwise_multipliers = make_quantization(in, s.out_c, depthwise);
  const auto project_multipliers = make_quantization(in, p.out_c, project);
  // A ReLU's bounds have a way of their own.
  const uint8_t relus = in.byte();
  if ((relus & 1) != 0) expand.output_zero_point = expand.output_min = -128;
  if ((relus & 2) != 0) depthwise.output_zero_point = depthwise.output_min = -128;
  depthwise.input_zero_point = expand.output_zero_point;
  project.input_zero_point = depthwise.output_zero_point;

  const auto x = values<int8_t>(in, index(s.in_h) * index(s.in_w) * index(s.in_c));
  const auto expand_filter = values<int8_t>(in, index(taps) * index(s.out_c));
  const auto depthwise_filter = values<int8_t>(in, 9 * index(s.out_c));
  const auto project_filter = values<int8_t>(in, index(p.in_c) * index(p.out_c));
  const auto project_bias = values<int32_t>(in, index(p.out_c));
  auto expand_bias = values<int32_t>(in, index(s.out_c));
  auto depthwise_bias = values<int32_t>(in, index(s.out_c));
  const uint8_t biases = in.byte();
  if ((biases & 4) != 0) {  // As large as those of trained weights.
    for (auto* bias : {&expand_bias, &depthwise_bias}) {
      for (int32_t& b : *bias) b /= 1 << 8;
    }
  }
  const InvertedResidualInt8 ops = {expand, depthwise, project};
  InvertedResidualWeights weights = {expand_filter.data(),    expand_bias.data(),
                                     depthwise_filter.data(), depthwise_bias.data(),
                                     project_filter.data(),   project_bias.data()};
  if ((biases & 1) != 0) weights.expand_bias = nullptr;
  if ((biases & 2) != 0) weights.depthwise_bias = nullptr;
  if ((biases & 8) != 0) weights.project_bias = nullptr;
  const auto guard =
      in.flag() ? kernels::testing::Guard::kBefore : kernels::testing::Guard::kBehind;
  const auto expected = reference(ops, weights, x);
  for (const auto& kernel : inverted_residual_int8_kernels()) {
    if (!can_run(kernel.isa) || !kernel.supports(ops)) continue;
    if (run(kernel, ops, weights, x, guard) == expected) continue;
    std::fprintf(stderr, "expand: %s; depthwise: %s\n", describe(s).c_str(), describe(d).c_str());
    fail(kernel.name, p);
  }
}

void fuzz_add(Decisions& in) {
  const int64_t count = in.byte() + 1;
  AddInt8 add;
  add.shape.dims.rank = 1;
  add.shape.dims.extent[0] = static_cast<int32_t>(count);
  add.shape.b_strides[0] = 1;
  add.a_zero_point = zero_point(in);
  add.b_zero_point = zero_point(in);
  add.output_zero_point = zero_point(in);
  add.a_scale = static_cast<float>(ratio(in, false));
  add.b_scale = static_cast<float>(ratio(in, false));
  set_bounds(in, add);
  const auto a = values<int8_t>(in, index(count));
  const auto b = values<int8_t>(in, index(count));
  std::vector<int8_t> expected(a.size());
  add_reference(add, Rounding::kEngine, a.data(), b.data(), expected.data());
  for (const auto& kernel : add_elementwise_kernels()) {
    if (!can_run(kernel.isa)) continue;
    std::vector<int8_t> got(a.size());
    kernel.run(add, count, a.data(), b.data(), got.data());
    require(got == expected, "every ADD gives the reference's bytes");
  }
}

MulInt8 make_mul(Decisions& in, BroadcastShape shape) {
  MulInt8 mul;
  mul.shape = shape;
  mul.a_zero_point = zero_point(in);
  mul.b_zero_point = zero_point(in);
  mul.output_zero_point = zero_point(in);
  mul.multiplier = make_multiplier(ratio(in, false));
  set_bounds(in, mul);
  return mul;
}

void fuzz_mul(Decisions& in) {
  const int64_t count = in.byte() + 1;
  const MulInt8 mul = make_mul(in, {{1, {static_cast<int32_t>(count)}}, {1}});
  const auto a = values<int8_t>(in, index(count));
  const auto b = values<int8_t>(in, index(count));
  std::vector<int8_t> expected(a.size());
  mul_reference(mul, Rounding::kEngine, a.data(), b.data(), expected.data());
  for (const auto& kernel : mul_elementwise_kernels()) {
    if (!can_run(kernel.isa)) continue;
    std::vector<int8_t> got(a.size());
    kernel.run(mul, count, a.data(), b.data(), got.data());
    require(got == expected, "every MUL gives the reference's bytes");
  }
}

void fuzz_channelwise(Decisions& in) {
  constexpr int32_t kPixels = 5;
  const int32_t channels = in.between(1, 150);
  const BroadcastShape shape = {{2, {kPixels, channels}}, {0, 1}};
  ChannelwiseInt8 ops;
  ops.channels = channels;
  std::vector<std::byte> memory(channelwise_packed_bytes(ops) + 64);
  std::byte* packed = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
  const auto x = values<int8_t>(in, index(kPixels * channels));
  std::vector<int8_t> expected(x);
  int32_t between = zero_point(in);
  for (int32_t stages = in.between(1, 2); stages > 0; --stages) {
    const auto b = values<int8_t>(in, index(channels));
    const std::vector<int8_t> from(expected);
    if (in.flag()) {
      MulInt8 mul = make_mul(in, shape);
      mul.a_zero_point = between;
      between = mul.output_zero_point;
      mul_reference(mul, Rounding::kEngine, from.data(), b.data(), expected.data());
      append_stage(ops, mul, b.data(), packed);
    } else {
      AddInt8 add;
      add.shape = shape;
      add.a_zero_point = between;
      add.b_zero_point = zero_point(in);
      between = add.output_zero_point = zero_point(in);
      add.a_scale = static_cast<float>(ratio(in, false)) * (in.flag() ? 1.0f : -1.0f);
      add.b_scale = static_cast<float>(ratio(in, false)) * (in.flag() ? 1.0f : -1.0f);
      set_bounds(in, add);
      add_reference(add, Rounding::kEngine, from.data(), b.data(), expected.data());
      append_stage(ops, add, b.data(), packed);
    }
  }
  for (const auto& kernel : channelwise_kernels()) {
    if (!can_run(kernel.isa)) continue;
    ChannelwiseInt8 shortest = ops;
    shorten(shortest, packed, kernel.run);
    for (const ChannelwiseInt8& each : {ops, shortest}) {
      std::vector<int8_t> got(x.size());
      kernel.run(each, packed, kPixels, x.data(), got.data());
      require(got == expected, "constants per channel give the references' bytes");
    }
  }
}

void fuzz_average_pool(Decisions& in) {
  AveragePool2DInt8 pool;
  WindowShape& s = pool.shape;
  if (!make_window(in, s)) return;
  s.in_c = s.out_c = in.between(1, 70);
  pool.zero_point = zero_point(in);
  set_bounds(in, pool);
  const int64_t pixels = int64_t{s.batch} * s.out_h * s.out_w;
  if (pixels * s.out_c * s.filter_h * s.filter_w > kMostWork) return;
  const auto x = values<int8_t>(in, index(s.batch) * index(s.in_h) * index(s.in_w) * index(s.in_c));
  std::vector<int8_t> expected(index(pixels * s.out_c));
  average_pool2d_reference(pool, Rounding::kEngine, x.data(), expected.data());
  const int64_t cut = in.byte() % (pixels + 1);
  for (const auto& kernel : average_pool_kernels()) {
    if (!can_run(kernel.isa)) continue;
    GuardedCopy<int8_t> input(x);
    GuardedCopy<int8_t> output(std::vector<int8_t>(expected.size(), 77));
    std::vector<int32_t> sums(index(s.out_c));
    kernel.run(pool, input.data(), output.data(), cut, pixels, sums.data());
    kernel.run(pool, input.data(), output.data(), 0, cut, sums.data());
    if (output.values() != expected) fail("AVERAGE_POOL_2D", s);
  }
}

void fuzz_arg_max(Decisions& in) {
  const ArgMax op{in.between(1, 9), 1 + in.byte(), 1};
  const auto x = values<int8_t>(in, index(op.outer * op.axis));
  std::vector<int32_t> expected(index(op.outer)), got(index(op.outer));
  std::vector<int64_t> wide(index(op.outer));
  arg_max_reference(op, x.data(), expected.data());
  arg_max_of_bytes(op, x.data(), got.data());
  arg_max_of_bytes(op, x.data(), wide.data());
  require(got == expected && std::equal(wide.begin(), wide.end(), expected.begin()),
          "ARG_MAX of bytes gives the reference's indices");
}

/// The same bits, or not a number in both.
template <typename T>
bool same(T a, T b) {
  if constexpr (std::is_same_v<T, float>) {
    if (std::isnan(a) && std::isnan(b)) return true;
  }
  return std::memcmp(&a, &b, sizeof a) == 0;
}

template <typename Params, typename Element>
void fuzz_resize(Decisions& in) {
  Params op;
  ResizeShape& s = op.shape;
  s.batch = in.between(1, 2);
  s.in_h = in.between(1, 20);
  s.in_w = in.between(1, 20);
  s.out_h = in.between(1, 50);
  s.out_w = in.between(1, 50);
  s.channels = in.between(1, 70);
  const uint8_t mode = in.byte() % 3;
  s.align_corners = mode == 1;
  s.half_pixel_centers = mode == 2;
  const int64_t outputs = int64_t{s.batch} * s.out_h * s.out_w * s.channels;
  if (outputs > kMostWork / 4) return;
  const auto x =
      values<Element>(in, index(s.batch) * index(s.in_h) * index(s.in_w) * index(s.channels));
  std::vector<Element> expected(index(outputs));
  resize_bilinear_reference(op, Rounding::kEngine, x.data(), expected.data());
  std::vector<ResizeSample> columns;
  const float scale = resize_scale(s.in_w, s.out_w, s.align_corners);
  for (int32_t i = 0; i < s.out_w; ++i) {
    columns.push_back(resize_sample(i, scale, s.half_pixel_centers, s.in_w));
  }
  const int32_t rows = s.batch * s.out_h;
  const int32_t cut = in.byte() % (rows + 1);
  for (const auto& kernel : resize_rows_kernels(op)) {
    if (!can_run(kernel.isa)) continue;
    GuardedCopy<Element> input(x);
    GuardedCopy<Element> output(std::vector<Element>(expected.size(), Element{77}));
    std::vector<float> scratch(index(s.in_w) * index(s.channels));
    kernel.run(op, columns.data(), input.data(), output.data(), cut, rows, scratch.data());
    kernel.run(op, columns.data(), input.data(), output.data(), 0, cut, scratch.data());
    require(std::equal(expected.begin(), expected.end(), output.data(), same<Element>),
            "every RESIZE_BILINEAR gives the reference's bytes");
  }
}

}  // namespace
}  // namespace deeplab::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deeplab::fuzz;
  Decisions in(data, size);
  switch (in.byte() % 14) {
    case 0:
      fuzz_add(in);
      break;
    case 1:
      fuzz_average_pool(in);
      break;
    case 2:
      fuzz_arg_max(in);
      break;
    case 3:
      fuzz_resize<ResizeBilinearInt8, int8_t>(in);
      break;
    case 4:
      fuzz_resize<ResizeBilinearFloat, float>(in);
      break;
    case 5:
      fuzz_convolution<Conv2DFloat>(in);
      break;
    case 6:
      fuzz_convolution<DepthwiseConv2DFloat>(in);
      break;
    case 7:
    case 8:
    case 9:
      fuzz_convolution<Conv2DInt8>(in);
      break;
    case 11:
      fuzz_mul(in);
      break;
    case 12:
      fuzz_channelwise(in);
      break;
    case 10:
      fuzz_inverted_residual(in);
      break;
    default:
      fuzz_convolution<DepthwiseConv2DInt8>(in);
  }
  return 0;
}
