// deeplab.h over the C++ inside: checks pointers, keeps the last error, stops exceptions.
#include "api/c_api.h"

#include <chrono>

#include "api/choose_canvas.h"
#include "base/isa.h"

namespace {

using deeplab::invalid_argument;
using deeplab::Result;
using deeplab::Status;
using namespace deeplab::api;  // NOLINT(google-build-using-namespace): the file is its border

// Neither allocated nor destroyed: it has to work when memory has run out, and even to register a
// destructor for the end of a thread takes memory, without which the C library ends the process.
thread_local char last_error[2048] = "";

constexpr const char* kStatusNames[] = {
    "OK",          "INVALID_ARGUMENT", "INVALID_MODEL",      "UNSUPPORTED",
    "IO_ERROR",    "INVALID_IMAGE",    "RESOURCE_EXHAUSTED", "INTERNAL",
    "WOULD_BLOCK", "STREAM_ENDED",     "CANCELLED",          "DEADLINE_EXCEEDED"};

/// What calls of one kind begin with.
Status check_handle(const void* handle, const char* what) {
  return handle != nullptr ? Status() : invalid_argument(what, " is NULL");
}

int32_t element_type_of(deeplab::graph::DataType type) {
  if (type == deeplab::graph::DataType::kInt8) return DEEPLAB_INT8;
  return type == deeplab::graph::DataType::kUInt8 ? DEEPLAB_UINT8 : DEEPLAB_FLOAT32;
}

int32_t weights_of(const deeplab::graph::Graph& graph) {
  int32_t weights = DEEPLAB_WEIGHTS_FLOAT;
  for (const deeplab::graph::Tensor& tensor : graph.tensors) {
    const bool is_filter = tensor.is_constant() && tensor.quantization.present() &&
                           element_type_of(tensor.type) != DEEPLAB_FLOAT32;
    if (!is_filter) continue;
    if (tensor.quantization.per_channel()) return DEEPLAB_WEIGHTS_PER_CHANNEL;
    weights = DEEPLAB_WEIGHTS_PER_TENSOR;
  }
  return weights;
}

deeplab_model_info make_info(const Model& model) {
  const deeplab::tflite::Metadata& metadata = model.metadata();
  const deeplab::graph::Graph& graph = model.graph();
  const deeplab::graph::Tensor& input = graph.tensor(graph.inputs.front());
  deeplab_model_info info = {};
  info.source = model.name().c_str();
  info.name = metadata.name.c_str();
  info.description = metadata.description.c_str();
  info.author = metadata.author.c_str();
  info.license = metadata.license.c_str();
  info.version = metadata.version.c_str();
  info.width = model.input_width();
  info.height = model.input_height();
  info.class_count = model.class_count();
  info.weights = weights_of(graph);
  info.input_type = element_type_of(input.type);
  info.output = model.head().argmax_in_graph    ? DEEPLAB_OUTPUT_LABELS
                : model.head().softmax_in_graph ? DEEPLAB_OUTPUT_PROBABILITIES
                                                : DEEPLAB_OUTPUT_SCORES;
  info.labels_given = metadata.labels.empty() ? 0 : 1;
  info.normalization_given = metadata.normalization ? 1 : 0;
  std::ranges::copy(model.normalization().mean, info.mean);
  std::ranges::copy(model.normalization().std, info.stddev);
  info.input_scale = input.quantization.present() ? input.quantization.scale() : 1;
  info.input_zero_point = input.quantization.present() ? input.quantization.zero_point() : 0;
  info.file_macs = deeplab::graph::macs(graph);
  return info;
}

deeplab_segmenter_info to_c(const SegmenterFacts& facts) {
  deeplab_segmenter_info info = {};
  info.canvas_width = facts.canvas_width;
  info.canvas_height = facts.canvas_height;
  info.scores_width = facts.scores_width;
  info.scores_height = facts.scores_height;
  info.class_count = facts.classes;
  info.threads = facts.threads;
  info.isa = deeplab::isa_name(facts.isa).data();  // literals
  info.macs = facts.macs;
  info.shared_bytes = facts.shared_bytes;
  info.own_bytes = facts.own_bytes;
  info.backend = facts.delegation ? DEEPLAB_BACKEND_TFLITE : DEEPLAB_BACKEND_ENGINE;
  info.delegated = facts.delegation ? static_cast<float>(facts.delegation->share()) : 0;
  return info;
}

/// The caller's stop and time limit, from now on. `given` must outlive it.
Result<RunControl> make_control(deeplab_run_options& given, const deeplab_run_options* options) {
  RunControl control;
  if (options == nullptr) return control;
  DEEPLAB_ASSIGN_OR_RETURN(given,
                           read_struct(options, deeplab_run_options{}, "deeplab_run_options"));
  if (given.timeout_ms < 0) {
    return invalid_argument("deeplab_run_options: timeout_ms ", given.timeout_ms, " is negative");
  }
  if (given.timeout_ms > 0) {
    control.deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(given.timeout_ms);
  }
  if (given.should_stop != nullptr) {
    control.context = &given;
    control.should_stop = [](void* context) {
      const auto& asked = *static_cast<const deeplab_run_options*>(context);
      return asked.should_stop(asked.context) != 0;
    };
  }
  return control;
}

}  // namespace

