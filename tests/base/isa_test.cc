#include "base/isa.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace deeplab {
namespace {

TEST(Isa, ScalarIsAlwaysThereAndFirst) {
  ASSERT_FALSE(available_isas().empty());
  EXPECT_EQ(available_isas().front(), Isa::kScalar);
}

TEST(Isa, NamesRoundTrip) {
  for (Isa isa : available_isas()) {
    const Result<Isa> found = isa_from_name(isa_name(isa));
    ASSERT_TRUE(found.ok()) << found.status().message();
    EXPECT_EQ(*found, isa);
  }
}

TEST(Isa, AnUnknownNameListsTheKnownOnes) {
  const Result<Isa> found = isa_from_name("mmx");
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.status().code(), StatusCode::kInvalidArgument);
  EXPECT_NE(found.status().message().find("'mmx'"), std::string::npos);
  EXPECT_NE(found.status().message().find("scalar"), std::string::npos);
}

TEST(Isa, AForeignIsaIsNeverAFallback) {
  // No machine has both.
  const bool x86_fails = !isa_from_name("avx2").ok();
  const bool arm_fails = !isa_from_name("neon").ok();
  EXPECT_TRUE(x86_fails || arm_fails);
}

#if defined(__aarch64__) && !defined(DEEPLAB_SCALAR_ONLY)
TEST(Isa, NeonIsPartOfTheArchitecture) {
  ASSERT_GE(available_isas().size(), 2u);
  EXPECT_EQ(available_isas()[1], Isa::kNeon);
}
#endif

// Under an emulator the build says what CPU it is: tests/base/CMakeLists.txt.
TEST(Isa, TheEmulatedCpuHasWhatItIsKnownToHave) {
  const char* expected = std::getenv("DEEPLAB_TEST_EXPECTED_ISAS");
  if (expected == nullptr) GTEST_SKIP() << "no emulated CPU";
  std::string found;
  for (Isa isa : available_isas()) found += (found.empty() ? "" : ",") + std::string(isa_name(isa));
  EXPECT_EQ(found, expected);
  // The best of them, unless a family is forced.
  const char* forced = std::getenv("DEEPLAB_ISA");
  const Result<Isa> selected = selected_isa();
  if (forced == nullptr || *forced == '\0') {
    ASSERT_TRUE(selected.ok()) << selected.status().message();
    EXPECT_EQ(*selected, available_isas().back());
  } else if (found.find(forced) == std::string::npos) {
    ASSERT_FALSE(selected.ok());
    EXPECT_NE(selected.status().message().find(forced), std::string::npos);
  }
}

}  // namespace
}  // namespace deeplab
