#include "base/isa.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "base/relaxed_simd.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace deeplab {

#if defined(__wasm_simd128__)
/// Not 0: this machine has relaxed SIMD, and its multiply-add is fused.
RELAXED_SIMD(is_fused) int32_t is_fused();
#endif

namespace {

#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
bool has_evex_vnni() {
  return __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}
#endif

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

using IsaSet = uint32_t;  // One bit per enumerator.

constexpr IsaSet set_of(std::initializer_list<Isa> isas) {
  IsaSet set = 0;
  for (Isa isa : isas) set |= IsaSet{1} << static_cast<int>(isa);
  return set;
}

struct Family {
  Isa isa;
  std::string_view name;
  IsaSet runs;
  bool (*detect)() = nullptr;  ///< Null: not of this build.
};

// In the order of the enumerators.
constexpr Family kFamilies[] = {
#define ISA(enumerator, architecture, name, flags, detected, ...)                             \
  {Isa::enumerator, name, set_of({Isa::kScalar, Isa::enumerator __VA_OPT__(, ) __VA_ARGS__}), \
   DEEPLAB_ON_##architecture([]() -> bool { return detected; })},
#include "base/isa_list.h"
};

const Family& family(Isa isa) { return kFamilies[static_cast<size_t>(isa)]; }

std::vector<Isa> detect() {
#if defined(__x86_64__)
  // The builtin also asks the OS (XGETBV) whether it saves the wide registers.
  __builtin_cpu_init();
#endif
  std::vector<Isa> isas;
  IsaSet found = 0;
  for (const Family& entry : kFamilies) {
    const IsaSet self = set_of({entry.isa});
    const bool runs_others = (entry.runs & ~(found | self)) == 0;
    if (entry.detect == nullptr || !runs_others || !entry.detect()) continue;
    isas.push_back(entry.isa);
    found |= self;
  }
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

std::string_view isa_name(Isa isa) { return family(isa).name; }

bool runs(Isa isa, Isa other) { return (family(isa).runs & set_of({other})) != 0; }

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

bool has_fma() {
#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
  __builtin_cpu_init();
  return __builtin_cpu_supports("fma") != 0;
#else
  return false;
#endif
}

Result<Isa> isa_from_name(std::string_view name) {
  for (Isa isa : available_isas()) {
    if (isa_name(isa) == name) return isa;
  }
  if (std::ranges::find(kFamilies, name, &Family::name) != std::end(kFamilies)) {
    return unsupported(
        "instruction set '", name,
        "' is not available in this build on this CPU; available: ", available_names());
  }
  return invalid_argument("unknown instruction set '", name, "'; available: ", available_names());
}

}  // namespace deeplab
