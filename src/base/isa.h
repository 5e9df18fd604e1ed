// Which instruction sets this build has kernels for and this CPU runs.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

// DEEPLAB_ON_X86(text) and the like: the text if this build has kernels of that architecture, else
// nothing.
#define DEEPLAB_ON_ANY(...) __VA_ARGS__
#if defined(__x86_64__) && !defined(DEEPLAB_SCALAR_ONLY)
#define DEEPLAB_ON_X86(...) __VA_ARGS__
#else
#define DEEPLAB_ON_X86(...)
#endif
#if defined(__aarch64__) && !defined(DEEPLAB_SCALAR_ONLY)
#define DEEPLAB_ON_ARM(...) __VA_ARGS__
#else
#define DEEPLAB_ON_ARM(...)
#endif
#if defined(__wasm_simd128__) && !defined(DEEPLAB_SCALAR_ONLY)
#define DEEPLAB_ON_WASM(...) __VA_ARGS__
#else
#define DEEPLAB_ON_WASM(...)
#endif

namespace deeplab {

/// Kernel families; isa_list.h describes them.
enum class Isa {
#define ISA(enumerator, ...) enumerator,
#include "base/isa_list.h"
};

/// The name DEEPLAB_ISA uses, as "avx2".
std::string_view isa_name(Isa isa);

/// Whether CPUs of family `isa` also run the kernels of family `other`. Every family runs kScalar
/// and itself.
bool runs(Isa isa, Isa other);

/// The family of that name; an error lists the names that this machine can run.
Result<Isa> isa_from_name(std::string_view name);

/// Every family compiled into this build that this CPU runs, kScalar first, best last.
/// Decided once, at first use.
const std::vector<Isa>& available_isas();

/// For programs, not for the library, which does not read the environment: the best family, or the
/// one that the environment variable DEEPLAB_ISA names (read once). A name that is unknown or that
/// this machine cannot run is an error, never a fallback. Inline, so that the library holds it only
/// if a program calls it.
inline Result<Isa> selected_isa() {
  static const Result<Isa> selected = []() -> Result<Isa> {
    const char* name = std::getenv("DEEPLAB_ISA");
    if (name == nullptr || *name == '\0') return available_isas().back();
    Result<Isa> isa = isa_from_name(name);
    if (!isa.ok()) return annotate(isa.status(), "DEEPLAB_ISA");
    return isa;
  }();
  return selected;
}

/// Whether this CPU has VPDPBUSD in AVX-VNNI's own encoding. If not, kAvxVnni stands for the same
/// instruction as AVX-512 encodes it.
bool has_vex_vnni();

/// Whether this CPU is an x86 one with a fused multiply-add.
bool has_fma();

}  // namespace deeplab
