#include <algorithm>
#include <limits>
#include <optional>
#include <span>

#include "base/checked.h"
#include "graph/canvas.h"
#include "graph/op_view.h"

namespace deeplab::graph {
namespace {

/// For output shape `out` of a reshape of `in`: the dimensions of `out` when `in` becomes
/// `new_in`. Groups of dimensions with equal products belong together; a group follows when it
/// is one dimension of the output (beside ones), or when none of its dimensions changed.
std::optional<Shape> reshaped(const Shape& in, const Shape& out, const Shape& new_in) {
  Shape new_out;
  size_t i = 0;
  size_t o = 0;
  while (i < in.size() || o < out.size()) {
    // One group: [group_i, i) of the input, [group_o, o) of the output. It takes at least one
    // dimension of each, and a 1 if the other side has none left.
    const size_t group_i = i;
    const size_t group_o = o;
    int64_t in_product = i < in.size() ? in[i++] : 1;
    int64_t out_product = o < out.size() ? out[o++] : 1;
    while (in_product != out_product) {
      if (in_product < out_product && i < in.size()) {
        in_product *= in[i++];
      } else if (out_product < in_product && o < out.size()) {
        out_product *= out[o++];
      } else {
        return std::nullopt;
      }
    }
    const std::span<const int32_t> old_dims(in.data() + group_i, i - group_i);
    const std::span<const int32_t> new_dims(new_in.data() + group_i, i - group_i);
    const auto first = static_cast<ptrdiff_t>(new_out.size());
    new_out.insert(new_out.end(), out.begin() + static_cast<ptrdiff_t>(group_o),
                   out.begin() + static_cast<ptrdiff_t>(o));
    if (std::ranges::equal(old_dims, new_dims)) continue;
    // The one dimension of the output's group that carries the size; the others are 1.
    const auto carrier = std::max_element(new_out.begin() + first, new_out.end());
    const auto product = checked_product(new_dims);
    if (carrier == new_out.end() || *carrier != out_product || !product ||
        *product > std::numeric_limits<int32_t>::max()) {
      return std::nullopt;
    }
    *carrier = static_cast<int32_t>(*product);
  }
  return new_out;
}

}  // namespace

Result<Shape> Reshape::output_shape(const OpView& op) const {
  const auto elements = checked_product(op.shape());
  int64_t known = 1;
  int wildcards = 0;
  for (int32_t d : shape) {
    if (d == -1) {
      ++wildcards;
    } else if (d < 1 || __builtin_mul_overflow(known, int64_t{d}, &known)) {
      return op.error("the new shape ", shape_text(shape), " is not a shape");
    }
  }
  const bool fits = elements && (wildcards == 0   ? known == *elements
                                 : wildcards == 1 ? *elements % known == 0
                                                  : false);
  if (!fits) {
    return op.error("the new shape ", shape_text(shape),
                    " does not hold the elements of the input ", shape_text(op.shape()));
  }
  Shape out = shape;
  const auto wildcard = std::ranges::find(out, -1);
  if (wildcard == out.end()) return out;
  const auto d = static_cast<size_t>(wildcard - out.begin());
  return op.with_dimension(std::move(out), d, *elements / known);
}

Status Reshape::check_types(const OpView& op) const { return op.same_type_or_labels(); }

Status Reshape::resize(Canvas& canvas, const Op& op) {
  const Shape& before = canvas.old(op.inputs[0]);
  const Shape& after = canvas.now(op.inputs[0]);
  if (before == after) return {};
  const Shape& out = canvas.old(op.output());
  auto follows = reshaped(before, out, after);
  if (!follows) {
    return canvas.cannot_follow(op,
                                str_cat("its shape ", shape_text(out), " of ", shape_text(before),
                                        " mixes the picture's dimensions with others"));
  }
  shape = std::move(*follows);
  return {};
}

}  // namespace deeplab::graph
