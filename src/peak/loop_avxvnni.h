// vpdpbusd on 256 bits: 32 products of 8 bits, summed in fours, added to the accumulator in one
// instruction. DEEPLAB_ENCODING says which of its two encodings (see products_avxvnni.h).
#pragma once

#include <immintrin.h>

#define DEEPLAB_STEP(i) DEEPLAB_ENCODING " vpdpbusd %[b], %[a], %" #i "\n\t"
#define DEEPLAB_REGISTER "x"
#include "peak/twelve_chains.h"

namespace deeplab::peak {

static int32_t run_avxvnni(int64_t iterations) {
  return run_chains<uint32_t, __m256i>(iterations, _mm256_set1_epi8(3), _mm256_set1_epi8(-2));
}

}  // namespace deeplab::peak
