#include "plan/lower.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "plan/op_lowering.h"

namespace deeplab::plan {
namespace {

constexpr float kFloatMax = std::numeric_limits<float>::max();

/// From the shapes of a picture and of what a sliding window makes of it.
Result<kernels::WindowShape> window_shape(const graph::Shape& x, const graph::Shape& y,
                                          const graph::Window& w, int32_t filter_h,
                                          int32_t filter_w) {
  DEEPLAB_ASSIGN_OR_RETURN(const graph::WindowExtent rows,
                           graph::window_extent(w.padding, x[1], filter_h, w.stride_h, w.dilation_h,
                                                w.pad_top, w.pad_bottom));
  DEEPLAB_ASSIGN_OR_RETURN(const graph::WindowExtent columns,
                           graph::window_extent(w.padding, x[2], filter_w, w.stride_w, w.dilation_w,
                                                w.pad_left, w.pad_right));
  kernels::WindowShape shape;
  shape.batch = x[0];
  shape.in_h = x[1];
  shape.in_w = x[2];
  shape.in_c = x[3];
  shape.out_h = rows.out;
  shape.out_w = columns.out;
  shape.out_c = y[3];
  shape.filter_h = filter_h;
  shape.filter_w = filter_w;
  shape.stride_h = w.stride_h;
  shape.stride_w = w.stride_w;
  shape.dilation_h = w.dilation_h;
  shape.dilation_w = w.dilation_w;
  shape.pad_top = rows.pad_before;
  shape.pad_left = columns.pad_before;
  return shape;
}

}  // namespace

Bounds<float> activation_bounds(graph::Activation activation) {
  const graph::Interval real = graph::interval(activation);
  return {std::max(real.min, -kFloatMax), std::min(real.max, kFloatMax)};
}

Bounds<int32_t> quantized_bounds(graph::Activation activation, const Tensor& output) {
  const Bounds<float> real = activation_bounds(activation);
  const auto quantize = [&](float bound, int32_t otherwise) {
    if (std::abs(bound) == kFloatMax) return otherwise;
    const float steps = std::round(bound / output.quantization.scale());
    const float value = steps + static_cast<float>(output.quantization.zero_point());
    return static_cast<int32_t>(std::clamp(value, -128.0f, 127.0f));
  };
  return {quantize(real.min, -128), quantize(real.max, 127)};
}

graph::Shape dense_strides(const graph::Shape& shape) {
  graph::Shape strides(shape.size());
  int32_t stride = 1;
  for (size_t d = shape.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= shape[d];
  }
  return strides;
}

std::byte OpLowering::stored_byte(float value) const {
  const graph::Quantization& q = out().quantization;
  const float stored = std::round(value / q.scale()) + static_cast<float>(q.zero_point());
  return static_cast<std::byte>(static_cast<int8_t>(std::clamp(stored, -128.0f, 127.0f)));
}

bool OpLowering::all(DataType type) const {
  const auto matches = [&](const Tensor& tensor) {
    return tensor.type == type && (type != DataType::kInt8 || tensor.quantization.present());
  };
  for (size_t k = 0; k < op_.inputs.size(); ++k) {
    if (!matches(in(k))) return false;
  }
  return matches(out());
}

Status OpLowering::no_kernel() const {
  return unsupported(graph::op_label(op_), ": no kernel takes ", graph::type_name(in(0).type),
                     " and gives ", graph::type_name(out().type));
}

Result<kernels::Multiplier> OpLowering::multiplier(double factor) const {
  if (factor > 0 && factor < 2147483648.0) return kernels::make_multiplier(factor);
  return unsupported(graph::op_label(op_), ": the scales of its tensors give a factor of ", factor,
                     ", expected one above 0 and below 2^31");
}

Result<kernels::Dims> OpLowering::dims(const graph::Shape& shape) const {
  if (shape.size() > kernels::kMaxRank) {
    return unsupported(graph::op_label(op_), ": ", shape.size(), " dimensions, at most ",
                       kernels::kMaxRank, " are supported");
  }
  kernels::Dims dims;
  dims.rank = static_cast<int>(shape.size());
  std::copy(shape.begin(), shape.end(), dims.extent.begin());
  return dims;
}

Result<kernels::BroadcastShape> OpLowering::broadcast() const {
  const graph::Shape& a = in(0).shape;
  const graph::Shape& b = in(1).shape;
  graph::Shape extent;  // innermost first
  std::vector<int64_t> stride;
  int64_t b_elements = 1;
  bool previous_repeats = false;
  for (size_t i = 0; i < a.size(); ++i) {
    const int32_t extent_a = a[a.size() - 1 - i];
    if (extent_a == 1) continue;  // b has one element there, too.
    const int32_t extent_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    const bool repeats = extent_b != extent_a;
    if (!extent.empty() && repeats == previous_repeats) {
      extent.back() *= extent_a;
    } else {
      extent.push_back(extent_a);
      stride.push_back(repeats ? 0 : b_elements);
    }
    b_elements *= extent_b;
    previous_repeats = repeats;
  }
  if (extent.empty()) {  // two single elements
    extent.push_back(1);
    stride.push_back(1);
  }
  kernels::BroadcastShape shape;
  DEEPLAB_ASSIGN_OR_RETURN(shape.dims, dims(graph::Shape(extent.rbegin(), extent.rend())));
  std::copy(stride.rbegin(), stride.rend(), shape.b_strides.begin());
  return shape;
}

Result<kernels::WindowShape> OpLowering::window_shape(const graph::Window& window, int32_t filter_h,
                                                      int32_t filter_w) const {
  return deeplab::plan::window_shape(in(0).shape, out().shape, window, filter_h, filter_w);
}

Result<Lowered> OpLowering::strided_copy(const graph::Shape& shape, const graph::Shape& strides,
                                         int64_t offset) const {
  DEEPLAB_RETURN_IF_ERROR(expect_moved());
  kernels::StridedCopy copy;
  DEEPLAB_ASSIGN_OR_RETURN(copy.dims, dims(shape));
  std::copy(strides.begin(), strides.end(), copy.strides.begin());
  copy.offset = offset;
  copy.element_size = element_size();
  return Lowered(kernels::simplify(copy));
}

Result<Lowered> lower(const graph::Graph& graph, const graph::Op& op) {
  const OpLowering from(graph, op);
  return std::visit([&](const auto& a) { return lower(from, a); }, op.attributes);
}

Result<kernels::WindowShape> convolution_shape(const graph::Graph& graph, const graph::Op& op,
                                               const graph::Window& window) {
  const graph::Shape& filter = graph.tensor(op.inputs[1]).shape;
  return window_shape(graph.tensor(op.inputs[0]).shape, graph.tensor(op.output()).shape, window,
                      filter[1], filter[2]);
}

void run(const LoweredReference& op, const ReferenceRun& to) { op.run(to); }

void run_reference(const Lowered& lowered, kernels::Rounding rounding,
                   std::span<const std::byte* const> inputs, std::byte* output) {
  const ReferenceRun to{rounding, inputs, output};
  std::visit([&](const auto& op) { run(op, to); }, lowered);
}

}  // namespace deeplab::plan
