#include "exec/planned_executor.h"

#include <algorithm>
#include <chrono>

#include "base/stopwatch.h"

namespace deeplab::exec {

PlannedExecutor::PlannedExecutor(std::shared_ptr<const plan::Plan> plan, ThreadPool* pool)
    : plan_(std::move(plan)), nanoseconds_(plan_->steps().size()) {
  context_.pool = pool;
  context_.workers = pool != nullptr ? pool->threads() : 1;
}

Result<std::unique_ptr<PlannedExecutor>> PlannedExecutor::create(
    std::shared_ptr<const plan::Plan> plan, ThreadPool* pool) {
  if (plan == nullptr) return invalid_argument("an executor needs a plan");
  std::unique_ptr<PlannedExecutor> executor(new PlannedExecutor(std::move(plan), pool));
  plan::RunContext& context = executor->context_;
  if (context.workers > executor->plan_->options().threads) {
    return invalid_argument("a pool of ", context.workers, " threads for a plan of ",
                            executor->plan_->options().threads);
  }
  const auto arena = static_cast<size_t>(executor->plan_->arena_bytes());
  executor->arena_ = AlignedBuffer(arena);
  if (arena > 0 && executor->arena_.data() == nullptr) {
    return resource_exhausted("no memory for ", arena, " bytes of activations and scratch");
  }
  context.arena = executor->arena_.data();
  return executor;
}

std::span<std::byte> PlannedExecutor::tensor(graph::TensorId id) {
  if (id < 0 || static_cast<size_t>(id) >= graph().tensors.size()) return {};
  const plan::ArenaPlace& place = plan_->place(id);
  const int end = step_count();
  const bool held =
      plan_->options().keep_all_tensors || place.first_step == -1 || place.last_step == end;
  if (place.offset < 0 || !held) return {};
  return {arena_.data() + place.offset, static_cast<size_t>(place.bytes)};
}

void PlannedExecutor::set_pixel_values(std::span<const float> values) {
  pixel_values_.assign(values.begin(), values.end());
  context_.pixel_values = pixel_values_.data();
}

void PlannedExecutor::run_step(int step) {
  context_.scratch = context_.arena + planned(step).scratch_offset;
  context_.scratch_stride = static_cast<size_t>(planned(step).scratch_stride);
  if (!profiling_) return planned(step).step->run(context_);
  const Stopwatch watch;
  planned(step).step->run(context_);
  nanoseconds_[static_cast<size_t>(step)] +=
      std::chrono::duration_cast<std::chrono::nanoseconds>(watch.elapsed()).count();
}

void PlannedExecutor::reset_profile() { std::fill(nanoseconds_.begin(), nanoseconds_.end(), 0); }

}  // namespace deeplab::exec
