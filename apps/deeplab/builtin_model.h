// The model that is part of the program: models/deeplab.tflite, byte for byte.
#pragma once

#include <cstddef>
#include <span>

namespace deeplab::app {

/// What messages and results call it.
inline constexpr const char* kBuiltinModelName = "the built-in model";

/// The bytes of a .tflite file, for the life of the program.
std::span<const std::byte> builtin_model();

/// Gives the pages of the bytes back to the system, for when a plan has packed the weights. Who
/// reads the bytes again gets them from the program's file again.
void release_builtin_model();

}  // namespace deeplab::app
