// Every loop of the two tables, best first: one constant per line and file.
#pragma once

#include "kernels/kernel_list.h"
#include "peak/peak.h"

namespace deeplab::peak {

// clang-format off
#define DEEPLAB_INT8_PEAK_LOOPS(ENTRY, EITHER, T) \
  ENTRY(T, X86, kPeakAvx512Vnni) \
  EITHER(T, X86, has_vex_vnni(), kPeakAvxVnni, kPeakAvxVnniEvex) \
  ENTRY(T, X86, kPeakAvx2) \
  ENTRY(T, ARM, kPeakNeonDot) \
  ENTRY(T, ARM, kPeakNeon) \
  ENTRY(T, ANY, kPeakScalar)
// clang-format on
DEEPLAB_DECLARE_KERNELS(DEEPLAB_INT8_PEAK_LOOPS, Loop)

// clang-format off
#define DEEPLAB_FLOAT_PEAK_LOOPS(ENTRY, EITHER, T) \
  ENTRY(T, X86, kPeakFloatAvx512) \
  ENTRY(T, X86, kPeakFloatAvx2) \
  ENTRY(T, ARM, kPeakFloatNeon) \
  EITHER(T, X86, has_fma(), kPeakFloatFma, kPeakFloatScalar) \
  ENTRY(T, ANY, kPeakFloatScalar)
// clang-format on
DEEPLAB_DECLARE_KERNELS(DEEPLAB_FLOAT_PEAK_LOOPS, Loop)

}  // namespace deeplab::peak
