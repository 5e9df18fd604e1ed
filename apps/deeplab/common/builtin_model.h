// The model that is part of the library, and with it of the program.
#pragma once

#include "api/builtin_model.h"

namespace deeplab::app {

using api::builtin_model;
using api::kBuiltinModelName;

/// Gives the pages of the bytes back to the system, once a plan has packed the weights. Code that
/// reads the bytes again loads them from the program's file.
void release_builtin_model();

}  // namespace deeplab::app
