// Owned memory whose start is aligned for the widest vector load.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

namespace deeplab {

/// Zeroed bytes aligned to 64 (a cache line, and one AVX-512 register). Move-only.
class AlignedBuffer {
 public:
  static constexpr size_t kAlignment = 64;
  /// The C library's own limit between pieces of its heap and pages of the system.
  static constexpr size_t kLargeBytes = 128 * 1024;

  AlignedBuffer() = default;

  /// Null data() with a non-zero request means that the memory is not to be had.
  explicit AlignedBuffer(size_t size) : size_(size) {
    if (size == 0) return;
    if (size < kLargeBytes) {
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
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::byte* data_ = nullptr;  ///< The first aligned byte of it.
  size_t size_ = 0;
};

}  // namespace deeplab
