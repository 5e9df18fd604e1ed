// 3x3 depthwise convolutions, 16 channels at a time. Which taps lie inside the picture is looked up
// in one table per axis, so that the inner loops have no border cases; the gradient of the input is
// the same gather with the table turned round.
#include <algorithm>
#include <cstring>
#include <vector>

#include "train/network/ops.h"

namespace deeplab::train {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kLanes = 16;
typedef float Lanes __attribute__((vector_size(64), aligned(4)));

/// For one position of an axis, what it reads: filter index and position on the other side.
struct Tap {
  int64_t filter;
  int64_t position;
};
struct Taps {
  int count = 0;
  Tap taps[3];
};

struct Axis {
  int64_t in, out, stride, dilation, pad;
};

std::vector<Taps> forward_taps(const Axis& axis) {
  std::vector<Taps> table(static_cast<size_t>(axis.out));
  for (int64_t o = 0; o < axis.out; ++o) {
    Taps& taps = table[static_cast<size_t>(o)];
    for (int64_t k = 0; k < 3; ++k) {
      const int64_t i = o * axis.stride - axis.pad + k * axis.dilation;
      if (i >= 0 && i < axis.in) taps.taps[taps.count++] = {k, i};
    }
  }
  return table;
}

std::vector<Taps> backward_taps(const Axis& axis) {
  std::vector<Taps> table(static_cast<size_t>(axis.in));
  const auto forward = forward_taps(axis);
  for (int64_t o = 0; o < axis.out; ++o) {
    const Taps& reads = forward[static_cast<size_t>(o)];
    for (int t = 0; t < reads.count; ++t) {
      Taps& taps = table[static_cast<size_t>(reads.taps[t].position)];
      taps.taps[taps.count++] = {reads.taps[t].filter, o};
    }
  }
  return table;
}

/// Copies of filters and biases whose rows are whole blocks of channels.
struct Padded {
  int64_t stride;
  std::vector<float> data;
};
Padded padded(const float* rows, int64_t count, int64_t channels) {
  Padded result{(channels + kLanes - 1) / kLanes * kLanes, {}};
  result.data.resize(static_cast<size_t>(count * result.stride), 0.0f);
  for (int64_t row = 0; rows != nullptr && row < count; ++row) {
    std::copy_n(rows + row * channels, channels, result.data.begin() + row * result.stride);
  }
  return result;
}

__attribute__((always_inline)) inline void load(Lanes& lanes, const float* from, int64_t count) {
  if (count >= kLanes) {
    std::memcpy(&lanes, from, sizeof(Lanes));
  } else {
    lanes = Lanes{};
    std::memcpy(&lanes, from, sizeof(float) * static_cast<size_t>(count));
  }
}
__attribute__((always_inline)) inline void store(float* to, const Lanes& lanes, int64_t count) {
  std::memcpy(to, &lanes, sizeof(float) * static_cast<size_t>(std::min(count, kLanes)));
}

/// to[x] = clamp(bias + sum of from[taps] * filter[taps]) for a row.
DEEPLAB_TRAIN_CLONES void gather_row(const float* from, int64_t from_width, const Taps& rows,
                                     const Taps* columns, int64_t width, int64_t channels,
                                     const float* filter, const float* bias, int64_t filter_stride,
                                     float low, float high, float* to) {
  for (int64_t c = 0; c < channels; c += kLanes) {
    const int64_t count = channels - c;
    const Lanes lows = Lanes{} + low;
    const Lanes highs = Lanes{} + high;
    Lanes start;
    std::memcpy(&start, bias + c, sizeof(Lanes));
    for (int64_t x = 0; x < width; ++x) {
      Lanes sum = start;
      const Taps& taps = columns[x];
      for (int r = 0; r < rows.count; ++r) {
        const float* row = from + rows.taps[r].position * from_width * channels + c;
        const float* weights = filter + 3 * rows.taps[r].filter * filter_stride + c;
        for (int t = 0; t < taps.count; ++t) {
          Lanes value, weight;
          load(value, row + taps.taps[t].position * channels, count);
          std::memcpy(&weight, weights + taps.taps[t].filter * filter_stride, sizeof(Lanes));
          sum += value * weight;
        }
      }
      sum = sum < lows ? lows : sum;
      sum = sum > highs ? highs : sum;
      store(to + x * channels + c, sum, count);
    }
  }
}

DEEPLAB_TRAIN_CLONES void mask_gradient(const float* gradient, const float* y, float* masked,
                                        int64_t count, float low, float high) {
  for (int64_t i = 0; i < count; ++i) {
    masked[i] = ((y[i] > low) & (y[i] < high)) ? gradient[i] : 0.0f;
  }
}

/// Adds an output row's share to dw [9][stride] and db [stride].
DEEPLAB_TRAIN_CLONES void weight_gradient_row(const float* x, int64_t x_width, const Taps& rows,
                                              const Taps* columns, int64_t width, int64_t channels,
                                              const float* dz, int64_t stride, float* dw,
                                              float* db) {
  for (int64_t c = 0; c < channels; c += kLanes) {
    const int64_t count = channels - c;
    Lanes sums[9];
    for (int k = 0; k < 9; ++k) std::memcpy(&sums[k], dw + k * stride + c, sizeof(Lanes));
    Lanes bias_sum;
    std::memcpy(&bias_sum, db + c, sizeof(Lanes));
    for (int64_t o = 0; o < width; ++o) {
      Lanes gradient;
      load(gradient, dz + o * channels + c, count);
      bias_sum += gradient;
      const Taps& taps = columns[o];
      for (int r = 0; r < rows.count; ++r) {
        const float* row = x + rows.taps[r].position * x_width * channels + c;
        for (int t = 0; t < taps.count; ++t) {
          Lanes value;
          load(value, row + taps.taps[t].position * channels, count);
          sums[3 * rows.taps[r].filter + taps.taps[t].filter] += value * gradient;
        }
      }
    }
    for (int k = 0; k < 9; ++k) std::memcpy(dw + k * stride + c, &sums[k], sizeof(Lanes));
    std::memcpy(db + c, &bias_sum, sizeof(Lanes));
  }
}

struct Geometry {
  int64_t batch, channels;
  Axis vertical, horizontal;
  int64_t in_size() const { return vertical.in * horizontal.in * channels; }
  int64_t out_size() const { return vertical.out * horizontal.out * channels; }
  int64_t in_row() const { return horizontal.in * channels; }
  int64_t out_row() const { return horizontal.out * channels; }
};
// In the order of DepthwiseWindow's members.
Geometry geometry_of(const Tensor& x, const std::vector<int64_t>& window) {
  return {x.size(0),
          x.size(3),
          {x.size(1), window[4], window[0], window[1], window[2]},
          {x.size(2), window[5], window[0], window[1], window[3]}};
}

class Depthwise : public torch::autograd::Function<Depthwise> {
 public:
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const Tensor& bias, std::vector<int64_t> window, int64_t activation) {
    const Geometry g = geometry_of(x, window);
    const Padded w = padded(weight.data_ptr<float>(), 9, g.channels);
    const Padded b = padded(bias.data_ptr<float>(), 1, g.channels);
    const auto bounds = graph::interval(static_cast<Activation>(activation));
    const auto rows = forward_taps(g.vertical);
    const auto columns = forward_taps(g.horizontal);
    Tensor y = torch::empty({g.batch, g.vertical.out, g.horizontal.out, g.channels}, x.options());
    for (int64_t n = 0; n < g.batch; ++n) {
      for (int64_t row = 0; row < g.vertical.out; ++row) {
        gather_row(x.data_ptr<float>() + n * g.in_size(), g.horizontal.in,
                   rows[static_cast<size_t>(row)], columns.data(), g.horizontal.out, g.channels,
                   w.data.data(), b.data.data(), w.stride, bounds.min, bounds.max,
                   y.data_ptr<float>() + n * g.out_size() + row * g.out_row());
      }
    }
    context->save_for_backward({x, weight, y});
    context->saved_data["window"] = window;
    context->saved_data["activation"] = activation;
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const Tensor& x = saved[0];
    const Tensor& weight = saved[1];
    const Tensor& y = saved[2];
    const Geometry g = geometry_of(x, context->saved_data["window"].toIntVector());
    const auto activation = static_cast<Activation>(context->saved_data["activation"].toInt());
    Tensor dz = gradients[0].contiguous();
    if (activation != Activation::kNone) {
      const auto bounds = graph::interval(activation);
      const Tensor masked = torch::empty_like(dz);
      mask_gradient(dz.data_ptr<float>(), y.data_ptr<float>(), masked.data_ptr<float>(), dz.numel(),
                    bounds.min, bounds.max);
      dz = masked;
    }
    const Tensor dx = context->needs_input_grad(0) ? input_gradient(g, x, weight, dz) : Tensor();
    if (!context->needs_input_grad(1)) return {dx, Tensor(), Tensor(), Tensor(), Tensor()};

    Padded dw = padded(nullptr, 9, g.channels);
    Padded db = padded(nullptr, 1, g.channels);
    const auto rows = forward_taps(g.vertical);
    const auto columns = forward_taps(g.horizontal);
    for (int64_t n = 0; n < g.batch; ++n) {
      for (int64_t row = 0; row < g.vertical.out; ++row) {
        weight_gradient_row(x.data_ptr<float>() + n * g.in_size(), g.horizontal.in,
                            rows[static_cast<size_t>(row)], columns.data(), g.horizontal.out,
                            g.channels, dz.data_ptr<float>() + n * g.out_size() + row * g.out_row(),
                            dw.stride, dw.data.data(), db.data.data());
      }
    }
    const auto trimmed = [&](Padded& sums, int64_t count) {
      return torch::from_blob(sums.data.data(), {count, sums.stride}, x.options())
          .narrow(1, 0, g.channels)
          .clone(torch::MemoryFormat::Contiguous);
    };
    return {dx, trimmed(dw, 9).view_as(weight), trimmed(db, 1).view({g.channels}), Tensor(),
            Tensor()};
  }

