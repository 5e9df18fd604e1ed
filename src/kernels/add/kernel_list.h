// Entries of the kernel table that have a file of their own; see elementwise.cc.
#pragma once

#include "kernels/add/add.h"

namespace deeplab::kernels {

#ifdef DEEPLAB_HAS_X86_TARGETS
AddElementwise add_avx512;
#endif

}  // namespace deeplab::kernels
