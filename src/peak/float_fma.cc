#include "peak/float_portable.h"

namespace deeplab::peak {

const Loop kPeakFloatFma = portable_loop("portable/fma");

}  // namespace deeplab::peak
