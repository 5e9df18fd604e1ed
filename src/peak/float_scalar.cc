#include "peak/float_portable.h"

namespace deeplab::peak {

const Loop kPeakFloatScalar = portable_loop("portable/scalar");

}  // namespace deeplab::peak
