#define DEEPLAB_ENCODING "%{vex%}"
#include "kernels/peak/loop_avxvnni.h"

namespace deeplab::kernels {

const PeakLoop kPeakAvxVnni = {"vpdpbusd/avxvnni", Isa::kAvxVnni, kChainsAvxVnni * 32, run_avxvnni};

}  // namespace deeplab::kernels
