// deeplab.h over the C++ inside: checks pointers, keeps the last error, stops exceptions.
#include <cstring>
#include <exception>
#include <new>

#include "api/model.h"
#include "api/segmenter.h"
#include "api/stream.h"
#include "deeplab/deeplab.h"
#include "vision/palette.h"

struct deeplab_model {
  std::shared_ptr<const deeplab::api::Model> model;
};
struct deeplab_segmenter {
  std::unique_ptr<deeplab::api::Segmenter> segmenter;
};
struct deeplab_stream {
  std::unique_ptr<deeplab::api::Stream> stream;
};

namespace {

using deeplab::invalid_argument;
using deeplab::Result;
using deeplab::Status;
using deeplab::StatusCode;

// Neither allocated nor destroyed: it has to work when memory has run out, and even to register a
// destructor for the end of a thread takes memory, without which the C library ends the process.
thread_local char last_error[2048] = "";

deeplab_status fail(StatusCode code, const char* message) noexcept {
  size_t length = strnlen(message, sizeof(last_error) - 1);
  if (message[length] != '\0') {  // Cut before a character, not within one.
    while (length > 0 && (message[length] & 0xC0) == 0x80) --length;
  }
  std::memcpy(last_error, message, length);
  last_error[length] = '\0';
  return static_cast<deeplab_status>(code);
}

/// Runs `body`, which gives a Status, and turns whatever comes out of it into a code.
template <typename Body>
deeplab_status guarded(const Body& body) noexcept {
  try {
    const Status status = body();
    return status.ok() ? DEEPLAB_OK : fail(status.code(), status.message().c_str());
  } catch (const std::bad_alloc&) {
    const Status status = deeplab::out_of_memory();
    return fail(status.code(), status.message().c_str());
  } catch (const std::exception& error) {
    return fail(StatusCode::kInternal, error.what());
  } catch (...) {
    return fail(StatusCode::kInternal, "unknown exception");
  }
}

/// What a C caller has stored, which C++ may not load as an enum where it is none of its values.
template <typename Enum>
int stored(const Enum& value) {
  int number;
  static_assert(sizeof(number) == sizeof(value));
  std::memcpy(&number, &value, sizeof(number));
  return number;
}

/// The caller's options, or the defaults for NULL.
Result<deeplab::api::SegmenterOptions> checked_options(const deeplab_options* options) {
  deeplab_options given;
  deeplab_options_init(&given);
  if (options != nullptr) {
    if (options->struct_size != sizeof(given)) {
      return invalid_argument("deeplab_options: struct_size is ", options->struct_size,
                              "; call deeplab_options_init() first");
    }
    given = *options;
  }
  const int fit = stored(given.fit);
  if (fit < DEEPLAB_FIT_PAD || fit > DEEPLAB_FIT_STRETCH) {
    return invalid_argument("deeplab_options: unknown fit ", fit);
  }
  deeplab::api::SegmenterOptions inner;
  inner.threads = given.threads;
  inner.fit = static_cast<deeplab::vision::Fit>(given.fit);
  inner.width = given.width;
  inner.height = given.height;
  if (given.max_memory_bytes != 0) inner.max_memory_bytes = given.max_memory_bytes;
  if (given.max_macs != 0) inner.max_macs = given.max_macs;
  if (given.override_normalization != 0) {
    auto normalization = deeplab::vision::make_normalization(given.mean, given.stddev);
    if (!normalization.ok()) return annotate(normalization.status(), "deeplab_options");
    inner.normalization = *normalization;
  }
  return inner;
}

Result<deeplab::vision::ImageView> checked_image(const deeplab_image& image) {
  const int format = stored(image.format);
  if (format < DEEPLAB_RGB8 || format > DEEPLAB_GRAY8) {
    return invalid_argument("deeplab_image: unknown pixel format ", format);
  }
  return deeplab::vision::ImageView{image.data, image.width, image.height, image.stride,
                                    static_cast<deeplab::vision::PixelFormat>(format)};
}

}  // namespace

const char* deeplab_version(void) { return DEEPLAB_VERSION; }

const char* deeplab_last_error(void) { return last_error; }

