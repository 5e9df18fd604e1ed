// A step: one op, bound to its kernel, its packed weights and the places of its tensors.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/parallel.h"

namespace deeplab::plan {

/// The memory and the threads of one executor, as a step sees them.
struct RunContext {
  std::byte* arena = nullptr;
  std::byte* scratch = nullptr;  ///< The step's: `workers` pieces of `scratch_stride` bytes.
  size_t scratch_stride = 0;
  /// Of an input that is pixels, 256 for each channel: see PlanOptions::pixel_input.
  const float* pixel_values = nullptr;
  int workers = 1;
  ThreadPool* pool = nullptr;  ///< Null: everything on the calling thread.
};

/// Immutable and shared between threads; all state of a run is in the context.
class Step {
 public:
  virtual ~Step() = default;
  /// Neither allocates nor fails.
  virtual void run(const RunContext& context) const = 0;
  /// 64-byte-aligned scratch that one worker needs.
  virtual size_t scratch_bytes() const { return 0; }
  /// Whether its first input may be pixels (TensorPlace::is_pixels).
  virtual bool takes_pixels() const { return false; }
  /// Bytes of packed weights that the step owns.
  virtual size_t packed_bytes() const { return 0; }
};

/// About as much as is worth handing to another thread: tens of microseconds.
inline constexpr int64_t kElementsPerPiece = 32768;

/// How many rows a worker should fetch at a time: multiples of `unit`, small pieces, so that a slow
/// worker does not stall the rest, as long as no worker of equal speed ends up with more
/// than 1/16 over its share; else even shares.
int32_t even_grain(int32_t rows, int32_t unit, int workers);

/// Splits rows [0, rows) between the workers: body(row_begin, row_end, scratch). A worker fetches
/// `grain` rows at a time, so that a slow one does not stall the others; the scratch
/// is the worker's own.
template <typename Body>
void for_rows(const RunContext& context, int32_t rows, int32_t grain, const Body& body) {
  if (context.pool == nullptr || context.workers == 1 || rows <= grain) {
    body(0, rows, context.scratch);
    return;
  }
  std::atomic<int32_t> next{0};
  context.pool->parallel_for(
      static_cast<size_t>(context.workers), 1, [&](size_t worker_begin, size_t worker_end) {
        for (size_t worker = worker_begin; worker < worker_end; ++worker) {
          std::byte* scratch = context.scratch + worker * context.scratch_stride;
          for (int32_t begin; (begin = next.fetch_add(grain)) < rows;) {
            body(begin, begin + grain < rows ? begin + grain : rows, scratch);
          }
        }
      });
}

}  // namespace deeplab::plan
