#define DEEPLAB_ENCODING "%{evex%}"
#include "kernels/peak/loop_avxvnni.h"

namespace deeplab::kernels {

const PeakLoop kPeakAvxVnniEvex = {"vpdpbusd/avxvnni", Isa::kAvxVnni, kChainsAvxVnni * 32,
                                   run_avxvnni};

}  // namespace deeplab::kernels