deeplab_status deeplab_model_load_file(const char* path, deeplab_model** model) {
  return guarded([&]() -> Status {
    if (model == nullptr) return invalid_argument("deeplab_model_load_file: model is NULL");
    *model = nullptr;
    if (path == nullptr) return invalid_argument("deeplab_model_load_file: path is NULL");
    DEEPLAB_ASSIGN_OR_RETURN(auto loaded, deeplab::api::Model::load(path));
    *model = new deeplab_model{std::move(loaded)};
    return {};
  });
}

deeplab_status deeplab_model_load_memory(const void* data, size_t size, deeplab_model** model) {
  return guarded([&]() -> Status {
    if (model == nullptr) return invalid_argument("deeplab_model_load_memory: model is NULL");
    *model = nullptr;
    if (data == nullptr) return invalid_argument("deeplab_model_load_memory: data is NULL");
    DEEPLAB_ASSIGN_OR_RETURN(
        auto loaded,
        deeplab::api::Model::parse({static_cast<const std::byte*>(data), size}, "model in memory"));
    *model = new deeplab_model{std::move(loaded)};
    return {};
  });
}

void deeplab_model_free(deeplab_model* model) { delete model; }

int32_t deeplab_model_class_count(const deeplab_model* model) {
  return model == nullptr ? 0 : model->model->class_count();
}

const char* deeplab_model_label(const deeplab_model* model, int32_t class_id) {
  if (model == nullptr || class_id < 0 || class_id >= model->model->class_count()) return nullptr;
  return model->model->labels()[static_cast<size_t>(class_id)].c_str();
}

void deeplab_model_input_size(const deeplab_model* model, int32_t* width, int32_t* height) {
  if (width != nullptr) *width = model == nullptr ? 0 : model->model->input_width();
  if (height != nullptr) *height = model == nullptr ? 0 : model->model->input_height();
}

void deeplab_class_color(int32_t class_id, uint8_t rgb[3]) {
  const deeplab::vision::Rgb color =
      deeplab::vision::kVocPalette[static_cast<size_t>(class_id & 255)];
  rgb[0] = color.red;
  rgb[1] = color.green;
  rgb[2] = color.blue;
}

void deeplab_options_init(deeplab_options* options) {
  if (options == nullptr) return;
  *options = {};
  options->struct_size = sizeof(*options);
  for (int c = 0; c < 3; ++c) options->mean[c] = options->stddev[c] = 127.5f;
}

deeplab_status deeplab_segmenter_create(const deeplab_model* model, const deeplab_options* options,
                                        deeplab_segmenter** segmenter) {
  return guarded([&]() -> Status {
    if (segmenter == nullptr)
      return invalid_argument("deeplab_segmenter_create: segmenter is NULL");
    *segmenter = nullptr;
    if (model == nullptr) return invalid_argument("deeplab_segmenter_create: model is NULL");
    DEEPLAB_ASSIGN_OR_RETURN(const auto inner, checked_options(options));
    DEEPLAB_ASSIGN_OR_RETURN(auto created, deeplab::api::Segmenter::create(model->model, inner));
    *segmenter = new deeplab_segmenter{std::move(created)};
    return {};
  });
}

void deeplab_segmenter_free(deeplab_segmenter* segmenter) { delete segmenter; }

deeplab_status deeplab_segmenter_run(deeplab_segmenter* segmenter, const deeplab_image* image) {
  return guarded([&]() -> Status {
    if (segmenter == nullptr) return invalid_argument("deeplab_segmenter_run: segmenter is NULL");
    if (image == nullptr) return invalid_argument("deeplab_segmenter_run: image is NULL");
    DEEPLAB_ASSIGN_OR_RETURN(const auto view, checked_image(*image));
    return segmenter->segmenter->run(view);
  });
}

deeplab_status deeplab_segmenter_category_mask(deeplab_segmenter* segmenter, int32_t width,
                                               int32_t height, uint8_t* mask, ptrdiff_t stride) {
  return guarded([&]() -> Status {
    if (segmenter == nullptr) {
      return invalid_argument("deeplab_segmenter_category_mask: segmenter is NULL");
    }
    return segmenter->segmenter->category_mask(width, height, mask, stride);
  });
}

