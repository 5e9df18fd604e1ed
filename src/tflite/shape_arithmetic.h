// Private to this folder: numbers that a file computes from the shapes of its tensors.
#pragma once

#include <vector>

#include "tflite/source.h"

namespace deeplab::tflite {

/// Files whose batch or picture has no fixed size compute the output sizes of RESIZE_BILINEAR,
/// TRANSPOSE_CONV and RESHAPE from SHAPE, by ops on a few numbers. Here every size is fixed, so
/// these numbers are, too: computes them into `source.computed` and says which operators are
/// done by that. What cannot be computed is left to the ops' own readers.
std::vector<bool> compute_shapes(Source& source);

}  // namespace deeplab::tflite
