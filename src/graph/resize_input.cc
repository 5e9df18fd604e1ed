// The same network over another canvas. Convolutions follow by themselves; what has to be
// rewritten are the sizes that the converter baked into attributes.
#include <algorithm>
#include <limits>
#include <optional>
#include <span>

#include "base/checked.h"
#include "graph/operands.h"

namespace deeplab::graph {
namespace {

struct Size {
  int32_t height = 0;
  int32_t width = 0;
  bool operator==(const Size&) const = default;
};

std::optional<Size> size_of_picture(const Shape& shape) {
  if (shape.size() != 4) return std::nullopt;
  return Size{shape[1], shape[2]};
}

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

class Resizer {
 public:
  Resizer(Graph& graph, int32_t batch, Size to) : graph_(graph), batch_(batch), to_(to) {
    for (const Tensor& tensor : graph.tensors) old_shapes_.push_back(tensor.shape);
    readers_.resize(graph.tensors.size());
    for (size_t i = 0; i < graph.ops.size(); ++i) {
      for (TensorId id : graph.ops[i].inputs) {
        if (id != kNoTensor) readers_[static_cast<size_t>(id)].push_back(i);
      }
    }
  }

  Status run() {
    Shape& input = graph_.tensor(graph_.inputs[0]).shape;
    input[0] = batch_;
    input[1] = to_.height;
    input[2] = to_.width;
    pictures_.push_back(graph_.inputs[0]);
    for (Op& op : graph_.ops) {
      DEEPLAB_RETURN_IF_ERROR(
          std::visit([&](auto& attributes) { return adapt(op, attributes); }, op.attributes));
      auto shape = infer_shape(graph_, op);
      if (!shape.ok()) {
        return unsupported("at an input of ", to_text(), ": ", shape.status().message());
      }
      graph_.tensor(op.output()).shape = std::move(shape).value();
      pictures_.push_back(op.output());
    }
    return {};
  }

 private:
  // What an op needs so that infer_shape() gives the right answer afterwards. Most need nothing.
  template <typename Attribute>
  Status adapt(const Op&, Attribute&) {
    return {};
  }

  Status adapt(const Op& op, ResizeBilinear& a) { return adapt_target(op, a.height, a.width); }
  Status adapt(const Op& op, ResizeNearestNeighbor& a) {
    return adapt_target(op, a.height, a.width);
  }

  Status adapt_target(const Op& op, int32_t& height, int32_t& width) {
    const Size target{height, width};
    const Size from = *size_of_picture(old(graph_.inputs[0]));
    if (const auto size = followed(target, op.inputs[0])) {
      height = size->height;
      width = size->width;
    } else {
      // Of no known picture's size: the same fraction of the input.
      height = scaled(height, to_.height, from.height);
      width = scaled(width, to_.width, from.width);
    }
    return {};
  }

  // As many more rows as the input's new ones reach.
  Status adapt(const Op& op, TransposeConv& a) {
    const Shape& before = old(op.inputs[0]);
    const Shape& after = graph_.tensor(op.inputs[0]).shape;
    const auto grown = [](int32_t extent, int32_t from, int32_t to, int32_t stride) {
      const int64_t result = extent + (int64_t{to} - from) * stride;
      return static_cast<int32_t>(std::clamp<int64_t>(result, 0, kMaxSide + 1));
    };
    a.height = grown(a.height, before[1], after[1], a.stride_h);
    a.width = grown(a.width, before[2], after[2], a.stride_w);
    return {};
  }

  // What it left out at both ends of a dimension is left out again.
  Status adapt(const Op& op, Slice& a) {
    const Shape& before = old(op.inputs[0]);
    const Shape& after = graph_.tensor(op.inputs[0]).shape;
    for (size_t d = 0; d < before.size(); ++d) {
      if (before[d] == after[d]) continue;
      if (a.step[d] != 1 || a.size[d] == 1) {
        return cannot_follow(op, str_cat("it takes single elements along dimension ", d));
      }
      a.size[d] += after[d] - before[d];
    }
    return {};
  }

  Status adapt(const Op& op, MaxPool2D& a) { return adapt_pool(op, a); }
  Status adapt(const Op& op, AveragePool2D& a) { return adapt_pool(op, a); }

  // A window that saw its whole input still sees it.
  template <typename Pool>
  Status adapt_pool(const Op& op, Pool& a) {
    const Shape& before = old(op.inputs[0]);
    const Shape& result = old(op.output());
    const Shape& after = graph_.tensor(op.inputs[0]).shape;
    if (a.filter_h >= before[1] && result[1] == 1) a.filter_h = after[1];
    if (a.filter_w >= before[2] && result[2] == 1) a.filter_w = after[2];
    return {};
  }

  // Repeating one pixel over a picture: as large as the picture that it is joined with.
  Status adapt(const Op& op, Tile& a) {
    const auto before = size_of_picture(old(op.inputs[0]));
    const auto target = size_of_picture(old(op.output()));
    if (!before || *before != Size{1, 1} || *target == Size{1, 1}) return {};
    const auto size = followed(*target, op.inputs[0]);
    if (!size) {
      return cannot_follow(op, str_cat("no other tensor has the size ", target->height, "x",
                                       target->width, " that it tiles to"));
    }
    a.multiples[1] = size->height;
    a.multiples[2] = size->width;
    return {};
  }