deeplab_status deeplab_segmenter_confidence_mask(deeplab_segmenter* segmenter, int32_t class_id,
                                                 int32_t width, int32_t height, float* mask,
                                                 ptrdiff_t stride) {
  return guarded([&]() -> Status {
    if (segmenter == nullptr) {
      return invalid_argument("deeplab_segmenter_confidence_mask: segmenter is NULL");
    }
    return segmenter->segmenter->confidence_mask(class_id, width, height, mask, stride);
  });
}

deeplab_status deeplab_segmenter_scores(deeplab_segmenter* segmenter, const float** scores,
                                        int32_t* width, int32_t* height, int32_t* classes) {
  return guarded([&]() -> Status {
    if (segmenter == nullptr || scores == nullptr || width == nullptr || height == nullptr ||
        classes == nullptr) {
      return invalid_argument("deeplab_segmenter_scores: an argument is NULL");
    }
    *scores = nullptr;
    DEEPLAB_ASSIGN_OR_RETURN(const auto values, segmenter->segmenter->scores());
    const deeplab::passes::LabelHead& head = segmenter->segmenter->head();
    *scores = values.data();
    *width = head.width;
    *height = head.height;
    *classes = head.classes;
    return {};
  });
}

deeplab_timing deeplab_segmenter_timing(const deeplab_segmenter* segmenter) {
  if (segmenter == nullptr) return {};
  const deeplab::api::Timing& timing = segmenter->segmenter->timing();
  return {timing.prepare_ms, timing.infer_ms, timing.labels_ms};
}

deeplab_status deeplab_stream_create(const deeplab_model* model, const deeplab_options* options,
                                     int32_t capacity, deeplab_stream** stream) {
  return guarded([&]() -> Status {
    if (stream == nullptr) return invalid_argument("deeplab_stream_create: stream is NULL");
    *stream = nullptr;
    if (model == nullptr) return invalid_argument("deeplab_stream_create: model is NULL");
    DEEPLAB_ASSIGN_OR_RETURN(const auto inner, checked_options(options));
    DEEPLAB_ASSIGN_OR_RETURN(auto created,
                             deeplab::api::Stream::create(model->model, inner, capacity));
    *stream = new deeplab_stream{std::move(created)};
    return {};
  });
}

deeplab_status deeplab_stream_push(deeplab_stream* stream, const deeplab_image* image, uint64_t id,
                                   int32_t timeout_ms) {
  return guarded([&]() -> Status {
    if (stream == nullptr) return invalid_argument("deeplab_stream_push: stream is NULL");
    if (image == nullptr) return invalid_argument("deeplab_stream_push: image is NULL");
    DEEPLAB_ASSIGN_OR_RETURN(const auto view, checked_image(*image));
    return stream->stream->push(view, id, timeout_ms);
  });
}

deeplab_status deeplab_stream_pull(deeplab_stream* stream, deeplab_frame* frame,
                                   int32_t timeout_ms) {
  return guarded([&]() -> Status {
    if (frame == nullptr) return invalid_argument("deeplab_stream_pull: frame is NULL");
    *frame = {};
    frame->error = "";
    if (stream == nullptr) return invalid_argument("deeplab_stream_pull: stream is NULL");
    DEEPLAB_ASSIGN_OR_RETURN(const auto* pulled, stream->stream->pull(timeout_ms));
    frame->id = pulled->id;
    frame->status = static_cast<deeplab_status>(pulled->status.code());
    frame->error = pulled->status.message().c_str();
    frame->width = pulled->width;
    frame->height = pulled->height;
    frame->mask = pulled->status.ok() ? pulled->mask.data() : nullptr;
    const deeplab::api::Timing& timing = pulled->timing;
    frame->timing = {timing.prepare_ms, timing.infer_ms, timing.labels_ms};
    return {};
  });
}

void deeplab_stream_finish(deeplab_stream* stream) {
  if (stream != nullptr) stream->stream->finish();
}

void deeplab_stream_cancel(deeplab_stream* stream) {
  if (stream != nullptr) stream->stream->cancel();
}

void deeplab_stream_free(deeplab_stream* stream) { delete stream; }
