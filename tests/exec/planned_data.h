// Models, inputs and executors that the planned executor's tests have in common.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "exec/naive_executor.h"
#include "exec/planned_executor.h"
#include "passes/pipeline.h"
#include "passes/shift_uint8.h"
#include "plan/plan.h"
#include "tflite/reader.h"

namespace deeplab::testing {

/// A model file for a canvas of `size` (0: the file's own), uint8 shifted to int8.
inline graph::Graph read_model_at(const std::string& path, int32_t size) {
  auto bytes = read_file(path, int64_t{1} << 30);
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  if (!bytes.ok()) return {};
  auto model = tflite::read_model(*bytes, path);
  EXPECT_TRUE(model.ok()) << model.status().message();
  if (!model.ok()) return {};
  graph::Graph graph = std::move(model->graph);
  if (size != 0) {
    const Status status = graph::resize_input(graph, size, size);
    EXPECT_TRUE(status.ok()) << status.message();
  }
  const Status status = passes::shift_uint8(graph);
  EXPECT_TRUE(status.ok()) << status.message();
  return graph;
}

inline graph::Graph optimized(graph::Graph graph) {
  const Status status = passes::optimize(graph);
  EXPECT_TRUE(status.ok()) << status.message();
  const Status valid = graph::validate(graph);
  EXPECT_TRUE(valid.ok()) << valid.message();
  return graph;
}

/// Smooth blobs with some noise: textures that a network answers with more than one value, the
/// same on every machine.
inline void fill_input(exec::Executor& executor, uint32_t seed) {
  std::mt19937 random(seed);
  for (graph::TensorId id : executor.graph().inputs) {
    const graph::Tensor& tensor = executor.graph().tensor(id);
    const std::span<std::byte> bytes = executor.tensor(id);
    const size_t row = static_cast<size_t>(tensor.shape.size() == 4 ? tensor.shape[2] : 1) * 3;
    for (size_t i = 0; i < static_cast<size_t>(tensor.elements()); ++i) {
      const size_t blob = (i / row / 24 * 7 + i % row / 60 * 13 + i % 3 * 5) % 11;
      const auto pixel = static_cast<uint8_t>(blob * 20 + random() % 56);
      if (tensor.type == graph::DataType::kFloat32) {
        const float value = static_cast<float>(pixel) / 127.5f - 1.0f;
        std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
      } else {
        bytes[i] = std::byte{pixel} ^ std::byte{0x80};
      }
    }
  }
}

inline std::unique_ptr<exec::NaiveExecutor> make_naive(graph::Graph graph,
                                                       kernels::Rounding rounding) {
  auto executor = exec::NaiveExecutor::create(std::move(graph), rounding);
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  return executor.ok() ? std::move(*executor) : nullptr;
}

/// A planned executor and the pool that it runs on (none for one thread).
struct Planned {
  std::unique_ptr<ThreadPool> pool;
  std::unique_ptr<exec::PlannedExecutor> executor;
};
inline Planned make_planned(graph::Graph graph, Isa isa, int threads, bool keep_all_tensors) {
  plan::PlanOptions options;
  options.isa = isa;
  options.threads = threads;
  options.keep_all_tensors = keep_all_tensors;
  Planned planned;
  auto plan = plan::Plan::build(std::move(graph), options);
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  if (!plan.ok()) return planned;
  if (threads > 1) {
    auto pool = ThreadPool::create(threads);
    EXPECT_TRUE(pool.ok()) << pool.status().message();
    if (!pool.ok()) return planned;
    planned.pool = std::move(*pool);
  }
  auto executor = exec::PlannedExecutor::create(*plan, planned.pool.get());
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  if (executor.ok()) planned.executor = std::move(*executor);
  return planned;
}

/// The first step of `planned` whose output differs from the tensor of the same id in `expected`;
/// empty when all are equal.
inline std::string first_difference(exec::Executor& expected, exec::Executor& planned) {
  for (int step = 0; step < planned.step_count(); ++step) {
    const graph::TensorId id = planned.step_output(step);
    const std::span<std::byte> a = expected.tensor(id);
    const std::span<std::byte> b = planned.tensor(id);
    if (a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0) continue;
    size_t at = 0;
    while (at < std::min(a.size(), b.size()) && a[at] == b[at]) ++at;
    const graph::Op& op = planned.graph().ops[static_cast<size_t>(planned.step_op(step))];
    return str_cat(graph::op_label(op), " on ", planned.step_kernel(step), ", tensor ", id, " ",
                   graph::shape_text(planned.graph().tensor(id).shape), ": sizes ", a.size(),
                   " and ", b.size(), ", first different byte ", at);
  }
  return "";
}

}  // namespace deeplab::testing
