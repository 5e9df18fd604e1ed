// The closed list of ops. Each is described in ops/; operands that only describe a shape (axes,
// paddings, sizes, multiples) are attributes there, whatever form the file gave them: an op's
// inputs are real data.
//
// A description is the struct of the op's attributes, with
//   kName                what the file format calls it; or `function`, whose name it has
//   fields(a, visit)     calls visit(FieldName, value) for each field of `a`, in the order of the
//                        JSON. A value is a Window, an Activation, bool, int32_t, float, a vector
//                        of int32_t, Amounts, or a FieldPair; const if `a` is
//   output_shape(view)   as infer_shape() gives it; the operands have been checked
//   check_types(view)    types and quantization that the op takes; shapes have been checked
// and, if there is something to say,
//   kInputs              how many inputs it takes, if not one
//   kKeepsParameters     of 8 bits the output has the scale and the zero point of the inputs
//   kIgnoresScales       8-bit numbers need no scale
//   kFloatFilter         has no kernel for float32 with an int8 filter, which is read as float32
//   taps(view)           multiply-accumulates for each element of the output: a convolution
//   additions(view)      the same for an op that only adds or compares
//   resize(canvas, op)   what another size of the picture changes in the attributes
//   swap_inputs()        the two inputs have changed places
// What an op is to the other rooms is in their folders ops/, under the same name.
#pragma once

#include <variant>

#include "graph/ops/arg_max.h"
#include "graph/ops/arithmetic.h"
#include "graph/ops/concatenation.h"
#include "graph/ops/convolution.h"
#include "graph/ops/depth_to_space.h"
#include "graph/ops/pad.h"
#include "graph/ops/pool.h"
#include "graph/ops/quantize.h"
#include "graph/ops/reduce.h"
#include "graph/ops/relu.h"
#include "graph/ops/reshape.h"
#include "graph/ops/resize.h"
#include "graph/ops/slice.h"
#include "graph/ops/softmax.h"
#include "graph/ops/space_to_batch_nd.h"
#include "graph/ops/tile.h"
#include "graph/ops/transpose.h"
#include "graph/ops/unary.h"

// clang-format off
#define DEEPLAB_OPS(OP)     \
  OP(Conv2D)                \
  OP(DepthwiseConv2D)       \
  OP(TransposeConv)         \
  OP(FullyConnected)        \
  OP(Add)                   \
  OP(Sub)                   \
  OP(Mul)                   \
  OP(Binary)                \
  OP(AveragePool2D)         \
  OP(MaxPool2D)             \
  OP(Mean)                  \
  OP(Reduce)                \
  OP(ResizeBilinear)        \
  OP(ResizeNearestNeighbor) \
  OP(Concatenation)         \
  OP(Tile)                  \
  OP(Pad)                   \
  OP(MirrorPad)             \
  OP(Slice)                 \
  OP(Transpose)             \
  OP(DepthToSpace)          \
  OP(SpaceToDepth)          \
  OP(Quantize)              \
  OP(Dequantize)            \
  OP(Cast)                  \
  OP(ArgMax)                \
  OP(Softmax)               \
  OP(Relu)                  \
  OP(Relu6)                 \
  OP(Unary)                 \
  OP(Prelu)                 \
  OP(Reshape)               \
  OP(SpaceToBatchNd)        \
  OP(BatchToSpaceNd)
// clang-format on

namespace deeplab::graph {

template <typename First, typename... Ops>
struct OpVariant {
  using type = std::variant<Ops...>;
};
#define DEEPLAB_NEXT_OP(Name) , Name
using Attributes = OpVariant<void DEEPLAB_OPS(DEEPLAB_NEXT_OP)>::type;
#undef DEEPLAB_NEXT_OP

}  // namespace deeplab::graph
