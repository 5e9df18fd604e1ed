// deeplab.h: what callers hand over in structs, with defaults and checks; pools.
#include "api/c_api.h"

namespace {

using deeplab::invalid_argument;
using deeplab::Result;
using deeplab::Status;
using deeplab::unsupported;
using namespace deeplab::api;  // NOLINT(google-build-using-namespace): the file is its border

deeplab_image default_image() { return {}; }

deeplab_segmenter_options default_segmenter_options() {
  deeplab_segmenter_options options = {};
  for (int c = 0; c < 3; ++c) options.mean[c] = options.stddev[c] = 127.5f;
  return options;
}

}  // namespace

void deeplab_image_init(deeplab_image* image, size_t struct_size) {
  init_struct(image, struct_size, default_image());
}

void deeplab_runner_init(deeplab_runner* runner, size_t struct_size) {
  init_struct(runner, struct_size, deeplab_runner{});
}

void deeplab_allocator_init(deeplab_allocator* allocator, size_t struct_size) {
  init_struct(allocator, struct_size, deeplab_allocator{});
}

void deeplab_segmenter_options_init(deeplab_segmenter_options* options, size_t struct_size) {
  init_struct(options, struct_size, default_segmenter_options());
}

void deeplab_tflite_options_init(deeplab_tflite_options* options, size_t struct_size) {
  init_struct(options, struct_size, deeplab_tflite_options{});
}

void deeplab_run_options_init(deeplab_run_options* options, size_t struct_size) {
  init_struct(options, struct_size, deeplab_run_options{});
}

namespace deeplab::api {
namespace {

Result<std::shared_ptr<const tflite_library::Options>> checked_tflite_options(
    const deeplab_tflite_options* options) {
  constexpr const char* kName = "deeplab_tflite_options";
  auto inner = std::make_shared<tflite_library::Options>();
  if (options == nullptr) return std::shared_ptr<const tflite_library::Options>(std::move(inner));
  DEEPLAB_ASSIGN_OR_RETURN(const deeplab_tflite_options given,
                           read_struct(options, deeplab_tflite_options{}, kName));
  if (given.library != nullptr) inner->library = given.library;
  if (given.delegate != nullptr) inner->delegate = given.delegate;
  if (given.delegate_cache != nullptr) inner->delegate_cache = given.delegate_cache;
  const bool has_options = given.delegate_keys != nullptr && given.delegate_values != nullptr;
  if (given.delegate_option_count < 0 || (given.delegate_option_count > 0 && !has_options)) {
    return invalid_argument(kName, ": delegate_option_count ", given.delegate_option_count,
                            "; expected 0 or more, with keys and values not NULL");
  }
  for (int32_t i = 0; i < given.delegate_option_count; ++i) {
    const char* key = given.delegate_keys[i];
    const char* value = given.delegate_values[i];
    if (key == nullptr || value == nullptr) {
      return invalid_argument(kName, ": delegate option ", i, " is NULL");
    }
    inner->delegate_options.emplace_back(key, value);
  }
  inner->required_percent = given.required_delegated_percent;
  if (!(inner->required_percent >= 0 && inner->required_percent <= 100)) {
    return invalid_argument(kName, ": required_delegated_percent ", inner->required_percent,
                            "; expected 0 to 100");
  }
  const bool has_delegate = !inner->delegate.empty();
  if (!has_delegate && (!inner->delegate_options.empty() || !inner->delegate_cache.empty() ||
                        inner->required_percent > 0)) {
    return invalid_argument(kName, ": options of a delegate, but no delegate");
  }
  return std::shared_ptr<const tflite_library::Options>(std::move(inner));
}

}  // namespace

Result<SegmenterOptions> checked_options(const deeplab_segmenter_options* options) {
  constexpr const char* kName = "deeplab_segmenter_options";
  deeplab_segmenter_options given = default_segmenter_options();
  if (options != nullptr) {
    DEEPLAB_ASSIGN_OR_RETURN(given, read_struct(options, given, kName));
  }
  DEEPLAB_RETURN_IF_ERROR(
      check_enumerator(given.fit, DEEPLAB_FIT_STRETCH, "deeplab_segmenter_options: fit"));
  SegmenterOptions inner;
  inner.threads = given.threads;
  inner.fit = static_cast<vision::Fit>(given.fit);
  inner.width = given.width;
  inner.height = given.height;
  inner.output_stride = given.output_stride;
  inner.temporal = given.temporal;
  if (given.max_memory_bytes != 0) inner.max_memory_bytes = given.max_memory_bytes;
  if (given.max_macs != 0) inner.max_macs = given.max_macs;
  if (given.override_normalization != 0) {
    auto normalization = vision::make_normalization(given.mean, given.stddev);
    if (!normalization.ok()) return annotate(normalization.status(), kName);
    inner.normalization = *normalization;
  }
  if (given.isa != nullptr) {
    auto isa = isa_from_name(given.isa);
    if (!isa.ok()) return annotate(isa.status(), kName);
    inner.isa = *isa;
  }
  if (given.thread_pool != nullptr) inner.pool = given.thread_pool->pool;
  if (given.allocator != nullptr) {
    DEEPLAB_ASSIGN_OR_RETURN(
        const deeplab_allocator allocator,
        read_struct(given.allocator, deeplab_allocator{}, "deeplab_allocator"));
    if (allocator.allocate == nullptr || allocator.release == nullptr) {
      return invalid_argument("deeplab_allocator: a function is NULL");
    }
    inner.allocator = {allocator.context, allocator.allocate, allocator.release};
  }
  DEEPLAB_RETURN_IF_ERROR(check_enumerator(given.backend, DEEPLAB_BACKEND_TFLITE,
                                           "deeplab_segmenter_options: backend"));
  if (given.backend == DEEPLAB_BACKEND_TFLITE) {
    DEEPLAB_ASSIGN_OR_RETURN(inner.tflite, checked_tflite_options(given.tflite));
  } else if (given.tflite != nullptr) {
    return invalid_argument(kName, ": tflite is set, but backend is not DEEPLAB_BACKEND_TFLITE");
  }
  return inner;
}

Result<vision::PictureView> checked_image(const deeplab_image* image) {
  if (image == nullptr) return invalid_argument("the image is NULL");
  DEEPLAB_ASSIGN_OR_RETURN(const deeplab_image given,
                           read_struct(image, default_image(), "deeplab_image"));
  DEEPLAB_RETURN_IF_ERROR(
      check_enumerator(given.format, DEEPLAB_I420, "deeplab_image: pixel format"));
  DEEPLAB_RETURN_IF_ERROR(
      check_enumerator(given.yuv_matrix, DEEPLAB_BT709, "deeplab_image: yuv_matrix"));
  DEEPLAB_RETURN_IF_ERROR(
      check_enumerator(given.yuv_range, DEEPLAB_RANGE_FULL, "deeplab_image: yuv_range"));
  DEEPLAB_RETURN_IF_ERROR(check_enumerator(given.mirror, 1, "deeplab_image: mirror"));
  if (given.rotation < 0 || given.rotation > 270 || given.rotation % 90 != 0) {
    return invalid_argument("deeplab_image: rotation ", given.rotation,
                            " is not 0, 90, 180 or 270");
  }
  vision::PictureView picture;
  std::copy_n(given.planes, 3, picture.planes);
  std::copy_n(given.strides, 3, picture.strides);
  picture.stored_width = given.width;
  picture.stored_height = given.height;
  if (given.format == DEEPLAB_NV12) {
    picture.layout = vision::PlaneLayout::kNv12;
  } else if (given.format == DEEPLAB_I420) {
    picture.layout = vision::PlaneLayout::kI420;
  } else {
    picture.format = static_cast<vision::PixelFormat>(given.format);
  }
  picture.yuv.matrix = static_cast<vision::YuvCoding::Matrix>(given.yuv_matrix);
  picture.yuv.full_range = given.yuv_range == DEEPLAB_RANGE_FULL;
  picture.region = {given.region_x, given.region_y, given.region_width, given.region_height};
  if (given.region_width == 0 && given.region_height == 0) {
    if (given.region_x != 0 || given.region_y != 0) {
      return invalid_argument("deeplab_image: a region at ", given.region_x, ",", given.region_y,
                              " without a size");
    }
    picture.region = {0, 0, given.width, given.height};
  }
  picture.mirror = given.mirror != 0;
  picture.quarter_turns = given.rotation / 90;
  DEEPLAB_RETURN_IF_ERROR(validate(picture));
  return picture;
}

deeplab_placement to_c(const vision::Placement& placement) {
  deeplab_placement result = {};
  result.canvas_width = placement.canvas_width;
  result.canvas_height = placement.canvas_height;
  result.x = placement.content.x;
  result.y = placement.content.y;
  result.width = placement.content.width;
  result.height = placement.content.height;
  result.picture_width = placement.photo_width;
  result.picture_height = placement.photo_height;
  return result;
}

}  // namespace deeplab::api

