// The tables of CONV_2D and DEPTHWISE_CONV_2D.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/isa.h"
#include "base/status.h"
#include "bench/problem.h"
#include "bench/tables.h"

namespace deeplab::bench {
namespace {

void run_reference(const Conv2DInt8Problem& p, int8_t* output) {
  conv2d_reference(p.params, kernels::Rounding::kEngine, p.input.data(), p.filter.data(),
                   p.bias.data(), output);
}
void run_reference(const Conv2DFloatProblem& p, float* output) {
  conv2d_reference(p.params, kernels::Rounding::kEngine, p.input.data(), p.filter.data(),
                   p.bias.data(), output);
}
void run_reference(const DepthwiseInt8Problem& p, int8_t* output) {
  depthwise_conv2d_reference(p.params, kernels::Rounding::kEngine, p.input.data(), p.filter.data(),
                             p.bias.data(), output);
}
void run_reference(const DepthwiseFloatProblem& p, float* output) {
  depthwise_conv2d_reference(p.params, kernels::Rounding::kEngine, p.input.data(), p.filter.data(),
                             p.bias.data(), output);
}

template <typename Params, typename Element, typename Bias>
void time_kernel(benchmark::State& state,
                 const kernels::Conv2DKernelOf<Params, Element, Bias>& kernel,
                 const ConvolutionShape& shape, bool depthwise) {
  const Problem<Params, Element, Bias> problem(shape, depthwise);
  AlignedBuffer packed(kernel.packed_bytes(problem.params));
  AlignedBuffer scratch(kernel.scratch_bytes(problem.params));
  kernel.pack(problem.params, problem.filter.data(), problem.bias.data(), packed.data());
  std::vector<Element> output(problem.out_elements());
  std::vector<Element> expected(problem.out_elements());
  const auto run = [&] {
    kernel.run(problem.params, packed.data(), problem.input.data(), output.data(), 0,
               problem.out_rows(), scratch.data());
  };
  run();
  run_reference(problem, expected.data());
  if (std::memcmp(output.data(), expected.data(), output.size() * sizeof(Element)) != 0) {
    return state.SkipWithError("the output is not the reference's");
  }
  for (auto _ : state) {
    run();
    benchmark::ClobberMemory();
  }
  state.counters["MAC/s"] = benchmark::Counter(static_cast<double>(problem.macs),
                                               benchmark::Counter::kIsIterationInvariantRate);
}

template <typename Params, typename Element, typename Bias>
void add_table(const std::string& table,
               std::span<const kernels::Conv2DKernelOf<Params, Element, Bias>> entries,
               std::span<const ConvolutionShape> shapes, bool depthwise) {
  for (const ConvolutionShape& shape : shapes) {
    for (const auto& kernel : entries) {
      if (std::ranges::count(available_isas(), kernel.isa) == 0) continue;
      // Entries that do not do this shape are no news: they have no line.
      const Problem<Params, Element, Bias> problem(shape, depthwise);
      if (!kernel.supports(problem.params)) continue;
      const std::string name = str_cat(table, "/", shape_name(shape), "/", kernel.name);
      benchmark::RegisterBenchmark(name.c_str(), [&kernel, shape, depthwise](auto& state) {
        time_kernel(state, kernel, shape, depthwise);
      });
    }
  }
}

}  // namespace

void add_convolutions() {
  add_table("conv2d_int8", kernels::conv2d_int8_kernels(), conv2d_shapes(), false);
  add_table("depthwise_conv2d_int8", kernels::depthwise_conv2d_int8_kernels(),
            depthwise_conv2d_shapes(), true);
  add_table("conv2d_float", kernels::conv2d_float_kernels(), conv2d_shapes(), false);
  add_table("depthwise_conv2d_float", kernels::depthwise_conv2d_float_kernels(),
            depthwise_conv2d_shapes(), true);
}

}  // namespace deeplab::bench
