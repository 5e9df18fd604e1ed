// Private to this folder: a graph while its input gets another size, as the rules in ops/ see it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"

namespace deeplab::graph {

struct Size {
  int32_t height = 0;
  int32_t width = 0;
  bool operator==(const Size&) const = default;
};

std::optional<Size> size_of_picture(const Shape& shape);

/// Resizes `graph` op by op. An op's inputs have their new shapes when resize() of its attributes
/// is called, which makes what infer_shape() says afterwards right.
class Canvas {
 public:
  Canvas(Graph& graph, int32_t batch, Size to);
  Status run();

  const Shape& old(TensorId id) const { return old_shapes_[static_cast<size_t>(id)]; }
  const Shape& now(TensorId id) const { return graph_.tensor(id).shape; }
  /// The new size of the picture that once had the size `target`: the model's input, then the
  /// op's own input, then the latest tensor before the op.
  std::optional<Size> followed(Size target, TensorId own_input) const;
  /// The same fraction of the model's input.
  Size scaled(Size size) const;
  /// The op that alone reads the output of `op`, or null.
  Op* sole_reader(const Op& op);
  Status cannot_follow(const Op& op, const std::string& why) const;

 private:
  std::string to_text() const { return str_cat(to_.height, "x", to_.width); }

  Graph& graph_;
  const int32_t batch_;
  const Size to_;
  std::vector<Shape> old_shapes_;
  std::vector<std::vector<size_t>> readers_;  ///< Positions of the ops that read a tensor.
  std::vector<TensorId> pictures_;            ///< Activations that are already resized.
};

}  // namespace deeplab::graph
