// What the files that implement deeplab.h share: the handles, and how calls and structs cross the
// border.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <new>

#include "api/model.h"
#include "api/segmenter.h"
#include "base/parallel.h"
#include "base/status.h"
#include "deeplab/deeplab.h"
#include "vision/picture.h"

struct deeplab_model {
  std::shared_ptr<const deeplab::api::Model> model;
};
struct deeplab_segmenter {
  std::unique_ptr<deeplab::api::Segmenter> segmenter;
};
struct deeplab_thread_pool {
  std::shared_ptr<deeplab::ThreadPool> pool;
};

namespace deeplab::api {

/// Keeps the sentence for deeplab_last_error(). Takes no memory.
deeplab_status fail(StatusCode code, const char* message) noexcept;

/// Runs `body`, which gives a Status, and turns its result or exception into a code.
template <typename Body>
deeplab_status guarded(const Body& body) noexcept {
  try {
    const Status status = body();
    return status.ok() ? DEEPLAB_OK : fail(status.code(), status.message().c_str());
  } catch (const std::bad_alloc&) {
    const Status status = out_of_memory();
    return fail(status.code(), status.message().c_str());
  } catch (const std::exception& error) {
    return fail(StatusCode::kInternal, error.what());
  } catch (...) {
    return fail(StatusCode::kInternal, "unknown exception");
  }
}

// Structs begin with struct_size, and only as much of them is touched as that says.

/// Larger than any struct will be; a struct_size that was never set is usually larger.
inline constexpr size_t kMaxStructBytes = 4096;

inline Status check_struct_size(size_t size, const char* name, const char* advice) {
  if (size >= sizeof(size_t) && size <= kMaxStructBytes) return {};
  return invalid_argument(name, ": struct_size is ", size, "; ", advice);
}

/// `defaults`, written to a caller's struct of any size.
template <typename Struct>
void init_struct(Struct* out, size_t size, Struct defaults) {
  if (out == nullptr || size < sizeof(size_t)) return;
  std::memset(static_cast<void*>(out), 0, size);
  defaults.struct_size = size;
  std::memcpy(static_cast<void*>(out), &defaults, std::min(size, sizeof(defaults)));
}

/// A caller's struct over the defaults: members that an older program does not know keep theirs.
/// Error: no size, or something set that this library does not know.
template <typename Struct>
Result<Struct> read_struct(const Struct* given, Struct defaults, const char* name) {
  const size_t size = given->struct_size;
  DEEPLAB_RETURN_IF_ERROR(
      check_struct_size(size, name, "call its init function with sizeof it first"));
  std::memcpy(&defaults, static_cast<const void*>(given), std::min(size, sizeof(defaults)));
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  for (size_t i = sizeof(defaults); i < size; ++i) {
    if (bytes[i] != 0) {
      return unsupported(name, ": byte ", i, " is set, which this library, ", DEEPLAB_VERSION,
                         ", does not know");
    }
  }
  return defaults;
}

/// `value` to a caller's struct of any size.
template <typename Struct>
Status write_struct(Struct value, Struct* out, const char* name) {
  if (out == nullptr) return invalid_argument(name, " is NULL");
  const size_t size = out->struct_size;
  DEEPLAB_RETURN_IF_ERROR(check_struct_size(size, name, "set it to sizeof the struct first"));
  init_struct(out, size, value);
  return {};
}

/// Error unless an enumerator stored as a number is in [0, last].
inline Status check_enumerator(int32_t value, int32_t last, const char* what) {
  if (value >= 0 && value <= last) return {};
  return invalid_argument(what, " ", value, " is unknown");
}

/// The caller's options, or the defaults for NULL.
Result<SegmenterOptions> checked_options(const deeplab_segmenter_options* options);
Result<vision::PictureView> checked_image(const deeplab_image* image);
deeplab_placement to_c(const vision::Placement& placement);

}  // namespace deeplab::api
