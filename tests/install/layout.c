/* The interface as a compiled program knows it: sizes and places of the public structs, and the
 * values of their constants, on a 64-bit machine. Compiled as C11 and as C++20; what it says
 * changes only with the version that the soname is made of (see DEEPLAB_VERSION_MAJOR in
 * deeplab.h). */
#include <assert.h>
#include <deeplab/deeplab.h>
#include <stddef.h>

static_assert(sizeof(void*) == 8 && sizeof(size_t) == 8, "these are the numbers of 64 bits");

#define SIZE_IS(type, bytes) static_assert(sizeof(type) == (bytes), "size of " #type)
#define LIES_AT(type, member, offset) \
  static_assert(offsetof(type, member) == (offset), #type "." #member)
#define VALUE_IS(name, value) static_assert((int)(name) == (value), #name)

SIZE_IS(deeplab_image, 32);
LIES_AT(deeplab_image, data, 0);
LIES_AT(deeplab_image, width, 8);
LIES_AT(deeplab_image, height, 12);
LIES_AT(deeplab_image, stride, 16);
LIES_AT(deeplab_image, format, 24);

SIZE_IS(deeplab_options, 72);
LIES_AT(deeplab_options, struct_size, 0);
LIES_AT(deeplab_options, threads, 8);
LIES_AT(deeplab_options, fit, 12);
LIES_AT(deeplab_options, width, 16);
LIES_AT(deeplab_options, height, 20);
LIES_AT(deeplab_options, override_normalization, 24);
LIES_AT(deeplab_options, mean, 28);
LIES_AT(deeplab_options, stddev, 40);
LIES_AT(deeplab_options, max_memory_bytes, 56);
LIES_AT(deeplab_options, max_macs, 64);

SIZE_IS(deeplab_timing, 24);
LIES_AT(deeplab_timing, prepare_ms, 0);
LIES_AT(deeplab_timing, infer_ms, 8);
LIES_AT(deeplab_timing, labels_ms, 16);

SIZE_IS(deeplab_frame, 64);
LIES_AT(deeplab_frame, id, 0);
LIES_AT(deeplab_frame, status, 8);
LIES_AT(deeplab_frame, error, 16);
LIES_AT(deeplab_frame, width, 24);
LIES_AT(deeplab_frame, height, 28);
LIES_AT(deeplab_frame, mask, 32);
LIES_AT(deeplab_frame, timing, 40);

SIZE_IS(deeplab_status, 4);
VALUE_IS(DEEPLAB_OK, 0);
VALUE_IS(DEEPLAB_INVALID_ARGUMENT, 1);
VALUE_IS(DEEPLAB_INVALID_MODEL, 2);
VALUE_IS(DEEPLAB_UNSUPPORTED, 3);
VALUE_IS(DEEPLAB_IO_ERROR, 4);
VALUE_IS(DEEPLAB_INVALID_IMAGE, 5);
VALUE_IS(DEEPLAB_RESOURCE_EXHAUSTED, 6);
VALUE_IS(DEEPLAB_INTERNAL, 7);
VALUE_IS(DEEPLAB_WOULD_BLOCK, 8);
VALUE_IS(DEEPLAB_STREAM_ENDED, 9);

SIZE_IS(deeplab_pixel_format, 4);
VALUE_IS(DEEPLAB_RGB8, 0);
VALUE_IS(DEEPLAB_BGR8, 1);
VALUE_IS(DEEPLAB_RGBA8, 2);
VALUE_IS(DEEPLAB_BGRA8, 3);
VALUE_IS(DEEPLAB_GRAY8, 4);

SIZE_IS(deeplab_fit, 4);
VALUE_IS(DEEPLAB_FIT_PAD, 0);
VALUE_IS(DEEPLAB_FIT_LETTERBOX, 1);
VALUE_IS(DEEPLAB_FIT_STRETCH, 2);
