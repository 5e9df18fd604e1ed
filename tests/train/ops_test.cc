// Our layers against libtorch's own, forward and backward.
#include "train/network/ops.h"

#include <gtest/gtest.h>

namespace deeplab::train {
namespace {

using torch::Tensor;

/// Largest difference in units of the largest value.
double difference(const Tensor& a, const Tensor& b) {
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

Tensor leaf(const Tensor& values) { return values.detach().clone().requires_grad_(); }

struct DepthwiseCase {
  int64_t channels, height, width, stride, dilation;
};

class DepthwiseTest : public ::testing::TestWithParam<DepthwiseCase> {};

TEST_P(DepthwiseTest, EqualsConv2d) {
  const DepthwiseCase c = GetParam();
  torch::manual_seed(1);
  const auto out = [&](int64_t in) { return (in + c.stride - 1) / c.stride; };
  const auto padding = [&](int64_t in) {
    return std::max<int64_t>(0, (out(in) - 1) * c.stride + 2 * c.dilation + 1 - in);
  };
  DepthwiseWindow window{c.stride,      c.dilation,  padding(c.height) / 2, padding(c.width) / 2,
                         out(c.height), out(c.width)};
  const Tensor x = leaf(torch::randn({2, c.height, c.width, c.channels}));
  const Tensor w = leaf(torch::randn({1, 3, 3, c.channels}));
  const Tensor b = leaf(torch::randn({c.channels}));
  const Tensor y = depthwise_convolution(x, w, b, window, Activation::kRelu);
  const Tensor gradient = torch::randn_like(y);
  y.backward(gradient);

  const Tensor x2 = leaf(x), w2 = leaf(w), b2 = leaf(b);
  const Tensor padded = at::constant_pad_nd(x2.permute({0, 3, 1, 2}),
                                            {window.pad_left, padding(c.width) - window.pad_left,
                                             window.pad_top, padding(c.height) - window.pad_top});
  const Tensor y2 = at::relu(at::conv2d(padded, w2.permute({3, 0, 1, 2}), b2,
                                        at::IntArrayRef{c.stride, c.stride}, at::IntArrayRef{0, 0},
                                        at::IntArrayRef{c.dilation, c.dilation}, c.channels))
                        .permute({0, 2, 3, 1});
  y2.backward(gradient);
  EXPECT_EQ(y.sizes(), y2.sizes());
  EXPECT_LT(difference(y, y2), 1e-5);
  EXPECT_LT(difference(x.grad(), x2.grad()), 1e-4);
  EXPECT_LT(difference(w.grad(), w2.grad()), 1e-4);
  EXPECT_LT(difference(b.grad(), b2.grad()), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Shapes, DepthwiseTest,
                         ::testing::Values(DepthwiseCase{12, 20, 17, 2, 1},
                                           DepthwiseCase{16, 33, 33, 1, 2},
                                           DepthwiseCase{40, 9, 10, 1, 1},
                                           DepthwiseCase{8, 5, 5, 1, 6},
                                           DepthwiseCase{48, 64, 65, 2, 1}));

class PointwiseTest : public ::testing::TestWithParam<Activation> {};

TEST_P(PointwiseTest, EqualsMatrixProduct) {
  torch::manual_seed(2);
  const Tensor x = leaf(torch::randn({2, 37, 41, 24}));
  const Tensor w = leaf(torch::randn({50, 1, 1, 24}));
  const Tensor b = leaf(torch::randn({50}));
  const Tensor y = pointwise_convolution(x, w, b, GetParam());
  const Tensor gradient = torch::randn_like(y);
  y.backward(gradient);

  const Tensor x2 = leaf(x), w2 = leaf(w), b2 = leaf(b);
  Tensor y2 = at::matmul(x2, w2.view({50, 24}).t()) + b2;
  if (GetParam() == Activation::kRelu) y2 = at::relu(y2);
  if (GetParam() == Activation::kRelu6) y2 = at::hardtanh(y2, 0, 6);
  y2.backward(gradient);
  EXPECT_LT(difference(y, y2), 1e-5);
  EXPECT_LT(difference(x.grad(), x2.grad()), 1e-4);
  EXPECT_LT(difference(w.grad(), w2.grad()), 1e-4);
  EXPECT_LT(difference(b.grad(), b2.grad()), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Activations, PointwiseTest,
                         ::testing::Values(Activation::kNone, Activation::kRelu,
                                           Activation::kRelu6));

TEST(PointwiseTest, WithoutBiasAndWithFrozenFilter) {
  const Tensor x = leaf(torch::randn({1, 5, 5, 8}));
  const Tensor w = torch::randn({4, 1, 1, 8});
  const Tensor y = pointwise_convolution(x, w, Tensor(), Activation::kNone);
  y.sum().backward();
  EXPECT_LT(difference(y, at::matmul(x, w.view({4, 8}).t())), 1e-6);
  EXPECT_LT(difference(x.grad(), w.view({4, 8}).sum(0).expand({1, 5, 5, 8})), 1e-5);
}

}  // namespace
}  // namespace deeplab::train
