// The model that is part of the program: models/deeplab.tflite, byte for byte.
#pragma once

#include <cstddef>
#include <span>

namespace deeplab::app {

/// What messages and results call it.
inline constexpr const char* kBuiltinModelName = "the built-in model";

/// The bytes of a .tflite file, for the life of the program.
std::span<const std::byte> builtin_model();

}  // namespace deeplab::app
