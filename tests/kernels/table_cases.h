// The shapes and the random operands that every entry of the kernel tables is tried on.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/isa.h"
#include "base/status.h"
#include "kernels/window.h"

namespace deeplab::kernels::testing {

inline bool can_run(Isa isa) {
  const auto& isas = available_isas();
  return std::find(isas.begin(), isas.end(), isa) != isas.end();
}

enum class Pad { kSame, kValid, kUneven };

/// Sets the output extent and the leading padding of both axes.
inline WindowShape with_padding(WindowShape s, Pad pad) {
  const auto axis = [pad](int32_t in, int32_t filter, int32_t stride, int32_t dilation,
                          int32_t& before, int32_t& out) {
    const int32_t span = (filter - 1) * dilation + 1;
    if (pad == Pad::kSame) {
      out = (in + stride - 1) / stride;
      before = std::max(0, (out - 1) * stride + span - in) / 2;
    } else {
      before = pad == Pad::kUneven ? span + 1 : 0;  // Whole windows of nothing but padding.
      const int32_t after = pad == Pad::kUneven ? 2 : 0;
      out = std::max(0, (in + before + after - span) / stride + 1);
    }
  };
  axis(s.in_h, s.filter_h, s.stride_h, s.dilation_h, s.pad_top, s.out_h);
  axis(s.in_w, s.filter_w, s.stride_w, s.dilation_w, s.pad_left, s.out_w);
  return s;
}

inline std::string describe(const WindowShape& s) {
  return str_cat(s.batch, "x", s.in_h, "x", s.in_w, "x", s.in_c, " -> ", s.out_h, "x", s.out_w, "x",
                 s.out_c, " filter ", s.filter_h, "x", s.filter_w, " stride ", s.stride_h, ",",
                 s.stride_w, " dilation ", s.dilation_h, ",", s.dilation_w, " pad ", s.pad_top, ",",
                 s.pad_left);
}

/// Every combination of a filter, a stride, a dilation and a padding, on an odd picture. The
/// caller sets the channels.
inline std::vector<WindowShape> window_cases() {
  std::vector<WindowShape> cases;
  for (int32_t filter : {1, 3, 5}) {
    for (int32_t stride : {1, 2}) {
      for (int32_t dilation : {1, 2, 4}) {
        if (filter == 1 && dilation != 1) continue;
        for (Pad pad : {Pad::kSame, Pad::kValid, Pad::kUneven}) {
          WindowShape s;
          s.in_h = 9;
          s.in_w = 13;
          s.filter_h = s.filter_w = filter;
          s.stride_h = s.stride_w = stride;
          s.dilation_h = s.dilation_w = dilation;
          s = with_padding(s, pad);
          if (s.out_h > 0 && s.out_w > 0) cases.push_back(s);
        }
      }
    }
  }
  // Different on each axis, two pictures, and pictures of one row or column.
  WindowShape s;
  s.batch = 2;
  s.in_h = 7;
  s.in_w = 10;
  s.filter_h = 3;
  s.filter_w = 2;
  s.stride_h = 1;
  s.stride_w = 2;
  s.dilation_h = 2;
  s.dilation_w = 1;
  for (Pad pad : {Pad::kSame, Pad::kValid, Pad::kUneven}) cases.push_back(with_padding(s, pad));
  s.filter_h = 1;
  s.filter_w = 3;
  for (int32_t extent : {1, 2}) {
    s.in_h = extent;
    s.in_w = 5;
    cases.push_back(with_padding(s, Pad::kSame));
    s.in_h = 5;
    s.in_w = extent;
    cases.push_back(with_padding(s, Pad::kSame));
  }
  return cases;
}

/// A vector whose size is exactly the tensor's, so that the address sanitizer sees every read or
/// write beside it; off the alignment that an allocator gives, as a tensor inside an arena may be.
template <typename T>
std::vector<T> random_values(std::mt19937& random, size_t count) {
  std::vector<T> values(count);
  for (T& v : values) {
    if constexpr (std::is_same_v<T, float>) {
      v = std::uniform_real_distribution<float>(-2, 2)(random);
    } else {
      // One value in eight is an extreme: they find saturating intermediate sums.
      const auto bits = static_cast<uint32_t>(random());
      v = bits % 8 == 0 ? static_cast<T>((bits & 256) != 0 ? -128 : 127)
                        : static_cast<T>(bits >> 16);
    }
  }
  return values;
}

/// On which side of a GuardedCopy the page without access is.
enum class Guard { kBehind, kBefore };

/// A copy of a tensor that ends where a page without access begins, or begins where one ends:
/// kernels in assembly are not seen by the address sanitizer.
template <typename T>
class GuardedCopy {
 public:
  explicit GuardedCopy(const std::vector<T>& values, Guard guard = Guard::kBehind)
      : count_(values.size()) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t bytes = values.size() * sizeof(T);
    const size_t usable = (bytes + page - 1) / page * page;
    mapped_ = usable + page;
    void* pages =
        mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::runtime_error("mmap");
    pages_ = static_cast<std::byte*>(pages);
    const bool behind = guard == Guard::kBehind;
    if (mprotect(pages_ + (behind ? usable : 0), page, PROT_NONE) != 0) {
      throw std::runtime_error("mprotect");
    }
    data_ = reinterpret_cast<T*>(pages_ + (behind ? usable - bytes : page));
    std::memcpy(data_, values.data(), bytes);
  }
  ~GuardedCopy() { munmap(pages_, mapped_); }
  GuardedCopy(const GuardedCopy&) = delete;
  GuardedCopy& operator=(const GuardedCopy&) = delete;

  T* data() { return data_; }
  std::vector<T> values() const { return std::vector<T>(data_, data_ + count_); }

 private:
  size_t count_;
  size_t mapped_;
  std::byte* pages_;
  T* data_;
};

}  // namespace deeplab::kernels::testing
