// The model that is part of the library: models/deeplab.tflite, byte for byte.
#pragma once

#include <cstddef>
#include <span>

namespace deeplab::api {

/// Its name in messages and results.
inline constexpr const char* kBuiltinModelName = "the built-in model";

/// The bytes of a .tflite file, for the life of the program; empty if the library was built
/// without it. In an object file of its own: a program that links the static library and does not
/// call this does not contain the model.
std::span<const std::byte> builtin_model();

}  // namespace deeplab::api
