#include "engine.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "shared_model.h"

namespace deeplab::gstreamer {
namespace {

bool read_side(std::string_view text, int32_t& side) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), side);
  return error == std::errc() && end == text.data() + text.size() && side > 0;
}

/// "257" or "513x289".
bool read_canvas(std::string_view text, int32_t& width, int32_t& height) {
  const size_t cross = text.find('x');
  if (cross == std::string_view::npos) return read_side(text, width) && read_side(text, height);
  return read_side(text.substr(0, cross), width) && read_side(text.substr(cross + 1), height);
}

int32_t is_set(void* flag) { return static_cast<const std::atomic<bool>*>(flag)->load() ? 1 : 0; }

bool fail(deeplab_status status, Failure& failure) {
  failure = {status, deeplab_last_error()};
  return false;
}

}  // namespace

std::unique_ptr<Engine> Engine::open(const EngineSettings& settings, Failure& failure) {
  std::unique_ptr<Engine> engine(new Engine(settings));
  if (!engine->read_delegate_options(failure)) return nullptr;
  deeplab_segmenter_options options = engine->options();
  if (!settings.canvas.empty() && !read_canvas(settings.canvas, options.width, options.height)) {
    failure = {DEEPLAB_INVALID_ARGUMENT,
               "invalid canvas '" + settings.canvas +
                   "'; expected N or WxH in pixels, such as 257 or 513x289"};
    return nullptr;
  }
  if (!settings.canvas.empty() && settings.fps > 0) {
    failure = {DEEPLAB_INVALID_ARGUMENT,
               "fps chooses the canvas: the property canvas may not be set, too"};
    return nullptr;
  }
  deeplab_status loaded = DEEPLAB_OK;
  engine->model_ = share_model(settings.model, settings.allow_custom_ops, loaded);
  if (loaded != DEEPLAB_OK) return fail(loaded, failure), nullptr;
  if (!engine->make_segmenter(options, failure)) return nullptr;

  engine->class_count_ = deeplab_model_class_count(engine->model_.get());
  engine->labels_ = g_new0(gchar*, static_cast<gsize>(engine->class_count_) + 1);
  for (int id = 0; id < engine->class_count_; ++id) {
    engine->labels_[id] = g_strdup(deeplab_model_label(engine->model_.get(), id));
  }
  return engine;
}

bool Engine::read_delegate_options(Failure& failure) {
  const bool is_tflite = settings_.backend == DEEPLAB_BACKEND_TFLITE;
  if (!is_tflite && !(settings_.tflite_library + settings_.delegate_library).empty()) {
    failure = {DEEPLAB_INVALID_ARGUMENT, "tflite-library and delegate-library need backend=tflite"};
    return false;
  }
  if (settings_.delegate_library.empty()) {
    const char* of_delegate = !settings_.delegate_options.empty() ? "delegate-options"
                              : !settings_.delegate_cache.empty() ? "delegate-cache"
                              : settings_.require_delegated > 0   ? "require-delegated"
                                                                  : nullptr;
    if (of_delegate != nullptr) {
      failure = {DEEPLAB_INVALID_ARGUMENT, std::string(of_delegate) + " needs delegate-library"};
      return false;
    }
  }
  std::string_view rest = settings_.delegate_options;
  while (!rest.empty()) {
    const std::string_view option = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(option.size() + 1, rest.size()));
    const size_t equals = option.find('=');
    if (equals == 0 || equals == std::string_view::npos) {
      failure = {DEEPLAB_INVALID_ARGUMENT,
                 "invalid delegate-options '" + std::string(option) + "'; expected K=V,K=V"};
      return false;
    }
    delegate_texts_.emplace_back(option.substr(0, equals));
    delegate_texts_.emplace_back(option.substr(equals + 1));
  }
  for (size_t i = 0; i < delegate_texts_.size(); i += 2) {
    delegate_keys_.push_back(delegate_texts_[i].c_str());
    delegate_values_.push_back(delegate_texts_[i + 1].c_str());
  }
  deeplab_tflite_options_init(&tflite_, sizeof tflite_);
  if (!settings_.tflite_library.empty()) tflite_.library = settings_.tflite_library.c_str();
  if (!settings_.delegate_library.empty()) tflite_.delegate = settings_.delegate_library.c_str();
  if (!settings_.delegate_cache.empty()) tflite_.delegate_cache = settings_.delegate_cache.c_str();
  tflite_.required_delegated_percent = settings_.require_delegated;
  tflite_.delegate_keys = delegate_keys_.data();
  tflite_.delegate_values = delegate_values_.data();
  tflite_.delegate_option_count = static_cast<int32_t>(delegate_keys_.size());
  return true;
}

deeplab_segmenter_options Engine::options() const {
  deeplab_segmenter_options options;
  deeplab_segmenter_options_init(&options, sizeof options);
  options.threads = settings_.threads;
  options.fit = settings_.fit;
  options.temporal = settings_.temporal;
  if (!settings_.isa.empty()) options.isa = settings_.isa.c_str();
  options.backend = settings_.backend;
  if (settings_.backend == DEEPLAB_BACKEND_TFLITE) options.tflite = &tflite_;
  return options;
}

bool Engine::make_segmenter(const deeplab_segmenter_options& options, Failure& failure) {
  deeplab_segmenter* made = nullptr;
  const deeplab_status created = deeplab_segmenter_create(model_.get(), &options, &made);
  if (created != DEEPLAB_OK) return fail(created, failure);
  deeplab_segmenter_free(segmenter_);
  segmenter_ = made;
  return true;
}

bool Engine::choose_canvas(int width, int height, deeplab_canvas& canvas, Failure& failure) {
  // The pipeline's other elements take their share of the same cores.
  constexpr double kRoom = 1.25;
  deeplab_segmenter_options options = this->options();
  canvas.struct_size = sizeof canvas;
  const deeplab_status chosen =
      deeplab_choose_canvas(model_.get(), &options, width, height, settings_.fps * kRoom, &canvas);
  if (chosen != DEEPLAB_OK) return fail(chosen, failure);
  options.width = canvas.width;
  options.height = canvas.height;
  return make_segmenter(options, failure);
}

Engine::~Engine() {
  g_strfreev(labels_);
  deeplab_segmenter_free(segmenter_);
}

bool Engine::run(const deeplab_image& image, const std::atomic<bool>& stop, uint8_t* mask,
                 Failure& failure) {
  deeplab_run_options options;
  deeplab_run_options_init(&options, sizeof options);
  options.should_stop = is_set;
  options.context = const_cast<std::atomic<bool>*>(&stop);
  const deeplab_status ran = deeplab_segmenter_run(segmenter_, &image, &options);
  if (ran != DEEPLAB_OK) return fail(ran, failure);
  const deeplab_status made =
      deeplab_segmenter_category_mask(segmenter_, image.width, image.height, mask, image.width);
  return made == DEEPLAB_OK || fail(made, failure);
}

}  // namespace deeplab::gstreamer
