// Output shapes, as TensorFlow defines them: see ops/.
#include <algorithm>

#include "graph/op_view.h"

namespace deeplab::graph {

bool broadcastable(const Shape& b, const Shape& a) {
  if (b.size() > a.size()) return false;
  const size_t lead = a.size() - b.size();
  for (size_t d = 0; d < b.size(); ++d) {
    if (b[d] != 1 && b[d] != a[lead + d]) return false;
  }
  return true;
}

Result<Shape> infer_shape(const Graph& graph, const Op& op) {
  DEEPLAB_RETURN_IF_ERROR(check_operands(graph, op));
  const OpView view(graph, op);
  return std::visit([&](const auto& a) { return a.output_shape(view); }, op.attributes);
}

Result<WindowExtent> window_extent(Padding padding, int32_t in, int32_t filter, int32_t stride,
                                   int32_t dilation, int32_t explicit_before,
                                   int32_t explicit_after) {
  const auto within = [](int32_t value, int32_t max) { return value >= 1 && value <= max; };
  if (in < 1) return invalid_model("expected an input of at least 1, found ", in);
  if (!within(filter, kMaxFilter)) {
    return invalid_model("expected a filter of 1 to ", kMaxFilter, ", found ", filter);
  }
  if (!within(stride, kMaxStride)) {
    return invalid_model("expected a stride of 1 to ", kMaxStride, ", found ", stride);
  }
  if (!within(dilation, kMaxDilation)) {
    return invalid_model("expected a dilation of 1 to ", kMaxDilation, ", found ", dilation);
  }
  const int64_t reach = int64_t{filter - 1} * dilation + 1;
  if (padding == Padding::kSame) {
    const int64_t out = (int64_t{in} + stride - 1) / stride;
    const int64_t total = std::max<int64_t>((out - 1) * stride + reach - in, 0);
    return WindowExtent{static_cast<int32_t>(out), static_cast<int32_t>(total / 2),
                        static_cast<int32_t>(total - total / 2)};
  }
  int64_t padded = in;
  WindowExtent extent;
  if (padding == Padding::kExplicit) {
    if (std::min(explicit_before, explicit_after) < 0 ||
        std::max(explicit_before, explicit_after) > kMaxPadding) {
      return invalid_model("expected padding in [0, ", kMaxPadding, "], found ", explicit_before,
                           " and ", explicit_after);
    }
    extent.pad_before = explicit_before;
    extent.pad_after = explicit_after;
    padded += int64_t{explicit_before} + explicit_after;
  }
  if (padded < reach) {
    return invalid_model("a window of ", reach, " does not fit into ", padded);
  }
  extent.out = static_cast<int32_t>((padded - reach) / stride + 1);
  return extent;
}

}  // namespace deeplab::graph
