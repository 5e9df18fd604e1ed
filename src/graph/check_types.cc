// Which types and quantization parameters an op may combine. The rules are those of TensorFlow
// Lite's kernels, so that a file that they run is a file that we run; if they trust a number
// that could overflow, there is a stated limit here.
#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/dequantize.h"
#include "graph/operands.h"

namespace deeplab::graph {
namespace {

// Bounds the sum of x * w, and of each of the three zero-point corrections, by 2^14 a tap.
constexpr int64_t kAccumulatorPerTap = 4 * 128 * 128;
constexpr int64_t kAccumulatorMax = std::numeric_limits<int32_t>::max();
/// Sums of 8-bit values in an int32.
constexpr int64_t kMaxAveraged = kAccumulatorMax / 256;
/// Largest ratio of scales (input over output) that requantization takes: far above any use, and
/// small enough for every fixed-point representation of it.
constexpr double kMaxRescale = 65536;
/// TensorFlow Lite sums a softmax's exponentials in 12 integer bits.
constexpr int32_t kMaxSoftmaxDepth = 4096;
/// Two scales that are meant to be one.
constexpr double kSameScaleTolerance = 1e-5;

bool close(double a, double b, double tolerance) {
  return std::abs(a - b) <= tolerance * std::max(a, b);
}

/// Checks one op; shapes are known to be right.
class TypeRules {
 public:
  TypeRules(const Graph& graph, const Op& op) : graph_(graph), op_(op) {}

  Status operator()(const Conv2D&) const { return convolution(0); }
  Status operator()(const DepthwiseConv2D&) const { return convolution(3); }

  Status operator()(const Add&) const { return sum(); }
  Status operator()(const Sub&) const { return sum(); }

  Status operator()(const Mul&) const {
    DEEPLAB_RETURN_IF_ERROR(two_operands());
    if (!eight_bit(in(0))) return {};
    return expect_factor(double{in(0).quantization.scale()} * in(1).quantization.scale() /
                         out().quantization.scale());
  }

  /// Of 8 bits TensorFlow Lite compares the stored numbers, whatever their scales.
  Status operator()(const Binary& a) const {
    DEEPLAB_RETURN_IF_ERROR(two_operands());
    const bool compares =
        a.function == BinaryFunction::kMaximum || a.function == BinaryFunction::kMinimum;
    return compares ? Status() : expect_type(in(0), "inputs", DataType::kFloat32);
  }

  Status operator()(const Reduce& a) const {
    DEEPLAB_RETURN_IF_ERROR(same_type());
    return a.function == ReduceFunction::kMax ? Status()
                                              : expect_type(in(0), "an input", DataType::kFloat32);
  }

  Status operator()(const AveragePool2D& a) const {
    const int64_t window =
        int64_t{std::min(a.filter_h, in(0).shape[1])} * std::min(a.filter_w, in(0).shape[2]);
    DEEPLAB_RETURN_IF_ERROR(expect_averaged(window));
    return same_type();
  }

  Status operator()(const MaxPool2D&) const { return same_type(); }

  Status operator()(const FullyConnected&) const { return dense_only(); }
  Status operator()(const TransposeConv&) const { return dense_only(); }

  /// A convolution whose filter has the input's type.
  Status dense_only() const {
    if (in(0).type == DataType::kFloat32 && eight_bit(in(1))) {
      return not_supported("expected a filter of float32 for an input of float32, found ",
                           type_name(in(1).type));
    }
    return convolution(0);
  }

  Status operator()(const Mean& a) const {
    int64_t averaged = 1;
    for (int32_t axis : a.axes) averaged *= in(0).shape[static_cast<size_t>(axis)];
    DEEPLAB_RETURN_IF_ERROR(expect_averaged(averaged));
    DEEPLAB_RETURN_IF_ERROR(same_type());
    return expect_rescale(in(0));
  }

