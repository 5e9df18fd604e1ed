// The model that is part of the library, and with it of the program.
#pragma once

#include "api/builtin_model.h"

namespace deeplab::app {

using api::builtin_model;
using api::kBuiltinModelName;

/// Gives the pages of the bytes back to the system, for when a plan has packed the weights. Who
/// reads the bytes again gets them from the program's file again.
void release_builtin_model();

}  // namespace deeplab::app
