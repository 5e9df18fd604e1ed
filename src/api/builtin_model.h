// The model that is part of the library: models/deeplab.tflite, byte for byte.
#pragma once

#include <cstddef>
#include <span>

namespace deeplab::api {

/// What messages and results call it.
inline constexpr const char* kBuiltinModelName = "the built-in model";

/// The bytes of a .tflite file, for the life of the program; empty if the library was built
/// without. In an object file of its own: a static library's program that does not ask for it does
/// not contain it.
std::span<const std::byte> builtin_model();

}  // namespace deeplab::api
