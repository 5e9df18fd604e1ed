/* The interface as a compiled program knows it: sizes and places of the public structs, and the
 * values of their constants, on a 64-bit machine. Compiled as C11 and as C++20; what it says
 * changes only with the version that the soname is made of (see DEEPLAB_VERSION_MAJOR in
 * deeplab.h). */
#include <assert.h>
#include <deeplab/deeplab.h>
#include <deeplab/deeplab_draw.h>
#include <stddef.h>

static_assert(sizeof(void*) == 8 && sizeof(size_t) == 8, "these are the numbers of 64 bits");

#define SIZE_IS(type, bytes) static_assert(sizeof(type) == (bytes), "size of " #type)
#define LIES_AT(type, member, offset) \
  static_assert(offsetof(type, member) == (offset), #type "." #member)
#define VALUE_IS(name, value) static_assert((int)(name) == (value), #name)

SIZE_IS(deeplab_model_info, 128);
LIES_AT(deeplab_model_info, struct_size, 0);
LIES_AT(deeplab_model_info, source, 8);
LIES_AT(deeplab_model_info, name, 16);
LIES_AT(deeplab_model_info, description, 24);
LIES_AT(deeplab_model_info, author, 32);
LIES_AT(deeplab_model_info, license, 40);
LIES_AT(deeplab_model_info, version, 48);
LIES_AT(deeplab_model_info, width, 56);
LIES_AT(deeplab_model_info, height, 60);
LIES_AT(deeplab_model_info, class_count, 64);
LIES_AT(deeplab_model_info, weights, 68);
LIES_AT(deeplab_model_info, input_type, 72);
LIES_AT(deeplab_model_info, output, 76);
LIES_AT(deeplab_model_info, labels_given, 80);
LIES_AT(deeplab_model_info, normalization_given, 84);
LIES_AT(deeplab_model_info, mean, 88);
LIES_AT(deeplab_model_info, stddev, 100);
LIES_AT(deeplab_model_info, input_scale, 112);
LIES_AT(deeplab_model_info, input_zero_point, 116);
LIES_AT(deeplab_model_info, file_macs, 120);

SIZE_IS(deeplab_model_options, 40);
LIES_AT(deeplab_model_options, struct_size, 0);
LIES_AT(deeplab_model_options, labels, 8);
LIES_AT(deeplab_model_options, label_count, 16);
LIES_AT(deeplab_model_options, threshold, 20);
LIES_AT(deeplab_model_options, output_tensor, 24);
LIES_AT(deeplab_model_options, allow_custom_ops, 32);
LIES_AT(deeplab_model_options, reserved, 36);

SIZE_IS(deeplab_image, 104);
LIES_AT(deeplab_image, struct_size, 0);
LIES_AT(deeplab_image, planes, 8);
LIES_AT(deeplab_image, strides, 32);
LIES_AT(deeplab_image, format, 56);
LIES_AT(deeplab_image, width, 60);
LIES_AT(deeplab_image, height, 64);
LIES_AT(deeplab_image, yuv_matrix, 68);
LIES_AT(deeplab_image, yuv_range, 72);
LIES_AT(deeplab_image, region_x, 76);
LIES_AT(deeplab_image, region_y, 80);
LIES_AT(deeplab_image, region_width, 84);
LIES_AT(deeplab_image, region_height, 88);
LIES_AT(deeplab_image, mirror, 92);
LIES_AT(deeplab_image, rotation, 96);
LIES_AT(deeplab_image, reserved, 100);

SIZE_IS(deeplab_placement, 40);
LIES_AT(deeplab_placement, struct_size, 0);
LIES_AT(deeplab_placement, canvas_width, 8);
LIES_AT(deeplab_placement, canvas_height, 12);
LIES_AT(deeplab_placement, x, 16);
LIES_AT(deeplab_placement, y, 20);
LIES_AT(deeplab_placement, width, 24);
LIES_AT(deeplab_placement, height, 28);
LIES_AT(deeplab_placement, picture_width, 32);
LIES_AT(deeplab_placement, picture_height, 36);

SIZE_IS(deeplab_runner, 32);
LIES_AT(deeplab_runner, struct_size, 0);
LIES_AT(deeplab_runner, threads, 8);
LIES_AT(deeplab_runner, reserved, 12);
LIES_AT(deeplab_runner, context, 16);
LIES_AT(deeplab_runner, run, 24);

SIZE_IS(deeplab_allocator, 32);
LIES_AT(deeplab_allocator, struct_size, 0);
LIES_AT(deeplab_allocator, context, 8);
LIES_AT(deeplab_allocator, allocate, 16);
LIES_AT(deeplab_allocator, release, 24);

SIZE_IS(deeplab_tflite_options, 56);
LIES_AT(deeplab_tflite_options, struct_size, 0);
LIES_AT(deeplab_tflite_options, library, 8);
LIES_AT(deeplab_tflite_options, delegate, 16);
LIES_AT(deeplab_tflite_options, delegate_keys, 24);
LIES_AT(deeplab_tflite_options, delegate_values, 32);
LIES_AT(deeplab_tflite_options, delegate_option_count, 40);
LIES_AT(deeplab_tflite_options, required_delegated_percent, 44);
LIES_AT(deeplab_tflite_options, delegate_cache, 48);

SIZE_IS(deeplab_segmenter_options, 112);
LIES_AT(deeplab_segmenter_options, struct_size, 0);
LIES_AT(deeplab_segmenter_options, threads, 8);
LIES_AT(deeplab_segmenter_options, fit, 12);
LIES_AT(deeplab_segmenter_options, width, 16);
LIES_AT(deeplab_segmenter_options, height, 20);
LIES_AT(deeplab_segmenter_options, override_normalization, 24);
LIES_AT(deeplab_segmenter_options, mean, 28);
LIES_AT(deeplab_segmenter_options, stddev, 40);
LIES_AT(deeplab_segmenter_options, output_stride, 52);
LIES_AT(deeplab_segmenter_options, max_memory_bytes, 56);
LIES_AT(deeplab_segmenter_options, max_macs, 64);
LIES_AT(deeplab_segmenter_options, isa, 72);
LIES_AT(deeplab_segmenter_options, thread_pool, 80);
LIES_AT(deeplab_segmenter_options, allocator, 88);
LIES_AT(deeplab_segmenter_options, temporal, 96);
LIES_AT(deeplab_segmenter_options, backend, 100);
LIES_AT(deeplab_segmenter_options, tflite, 104);

SIZE_IS(deeplab_segmenter_info, 72);
LIES_AT(deeplab_segmenter_info, struct_size, 0);
LIES_AT(deeplab_segmenter_info, canvas_width, 8);
LIES_AT(deeplab_segmenter_info, canvas_height, 12);
LIES_AT(deeplab_segmenter_info, scores_width, 16);
LIES_AT(deeplab_segmenter_info, scores_height, 20);
LIES_AT(deeplab_segmenter_info, class_count, 24);
LIES_AT(deeplab_segmenter_info, threads, 28);
LIES_AT(deeplab_segmenter_info, isa, 32);
LIES_AT(deeplab_segmenter_info, macs, 40);
LIES_AT(deeplab_segmenter_info, shared_bytes, 48);
LIES_AT(deeplab_segmenter_info, own_bytes, 56);
LIES_AT(deeplab_segmenter_info, backend, 64);
LIES_AT(deeplab_segmenter_info, delegated, 68);

SIZE_IS(deeplab_run_options, 32);
LIES_AT(deeplab_run_options, struct_size, 0);
LIES_AT(deeplab_run_options, timeout_ms, 8);
LIES_AT(deeplab_run_options, reserved, 12);
LIES_AT(deeplab_run_options, should_stop, 16);
LIES_AT(deeplab_run_options, context, 24);

SIZE_IS(deeplab_timing, 32);
LIES_AT(deeplab_timing, struct_size, 0);
LIES_AT(deeplab_timing, prepare_ms, 8);
LIES_AT(deeplab_timing, infer_ms, 16);
LIES_AT(deeplab_timing, labels_ms, 24);

SIZE_IS(deeplab_stream_options, 48);
LIES_AT(deeplab_stream_options, struct_size, 0);
LIES_AT(deeplab_stream_options, segmenter, 8);
LIES_AT(deeplab_stream_options, capacity, 16);
LIES_AT(deeplab_stream_options, category_mask, 20);
LIES_AT(deeplab_stream_options, mask_width, 24);
LIES_AT(deeplab_stream_options, mask_height, 28);
LIES_AT(deeplab_stream_options, confidence, 32);
LIES_AT(deeplab_stream_options, class_count, 36);
LIES_AT(deeplab_stream_options, class_ids, 40);

SIZE_IS(deeplab_frame_info, 88);
LIES_AT(deeplab_frame_info, struct_size, 0);
LIES_AT(deeplab_frame_info, id, 8);
LIES_AT(deeplab_frame_info, status, 16);
LIES_AT(deeplab_frame_info, width, 20);
LIES_AT(deeplab_frame_info, height, 24);
LIES_AT(deeplab_frame_info, mask_width, 28);
LIES_AT(deeplab_frame_info, mask_height, 32);
LIES_AT(deeplab_frame_info, confidence_count, 36);
LIES_AT(deeplab_frame_info, error, 40);
LIES_AT(deeplab_frame_info, category_mask, 48);
LIES_AT(deeplab_frame_info, confidence, 56);
LIES_AT(deeplab_frame_info, prepare_ms, 64);
LIES_AT(deeplab_frame_info, infer_ms, 72);
LIES_AT(deeplab_frame_info, labels_ms, 80);

SIZE_IS(deeplab_overlay_options, 40);
LIES_AT(deeplab_overlay_options, struct_size, 0);
LIES_AT(deeplab_overlay_options, opacity, 8);
LIES_AT(deeplab_overlay_options, contours, 12);
LIES_AT(deeplab_overlay_options, legend, 16);
LIES_AT(deeplab_overlay_options, label_count, 20);
LIES_AT(deeplab_overlay_options, labels, 24);
LIES_AT(deeplab_overlay_options, palette, 32);

SIZE_IS(deeplab_polygon_options, 32);
LIES_AT(deeplab_polygon_options, struct_size, 0);
LIES_AT(deeplab_polygon_options, min_area, 8);
LIES_AT(deeplab_polygon_options, tolerance, 16);
LIES_AT(deeplab_polygon_options, background, 24);
LIES_AT(deeplab_polygon_options, reserved, 28);

SIZE_IS(deeplab_region, 40);
LIES_AT(deeplab_region, struct_size, 0);
LIES_AT(deeplab_region, area, 8);
LIES_AT(deeplab_region, class_id, 16);
LIES_AT(deeplab_region, x, 20);
LIES_AT(deeplab_region, y, 24);
LIES_AT(deeplab_region, width, 28);
LIES_AT(deeplab_region, height, 32);
LIES_AT(deeplab_region, ring_count, 36);

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
VALUE_IS(DEEPLAB_CANCELLED, 10);
VALUE_IS(DEEPLAB_DEADLINE_EXCEEDED, 11);

SIZE_IS(deeplab_pixel_format, 4);
VALUE_IS(DEEPLAB_RGB8, 0);
VALUE_IS(DEEPLAB_BGR8, 1);
VALUE_IS(DEEPLAB_RGBA8, 2);
VALUE_IS(DEEPLAB_BGRA8, 3);
VALUE_IS(DEEPLAB_GRAY8, 4);
VALUE_IS(DEEPLAB_NV12, 5);
VALUE_IS(DEEPLAB_I420, 6);

SIZE_IS(deeplab_fit, 4);
VALUE_IS(DEEPLAB_BACKEND_ENGINE, 0);
VALUE_IS(DEEPLAB_BACKEND_TFLITE, 1);

VALUE_IS(DEEPLAB_FIT_PAD, 0);
VALUE_IS(DEEPLAB_FIT_LETTERBOX, 1);
VALUE_IS(DEEPLAB_FIT_STRETCH, 2);

VALUE_IS(DEEPLAB_BT601, 0);
VALUE_IS(DEEPLAB_BT709, 1);
VALUE_IS(DEEPLAB_RANGE_LIMITED, 0);
VALUE_IS(DEEPLAB_RANGE_FULL, 1);

VALUE_IS(DEEPLAB_FLOAT32, 0);
VALUE_IS(DEEPLAB_INT8, 1);
VALUE_IS(DEEPLAB_UINT8, 2);
VALUE_IS(DEEPLAB_WEIGHTS_FLOAT, 0);
VALUE_IS(DEEPLAB_WEIGHTS_PER_TENSOR, 1);
VALUE_IS(DEEPLAB_WEIGHTS_PER_CHANNEL, 2);
VALUE_IS(DEEPLAB_OUTPUT_SCORES, 0);
VALUE_IS(DEEPLAB_OUTPUT_PROBABILITIES, 1);
VALUE_IS(DEEPLAB_OUTPUT_LABELS, 2);

VALUE_IS(DEEPLAB_CONFIDENCE_NONE, 0);
VALUE_IS(DEEPLAB_CONFIDENCE_SET, 1);
VALUE_IS(DEEPLAB_CONFIDENCE_ALL, 2);