deeplab_status deeplab_image_size(const deeplab_image* image, int32_t* width, int32_t* height) {
  return guarded([&]() -> Status {
    if (width == nullptr || height == nullptr) {
      return invalid_argument("deeplab_image_size: an argument is NULL");
    }
    DEEPLAB_ASSIGN_OR_RETURN(const auto picture, checked_image(image));
    *width = picture.width();
    *height = picture.height();
    return {};
  });
}

deeplab_status deeplab_place(int32_t fit, int32_t picture_width, int32_t picture_height,
                             int32_t canvas_width, int32_t canvas_height,
                             deeplab_placement* placement) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(check_enumerator(fit, DEEPLAB_FIT_STRETCH, "deeplab_place: fit"));
    DEEPLAB_ASSIGN_OR_RETURN(
        const auto placed,
        deeplab::vision::place(static_cast<deeplab::vision::Fit>(fit), picture_width,
                               picture_height, canvas_width, canvas_height));
    return write_struct(to_c(placed), placement, "deeplab_placement");
  });
}

deeplab_status deeplab_thread_pool_create(int32_t threads, deeplab_thread_pool** pool) {
  return guarded([&]() -> Status {
    if (pool == nullptr) return invalid_argument("deeplab_thread_pool_create: pool is NULL");
    *pool = nullptr;
    DEEPLAB_ASSIGN_OR_RETURN(auto created, deeplab::ThreadPool::create(threads));
    *pool = new deeplab_thread_pool{std::move(created)};
    return {};
  });
}

deeplab_status deeplab_thread_pool_create_with_runner(const deeplab_runner* runner,
                                                      deeplab_thread_pool** pool) {
  return guarded([&]() -> Status {
    if (pool == nullptr || runner == nullptr) {
      return invalid_argument("deeplab_thread_pool_create_with_runner: an argument is NULL");
    }
    *pool = nullptr;
    DEEPLAB_ASSIGN_OR_RETURN(const deeplab_runner given,
                             read_struct(runner, deeplab_runner{}, "deeplab_runner"));
    deeplab::ParallelRunner inner;
    inner.threads = given.threads;
    inner.context = given.context;
    inner.run = given.run;
    DEEPLAB_ASSIGN_OR_RETURN(auto created, deeplab::ThreadPool::create(inner));
    *pool = new deeplab_thread_pool{std::move(created)};
    return {};
  });
}

void deeplab_thread_pool_free(deeplab_thread_pool* pool) { delete pool; }
