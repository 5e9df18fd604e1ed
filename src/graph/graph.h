// The IR. A Graph comes from a reader, is validated once, and is copied and rewritten by
// passes. Everything below the reader may rely on what validate() has checked.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "graph/op.h"
#include "graph/tensor.h"

namespace deeplab::graph {

struct Graph {
  std::vector<Tensor> tensors;
  std::vector<Op> ops;  ///< In an order in which every op comes after its inputs.
  std::vector<TensorId> inputs;
  std::vector<TensorId> outputs;

  Tensor& tensor(TensorId id) { return tensors[static_cast<size_t>(id)]; }
  const Tensor& tensor(TensorId id) const { return tensors[static_cast<size_t>(id)]; }
  /// The op that writes `id`, or -1 (an input or a constant). Linear in ops.
  int producer(TensorId id) const;
  /// The ops that read `id`, in order. Linear in ops.
  std::vector<int> consumers(TensorId id) const;
};

/// The largest height or width of a picture in a graph: what a plan knows of its columns stays
/// small.
inline constexpr int32_t kMaxSide = 1 << 16;

/// Drops the bytes of all constants.
void drop_constants(Graph& graph);

/// What one model may ask of the machine. A model over a limit is refused before anything of
/// that size is allocated, or that work begun. With the defaults, reading and planning any file
/// takes less than a second and a gigabyte.
struct Limits {
  int64_t max_tensor_bytes = int64_t{1} << 30;  ///< At most 2^30: positions in a tensor are int32.
  int64_t max_total_bytes = int64_t{4} << 30;   ///< Sum over all activations: a naive run's.
  /// What a plan and its executor take: packed weights, arena and the scratch of all workers.
  int64_t max_plan_bytes = int64_t{1} << 30;
  /// Multiply-accumulates of one run, and additions of pooling. 2^40 are hundreds of times a
  /// DeepLab at 513x513, and half a minute on a core that does it in 60 ms.
  int64_t max_macs = int64_t{1} << 40;
  /// Weights of all convolutions, as many times as they are used, in whole panels as kernels pack
  /// them. Packing takes some nanoseconds for each.
  int64_t max_weights = int64_t{1} << 26;
  /// Ops, of which the inputs may be four times as many. Passes and the arena's planner take time
  /// with the square of it. Real networks of this kind have a few hundred.
  int64_t max_ops = 1 << 12;
  bool operator==(const Limits&) const = default;
};

/// Checks every promise the rest of the program relies on, with overflow-checked arithmetic:
/// - ids in range, one writer per tensor, topological order, every output written or an input;
/// - dimensions of at least 1, constants of exactly their shape's bytes, all within `limits`;
///   each stored shape is what infer_shape() gives;
/// - constants only as filter, bias, second operand of ADD, SUB and MUL and operands of
///   CONCATENATION; filters and biases always are;
/// - one type through an op: float32, int8 or uint8 (is_hybrid() apart, with finite weights),
///   biases float32 or int32, int32 and int64 activations only out of ARG_MAX;
/// - scales normal and above 0 (is_hybrid(): or 0), one per activation; int8 filters may have one
///   per output channel (along dimension 0, depthwise 3); zero points in the type's range, 0 on
///   filters that are int8 in the file;
/// - scales matter where values are computed from them: convolutions, ADD, SUB, MUL, MEAN, RELU,
///   RELU6, QUANTIZE, SOFTMAX and CONCATENATION of what is uint8 in the file rescale by at most
///   2^16; CONCATENATION of int8 asks for equal parameters; ops that move or average stored values
///   ignore them;
/// - no int32 accumulator overflows, whatever the input: sum of products or of averaged values
///   with all zero-point corrections; a bias is added modulo 2^32, whatever its scale.
/// The error names the op by index and type, or the tensor, with what was expected and found.
/// Tensors that nothing refers to may be anything.
Status validate(const Graph& graph, const Limits& limits = {});

/// Gives the output of every op the shape that infer_shape() says, whatever it said before, as
/// TensorFlow Lite does when it loads a file: converters leave stale ones. Same errors as
/// validate() for what this relies on; call validate() afterwards.
Status settle_shapes(Graph& graph, const Limits& limits = {});

/// Of a validated graph: its ops, weights and multiply-accumulates against `limits`, as validate()
/// checks them.
Status check_work(const Graph& graph, const Limits& limits);

/// The output shape of one op from its input shapes and attributes; same errors as validate().
Result<Shape> infer_shape(const Graph& graph, const Op& op);

/// The same weights for another canvas: sets input 0 to [n, height, width, c] and makes every
/// op that carried the old size follow the picture (resize targets, global pooling, tiling,
/// reshapes), then infers all shapes again and validates. Errors name the op that cannot follow;
/// the graph is unchanged then. `graph` is validated and as the file has it: of a graph that was
/// resized to a tiny canvas, where many sizes coincide, nothing can tell them apart again.
Status resize_input(Graph& graph, int32_t height, int32_t width, const Limits& limits = {});

/// The same weights for one picture per run, whatever batch input 0 [n,h,w,c] has; nothing to do if
/// it has another form. Same errors as resize_input().
Status make_batch_one(Graph& graph, const Limits& limits = {});

/// Whether `b` can be read at every position of `a` by repeating its dimensions of 1, the two
/// aligned at the last dimension, as numpy broadcasts. True for equal shapes.
bool broadcastable(const Shape& b, const Shape& a);

/// Leading rows and columns of zero padding of a sliding window, and the output extent, as
/// TensorFlow defines SAME and VALID: SAME gives out = ceil(in / stride), with the smaller half
/// of the padding before.
struct WindowExtent {
  int32_t out = 0;
  int32_t pad_before = 0;
  int32_t pad_after = 0;
};
/// One axis. `explicit_before`/`after` count only with Padding::kExplicit. An error when the
/// window does not fit the (padded) input.
Result<WindowExtent> window_extent(Padding padding, int32_t in, int32_t filter, int32_t stride,
                                   int32_t dilation, int32_t explicit_before,
                                   int32_t explicit_after);

/// Multiply-accumulates of one op (convolutions; 0 for all others) and of the whole graph.
int64_t macs(const Graph& graph, const Op& op);
int64_t macs(const Graph& graph);

/// The graph as text, one line per op: index, type, attributes, inputs, output with type, shape and
/// quantization, and the totals below.
std::string dump(const Graph& graph);

}  // namespace deeplab::graph
