// A test program that lists counted_new.cc among its sources counts every allocation it makes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace deeplab::testing {

extern std::atomic<int64_t> allocations;

/// Larger ones fail, as if memory had run out. No limit at first.
extern std::atomic<std::size_t> largest_allocation;

}  // namespace deeplab::testing
