#include "tflite/shape_arithmetic.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

namespace deeplab::tflite {
namespace {

using Code = schema::BuiltinOperator;

/// More numbers than any computation of a shape has.
constexpr size_t kMaxNumbers = 64;
/// Beyond it a double does not hold every integer.
constexpr double kMaxInteger = 9007199254740992.0;

using Inputs = std::vector<Computed>;

size_t count(std::span<const int32_t> shape) {
  size_t count = 1;
  for (int32_t extent : shape) {
    if (extent < 0 || static_cast<size_t>(extent) > kMaxNumbers) return kMaxNumbers + 1;
    count = std::min(count * static_cast<size_t>(extent), kMaxNumbers + 1);
  }
  return count;
}

/// A small constant of the file, as numbers.
std::optional<Computed> constant(const Source& source, size_t id) {
  const schema::Tensor& tensor = source.tensor(id);
  const auto shape = elements(tensor.shape());
  const auto bytes = source.buffer(tensor.buffer());
  const size_t n = count(shape);
  if (!bytes.ok() || n > kMaxNumbers || shape.size() > kMaxRank) return std::nullopt;
  Computed numbers;
  numbers.shape.assign(shape.begin(), shape.end());
  const auto read = [&]<typename T>(T value) -> std::optional<Computed> {
    if (bytes->size() != n * sizeof value || n == 0) return std::nullopt;
    for (size_t i = 0; i < n; ++i) {
      std::memcpy(&value, bytes->data() + i * sizeof value, sizeof value);
      numbers.values.push_back(static_cast<double>(value));
    }
    return numbers;
  };
  switch (tensor.type()) {
    case schema::TensorType::INT32:
      return read(int32_t{});
    case schema::TensorType::INT64:
      return read(int64_t{});
    case schema::TensorType::FLOAT32:
      numbers.real = true;
      return read(float{});
    default:
      return std::nullopt;
  }
}

/// One op of the IR on a few numbers; nothing for the ops that no computation of a shape has.
class Evaluation {
 public:
  explicit Evaluation(const Inputs& inputs) : in_(inputs) {}

  std::optional<Computed> operator()(const graph::Add&) const {
    return elementwise([](double a, double b) { return a + b; });
  }
  std::optional<Computed> operator()(const graph::Sub&) const {
    return elementwise([](double a, double b) { return a - b; });
  }
  std::optional<Computed> operator()(const graph::Mul&) const {
    return elementwise([](double a, double b) { return a * b; });
  }
  std::optional<Computed> operator()(const graph::Binary& a) const {
    switch (a.function) {
      case graph::BinaryFunction::kMaximum:
        return elementwise([](double x, double y) { return std::max(x, y); });
      case graph::BinaryFunction::kMinimum:
        return elementwise([](double x, double y) { return std::min(x, y); });
      case graph::BinaryFunction::kDiv:
        return elementwise(
            [real = in_[0].real](double x, double y) { return real ? x / y : std::trunc(x / y); });
      case graph::BinaryFunction::kSquaredDifference:
        break;
    }
    return std::nullopt;
  }

  std::optional<Computed> operator()(const graph::Reshape& a) const {
    Computed out = in_[0];
    out.shape = a.shape;
    const auto unknown = std::ranges::find(out.shape, -1);
    if (unknown != out.shape.end()) {
      *unknown = 1;
      const size_t others = count(out.shape);
      if (others == 0) return std::nullopt;
      *unknown = static_cast<int32_t>(out.values.size() / others);
    }
    if (count(out.shape) != out.values.size()) return std::nullopt;
    return out;
  }

  std::optional<Computed> operator()(const graph::Concatenation& a) const {
    Computed out;
    out.shape = {0};
    out.real = in_[0].real;
    for (const Computed& part : in_) {
      if (part.shape.size() != 1 || a.axis != 0) return std::nullopt;
      out.values.insert(out.values.end(), part.values.begin(), part.values.end());
    }
    out.shape = {static_cast<int32_t>(out.values.size())};
    return out;
  }