 private:
  static Tensor input_gradient(const Geometry& g, const Tensor& x, const Tensor& weight,
                               const Tensor& dz) {
    Tensor dx = torch::empty_like(x);
    const Padded w = padded(weight.data_ptr<float>(), 9, g.channels);
    const Padded zero = padded(nullptr, 1, g.channels);
    const auto bounds = graph::interval(Activation::kNone);
    const auto rows = backward_taps(g.vertical);
    const auto columns = backward_taps(g.horizontal);
    for (int64_t n = 0; n < g.batch; ++n) {
      for (int64_t row = 0; row < g.vertical.in; ++row) {
        gather_row(dz.data_ptr<float>() + n * g.out_size(), g.horizontal.out,
                   rows[static_cast<size_t>(row)], columns.data(), g.horizontal.in, g.channels,
                   w.data.data(), zero.data.data(), w.stride, bounds.min, bounds.max,
                   dx.data_ptr<float>() + n * g.in_size() + row * g.in_row());
      }
    }
    return dx;
  }
};

}  // namespace

Tensor depthwise_convolution(const Tensor& x, const Tensor& weight, const Tensor& bias,
                             const DepthwiseWindow& window, Activation activation) {
  // apply() takes no undefined tensors.
  const Tensor offsets = bias.defined() ? bias : torch::zeros({weight.size(3)});
  return Depthwise::apply(
      x, weight, offsets,
      std::vector<int64_t>{window.stride, window.dilation, window.pad_top, window.pad_left,
                           window.out_height, window.out_width},
      static_cast<int64_t>(activation));
}

}  // namespace deeplab::train