namespace deeplab::api {

deeplab_status fail(StatusCode code, const char* message) noexcept {
  size_t length = strnlen(message, sizeof(last_error) - 1);
  if (message[length] != '\0') {  // Cut before a character, not within one.
    while (length > 0 && (message[length] & 0xC0) == 0x80) --length;
  }
  std::memcpy(last_error, message, length);
  last_error[length] = '\0';
  return static_cast<deeplab_status>(code);
}

}  // namespace deeplab::api

const char* deeplab_status_name(int32_t status) {
  return status >= 0 && status < std::ssize(kStatusNames) ? kStatusNames[status] : "UNKNOWN";
}

const char* deeplab_last_error(void) { return last_error; }

const char* deeplab_version(void) { return DEEPLAB_VERSION; }

int32_t deeplab_version_number(void) { return DEEPLAB_VERSION_NUMBER; }

const char* deeplab_isa_name(int32_t index) {
  try {
    const auto& isas = deeplab::available_isas();
    if (index < 0 || index >= std::ssize(isas)) return nullptr;
    return deeplab::isa_name(isas[static_cast<size_t>(index)]).data();  // a literal
  } catch (const std::bad_alloc&) {  // of the list, in the first call
    return nullptr;
  }
}

// ---- Model

deeplab_status deeplab_model_load_file(const char* path, deeplab_model** model) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(check_handle(model, "deeplab_model_load_file: model"));
    *model = nullptr;
    DEEPLAB_RETURN_IF_ERROR(check_handle(path, "deeplab_model_load_file: path"));
    DEEPLAB_ASSIGN_OR_RETURN(auto loaded, Model::load(path));
    *model = new deeplab_model{std::move(loaded)};
    return {};
  });
}

void deeplab_model_options_init(deeplab_model_options* options, size_t struct_size) {
  init_struct(options, struct_size, deeplab_model_options{});
}

deeplab_status deeplab_model_load_file_with_options(const char* path,
                                                    const deeplab_model_options* options,
                                                    deeplab_model** model) {
  return guarded([&]() -> Status {
    constexpr const char* kName = "deeplab_model_options";
    DEEPLAB_RETURN_IF_ERROR(check_handle(model, "deeplab_model_load_file_with_options: model"));
    *model = nullptr;
    DEEPLAB_RETURN_IF_ERROR(check_handle(path, "deeplab_model_load_file_with_options: path"));
    deeplab::api::ModelOptions inner;
    if (options != nullptr) {
      DEEPLAB_ASSIGN_OR_RETURN(const deeplab_model_options given,
                               read_struct(options, deeplab_model_options{}, kName));
      if (given.label_count < 0 || (given.labels == nullptr && given.label_count != 0)) {
        return invalid_argument(kName, ": label_count is ", given.label_count,
                                "; expected 0 or more, with labels not NULL");
      }
      if (given.labels != nullptr) {
        inner.labels_name = kName;
        auto& labels = inner.labels.emplace();
        for (int32_t id = 0; id < given.label_count; ++id) {
          const char* label = given.labels[id];
          if (label == nullptr) return invalid_argument(kName, ": label ", id, " is NULL");
          labels.emplace_back(label);
        }
      }
      DEEPLAB_RETURN_IF_ERROR(
          check_enumerator(given.allow_custom_ops, 1, "deeplab_model_options: allow_custom_ops"));
      if (given.reserved != 0) return invalid_argument(kName, ": reserved is not 0");
      inner.allow_custom_ops = given.allow_custom_ops != 0;
      if (given.output_tensor != nullptr) inner.output = given.output_tensor;
      if (given.threshold != 0) inner.threshold = given.threshold;
    }
    DEEPLAB_ASSIGN_OR_RETURN(auto loaded, Model::load(path, inner));
    *model = new deeplab_model{std::move(loaded)};
    return {};
  });
}