  Status operator()(const Concatenation& a) const {
    if (a.activation != Activation::kNone) {
      return not_supported("expected no fused activation, found ", activation_name(a.activation));
    }
    DEEPLAB_RETURN_IF_ERROR(computable(in(0), "input 0"));
    DEEPLAB_RETURN_IF_ERROR(expect_type(out(), "output", in(0).type));
    for (size_t k = 0; k < op_.inputs.size(); ++k) {
      DEEPLAB_RETURN_IF_ERROR(expect_type(in(k), "an input", in(0).type));
      DEEPLAB_RETURN_IF_ERROR(expect_per_tensor(in(k)));
      // TensorFlow Lite rescales uint8 inputs only.
      DEEPLAB_RETURN_IF_ERROR(out().file_type == DataType::kInt8 ? same_parameters(in(k))
                                                                 : expect_rescale(in(k)));
    }
    return {};
  }

  Status operator()(const Quantize&) const {
    DEEPLAB_RETURN_IF_ERROR(computable(in(0), "input"));
    DEEPLAB_RETURN_IF_ERROR(expect_activation(0));
    if (!eight_bit(out())) {
      return not_supported("expected an output of uint8 or int8, found ", type_name(out().type));
    }
    return expect_rescale(in(0));
  }

  Status operator()(const Dequantize&) const {
    DEEPLAB_RETURN_IF_ERROR(expect_activation(0));
    if (!eight_bit(in(0))) {
      return not_supported("expected an input of uint8 or int8, found ", type_name(in(0).type));
    }
    return expect_type(out(), "output", DataType::kFloat32);
  }

  Status operator()(const ArgMax&) const {
    DEEPLAB_RETURN_IF_ERROR(computable(in(0), "input"));
    DEEPLAB_RETURN_IF_ERROR(expect_activation(0));
    if (out().type == DataType::kInt32 || out().type == DataType::kInt64) return {};
    return not_supported("expected an output of int32 or int64, found ", type_name(out().type));
  }

  Status operator()(const Softmax& a) const {
    DEEPLAB_RETURN_IF_ERROR(same_type());
    if (!std::isfinite(a.beta) || a.beta <= 0) {
      return op_error(op_, "expected beta above 0, found ", a.beta);
    }
    if (!eight_bit(out())) return {};
    if (in(0).shape.back() > kMaxSoftmaxDepth) {
      return not_supported("expected at most ", kMaxSoftmaxDepth, " classes, found ",
                           in(0).shape.back());
    }
    return expect_output(1.0 / 256, out().type == DataType::kInt8 ? -128 : 0);
  }

  Status operator()(const Cast&) const {
    DEEPLAB_RETURN_IF_ERROR(expect_activation(0));
    return {};
  }

  Status operator()(const Prelu&) const {
    DEEPLAB_RETURN_IF_ERROR(two_operands());
    if (!eight_bit(in(0))) return {};
    DEEPLAB_RETURN_IF_ERROR(expect_rescale(in(0)));
    return expect_factor(double{in(0).quantization.scale()} * in(1).quantization.scale() /
                         out().quantization.scale());
  }

  Status operator()(const Unary& a) const {
    DEEPLAB_RETURN_IF_ERROR(same_type());
    if (!std::isfinite(a.alpha)) return op_error(op_, "expected a finite alpha, found ", a.alpha);
    if (!eight_bit(out())) return {};
    switch (a.function) {
      case UnaryFunction::kHardSwish:
      case UnaryFunction::kElu:
        return {};
      case UnaryFunction::kLeakyRelu:
        return expect_rescale(in(0));
      case UnaryFunction::kLogistic:
        return expect_output(1.0 / 256, out().type == DataType::kInt8 ? -128 : 0);
      case UnaryFunction::kTanh:
        return expect_output(1.0 / 128, out().type == DataType::kInt8 ? 0 : 128);
      default:
        return not_supported("expected float32, found ", type_name(out().type));
    }
  }

  Status operator()(const Slice&) const { return moving(); }
  Status operator()(const Transpose&) const { return moving(); }

  Status operator()(const Relu&) const { return rescaling(); }
  Status operator()(const Relu6&) const { return rescaling(); }

  Status operator()(const Reshape&) const { return moving(); }

  // RESIZE_*, TILE, PAD, SPACE_TO_BATCH_ND, BATCH_TO_SPACE_ND move or mix stored values, whatever
  // scale either side says they have.
  template <typename Moving>
  Status operator()(const Moving&) const {
    return same_type();
  }

