// That a test of a kernel table has run what it says.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/isa.h"

namespace deeplab::kernels::testing {

/// Which entries of a table a test has run.
class Ran {
 public:
  template <typename Entry>
  void add(const Entry& entry) {
    names_.insert(name(entry));
  }
  /// Fails for an entry of this machine that was never run: it would pass every test.
  template <typename Table>
  void expect_all_of(const Table& table) const {
    for (Isa isa : available_isas()) {
      for (const auto& entry : table) {
        if (entry.isa == isa) {
          EXPECT_EQ(names_.count(name(entry)), 1u) << name(entry);
        }
      }
    }
    EXPECT_FALSE(names_.empty());
  }

 private:
  template <typename Entry>
  static std::string name(const Entry& entry) {
    if constexpr (requires { entry.name; }) {
      return entry.name;
    } else {
      return std::string(isa_name(entry.isa));
    }
  }
  std::set<std::string> names_;
};

}  // namespace deeplab::kernels::testing
