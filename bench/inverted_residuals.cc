// The table of inverted residual blocks: all groups of rows of a picture in turn, as a step of the
// plan makes them.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/isa.h"
#include "base/status.h"
#include "bench/problem.h"
#include "bench/tables.h"
#include "kernels/inverted_residual/inverted_residual.h"
#include "tests/kernels/inverted_residual_run.h"

namespace deeplab::bench {
namespace {

using kernels::InvertedResidualInt8;
using kernels::InvertedResidualInt8Kernel;
using kernels::kGroupRows;

struct BlockShape {
  ConvolutionShape expand;
  ConvolutionShape depthwise;
  ConvolutionShape project;
};

std::string block_name(const BlockShape& shape) {
  return str_cat(shape_name(shape.expand), "_", shape_name(shape.depthwise), "_",
                 shape_name(shape.project));
}

struct Block {
  Conv2DInt8Problem expand;
  DepthwiseInt8Problem depthwise;
  Conv2DInt8Problem project;

  explicit Block(const BlockShape& shape)
      : expand(shape.expand, false),
        depthwise(shape.depthwise, true),
        project(shape.project, false) {
    // A ReLU after the first two, as in the network.
    for (kernels::Conv2DInt8* conv :
         std::initializer_list<kernels::Conv2DInt8*>{&expand.params, &depthwise.params}) {
      conv->output_zero_point = conv->output_min = -128;
    }
    depthwise.params.input_zero_point = project.params.input_zero_point = -128;
  }

  InvertedResidualInt8 ops() const { return {expand.params, depthwise.params, project.params}; }
  kernels::InvertedResidualWeights weights() const {
    return {expand.filter.data(),  expand.bias.data(),    depthwise.filter.data(),
            depthwise.bias.data(), project.filter.data(), project.bias.data()};
  }
  int64_t macs() const { return expand.macs + depthwise.macs + project.macs; }
};

void time_kernel(benchmark::State& state, const InvertedResidualInt8Kernel& kernel,
                 const BlockShape& shape) {
  const Block block(shape);
  const InvertedResidualInt8 ops = block.ops();
  AlignedBuffer packed(kernel.packed_bytes(ops));
  AlignedBuffer scratch(kernel.scratch_bytes(ops));
  AlignedBuffer at(kernel.group_bytes(ops));
  AlignedBuffer next(kernel.group_bytes(ops));
  kernel.pack(ops, block.weights(), packed.data());
  std::vector<int8_t> output(block.project.out_elements());
  const kernels::WindowShape& out = ops.project.shape;
  const int32_t unit = kGroupRows / ops.depthwise.shape.stride_h;
  const auto run = [&] {
    std::byte* group = at.data();
    std::byte* below = next.data();
    const int8_t* input = block.expand.input.data();
    kernel.expand(ops, packed.data(), input, 0, group, scratch.data());
    for (int32_t row = 0; row < out.out_h; row += unit, std::swap(group, below)) {
      kernel.expand(ops, packed.data(), input, row / unit + 1, below, scratch.data());
      kernel.project(ops, packed.data(), row / unit, group, below,
                     output.data() + int64_t{row} * out.out_w * out.out_c, scratch.data());
    }
  };
  run();
  if (output != kernels::testing::reference(ops, block.weights(), block.expand.input)) {
    return state.SkipWithError("the output is not the reference's");
  }
  for (auto _ : state) {
    run();
    benchmark::ClobberMemory();
  }
  state.counters["MAC/s"] = benchmark::Counter(static_cast<double>(block.macs()),
                                               benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

void add_inverted_residuals() {
  static constexpr BlockShape kShapes[] = {
      {{513, 3, 16, 3, 2, 1}, {257, 16, 16, 3, 1, 1}, {257, 16, 8, 1, 1, 1}},
      {{257, 8, 48, 1, 1, 1}, {257, 48, 48, 3, 2, 1}, {129, 48, 12, 1, 1, 1}},
      {{129, 12, 72, 1, 1, 1}, {129, 72, 72, 3, 1, 1}, {129, 72, 12, 1, 1, 1}},
      {{129, 12, 72, 1, 1, 1}, {129, 72, 72, 3, 2, 1}, {65, 72, 16, 1, 1, 1}},
      {{65, 16, 96, 1, 1, 1}, {65, 96, 96, 3, 1, 1}, {65, 96, 16, 1, 1, 1}},
      {{65, 16, 96, 1, 1, 1}, {65, 96, 96, 3, 2, 1}, {33, 96, 32, 1, 1, 1}},
  };
  for (const BlockShape& shape : kShapes) {
    for (const auto& kernel : kernels::inverted_residual_int8_kernels()) {
      if (std::ranges::count(available_isas(), kernel.isa) == 0) continue;
      if (!kernel.supports(Block(shape).ops())) continue;
      const std::string name =
          str_cat("inverted_residual_int8/", block_name(shape), "/", kernel.name);
      benchmark::RegisterBenchmark(
          name.c_str(), [&kernel, shape](auto& state) { time_kernel(state, kernel, shape); });
    }
  }
}

}  // namespace deeplab::bench
