// A tensor of the graph: type, shape, quantization and, for weights, its bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deeplab::graph {

enum class DataType : uint8_t { kFloat32, kInt8, kUInt8, kInt32, kInt64 };

/// Bytes per element.
size_t size_of(DataType type);
/// "float32", "int8", "uint8", "int32", "int64".
std::string_view type_name(DataType type);

/// Dimensions, outermost first; activations are NHWC. Empty: a scalar.
using Shape = std::vector<int32_t>;
/// "1x33x33x256".
std::string shape_text(const Shape& shape);

/// real = scale * (stored - zero_point), per tensor or per slice along `axis`.
struct Quantization {
  std::vector<float> scales;         ///< Empty: not quantized. One: per tensor.
  std::vector<int32_t> zero_points;  ///< As many as scales.
  int32_t axis = 0;                  ///< Meaningful if there are several scales.

  bool present() const { return !scales.empty(); }
  bool per_channel() const { return scales.size() > 1; }
  float scale() const { return scales.front(); }
  int32_t zero_point() const { return zero_points.front(); }
  bool operator==(const Quantization&) const = default;
};

/// The bytes of a constant, and what keeps them alive: shared between copies of the graph, never
/// written.
class ConstantBytes {
 public:
  ConstantBytes() = default;
  ConstantBytes(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): as pointers do
  /// Of its own.
  ConstantBytes(  // NOLINT(google-explicit-constructor)
      const std::shared_ptr<const std::vector<std::byte>>& bytes)
      : owner_(bytes), view_(*bytes) {}
  /// A part of something that `owner` holds; an empty owner stands for static memory.
  ConstantBytes(std::shared_ptr<const void> owner, std::span<const std::byte> view)
      : owner_(std::move(owner)), view_(view) {}

  /// Lets go of the bytes: an empty view that is not null is left.
  void drop() {
    static constexpr std::byte kNothing{};
    owner_.reset();
    view_ = {&kNothing, size_t{0}};  // A plain 0 could be a pointer as well.
  }
  const std::shared_ptr<const void>& owner() const { return owner_; }

  bool operator==(std::nullptr_t) const { return view_.data() == nullptr; }
  /// The same bytes, wherever they are.
  bool operator==(const ConstantBytes& other) const {
    return std::equal(view_.begin(), view_.end(), other.view_.begin(), other.view_.end());
  }
  const std::span<const std::byte>& operator*() const { return view_; }
  const std::span<const std::byte>* operator->() const { return &view_; }

 private:
  std::shared_ptr<const void> owner_;
  std::span<const std::byte> view_;
};

/// Index into Graph::tensors.
using TensorId = int32_t;
/// An optional operand that is absent (a convolution without bias).
inline constexpr TensorId kNoTensor = -1;

struct Tensor {
  std::string name;
  DataType type = DataType::kFloat32;
  /// Type at the model's border. Differs from `type` only if a pass has shifted uint8 to
  /// int8: a caller still sees uint8 (stored int8 value + 128).
  DataType file_type = DataType::kFloat32;
  Shape shape;
  Quantization quantization;
  /// Little-endian elements of a constant, aligned for their type; null for an activation.
  ConstantBytes data;

  bool is_constant() const { return data != nullptr; }
  /// Elements; the graph is validated, so the product fits.
  int64_t elements() const {
    int64_t n = 1;
    for (int32_t d : shape) n *= d;
    return n;
  }
  size_t byte_size() const { return static_cast<size_t>(elements()) * size_of(type); }
  /// The constant's elements as T, which must be the C++ type of `type`.
  template <typename T>
  std::span<const T> values() const {
    return {reinterpret_cast<const T*>(data->data()), data->size() / sizeof(T)};
  }
};

}  // namespace deeplab::graph