  std::optional<Computed> operator()(const graph::Slice& a) const {
    const Computed& x = in_[0];
    if (x.shape.size() != 1 || a.begin.size() != 1) return std::nullopt;
    Computed out;
    out.real = x.real;
    for (int32_t i = 0; i < a.size[0]; ++i) {
      const int64_t at = a.begin[0] + int64_t{i} * a.step[0];
      if (at < 0 || at >= static_cast<int64_t>(x.values.size())) return std::nullopt;
      out.values.push_back(x.values[static_cast<size_t>(at)]);
    }
    if (a.dropped.empty()) out.shape = {a.size[0]};
    return out;
  }

  template <typename Other>
  std::optional<Computed> operator()(const Other&) const {
    return std::nullopt;
  }

 private:
  /// Of two lists of one size, or of a list and one number.
  template <typename Function>
  std::optional<Computed> elementwise(const Function& function) const {
    if (in_.size() != 2 || in_[0].real != in_[1].real) return std::nullopt;
    const size_t n = std::max(in_[0].values.size(), in_[1].values.size());
    Computed out = in_[0].shape.size() >= in_[1].shape.size() ? in_[0] : in_[1];
    if (out.values.size() != n) return std::nullopt;
    const auto at = [&](const Computed& x, size_t i) {
      return x.values.size() == 1 ? x.values[0] : x.values[i];
    };
    for (const Computed& x : in_) {
      if (x.values.size() != 1 && x.values.size() != n) return std::nullopt;
    }
    for (size_t i = 0; i < n; ++i) {
      const double value = function(at(in_[0], i), at(in_[1], i));
      out.values[i] = out.real ? double{static_cast<float>(value)} : value;
    }
    return out;
  }

  const Inputs& in_;
};

class ShapeArithmetic {
 public:
  explicit ShapeArithmetic(Source& source) : source_(source) {}

  /// Whether all outputs of the operator are known now.
  bool compute(const SourceOp& op) {
    const auto outputs = elements(op.op.outputs());
    if (op.code == Code::SHAPE) return outputs.size() == 1 && keep(outputs[0], shape_of(op));
    if (!reads_computed(op)) return false;
    switch (op.code) {
      case Code::GATHER:
        return outputs.size() == 1 && keep(outputs[0], gather(op));
      case Code::REDUCE_PROD:
        return outputs.size() == 1 && keep(outputs[0], product(op));
      case Code::FLOOR_DIV:
        return outputs.size() == 1 && keep(outputs[0], floor_div(op));
      case Code::CAST:
        return outputs.size() == 1 && keep(outputs[0], cast(op, outputs[0]));
      default:
        return by_ir(op);
    }
  }

 private:
  bool reads_computed(const SourceOp& op) const {
    const auto inputs = elements(op.op.inputs());
    return std::any_of(inputs.begin(), inputs.end(), [&](int32_t id) {
      return id >= 0 && source_.computed.contains(static_cast<size_t>(id));
    });
  }

  std::optional<Computed> known(int64_t id) const {
    if (id < 0) return std::nullopt;
    const auto found = source_.computed.find(static_cast<size_t>(id));
    if (found != source_.computed.end()) return found->second;
    if (static_cast<size_t>(id) >= source_.tensor_count()) return std::nullopt;
    return constant(source_, static_cast<size_t>(id));
  }
  std::optional<Computed> input(const SourceOp& op, size_t k) const {
    const auto inputs = elements(op.op.inputs());
    return k < inputs.size() ? known(inputs[k]) : std::nullopt;
  }

  bool keep(int64_t id, std::optional<Computed> numbers) {
    if (!numbers || id < 0 || numbers->values.size() > kMaxNumbers) return false;
    const auto too_large = [](double value) { return !(std::abs(value) <= kMaxInteger); };
    if (std::any_of(numbers->values.begin(), numbers->values.end(), too_large)) return false;
    source_.computed[static_cast<size_t>(id)] = *std::move(numbers);
    return true;
  }

