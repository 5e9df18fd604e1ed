#define DEEPLAB_ENCODING "%{evex%}"
#include "peak/loop_avxvnni.h"

namespace deeplab::peak {

const Loop kPeakAvxVnniEvex = {"vpdpbusd/avxvnni", Isa::kAvxVnni, kChains * 32, run_avxvnni};

}  // namespace deeplab::peak