deeplab_status deeplab_model_load_memory(const void* data, size_t size, deeplab_model** model) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(check_handle(model, "deeplab_model_load_memory: model"));
    *model = nullptr;
    DEEPLAB_RETURN_IF_ERROR(check_handle(data, "deeplab_model_load_memory: data"));
    DEEPLAB_ASSIGN_OR_RETURN(
        auto loaded, Model::parse({static_cast<const std::byte*>(data), size}, "model in memory"));
    *model = new deeplab_model{std::move(loaded)};
    return {};
  });
}

deeplab_status deeplab_model_load_borrowed(const void* data, size_t size,
                                           void (*release)(void* context), void* context,
                                           deeplab_model** model) {
  return guarded([&]() -> Status {
    // First of all: whatever fails from here on, also this itself, gives the bytes back.
    std::shared_ptr<const void> owner;
    if (release != nullptr) {
      owner =
          std::shared_ptr<const void>(data, [release, context](const void*) { release(context); });
    }
    DEEPLAB_RETURN_IF_ERROR(check_handle(model, "deeplab_model_load_borrowed: model"));
    *model = nullptr;
    DEEPLAB_RETURN_IF_ERROR(check_handle(data, "deeplab_model_load_borrowed: data"));
    DEEPLAB_ASSIGN_OR_RETURN(
        auto loaded,
        Model::parse_in_place(std::move(owner), {static_cast<const std::byte*>(data), size},
                              "model in memory"));
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

deeplab_status deeplab_model_get_info(const deeplab_model* model, deeplab_model_info* info) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(check_handle(model, "deeplab_model_get_info: model"));
    return write_struct(make_info(*model->model), info, "deeplab_model_info");
  });
}

deeplab_status deeplab_model_keep_plans(deeplab_model* model, int32_t count) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(check_handle(model, "deeplab_model_keep_plans: model"));
    constexpr int32_t kMost = 1024;
    if (count < 0 || count > kMost) {
      return invalid_argument("deeplab_model_keep_plans: count ", count, " is not in 0..", kMost);
    }
    model->model->keep_plans(static_cast<size_t>(count));
    return {};
  });
}

// ---- Segmenter

deeplab_status deeplab_segmenter_create(const deeplab_model* model,
                                        const deeplab_segmenter_options* options,
                                        deeplab_segmenter** segmenter) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(check_handle(segmenter, "deeplab_segmenter_create: segmenter"));
    *segmenter = nullptr;
    DEEPLAB_RETURN_IF_ERROR(check_handle(model, "deeplab_segmenter_create: model"));
    DEEPLAB_ASSIGN_OR_RETURN(const auto inner, checked_options(options));
    DEEPLAB_ASSIGN_OR_RETURN(auto created, Segmenter::create(model->model, inner));
    *segmenter = new deeplab_segmenter{std::move(created)};
    return {};
  });
}

void deeplab_segmenter_free(deeplab_segmenter* segmenter) { delete segmenter; }

deeplab_status deeplab_segmenter_get_info(const deeplab_segmenter* segmenter,
                                          deeplab_segmenter_info* info) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(check_handle(segmenter, "deeplab_segmenter_get_info: segmenter"));
    return write_struct(to_c(segmenter->segmenter->facts()), info, "deeplab_segmenter_info");
  });
}

deeplab_status deeplab_segmenter_estimate(const deeplab_model* model,
                                          const deeplab_segmenter_options* options,
                                          deeplab_segmenter_info* info) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(check_handle(model, "deeplab_segmenter_estimate: model"));
    DEEPLAB_ASSIGN_OR_RETURN(const auto inner, checked_options(options));
    DEEPLAB_ASSIGN_OR_RETURN(const auto facts, Segmenter::estimate(model->model, inner));
    return write_struct(to_c(facts), info, "deeplab_segmenter_info");
  });
}

deeplab_status deeplab_choose_canvas(const deeplab_model* model,
                                     const deeplab_segmenter_options* options,
                                     int32_t picture_width, int32_t picture_height,
                                     double frames_per_second, deeplab_canvas* canvas) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(check_handle(model, "deeplab_choose_canvas: model"));
    DEEPLAB_ASSIGN_OR_RETURN(const auto inner, checked_options(options));
    DEEPLAB_ASSIGN_OR_RETURN(const auto chosen, choose_canvas(model->model, inner, picture_width,
                                                              picture_height, frames_per_second));
    deeplab_canvas result = {};
    result.width = chosen.size.width;
    result.height = chosen.size.height;
    result.milliseconds = chosen.milliseconds;
    return write_struct(result, canvas, "deeplab_canvas");
  });
}

