// Where large pieces of memory come from: the C heap, or what the caller of a thread has set.
#pragma once

#include <cstddef>

namespace deeplab {

/// The caller's functions; both null: the C heap. Copied, never owned.
struct MemoryHook {
  void* context = nullptr;
  /// At least `size` bytes, aligned; null if there are none.
  void* (*allocate)(void* context, size_t size, size_t alignment) = nullptr;
  void (*release)(void* context, void* memory, size_t size) = nullptr;
  bool operator==(const MemoryHook&) const = default;
};

/// The source of memory for each AlignedBuffer made on this thread.
const MemoryHook& current_memory_hook();

/// Sets it for the calling thread as long as this lives.
class MemoryScope {
 public:
  explicit MemoryScope(const MemoryHook& allocator);
  ~MemoryScope();
  MemoryScope(const MemoryScope&) = delete;
  MemoryScope& operator=(const MemoryScope&) = delete;

 private:
  MemoryHook before_;
};

}  // namespace deeplab
