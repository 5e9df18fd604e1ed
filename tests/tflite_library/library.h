// The real TensorFlow Lite that tests open, and the delegates built beside them.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace deeplab::testing {

/// DEEPLAB_TFLITE_LIBRARY, or where `npm ci --ignore-scripts` in bench/peers puts it.
inline std::string tflite_library_path() {
  const char* path = std::getenv("DEEPLAB_TFLITE_LIBRARY");
  return path != nullptr && *path != '\0' ? path : DEEPLAB_DEFAULT_TFLITE_LIBRARY;
}

/// "all", "without_create", ...: see CMakeLists.txt.
inline std::string delegate_path(const std::string& name) {
  return std::string(DEEPLAB_TEST_DELEGATES) + "/libtest_delegate_" + name + ".so";
}

}  // namespace deeplab::testing

/// Skips the current test if there is no TensorFlow Lite on this machine.
#define DEEPLAB_NEEDS_TFLITE()                                                 \
  do {                                                                         \
    if (!std::filesystem::exists(::deeplab::testing::tflite_library_path())) { \
      GTEST_SKIP() << "skipped: no TensorFlow Lite at "                        \
                   << ::deeplab::testing::tflite_library_path()                \
                   << "; run `npm ci --ignore-scripts` in bench/peers or set " \
                      "DEEPLAB_TFLITE_LIBRARY";                                \
    }                                                                          \
  } while (false)
