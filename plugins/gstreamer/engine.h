// The library with one model, as deeplabsegment uses it. What runs the network is chosen here and
// nowhere else.
#pragma once

#include <glib.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "deeplab/deeplab.h"

namespace deeplab::gstreamer {

struct EngineSettings {
  std::string model;   ///< Path; empty: the built-in one.
  std::string canvas;  ///< "N" or "WxH" in pixels; empty: the model's own.
  std::string isa;     ///< Empty: the fastest.
  int threads = 0;     ///< 0: one per CPU.
  deeplab_fit fit = DEEPLAB_FIT_PAD;
  float temporal = 0;  ///< See deeplab_segmenter_options.
  deeplab_backend backend = DEEPLAB_BACKEND_ENGINE;
  std::string tflite_library;    ///< With TensorFlow Lite; empty: its usual names.
  std::string delegate_library;  ///< With TensorFlow Lite; empty: none.
  std::string delegate_options;  ///< "K=V,K=V".
  std::string delegate_cache;    ///< A directory; empty: none.
  float require_delegated = 0;   ///< Per cent; see deeplab_tflite_options.
  bool allow_custom_ops = false;
  double fps = 0;  ///< Not 0: the canvas is chosen for this many frames per second.
};

/// Why something failed: the library's sentence, or ours about a setting.
struct Failure {
  deeplab_status status = DEEPLAB_OK;
  std::string sentence;
};

/// Belongs to one thread at a time.
class Engine {
 public:
  /// Loads the model and plans the network. NULL: see `failure`.
  static std::unique_ptr<Engine> open(const EngineSettings& settings, Failure& failure);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// With settings.fps: measures which canvas frames of this size have time for, and plans the
  /// network for it. False: see `failure`; the engine is as before.
  bool choose_canvas(int width, int height, deeplab_canvas& canvas, Failure& failure);

  /// Segments a picture; `mask` has room for its pixels, rows tight. Ends early with
  /// DEEPLAB_CANCELLED if `stop` becomes true meanwhile. False: see `failure`.
  bool run(const deeplab_image& image, const std::atomic<bool>& stop, uint8_t* mask,
           Failure& failure);

  /// The next picture has nothing to do with the ones before.
  void start_sequence() { deeplab_segmenter_reset(segmenter_); }

  /// Of the settings.
  double fps() const { return settings_.fps; }
  int class_count() const { return class_count_; }
  /// Names of the classes, NULL-terminated.
  const gchar* const* labels() const { return labels_; }

 private:
  explicit Engine(const EngineSettings& settings) : settings_(settings) {}
  bool make_segmenter(const deeplab_segmenter_options& options, Failure& failure);
  bool read_delegate_options(Failure& failure);
  /// Without the canvas. Points into this object.
  deeplab_segmenter_options options() const;

  const EngineSettings settings_;
  std::vector<std::string> delegate_texts_;  // key, value, key, value, ...
  std::vector<const char*> delegate_keys_;
  std::vector<const char*> delegate_values_;
  deeplab_tflite_options tflite_ = {};
  std::shared_ptr<const deeplab_model> model_;  // which other elements may use, too
  deeplab_segmenter* segmenter_ = nullptr;
  int class_count_ = 0;
  gchar** labels_ = nullptr;
};

}  // namespace deeplab::gstreamer
