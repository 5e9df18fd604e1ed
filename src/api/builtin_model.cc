#include "api/builtin_model.h"

#if defined(DEEPLAB_BUILTIN_MODEL)

// The assembler copies the file: a megabyte as C++ source would take the compiler seconds.
// DEEPLAB_BUILTIN_MODEL is the file's path; the build sets it.
#if defined(__wasm__)
#define DEEPLAB_BEGIN ".section .rodata.deeplab_builtin_model,\"\",@\n"
#define DEEPLAB_SIZE                                                                 \
  ".size deeplab_builtin_model, deeplab_builtin_model_end - deeplab_builtin_model\n" \
  ".size deeplab_builtin_model_end, 1\n"
#define DEEPLAB_END ".text\n"
#else
#define DEEPLAB_BEGIN ".pushsection .rodata\n"
#define DEEPLAB_SIZE
#define DEEPLAB_END ".popsection\n"
#endif
asm(DEEPLAB_BEGIN  //
    ".balign 64\n"
    ".hidden deeplab_builtin_model\n"
    ".globl deeplab_builtin_model\n"
    "deeplab_builtin_model:\n"
    ".incbin \"" DEEPLAB_BUILTIN_MODEL
    "\"\n"
    ".hidden deeplab_builtin_model_end\n"
    ".globl deeplab_builtin_model_end\n"
    "deeplab_builtin_model_end:\n"
    ".byte 0\n" DEEPLAB_SIZE DEEPLAB_END);

extern "C" {
extern const std::byte deeplab_builtin_model[];
extern const std::byte deeplab_builtin_model_end[];
}

namespace deeplab::api {
std::span<const std::byte> builtin_model() {
  return {deeplab_builtin_model, deeplab_builtin_model_end};
}
}  // namespace deeplab::api

#else

namespace deeplab::api {
std::span<const std::byte> builtin_model() { return {}; }
}  // namespace deeplab::api

#endif
