#include "apps/deeplab/common/builtin_model.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace deeplab::app {

void release_builtin_model() {
  // Whole pages only: the first and the last one hold other constants, too.
  const auto bytes = builtin_model();
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<uintptr_t>(bytes.data());
  const auto begin = (first + page - 1) / page * page;
  const auto end = (first + bytes.size()) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace deeplab::app
