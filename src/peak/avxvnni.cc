#define DEEPLAB_ENCODING "%{vex%}"
#include "peak/loop_avxvnni.h"

namespace deeplab::peak {

const Loop kPeakAvxVnni = {"vpdpbusd/avxvnni", Isa::kAvxVnni, kChains * 32, run_avxvnni};

}  // namespace deeplab::peak
