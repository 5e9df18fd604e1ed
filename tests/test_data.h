// Where the real models, photos and golden tensors are, for the tests that need them.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace deeplab::testing {

/// DEEPLAB_TEST_DATA, or ../shared/data beside the checkout.
inline std::string test_data_root() {
  const char* root = std::getenv("DEEPLAB_TEST_DATA");
  return root != nullptr && *root != '\0' ? root : DEEPLAB_DEFAULT_TEST_DATA;
}

inline std::string test_data(const std::string& relative) {
  return test_data_root() + "/" + relative;
}

}  // namespace deeplab::testing

/// Skips the current test if the test data is not on this machine.
#define DEEPLAB_NEEDS_TEST_DATA()                                                          \
  do {                                                                                     \
    if (!std::filesystem::is_directory(::deeplab::testing::test_data_root())) {            \
      GTEST_SKIP() << "skipped: no test data at " << ::deeplab::testing::test_data_root(); \
    }                                                                                      \
  } while (false)