 private:
  const Tensor& in(size_t k) const { return graph_.tensor(op_.inputs[k]); }
  const Tensor& out() const { return graph_.tensor(op_.output()); }

  /// Labels may be moved, too: exporters put a RESHAPE after an ARG_MAX.
  Status moving() const {
    const bool labels = in(0).type == DataType::kInt32 || in(0).type == DataType::kInt64;
    return labels ? expect_type(out(), "output", in(0).type) : same_type();
  }

  /// The parameters that TensorFlow Lite's kernel takes as given.
  Status expect_output(double scale, int32_t zero_point) const {
    const Quantization& q = out().quantization;
    if (close(q.scale(), scale, kSameScaleTolerance) && q.zero_point() == zero_point) return {};
    return op_error(op_, "expected an output of scale 1/", 1 / scale, " and zero point ",
                    zero_point, ", found ", parameters_text(out()));
  }

  static bool eight_bit(const Tensor& tensor) {
    return tensor.type == DataType::kUInt8 || tensor.type == DataType::kInt8;
  }

  /// Of one type, that of the output; the second may be a constant.
  Status two_operands() const {
    DEEPLAB_RETURN_IF_ERROR(computable(in(0), "input 0"));
    DEEPLAB_RETURN_IF_ERROR(expect_activation(0));
    DEEPLAB_RETURN_IF_ERROR(expect_type(in(1), "input 1", in(0).type));
    DEEPLAB_RETURN_IF_ERROR(expect_type(out(), "output", in(0).type));
    return expect_per_tensor(in(1));
  }
  Status sum() const {
    DEEPLAB_RETURN_IF_ERROR(two_operands());
    DEEPLAB_RETURN_IF_ERROR(expect_rescale(in(0)));
    return expect_rescale(in(1));
  }

  template <typename... Parts>
  Status not_supported(const Parts&... parts) const {
    return unsupported(op_label(op_), ": ", parts...);
  }

  Status computable(const Tensor& tensor, const char* what) const {
    if (tensor.type == DataType::kFloat32 || eight_bit(tensor)) return {};
    return not_supported("expected ", what, " of float32, uint8 or int8, found ",
                         type_name(tensor.type));
  }

  Status expect_type(const Tensor& tensor, const char* what, DataType type) const {
    if (tensor.type == type) return {};
    return not_supported("expected ", what, " of ", type_name(type), ", found ",
                         type_name(tensor.type));
  }

  Status expect_activation(size_t k) const {
    if (!in(k).is_constant()) return {};
    return not_supported("input ", k, " is a constant, expected an activation");
  }

  Status expect_constant(size_t k, const char* what) const {
    if (in(k).is_constant()) return {};
    return not_supported("expected a constant ", what, ", found an activation");
  }

  Status expect_per_tensor(const Tensor& tensor) const {
    if (tensor.quantization.per_channel()) {
      return not_supported("expected one scale on an operand, found ",
                           tensor.quantization.scales.size());
    }
    return tensor.quantization.present() ? expect_above_0(tensor.quantization.scale()) : Status();
  }

  Status expect_above_0(float scale) const {
    if (scale > 0) return {};
    return not_supported("expected scales above 0, found ", scale);
  }

  Status expect_averaged(int64_t count) const {
    if (!eight_bit(in(0)) || count <= kMaxAveraged) return {};
    return not_supported("expected at most ", kMaxAveraged, " values to average, found ", count);
  }

  Status same_type() const {
    DEEPLAB_RETURN_IF_ERROR(computable(in(0), "input"));
    DEEPLAB_RETURN_IF_ERROR(expect_activation(0));
    return expect_type(out(), "output", in(0).type);
  }

  static std::string parameters_text(const Tensor& tensor) {
    const Quantization& q = tensor.quantization;
    return str_cat("scale ", q.scale(), " and zero point ", q.zero_point());
  }

  Status same_parameters(const Tensor& input) const {
    if (!eight_bit(input)) return {};
    const Quantization& a = input.quantization;
    const Quantization& b = out().quantization;
    if (close(a.scale(), b.scale(), kSameScaleTolerance) && a.zero_point() == b.zero_point()) {
      return {};
    }
    return op_error(op_, "expected the input's ", parameters_text(input), " on the output, found ",
                    parameters_text(out()));
  }

