// Stands in front of the C library's allocator (and a sanitizer's, if there is one) by being
// the program's own malloc(): libraries come here, too, the C++ one among them.
#include "tests/faults/failing_memory.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>
#include <set>

#if defined(DEEPLAB_SANITIZED)
#define DEEPLAB_REAL(function) __interceptor_##function
#else
#define DEEPLAB_REAL(function) __libc_##function
#endif

extern "C" {
void* DEEPLAB_REAL(malloc)(size_t);
void* DEEPLAB_REAL(calloc)(size_t, size_t);
void* DEEPLAB_REAL(realloc)(void*, size_t);
void* DEEPLAB_REAL(memalign)(size_t, size_t);
void DEEPLAB_REAL(free)(void*);
#if defined(DEEPLAB_SANITIZED)
int DEEPLAB_REAL(pthread_create)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
#endif
}

namespace deeplab::testing {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

// Plain numbers, so that the first malloc() of the process finds them ready.
std::atomic<int64_t> first_to_fail{kNever};
std::atomic<int64_t> last_to_fail{kNever};
std::atomic<int64_t> requests_so_far{0};
std::atomic<int64_t> live{0};

constexpr int64_t kMostRecorded = 1 << 16;
std::atomic<bool> recording{false};
uint64_t stacks[kMostRecorded];  // by request, a hash of the calls that lead to it

void record() {
  thread_local bool inside = false;  // what looks at the stack may itself ask for memory
  if (inside) return;
  inside = true;
  void* calls[64];
  const int depth = backtrace(calls, 64);
  uint64_t hash = 0xCBF29CE484222325u;
  for (int i = 0; i < depth; ++i) {
    hash = (hash ^ reinterpret_cast<uintptr_t>(calls[i])) * 0x100000001B3u;
  }
  const int64_t n = requests_so_far++;
  if (n < kMostRecorded) stacks[n] = hash;
  inside = false;
}

// A new thread counts from its body on: before that it is the C library's, or a sanitizer's.
thread_local bool counts = false;

bool may_go() {
  if (!counts) return true;
  if (recording.load(std::memory_order_relaxed)) record();
  if (first_to_fail.load(std::memory_order_relaxed) == kNever) return true;
  const int64_t n = ++requests_so_far;
  return n < first_to_fail || n > last_to_fail;
}

template <typename Request>
void* take(const Request& request) {
  if (!may_go()) {
    errno = ENOMEM;
    return nullptr;
  }
  void* memory = request();
  if (memory != nullptr) live.fetch_add(1, std::memory_order_relaxed);
  return memory;
}

void give_back(void* memory) {
  if (memory != nullptr) live.fetch_sub(1, std::memory_order_relaxed);
  DEEPLAB_REAL(free)(memory);
}

struct ThreadStart {
  void* (*body)(void*);
  void* argument;
};

void* begin_thread(void* start) {
  const ThreadStart copy = *static_cast<ThreadStart*>(start);
  DEEPLAB_REAL(free)(start);
  counts = true;
  return copy.body(copy.argument);
}

}  // namespace

FailingMemory::FailingMemory(Failing failing, int64_t n) : n_(n) {
  counts = true;
  requests_so_far = 0;
  last_to_fail = failing == Failing::kOne ? n : kNever;
  first_to_fail = n;
}
FailingMemory::~FailingMemory() { first_to_fail = kNever; }
int64_t FailingMemory::requests() const { return requests_so_far; }
bool FailingMemory::has_failed() const { return requests_so_far >= n_; }

RequestRecorder::RequestRecorder() {
  void* calls[4];
  backtrace(calls, 4);  // its first call loads a library
  counts = true;
  requests_so_far = 0;
  recording = true;
}
RequestRecorder::~RequestRecorder() { recording = false; }
int64_t RequestRecorder::requests() const { return requests_so_far; }
std::vector<int64_t> RequestRecorder::distinct() const {
  recording = false;
  std::vector<int64_t> firsts;
  std::set<uint64_t> known;
  for (int64_t n = 0; n < std::min(requests_so_far.load(), kMostRecorded); ++n) {
    if (known.insert(stacks[n]).second) firsts.push_back(n + 1);
  }
  return firsts;
}

int64_t live_allocations() { return live; }

}  // namespace deeplab::testing

using deeplab::testing::begin_thread;
using deeplab::testing::give_back;
using deeplab::testing::take;
using deeplab::testing::ThreadStart;

extern "C" {

void* malloc(size_t size) {
  return take([&] { return DEEPLAB_REAL(malloc)(size); });
}
void* calloc(size_t count, size_t size) {
  return take([&] { return DEEPLAB_REAL(calloc)(count, size); });
}
void* memalign(size_t alignment, size_t size) {
  return take([&] { return DEEPLAB_REAL(memalign)(alignment, size); });
}
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** memory, size_t alignment, size_t size) {
  void* taken = memalign(alignment, size);
  if (taken == nullptr) return ENOMEM;
  *memory = taken;
  return 0;
}
void* realloc(void* memory, size_t size) {
  if (memory == nullptr) return malloc(size);
  if (size == 0) {
    give_back(memory);
    return nullptr;
  }
  if (!deeplab::testing::may_go()) {
    errno = ENOMEM;
    return nullptr;
  }
  return DEEPLAB_REAL(realloc)(memory, size);
}
void free(void* memory) { give_back(memory); }

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*body)(void*),
                   void* argument) noexcept {
#if defined(DEEPLAB_SANITIZED)
  // Of clang's runtime there is no next one: it is in the program itself.
  const auto real = &DEEPLAB_REAL(pthread_create);
#else
  using Create = decltype(&pthread_create);
  static const auto real = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
#endif
  if (!deeplab::testing::may_go()) {
    return EAGAIN;
  }
  auto* start = static_cast<ThreadStart*>(DEEPLAB_REAL(malloc)(sizeof(ThreadStart)));
  *start = {body, argument};
  const int result = real(thread, attributes, begin_thread, start);
  if (result != 0) DEEPLAB_REAL(free)(start);
  return result;
}

}  // extern "C"

#if defined(DEEPLAB_SANITIZED)
// What the dynamic linker keeps is not a leak. LeakSanitizer knows it by who called malloc(), which
// is this file now.
extern "C" const char* __lsan_default_suppressions() { return "leak:ld-linux\n"; }
#endif

// A sanitizer's operator new does not come by malloc().
namespace {
void* new_or_throw(std::size_t size) {
  if (void* memory = malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
void* new_or_throw(std::size_t size, std::align_val_t alignment) {
  if (void* memory = memalign(static_cast<std::size_t>(alignment), size > 0 ? size : 1)) {
    return memory;
  }
  throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t size) { return new_or_throw(size); }
void* operator new[](std::size_t size) { return new_or_throw(size); }
void* operator new(std::size_t size, std::align_val_t a) { return new_or_throw(size, a); }
void* operator new[](std::size_t size, std::align_val_t a) { return new_or_throw(size, a); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return malloc(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return malloc(size); }
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { give_back(memory); }
