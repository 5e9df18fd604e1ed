#include <algorithm>
#include <limits>

#include "kernels/arg_max/arg_max.h"

namespace deeplab::kernels {
namespace {

// The largest of 16-bit keys (value, 255 - index): if values are equal, the lowest index wins.
template <typename Index>
void largest_keys(const ArgMax& op, const int8_t* input, Index* output) {
  const int32_t axis = op.axis;
  for (int64_t i = 0; i < op.outer; ++i, input += axis) {
    int16_t best = std::numeric_limits<int16_t>::min();
    for (int32_t c = 0; c < axis; ++c) {
      best = std::max(best, static_cast<int16_t>(input[c] * 256 + (255 - c)));
    }
    output[i] = 255 - (best & 255);
  }
}

}  // namespace

void arg_max_of_bytes(const ArgMax& arg_max, const int8_t* input, int32_t* output) {
  largest_keys(arg_max, input, output);
}
void arg_max_of_bytes(const ArgMax& arg_max, const int8_t* input, int64_t* output) {
  largest_keys(arg_max, input, output);
}

}  // namespace deeplab::kernels