  Status rescaling() const {
    DEEPLAB_RETURN_IF_ERROR(same_type());
    return expect_rescale(in(0));
  }

  Status expect_rescale(const Tensor& input) const {
    if (!eight_bit(input) || !eight_bit(out())) return {};
    return expect_factor(double{input.quantization.scale()} / out().quantization.scale());
  }

  Status expect_factor(double factor) const {
    if (factor <= kMaxRescale) return {};
    return not_supported("expected a ratio of input to output scale of at most ", kMaxRescale,
                         ", found ", factor);
  }

  Status convolution(int32_t channel_axis) const {
    DEEPLAB_RETURN_IF_ERROR(computable(in(0), "input"));
    DEEPLAB_RETURN_IF_ERROR(expect_activation(0));
    if (!is_hybrid(graph_, op_)) {
      DEEPLAB_RETURN_IF_ERROR(expect_type(in(1), "a filter", in(0).type));
    }
    DEEPLAB_RETURN_IF_ERROR(expect_constant(1, "filter"));
    DEEPLAB_RETURN_IF_ERROR(expect_type(out(), "output", in(0).type));
    if (eight_bit(in(1))) {
      DEEPLAB_RETURN_IF_ERROR(filter_quantization(channel_axis));
    }
    return has_bias() ? bias() : expect_accumulator();
  }

  bool has_bias() const { return op_.inputs.size() > 2 && op_.inputs[2] != kNoTensor; }

  Status filter_quantization(int32_t channel_axis) const {
    const Tensor& filter = in(1);
    const Quantization& q = filter.quantization;
    if (q.per_channel() && q.axis != channel_axis) {
      return op_error(op_, "expected the filter's scales along dimension ", channel_axis,
                      ", found ", q.axis);
    }
    for (size_t c = 0; c < q.scales.size(); ++c) {
      // The int8 format is symmetric; only what was uint8 in the file may be off zero.
      if (filter.file_type == DataType::kInt8 && q.zero_points[c] != 0) {
        return op_error(op_, "expected zero point 0 on an int8 filter, found ", q.zero_points[c]);
      }
      if (!eight_bit(in(0))) {
        DEEPLAB_RETURN_IF_ERROR(expect_finite_weights(q.scales[c]));
        continue;
      }
      DEEPLAB_RETURN_IF_ERROR(expect_above_0(q.scales[c]));
      DEEPLAB_RETURN_IF_ERROR(expect_factor(double{in(0).quantization.scale()} * q.scales[c] /
                                            out().quantization.scale()));
    }
    return {};
  }

  /// A hybrid filter stands for float32 numbers.
  Status expect_finite_weights(float scale) const {
    if (std::isfinite(scale * 128)) return {};
    return op_error(op_, "expected a filter whose values are finite, found a scale of ", scale);
  }

  Status bias() const {
    const Tensor& bias = in(2);
    DEEPLAB_RETURN_IF_ERROR(
        expect_type(bias, "a bias", eight_bit(in(0)) ? DataType::kInt32 : DataType::kFloat32));
    DEEPLAB_RETURN_IF_ERROR(expect_constant(2, "bias"));
    const int32_t channels = out().shape.back();
    if (bias.elements() != channels) {
      return op_error(op_, "expected a bias of ", channels, " values, found ",
                      shape_text(bias.shape));
    }
    // Neither the bias's scale nor its size matter: TensorFlow Lite adds the stored numbers, modulo
    // 2^32, whatever scale they have. Converters share one bias of zeros between convolutions, and
    // give dead channels the smallest int32.
    return expect_accumulator();
  }

  Status expect_accumulator() const {
    if (!eight_bit(in(1))) return {};
    const int64_t count = taps(graph_, op_);
    if (count <= kAccumulatorMax / kAccumulatorPerTap) return {};
    return not_supported("a sum over ", count, " filter taps can leave the 32-bit accumulator");
  }

  const Graph& graph_;
  const Op& op_;
};

}  // namespace

Status check_types(const Graph& graph, const Op& op) {
  return std::visit(TypeRules(graph, op), op.attributes);
}

}  // namespace deeplab::graph
