// Every entry of the table: one constant per file, listed in peak.cc.
#pragma once

#include "kernels/peak/peak.h"

namespace deeplab::kernels {

extern const PeakLoop kPeakScalar;
#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
extern const PeakLoop kPeakAvx2;
extern const PeakLoop kPeakAvxVnni;
extern const PeakLoop kPeakAvxVnniEvex;
extern const PeakLoop kPeakAvx512Vnni;
#endif
#if defined(__aarch64__) && !defined(DEEPLAB_SCALAR_ONLY)
extern const PeakLoop kPeakNeon;
extern const PeakLoop kPeakNeonDot;
#endif

}  // namespace deeplab::kernels
