#include "base/memory_hook.h"

namespace deeplab {
namespace {
thread_local constinit MemoryHook current;
}  // namespace

const MemoryHook& current_memory_hook() { return current; }

MemoryScope::MemoryScope(const MemoryHook& allocator) : before_(current) { current = allocator; }
MemoryScope::~MemoryScope() { current = before_; }

}  // namespace deeplab
