// 1x1 convolutions: matrix products over blocks of pixels that stay in the L2 cache, with bias and
// activation applied while they are there.
#include <dnnl.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "train/network/ops.h"

namespace deeplab::train {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// oneDNN's sgemm, row-major. On one AVX-512 core it reached 60 to 100 GMAC/s on these shapes,
// OpenBLAS 0.3.21 30 to 85.
void multiply(char transpose_a, char transpose_b, int64_t m, int64_t n, int64_t k, const float* a,
              int64_t lda, const float* b, int64_t ldb, float beta, float* c, int64_t ldc) {
  const dnnl_status_t status =
      dnnl_sgemm(transpose_a, transpose_b, m, n, k, 1.0f, a, lda, b, ldb, beta, c, ldc);
  TORCH_CHECK(status == dnnl_success, "dnnl_sgemm failed with status ", static_cast<int>(status));
}

// Pixels a block: input, output and gradient of a block take about half a megabyte.
int64_t block_rows(int64_t in, int64_t out) { return (int64_t{1} << 17) / (in + 2 * out) + 32; }

DEEPLAB_TRAIN_CLONES void add_bias_activate(float* y, const float* bias, int64_t rows,
                                            int64_t channels, float low, float high) {
  for (int64_t row = 0; row < rows; ++row, y += channels) {
    for (int64_t c = 0; c < channels; ++c) {
      const float value = y[c] + bias[c];
      const float raised = value < low ? low : value;
      y[c] = raised > high ? high : raised;
    }
  }
}

// Where the activation lets the gradient through, and the sum over the rows, which is the bias's.
DEEPLAB_TRAIN_CLONES void mask_gradient(const float* gradient, const float* y, float* masked,
                                        float* sum, int64_t rows, int64_t channels, float low,
                                        float high) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t c = 0; c < channels; ++c) {
      const float g = ((y[c] > low) & (y[c] < high)) ? gradient[c] : 0.0f;
      masked[c] = g;
      sum[c] += g;
    }
    gradient += channels;
    y += channels;
    masked += channels;
  }
}

class Pointwise : public torch::autograd::Function<Pointwise> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const Tensor& bias, int64_t activation) {
    const int64_t in = x.size(3);
    const int64_t out = weight.size(0);
    const int64_t rows = x.numel() / in;
    const auto bounds = graph::interval(static_cast<Activation>(activation));
    Tensor y = torch::empty({x.size(0), x.size(1), x.size(2), out}, x.options());
    const float* x_data = x.data_ptr<float>();
    float* y_data = y.data_ptr<float>();
    const int64_t block = block_rows(in, out);
    for (int64_t row = 0; row < rows; row += block) {
      const int64_t count = std::min(block, rows - row);
      multiply('N', 'T', count, out, in, x_data + row * in, in, weight.data_ptr<float>(), in, 0.0f,
               y_data + row * out, out);
      add_bias_activate(y_data + row * out, bias.data_ptr<float>(), count, out, bounds.min,
                        bounds.max);
    }
    context->save_for_backward({x, weight, y});
    context->saved_data["activation"] = activation;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor& x = saved[0];
    const Tensor& weight = saved[1];
    const Tensor& y = saved[2];
    const auto bounds =
        graph::interval(static_cast<Activation>(context->saved_data["activation"].toInt()));
    const Tensor gradient = gradients[0].contiguous();
    const int64_t in = x.size(3);
    const int64_t out = weight.size(0);
    const int64_t rows = x.numel() / in;

    const bool x_needed = context->needs_input_grad(0);
    const bool weight_needed = context->needs_input_grad(1);
    Tensor dx = x_needed ? torch::empty_like(x) : Tensor();
    Tensor dw = torch::zeros_like(weight);
    Tensor db = torch::zeros({out}, x.options());
    const int64_t block = block_rows(in, out);
    std::vector<float> masked(static_cast<size_t>(block * out));
    for (int64_t row = 0; row < rows; row += block) {
      const int64_t count = std::min(block, rows - row);
      mask_gradient(gradient.data_ptr<float>() + row * out, y.data_ptr<float>() + row * out,
                    masked.data(), db.data_ptr<float>(), count, out, bounds.min, bounds.max);
      if (x_needed) {
        multiply('N', 'N', count, in, out, masked.data(), out, weight.data_ptr<float>(), in, 0.0f,
                 dx.data_ptr<float>() + row * in, in);
      }
      if (weight_needed) {
        multiply('T', 'N', out, in, count, masked.data(), out, x.data_ptr<float>() + row * in, in,
                 1.0f, dw.data_ptr<float>(), in);
      }
    }
    return {dx, weight_needed ? dw : Tensor(), db, Tensor()};
  }
};

}  // namespace

Tensor pointwise_convolution(const Tensor& x, const Tensor& weight, const Tensor& bias,
                             Activation activation) {
  // apply() takes no undefined tensors.
  const Tensor offsets = bias.defined() ? bias : torch::zeros({weight.size(0)});
  return Pointwise::apply(x, weight, offsets, static_cast<int64_t>(activation));
}

}  // namespace deeplab::train
