// A kernel table is one list, best first, in its op's kernel_list.h: a macro LIST(ENTRY, EITHER, T)
// of
//   ENTRY(T, architecture, kernel)                      a constant in a file of its own
//   EITHER(T, architecture, condition, kernel, other)   `kernel` if the condition holds, or `other`
// for kernels of type T. From it follow the declarations of the constants, and the table.
#pragma once

#include "base/isa.h"

#define DEEPLAB_DECLARE_KERNELS(LIST, T) LIST(DEEPLAB_DECLARE_ENTRY, DEEPLAB_DECLARE_EITHER, T)
#define DEEPLAB_DECLARE_ENTRY(T, architecture, kernel) \
  DEEPLAB_ON_##architecture(extern const T kernel;)
#define DEEPLAB_DECLARE_EITHER(T, architecture, condition, kernel, other) \
  DEEPLAB_ON_##architecture(extern const T kernel, other;)

/// The elements of an array of T.
#define DEEPLAB_TABLE_OF_KERNELS(LIST, T) LIST(DEEPLAB_TABLE_ENTRY, DEEPLAB_TABLE_EITHER, T)
#define DEEPLAB_TABLE_ENTRY(T, architecture, kernel) DEEPLAB_ON_##architecture(kernel, )
#define DEEPLAB_TABLE_EITHER(T, architecture, condition, kernel, other) \
  DEEPLAB_ON_##architecture((condition) ? kernel : other, )
