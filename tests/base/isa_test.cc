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

// The list has families of two architectures, so some of them are foreign to every machine.
TEST(Isa, AForeignIsaIsNeverAFallback) {
  constexpr std::string_view kNames[] = {
#define ISA(enumerator, architecture, name, ...) name,
#include "base/isa_list.h"
  };
  size_t available = 0;
  for (std::string_view name : kNames) {
    const Result<Isa> found = isa_from_name(name);
    if (found.ok()) {
      EXPECT_EQ(isa_name(*found), name);
      ++available;
      continue;
    }
    EXPECT_EQ(found.status().code(), StatusCode::kUnsupported);
    EXPECT_NE(found.status().message().find(str_cat("'", name, "'")), std::string::npos);
  }
  EXPECT_EQ(available, available_isas().size());
  EXPECT_LT(available, std::size(kNames));
}

TEST(Isa, WhatAFamilyRunsIsASet) {
  EXPECT_TRUE(runs(Isa::kAvx512Vnni, Isa::kAvxVnni));
  EXPECT_TRUE(runs(Isa::kAvx512Vnni, Isa::kScalar));
  EXPECT_TRUE(runs(Isa::kNeonDot, Isa::kNeon));
  EXPECT_FALSE(runs(Isa::kAvx2, Isa::kAvxVnni));
  EXPECT_FALSE(runs(Isa::kScalar, Isa::kAvx2));
  EXPECT_FALSE(runs(Isa::kNeonDot, Isa::kAvx2));
  for (Isa isa : available_isas()) {
    EXPECT_TRUE(runs(isa, isa));
    EXPECT_TRUE(runs(available_isas().back(), isa)) << isa_name(isa);
  }
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
