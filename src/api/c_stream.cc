// deeplab.h: streams and frames.
#include "api/c_api.h"
#include "api/stream.h"

struct deeplab_stream {
  std::unique_ptr<deeplab::api::Stream> stream;
};
// A deeplab_frame* is a StreamFrame*: a pull takes no memory for a handle, so that none can fail
// with a picture in hand.

namespace {

using deeplab::invalid_argument;
using deeplab::Result;
using deeplab::Status;
using namespace deeplab::api;  // NOLINT(google-build-using-namespace): the file is its border

deeplab_stream_options default_stream_options() {
  deeplab_stream_options options = {};
  options.category_mask = 1;
  return options;
}

Result<StreamOptions> checked_options(const deeplab_stream_options& given) {
  DEEPLAB_RETURN_IF_ERROR(check_enumerator(given.confidence, DEEPLAB_CONFIDENCE_ALL,
                                           "deeplab_stream_options: confidence"));
  DEEPLAB_RETURN_IF_ERROR(
      check_enumerator(given.category_mask, 1, "deeplab_stream_options: category_mask"));
  StreamOptions options;
  options.capacity = given.capacity;
  options.category_mask = given.category_mask != 0;
  options.mask_width = given.mask_width;
  options.mask_height = given.mask_height;
  options.confidence = static_cast<StreamOptions::Confidence>(given.confidence);
  if (given.confidence == DEEPLAB_CONFIDENCE_SET) {
    constexpr int32_t kMostClasses = 255;
    if (given.class_count < 0 || given.class_count > kMostClasses ||
        (given.class_ids == nullptr && given.class_count > 0)) {
      return invalid_argument("deeplab_stream_options: class_count is ", given.class_count,
                              "; expected 0 to 255, with class_ids not NULL");
    }
    options.class_ids.assign(given.class_ids, given.class_ids + given.class_count);
  }
  return options;
}

}  // namespace

void deeplab_stream_options_init(deeplab_stream_options* options, size_t struct_size) {
  init_struct(options, struct_size, default_stream_options());
}

deeplab_status deeplab_stream_create(const deeplab_model* model,
                                     const deeplab_stream_options* options,
                                     deeplab_stream** stream) {
  return guarded([&]() -> Status {
    if (stream == nullptr) return invalid_argument("deeplab_stream_create: stream is NULL");
    *stream = nullptr;
    if (model == nullptr) return invalid_argument("deeplab_stream_create: model is NULL");
    deeplab_stream_options given = default_stream_options();
    if (options != nullptr) {
      DEEPLAB_ASSIGN_OR_RETURN(given, read_struct(options, given, "deeplab_stream_options"));
    }
    DEEPLAB_ASSIGN_OR_RETURN(auto inner, checked_options(given));
    DEEPLAB_ASSIGN_OR_RETURN(const auto segmenter, checked_options(given.segmenter));
    DEEPLAB_ASSIGN_OR_RETURN(auto created,
                             Stream::create(model->model, segmenter, std::move(inner)));
    *stream = new deeplab_stream{std::move(created)};
    return {};
  });
}

deeplab_status deeplab_stream_push(deeplab_stream* stream, const deeplab_image* image, uint64_t id,
                                   int32_t timeout_ms) {
  return guarded([&]() -> Status {
    if (stream == nullptr) return invalid_argument("deeplab_stream_push: stream is NULL");
    DEEPLAB_ASSIGN_OR_RETURN(const auto picture, checked_image(image));
    return stream->stream->push(picture, id, timeout_ms);
  });
}

deeplab_status deeplab_stream_pull(deeplab_stream* stream, deeplab_frame** frame,
                                   int32_t timeout_ms) {
  return guarded([&]() -> Status {
    if (frame == nullptr) return invalid_argument("deeplab_stream_pull: frame is NULL");
    *frame = nullptr;
    if (stream == nullptr) return invalid_argument("deeplab_stream_pull: stream is NULL");
    DEEPLAB_ASSIGN_OR_RETURN(auto pulled, stream->stream->pull(timeout_ms));
    *frame = reinterpret_cast<deeplab_frame*>(pulled.release());
    return {};
  });
}

deeplab_status deeplab_frame_get_info(const deeplab_frame* frame, deeplab_frame_info* info) {
  return guarded([&]() -> Status {
    if (frame == nullptr) return invalid_argument("deeplab_frame_get_info: frame is NULL");
    const auto& inner = *reinterpret_cast<const StreamFrame*>(frame);
    deeplab_frame_info result = {};
    result.id = inner.id;
    result.status = static_cast<int32_t>(inner.status.code());
    result.width = inner.width;
    result.height = inner.height;
    result.mask_width = inner.mask_width;
    result.mask_height = inner.mask_height;
    result.confidence_count = inner.confidence_count;
    result.error = inner.status.message().c_str();
    result.category_mask = inner.mask.empty() ? nullptr : inner.mask.data();
    result.confidence = inner.confidence.empty() ? nullptr : inner.confidence.data();
    result.prepare_ms = inner.timing.prepare_ms;
    result.infer_ms = inner.timing.infer_ms;
    result.labels_ms = inner.timing.labels_ms;
    return write_struct(result, info, "deeplab_frame_info");
  });
}

void deeplab_frame_free(deeplab_frame* frame) {
  if (frame == nullptr) return;
  FrameStore::give_back(std::unique_ptr<StreamFrame>(reinterpret_cast<StreamFrame*>(frame)));
}

void deeplab_stream_flush(deeplab_stream* stream) {
  if (stream != nullptr) stream->stream->flush();
}

void deeplab_stream_finish(deeplab_stream* stream) {
  if (stream != nullptr) stream->stream->finish();
}

void deeplab_stream_cancel(deeplab_stream* stream) {
  if (stream != nullptr) stream->stream->cancel();
}

void deeplab_stream_free(deeplab_stream* stream) { delete stream; }
