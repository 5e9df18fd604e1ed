// Which instruction sets this build has kernels for and this CPU runs.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace deeplab {

/// Kernel families, slowest first within an architecture. A kernel of one family may be used
/// wherever a better family has none for an op.
enum class Isa { kScalar, kAvx2, kAvxVnni, kAvx512Vnni, kNeon, kNeonDot };

/// The name DEEPLAB_ISA uses: "scalar", "avx2", "avxvnni", "avx512vnni", "neon", "neondot".
std::string_view isa_name(Isa isa);

/// Whether a CPU on which `isa` may be used runs the kernels of `needed`, too.
inline bool runs(Isa isa, Isa needed) { return needed <= isa; }

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

/// Whether this CPU has VPDPBUSD in AVX-VNNI's own encoding. Where not, kAvxVnni stands for the
/// same instruction as AVX-512 encodes it.
bool has_vex_vnni();

}  // namespace deeplab