  Status adapt(const Op& op, Reshape& a) {
    const Shape& before = old(op.inputs[0]);
    const Shape& after = graph_.tensor(op.inputs[0]).shape;
    if (before == after) return {};
    const Shape& out = old(op.output());
    auto shape = reshaped(before, out, after);
    if (!shape) {
      return cannot_follow(op, str_cat("its shape ", shape_text(out), " of ", shape_text(before),
                                       " mixes the picture's dimensions with others"));
    }
    a.shape = std::move(*shape);
    return {};
  }

  // TensorFlow pads so that the block divides the padded size, and the BATCH_TO_SPACE_ND at the
  // end of the chain crops that extra away again.
  Status adapt(const Op& op, SpaceToBatchNd& a) {
    BatchToSpaceNd* back = matching(op, a);
    if (back == nullptr || back->crop_h[1] > a.pad_h[1] || back->crop_w[1] > a.pad_w[1]) {
      return cannot_follow(op, "there is no BATCH_TO_SPACE_ND after it that undoes it");
    }
    const Shape& after = graph_.tensor(op.inputs[0]).shape;
    adapt_block(after[1], a.block_h, a.pad_h, back->crop_h);
    adapt_block(after[2], a.block_w, a.pad_w, back->crop_w);
    return {};
  }

  static void adapt_block(int32_t extent, int32_t block, std::array<int32_t, 2>& pad,
                          std::array<int32_t, 2>& crop) {
    const int32_t base = pad[1] - crop[1];
    const int64_t padded = int64_t{extent} + pad[0] + base;
    const auto extra = static_cast<int32_t>((block - padded % block) % block);
    pad[1] = base + extra;
    crop[1] = extra;
  }

  BatchToSpaceNd* matching(const Op& op, const SpaceToBatchNd& a) {
    TensorId id = op.output();
    while (readers_[static_cast<size_t>(id)].size() == 1) {
      Op& next = graph_.ops[readers_[static_cast<size_t>(id)][0]];
      if (auto* back = std::get_if<BatchToSpaceNd>(&next.attributes)) {
        return back->block_h == a.block_h && back->block_w == a.block_w ? back : nullptr;
      }
      id = next.output();
    }
    return nullptr;
  }

  /// The new size of the picture that once had the size `target`: the model's input, then the
  /// op's own input, then the latest tensor before the op.
  std::optional<Size> followed(Size target, TensorId own_input) const {
    const auto matches = [&](TensorId id) { return size_of_picture(old(id)) == target; };
    if (matches(graph_.inputs[0])) return to_;
    if (matches(own_input)) return size_of_picture(graph_.tensor(own_input).shape);
    const auto latest = std::find_if(pictures_.rbegin(), pictures_.rend(), matches);
    if (latest == pictures_.rend()) return std::nullopt;
    return size_of_picture(graph_.tensor(*latest).shape);
  }

  static int32_t scaled(int32_t extent, int32_t to, int32_t from) {
    const int64_t rounded = (int64_t{extent} * to + from / 2) / from;
    return static_cast<int32_t>(std::clamp<int64_t>(rounded, 1, 1 << 30));
  }

  const Shape& old(TensorId id) const { return old_shapes_[static_cast<size_t>(id)]; }
  std::string to_text() const { return str_cat(to_.height, "x", to_.width); }
  Status cannot_follow(const Op& op, const std::string& why) const {
    return unsupported(op_label(op), ": cannot follow the input size ", to_text(), ": ", why);
  }

  Graph& graph_;
  const int32_t batch_;
  const Size to_;
  std::vector<Shape> old_shapes_;
  std::vector<std::vector<size_t>> readers_;  ///< Positions of the ops that read a tensor.
  std::vector<TensorId> pictures_;            ///< Activations that are already resized.
};

Status resize(Graph& graph, int32_t batch, Size to, const Limits& limits) {
  Graph resized = graph;
  DEEPLAB_RETURN_IF_ERROR(Resizer(resized, batch, to).run());
  DEEPLAB_RETURN_IF_ERROR(validate(resized, limits));
  graph = std::move(resized);
  return {};
}

bool has_picture_input(const Graph& graph) {
  return !graph.inputs.empty() && graph.tensor(graph.inputs[0]).shape.size() == 4;
}

}  // namespace

Status resize_input(Graph& graph, int32_t height, int32_t width, const Limits& limits) {
  if (std::min(height, width) < 1 || std::max(height, width) > kMaxSide) {
    return invalid_argument("expected an input size of 1x1 to ", kMaxSide, "x", kMaxSide,
                            ", found ", height, "x", width);
  }
  if (!has_picture_input(graph)) {
    return unsupported("the input size can be chosen for a model with an input [N,H,W,C] only");
  }
  return resize(graph, graph.tensor(graph.inputs[0]).shape[0], {height, width}, limits);
}

Status make_batch_one(Graph& graph, const Limits& limits) {
  if (!has_picture_input(graph)) return {};
  const Shape input = graph.tensor(graph.inputs[0]).shape;
  if (input[0] == 1) return {};
  return resize(graph, 1, {input[1], input[2]}, limits);
}

}  // namespace deeplab::graph
