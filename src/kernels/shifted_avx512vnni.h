// What the AVX-512 VNNI kernels share that take pixels as u = x + 128 (see
// gemm_int8_avx512vnni.cc). Static, so that no copy is shared with code for other instruction sets.
#pragma once

#include <immintrin.h>
#include <string.h>

#include "kernels/shifted.h"

namespace deeplab::kernels {

/// Input row y from column -pad_left on, shifted, `bytes` of it, the padding included.
static inline void fill_shifted_line(const Conv2DInt8& conv, const int8_t* input, int32_t y,
                                     ptrdiff_t bytes, uint8_t* line) {
  const WindowShape& s = conv.shape;
  const auto outside = static_cast<uint8_t>(conv.input_zero_point + 128);
  const ptrdiff_t width = ptrdiff_t{s.in_w} * s.in_c;
  const ptrdiff_t padding = ptrdiff_t{s.pad_left} * s.in_c;
  const ptrdiff_t before = padding < bytes ? padding : bytes;
  const ptrdiff_t inside = y < 0 || y >= s.in_h     ? 0
                           : bytes - before < width ? bytes - before
                                                    : width;
  memset(line, outside, static_cast<size_t>(before));
  const int8_t* row = input + y * width;
  for (ptrdiff_t k = 0; k < inside; k += 64) {
    const ptrdiff_t left = inside - k;
    const __mmask64 mask = left >= 64 ? ~uint64_t{0} : (uint64_t{1} << left) - 1;
    const __m512i x = _mm512_maskz_loadu_epi8(mask, row + k);
    _mm512_mask_storeu_epi8(line + before + k, mask, _mm512_xor_si512(x, _mm512_set1_epi8(-128)));
  }
  memset(line + before + inside, outside, static_cast<size_t>(bytes - before - inside));
}

}  // namespace deeplab::kernels