  /// A batch that is not known is one photo, as everywhere.
  static std::optional<Computed> shape_of(const SourceOp& op) {
    const auto shape = op.shape(0);
    if (!shape.ok()) return std::nullopt;
    Computed out;
    out.shape = {static_cast<int32_t>(shape->size())};
    for (int32_t extent : *shape) {
      const bool batch = out.values.empty();
      if (extent < 1 && !(batch && extent == -1)) return std::nullopt;
      out.values.push_back(std::max(extent, 1));
    }
    return out;
  }

  std::optional<Computed> gather(const SourceOp& op) const {
    const auto x = input(op, 0);
    const auto indices = input(op, 1);
    const auto* options = op.op.builtin_options_as_GatherOptions();
    const bool plain = options == nullptr || (options->axis() == 0 && options->batch_dims() == 0);
    if (!x || !indices || x->shape.size() != 1 || !plain) return std::nullopt;
    Computed out;
    out.shape = indices->shape;
    out.real = x->real;
    for (double index : indices->values) {
      if (!(index >= 0 && index < static_cast<double>(x->values.size()))) return std::nullopt;
      out.values.push_back(x->values[static_cast<size_t>(index)]);
    }
    return out;
  }

  /// Of the whole list.
  std::optional<Computed> product(const SourceOp& op) const {
    const auto x = input(op, 0);
    const auto axes = op.numbers(1, "axes", kMaxRank);
    if (!x || x->real || x->shape.size() != 1 || !axes.ok() || axes->size() != 1) {
      return std::nullopt;
    }
    Computed out;
    const auto* options = op.op.builtin_options_as_ReducerOptions();
    if (options != nullptr && options->keep_dims()) out.shape = {1};
    out.values = {
        std::accumulate(x->values.begin(), x->values.end(), 1.0, std::multiplies<double>())};
    return out;
  }

  std::optional<Computed> floor_div(const SourceOp& op) const {
    const auto a = input(op, 0);
    const auto b = input(op, 1);
    if (!a || !b || b->values.size() != 1 || b->values[0] == 0) return std::nullopt;
    Computed out = *a;
    for (double& value : out.values) value = std::floor(value / b->values[0]);
    return out;
  }

  std::optional<Computed> cast(const SourceOp& op, int32_t output) const {
    auto x = input(op, 0);
    if (!x || output < 0 || static_cast<size_t>(output) >= source_.tensor_count()) {
      return std::nullopt;
    }
    switch (source_.tensor(static_cast<size_t>(output)).type()) {
      case schema::TensorType::FLOAT32:
        for (double& value : x->values) value = static_cast<float>(value);
        x->real = true;
        return x;
      case schema::TensorType::INT32:
      case schema::TensorType::INT64:
        for (double& value : x->values) value = std::trunc(value);
        x->real = false;
        return x;
      default:
        return std::nullopt;
    }
  }

  /// By the ops of the IR that the operator becomes.
  bool by_ir(const SourceOp& op) {
    ReadOps read;
    if (!is_supported(op) || !read_op(op, read).ok()) return false;
    for (const graph::Op& step : read.ops) {
      Inputs inputs;
      for (graph::TensorId id : step.inputs) {
        auto numbers = known(id);
        if (!numbers) return false;
        inputs.push_back(*std::move(numbers));
      }
      if (inputs.empty() || !keep(step.output(), std::visit(Evaluation(inputs), step.attributes))) {
        return false;
      }
    }
    return !read.ops.empty();
  }

  Source& source_;
};

}  // namespace

std::vector<bool> compute_shapes(Source& source) {
  ShapeArithmetic arithmetic(source);
  std::vector<bool> done(size_of(source.subgraph.operators()));
  for (size_t i = 0; i < done.size(); ++i) {
    const auto op = source_op(source, i);
    if (!op.ok()) break;  // Whoever reads the op says why
    done[i] = arithmetic.compute(*op);
  }
  return done;
}

}  // namespace deeplab::tflite
