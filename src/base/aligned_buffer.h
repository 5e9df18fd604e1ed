// Owned memory whose start is aligned for the widest vector load.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include "base/memory_hook.h"

namespace deeplab {

/// Returns memory to where it came from.
struct GiveBack {
  MemoryHook hook = {};
  size_t size = 0;
  void operator()(std::byte* p) const {
    if (hook.release == nullptr) return std::free(p);
    hook.release(hook.context, p, size);
  }
};

/// Zeroed bytes aligned to 64 (a cache line, and one AVX-512 register), from
/// current_memory_hook() of the thread that makes it. Move-only.
class AlignedBuffer {
 public:
  static constexpr size_t kAlignment = 64;
  /// The C library's own limit between pieces of its heap and pages of the system.
  static constexpr size_t kLargeBytes = 128 * 1024;

  AlignedBuffer() = default;

  /// Null data() with a non-zero request means that the allocation failed.
  explicit AlignedBuffer(size_t size) : size_(size) {
    if (size == 0) return;
    if (const MemoryHook& custom = current_memory_hook(); custom.allocate != nullptr) {
      memory_ = {static_cast<std::byte*>(custom.allocate(custom.context, size, kAlignment)),
                 GiveBack{custom, size}};
      if (memory_) std::memset(memory_.get(), 0, size);
      data_ = memory_.get();
    } else if (size < kLargeBytes) {
      const size_t rounded = (size + kAlignment - 1) / kAlignment * kAlignment;
      memory_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded)));
      if (memory_) std::memset(memory_.get(), 0, rounded);
      data_ = memory_.get();
    } else if (size <= SIZE_MAX - kAlignment) {
      // calloc() takes large pieces from the system as they are: pages that nobody touches cost
      // neither time nor memory.
      memory_.reset(static_cast<std::byte*>(std::calloc(1, size + kAlignment)));
      void* start = memory_.get();
      size_t space = size + kAlignment;
      if (memory_) data_ = static_cast<std::byte*>(std::align(kAlignment, size, start, space));
    }
    if (!memory_) size_ = 0;
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept { *this = std::move(other); }
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    memory_ = std::move(other.memory_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  size_t size() const { return size_; }
  std::span<std::byte> bytes() { return {data(), size_}; }
  std::span<const std::byte> bytes() const { return {data(), size_}; }

 private:
  std::unique_ptr<std::byte, GiveBack> memory_;
  std::byte* data_ = nullptr;  ///< The first aligned byte of it.
  size_t size_ = 0;
};

}  // namespace deeplab