deeplab_status deeplab_segmenter_run(deeplab_segmenter* segmenter, const deeplab_image* image,
                                     const deeplab_run_options* options) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(check_handle(segmenter, "deeplab_segmenter_run: segmenter"));
    deeplab_run_options given = {};
    DEEPLAB_ASSIGN_OR_RETURN(const RunControl control, make_control(given, options));
    DEEPLAB_ASSIGN_OR_RETURN(const auto picture, checked_image(image));
    return segmenter->segmenter->run(picture, control);
  });
}

deeplab_status deeplab_segmenter_reset(deeplab_segmenter* segmenter) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(check_handle(segmenter, "deeplab_segmenter_reset: segmenter"));
    segmenter->segmenter->reset();
    return {};
  });
}

deeplab_status deeplab_segmenter_placement(const deeplab_segmenter* segmenter,
                                           deeplab_placement* placement) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(check_handle(segmenter, "deeplab_segmenter_placement: segmenter"));
    DEEPLAB_ASSIGN_OR_RETURN(const auto placed, segmenter->segmenter->placement());
    return write_struct(to_c(placed), placement, "deeplab_placement");
  });
}

deeplab_status deeplab_segmenter_category_mask(deeplab_segmenter* segmenter, int32_t width,
                                               int32_t height, uint8_t* mask, ptrdiff_t stride) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(check_handle(segmenter, "deeplab_segmenter_category_mask: segmenter"));
    return segmenter->segmenter->category_mask(width, height, mask, stride);
  });
}

deeplab_status deeplab_segmenter_confidence_mask(deeplab_segmenter* segmenter,
                                                 const int32_t* class_ids, int32_t class_count,
                                                 int32_t width, int32_t height, float* mask,
                                                 ptrdiff_t stride) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(
        check_handle(segmenter, "deeplab_segmenter_confidence_mask: segmenter"));
    if (class_count < 0 || (class_ids == nullptr && class_count > 0)) {
      return invalid_argument("deeplab_segmenter_confidence_mask: class_count is ", class_count,
                              "; expected 0 or more, with class_ids not NULL");
    }
    return segmenter->segmenter->confidence_mask({class_ids, static_cast<size_t>(class_count)},
                                                 width, height, mask, stride);
  });
}

deeplab_status deeplab_segmenter_confidence_rows(deeplab_segmenter* segmenter,
                                                 const int32_t* class_ids, int32_t class_count,
                                                 int32_t width, int32_t height, int32_t row_begin,
                                                 int32_t row_end, float* mask, ptrdiff_t stride) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(
        check_handle(segmenter, "deeplab_segmenter_confidence_rows: segmenter"));
    if (class_count < 0 || (class_ids == nullptr && class_count > 0)) {
      return invalid_argument("deeplab_segmenter_confidence_rows: class_count is ", class_count,
                              "; expected 0 or more, with class_ids not NULL");
    }
    return segmenter->segmenter->confidence_mask({class_ids, static_cast<size_t>(class_count)},
                                                 width, height, row_begin, row_end, mask, stride);
  });
}

deeplab_status deeplab_segmenter_all_confidences(deeplab_segmenter* segmenter, int32_t width,
                                                 int32_t height, int32_t row_begin, int32_t row_end,
                                                 float* masks, ptrdiff_t stride,
                                                 ptrdiff_t class_stride) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(
        check_handle(segmenter, "deeplab_segmenter_all_confidences: segmenter"));
    return segmenter->segmenter->all_confidences(width, height, row_begin, row_end, masks, stride,
                                                 class_stride);
  });
}

deeplab_status deeplab_segmenter_certainty_mask(deeplab_segmenter* segmenter, int32_t width,
                                                int32_t height, float* mask, ptrdiff_t stride) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(check_handle(segmenter, "deeplab_segmenter_certainty_mask: segmenter"));
    return segmenter->segmenter->certainty_mask(width, height, mask, stride);
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

deeplab_status deeplab_segmenter_timing(const deeplab_segmenter* segmenter,
                                        deeplab_timing* timing) {
  return guarded([&]() -> Status {
    DEEPLAB_RETURN_IF_ERROR(check_handle(segmenter, "deeplab_segmenter_timing: segmenter"));
    const Timing& inner = segmenter->segmenter->timing();
    deeplab_timing result = {};
    result.prepare_ms = inner.prepare_ms;
    result.infer_ms = inner.infer_ms;
    result.labels_ms = inner.labels_ms;
    return write_struct(result, timing, "deeplab_timing");
  });
}
