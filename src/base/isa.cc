#include "base/isa.h"

#include <array>
#include <string>

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace deeplab {
namespace {

struct NamedIsa {
  Isa isa;
  std::string_view name;
};
constexpr std::array<NamedIsa, 6> kNames = {{{Isa::kScalar, "scalar"},
                                             {Isa::kAvx2, "avx2"},
                                             {Isa::kAvxVnni, "avxvnni"},
                                             {Isa::kAvx512Vnni, "avx512vnni"},
                                             {Isa::kNeon, "neon"},
                                             {Isa::kNeonDot, "neondot"}}};

#if defined(__aarch64__) && !defined(DEEPLAB_SCALAR_ONLY)
bool has_dot_product() {
#if defined(__ARM_FEATURE_DOTPROD)
  return true;  // The whole build is for such CPUs.
#elif defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
  return false;
#endif
}
#endif

std::vector<Isa> detect() {
  std::vector<Isa> isas = {Isa::kScalar};
#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
  // The builtin also asks the OS (XGETBV) whether it saves the wide registers.
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) {
    isas.push_back(Isa::kAvx2);
    const bool evex_vnni =
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
    if (has_vex_vnni() || evex_vnni) isas.push_back(Isa::kAvxVnni);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && evex_vnni) {
      isas.push_back(Isa::kAvx512Vnni);
    }
  }
#endif
#if defined(__aarch64__) && !defined(DEEPLAB_SCALAR_ONLY)
  isas.push_back(Isa::kNeon);  // Part of the architecture.
  if (has_dot_product()) isas.push_back(Isa::kNeonDot);
#endif
  return isas;
}

std::string available_names() {
  std::string names;
  for (Isa isa : available_isas()) {
    if (!names.empty()) names += ", ";
    names += isa_name(isa);
  }
  return names;
}

}  // namespace

std::string_view isa_name(Isa isa) {
  for (const NamedIsa& entry : kNames) {
    if (entry.isa == isa) return entry.name;
  }
  return "unknown";
}

const std::vector<Isa>& available_isas() {
  static const std::vector<Isa> isas = detect();
  return isas;
}

bool has_vex_vnni() {
#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
  // By CPUID itself, since clang 14's builtin does not know the name: leaf 7, subleaf 1, EAX bit 4.
  static const bool has = [] {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 &&
           (a >> 4 & 1) != 0;
  }();
  return has;
#else
  return false;
#endif
}

Result<Isa> isa_from_name(std::string_view name) {
  for (Isa isa : available_isas()) {
    if (isa_name(isa) == name) return isa;
  }
  for (const NamedIsa& entry : kNames) {
    if (entry.name == name) {
      return unsupported(
          "instruction set '", name,
          "' is not available in this build on this CPU; available: ", available_names());
    }
  }
  return invalid_argument("unknown instruction set '", name, "'; available: ", available_names());
}

}  // namespace deeplab
