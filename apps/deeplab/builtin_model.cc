#include "builtin_model.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

// The assembler copies the file: a megabyte as C++ source would take the compiler seconds.
// DEEPLAB_BUILTIN_MODEL is the file's path; the build sets it.
asm(".pushsection .rodata\n"
    ".balign 64\n"
    ".hidden deeplab_builtin_model\n"
    ".globl deeplab_builtin_model\n"
    "deeplab_builtin_model:\n"
    ".incbin \"" DEEPLAB_BUILTIN_MODEL
    "\"\n"
    ".hidden deeplab_builtin_model_end\n"
    ".globl deeplab_builtin_model_end\n"
    "deeplab_builtin_model_end:\n"
    ".byte 0\n"
    ".popsection\n");

extern "C" {
extern const std::byte deeplab_builtin_model[];
extern const std::byte deeplab_builtin_model_end[];
}

namespace deeplab::app {

std::span<const std::byte> builtin_model() {
  return {deeplab_builtin_model, deeplab_builtin_model_end};
}

void release_builtin_model() {
  // Whole pages only: the first and the last one hold other constants, too.
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = (reinterpret_cast<uintptr_t>(deeplab_builtin_model) + page - 1) / page * page;
  const auto end = reinterpret_cast<uintptr_t>(deeplab_builtin_model_end) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace deeplab::app
