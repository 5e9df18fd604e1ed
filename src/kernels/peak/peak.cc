#include "kernels/peak/peak.h"

#include "kernels/peak/peak_list.h"

namespace deeplab::kernels {

std::span<const PeakLoop> peak_loops() {
  static const PeakLoop kTable[] = {
#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
    kPeakAvx512Vnni,
    has_vex_vnni() ? kPeakAvxVnni : kPeakAvxVnniEvex,
    kPeakAvx2,
#endif
#if defined(__aarch64__) && !defined(DEEPLAB_SCALAR_ONLY)
    kPeakNeonDot,
    kPeakNeon,
#endif
    kPeakScalar,
  };
  return kTable;
}

}  // namespace deeplab::kernels
