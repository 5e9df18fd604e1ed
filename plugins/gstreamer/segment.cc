// deeplabsegment: looks at each frame, passes it on as it is, and attaches the mask.
#include <algorithm>
#include <chrono>
#include <vector>

#include "analytics.h"
#include "deeplab/deeplab_draw.h"
#include "elements.h"
#include "engine.h"
#include "segmentation_meta.h"

GST_DEBUG_CATEGORY_STATIC(deeplab_segment_debug);
#define GST_CAT_DEFAULT deeplab_segment_debug

namespace {

using deeplab::gstreamer::Bytes;
using deeplab::gstreamer::Engine;
using deeplab::gstreamer::EngineSettings;
using deeplab::gstreamer::Failure;
using deeplab::gstreamer::get_text;
using deeplab::gstreamer::MappedFrame;
using deeplab::gstreamer::post_warning;
using deeplab::gstreamer::Segmentation;
using deeplab::gstreamer::set_text;
using deeplab::gstreamer::warn_of_small_buffer;

/// How long a frame may be delayed here, which live pipelines have to know.
class Latency {
 public:
  /// After a frame that took so long. True: the answer has changed. It is a fifth more than the
  /// slowest of the last frames, and stays until that is exceeded, or is twice too much.
  bool add(GstClockTime took) {
    recent_[next_] = took;
    next_ = (next_ + 1) % kFrames;
    const GstClockTime slowest = *std::max_element(recent_, recent_ + kFrames);
    if (took <= answer_ && 2 * slowest + GST_MSECOND >= answer_) return false;
    answer_ = slowest + slowest / 5;
    return true;
  }
  /// Any thread.
  GstClockTime answer() const { return answer_; }

 private:
  static constexpr int kFrames = 32;
  GstClockTime recent_[kFrames] = {};
  int next_ = 0;
  std::atomic<GstClockTime> answer_ = 0;
};

struct State {
  // The object lock's.
  EngineSettings settings;
  guint interval = 1;
  gboolean posts_messages = FALSE;
  bool settings_changed = false;  // since the engine was opened
  gchar** labels = nullptr;       // of the engine, for readers of the property

  // The streaming thread's, or of state changes while there is none.
  int measured_width = 0;  // of the frames that the property fps has chosen the canvas for
  int measured_height = 0;
  std::unique_ptr<Engine> engine;
  Segmentation last;  // no mask: the next frame is segmented

  // Any thread's.
  std::atomic<bool> stop = false;
  std::atomic<double> last_ms = 0;
  Latency latency;
  std::atomic<bool> is_live = false;  // the last answer to a LATENCY query

  ~State() { g_strfreev(labels); }
};

}  // namespace

struct DeeplabSegment {
  GstVideoFilter parent;
  State* state;
};
struct DeeplabSegmentClass {
  GstVideoFilterClass parent;
};

static GType deeplab_segment_get_type();
G_DEFINE_TYPE(DeeplabSegment, deeplab_segment, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE(deeplabsegment, "deeplabsegment", GST_RANK_NONE,
                            deeplab_segment_get_type())

namespace {

enum Property {
  kModel = 1,
  kThreads,
  kFit,
  kCanvas,
  kIsa,
  kTemporal,
  kFps,
  kBackend,
  kTfliteLibrary,
  kDelegateLibrary,
  kDelegateOptions,
  kDelegateCache,
  kRequireDelegated,
  kAllowCustomOps,
  kInterval,
  kPostMessages,
  kLabels,
  kLastMs,
};

DeeplabSegment* self_of(gpointer object) { return reinterpret_cast<DeeplabSegment*>(object); }
State& state_of(gpointer object) { return *self_of(object)->state; }

GType fit_type() {
  static const GEnumValue values[] = {
      {DEEPLAB_FIT_PAD, "Top left on the canvas, shrunk only if too large", "pad"},
      {DEEPLAB_FIT_LETTERBOX, "Scaled to fit, centred, aspect kept", "letterbox"},
      {DEEPLAB_FIT_STRETCH, "Scaled to fill, aspect lost", "stretch"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("DeeplabSegmentFit", values);
  return type;
}

GType backend_type() {
  static const GEnumValue values[] = {
      {DEEPLAB_BACKEND_ENGINE, "The library's own engine", "engine"},
      {DEEPLAB_BACKEND_TFLITE, "TensorFlow Lite, with a delegate if one is given", "tflite"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("DeeplabSegmentBackend", values);
  return type;
}

// ---- Model -------------------------------------------------------------------------------------

void post_error(DeeplabSegment* self, const Failure& failure) {
  GQuark domain = GST_LIBRARY_ERROR;
  gint code = GST_LIBRARY_ERROR_INIT;
  if (failure.status == DEEPLAB_INVALID_ARGUMENT) code = GST_LIBRARY_ERROR_SETTINGS;
  if (failure.status == DEEPLAB_IO_ERROR) {
    domain = GST_RESOURCE_ERROR;
    code = GST_RESOURCE_ERROR_OPEN_READ;
  }
  gst_element_message_full(GST_ELEMENT(self), GST_MESSAGE_ERROR, domain, code,
                           g_strdup(failure.sentence.c_str()), nullptr, __FILE__, GST_FUNCTION,
                           __LINE__);
}

void close_engine(DeeplabSegment* self) {
  State& state = *self->state;
  state.engine.reset();
  state.measured_width = state.measured_height = 0;
  state.last = {};
  GST_OBJECT_LOCK(self);
  g_strfreev(state.labels);
  state.labels = nullptr;
  GST_OBJECT_UNLOCK(self);
}

/// Opens the engine, unless one with these settings is open. False: an error was posted.
bool open_engine(DeeplabSegment* self) {
  State& state = *self->state;
  GST_OBJECT_LOCK(self);
  const bool is_open = state.engine != nullptr && !state.settings_changed;
  GST_OBJECT_UNLOCK(self);
  if (is_open) return true;
  close_engine(self);
  GST_OBJECT_LOCK(self);
  const EngineSettings settings = state.settings;
  state.settings_changed = false;
  GST_OBJECT_UNLOCK(self);
  Failure failure;
  state.engine = Engine::open(settings, failure);
  if (state.engine == nullptr) {
    post_error(self, failure);
    return false;
  }
  GST_OBJECT_LOCK(self);
  state.labels = g_strdupv(const_cast<gchar**>(state.engine->labels()));
  GST_OBJECT_UNLOCK(self);
  return true;
}

/// The next frame may be from elsewhere.
void start_sequence(State& state) {
  state.last = {};
  if (state.engine != nullptr) state.engine->start_sequence();
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange change) {
  DeeplabSegment* self = self_of(element);
  if (change == GST_STATE_CHANGE_NULL_TO_READY || change == GST_STATE_CHANGE_READY_TO_PAUSED) {
    if (!open_engine(self)) return GST_STATE_CHANGE_FAILURE;
    self->state->stop = false;
  }
  // Ends a run in progress, which the change would wait for.
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) self->state->stop = true;
  const GstStateChangeReturn result =
      GST_ELEMENT_CLASS(deeplab_segment_parent_class)->change_state(element, change);
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) start_sequence(*self->state);
  if (change == GST_STATE_CHANGE_READY_TO_NULL) close_engine(self);
  return result;
}

// ---- Frames ------------------------------------------------------------------------------------

/// The share of each class.
Bytes count_classes(const Engine& engine, const uint8_t* mask, int width, int height) {
  int64_t pixels[256] = {};
  deeplab_count_pixels(mask, width, height, width, pixels);
  const auto count = static_cast<gsize>(engine.class_count());
  auto* shares = g_new(double, count);
  for (gsize id = 0; id < count; ++id) {
    shares[id] = static_cast<double>(pixels[id]) / (double{1} * width * height);
  }
  return Bytes(g_bytes_new_take(shares, count * sizeof(double)));
}

/// Makes `last` of the frame; without a mask if something is wrong with it, which is a warning.
/// GST_FLOW_FLUSHING: a flush or a change of state has stopped it.
GstFlowReturn segment(DeeplabSegment* self, GstBuffer* buffer) {
  State& state = *self->state;
  const GstVideoInfo& info = GST_VIDEO_FILTER(self)->in_info;
  state.last = {};
  const MappedFrame frame(info, buffer,
                          GST_MAP_READ | static_cast<int>(GST_VIDEO_FRAME_MAP_FLAG_NO_REF));
  const int width = GST_VIDEO_INFO_WIDTH(&info), height = GST_VIDEO_INFO_HEIGHT(&info);
  if (!frame.ok()) {
    warn_of_small_buffer(self, buffer, info);
    return GST_FLOW_OK;
  }
  const gsize size = static_cast<gsize>(width) * static_cast<gsize>(height);
  auto* mask = static_cast<uint8_t*>(g_try_malloc(size));
  if (mask == nullptr) {
    post_warning(self, buffer, "no memory for its mask");
    return GST_FLOW_OK;
  }
  Bytes bytes(g_bytes_new_take(mask, size));
  const auto start = std::chrono::steady_clock::now();
  Failure failure;
  if (!state.engine->run(to_image(info, frame), state.stop, mask, failure)) {
    if (failure.status == DEEPLAB_CANCELLED) return GST_FLOW_FLUSHING;
    post_warning(self, buffer, failure.sentence.c_str());
    return GST_FLOW_OK;
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  state.last_ms = took.count() / 1e6;
  GST_LOG_OBJECT(self, "frame at %" GST_TIME_FORMAT " took %.3f ms",
                 GST_TIME_ARGS(GST_BUFFER_PTS(buffer)), state.last_ms.load());
  state.last.width = width;
  state.last.height = height;
  state.last.fractions = count_classes(*state.engine, mask, width, height);
  state.last.mask = std::move(bytes);
  // Whoever has asked before has to ask again.
  if (state.latency.add(static_cast<GstClockTime>(took.count())) && state.is_live) {
    gst_element_post_message(GST_ELEMENT(self), gst_message_new_latency(GST_OBJECT(self)));
  }
  return GST_FLOW_OK;
}

/// An array of a structure, in a form that gst-launch -m prints.
template <typename Value, typename Set>
void set_array(GstStructure* structure, const char* field, const std::vector<Value>& values,
               GType type, Set set) {
  GValue array = G_VALUE_INIT;
  gst_value_array_init(&array, static_cast<guint>(values.size()));
  for (const Value& value : values) {
    GValue element = G_VALUE_INIT;
    g_value_init(&element, type);
    set(&element, value);
    gst_value_array_append_and_take_value(&array, &element);
  }
  gst_structure_take_value(structure, field, &array);
}

/// An element message: the classes found, by falling share.
void post_classes(DeeplabSegment* self, GstBuffer* buffer) {
  const State& state = *self->state;
  const auto* shares =
      static_cast<const double*>(g_bytes_get_data(state.last.fractions.get(), nullptr));
  std::vector<int> ids;
  for (int id = 0; id < state.engine->class_count(); ++id) {
    if (shares[id] > 0) ids.push_back(id);
  }
  std::stable_sort(ids.begin(), ids.end(), [&](int a, int b) { return shares[a] > shares[b]; });
  std::vector<const gchar*> names;
  std::vector<double> fractions;
  for (const int id : ids) {
    names.push_back(state.engine->labels()[id]);
    fractions.push_back(shares[id]);
  }
  const GstSegment& time = GST_BASE_TRANSFORM(self)->segment;
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  GstClockTime stream_time = GST_CLOCK_TIME_NONE, running_time = GST_CLOCK_TIME_NONE;
  if (time.format == GST_FORMAT_TIME) {  // a file without a parser counts bytes
    stream_time = gst_segment_to_stream_time(&time, GST_FORMAT_TIME, pts);
    running_time = gst_segment_to_running_time(&time, GST_FORMAT_TIME, pts);
  }
  GstStructure* structure = gst_structure_new("deeplab-segmentation",                       //
                                              "timestamp", G_TYPE_UINT64, pts,              //
                                              "stream-time", G_TYPE_UINT64, stream_time,    //
                                              "running-time", G_TYPE_UINT64, running_time,  //
                                              "ms", G_TYPE_DOUBLE, state.last_ms.load(),    //
                                              "age", G_TYPE_UINT, state.last.age, nullptr);
  set_array(structure, "classes", names, G_TYPE_STRING, g_value_set_string);
  set_array(structure, "class-ids", ids, G_TYPE_INT, g_value_set_int);
  set_array(structure, "fractions", fractions, G_TYPE_DOUBLE, g_value_set_double);
  gst_element_post_message(GST_ELEMENT(self), gst_message_new_element(GST_OBJECT(self), structure));
}

GstFlowReturn transform_ip(GstBaseTransform* filter, GstBuffer* buffer) {
  DeeplabSegment* self = self_of(filter);
  State& state = *self->state;
  if (!GST_VIDEO_FILTER(self)->negotiated) return GST_FLOW_NOT_NEGOTIATED;
  GST_OBJECT_LOCK(self);
  const guint interval = state.interval;
  const gboolean posts_messages = state.posts_messages;
  GST_OBJECT_UNLOCK(self);

  if (state.last.mask != nullptr && state.last.age + 1 < interval) {
    ++state.last.age;
  } else if (const GstFlowReturn result = segment(self, buffer); result != GST_FLOW_OK) {
    return result;
  }
  if (state.last.mask == nullptr) return GST_FLOW_OK;  // A bad frame goes on without a mask
  attach_segmentation(buffer, state.last, state.engine->labels());
  attach_analytics(buffer, state.last, state.engine->labels());
  if (posts_messages) post_classes(self, buffer);
  return GST_FLOW_OK;
}

/// With the property fps, the canvas for frames of this size. False: an error was posted.
bool choose_canvas(DeeplabSegment* self, int width, int height) {
  State& state = *self->state;
  const double fps = state.engine->fps();
  if (fps <= 0 || (width == state.measured_width && height == state.measured_height)) return true;
  deeplab_canvas canvas = {};
  Failure failure;
  if (!state.engine->choose_canvas(width, height, canvas, failure)) {
    post_error(self, failure);
    return false;
  }
  state.measured_width = width;
  state.measured_height = height;
  GstStructure* chosen = gst_structure_new(
      "deeplab-canvas", "fps", G_TYPE_DOUBLE, fps, "width", G_TYPE_INT, canvas.width, "height",
      G_TYPE_INT, canvas.height, "ms", G_TYPE_DOUBLE, canvas.milliseconds, nullptr);
  gst_element_post_message(GST_ELEMENT(self), gst_message_new_element(GST_OBJECT(self), chosen));
  return true;
}

gboolean set_info(GstVideoFilter* filter, GstCaps*, GstVideoInfo* info, GstCaps*, GstVideoInfo*) {
  start_sequence(state_of(filter));
  return choose_canvas(self_of(filter), GST_VIDEO_INFO_WIDTH(info), GST_VIDEO_INFO_HEIGHT(info));
}

gboolean sink_event(GstBaseTransform* filter, GstEvent* event) {
  State& state = state_of(filter);
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_FLUSH_START:
      state.stop = true;  // ends a run in progress, so that the seek need not wait for it
      break;
    case GST_EVENT_FLUSH_STOP:
      state.stop = false;
      start_sequence(state);
      break;
    case GST_EVENT_STREAM_START:
    case GST_EVENT_SEGMENT:
      start_sequence(state);
      break;
    default:
      break;
  }
  return GST_BASE_TRANSFORM_CLASS(deeplab_segment_parent_class)->sink_event(filter, event);
}

// ---- Queries -----------------------------------------------------------------------------------

gboolean query(GstBaseTransform* filter, GstPadDirection direction, GstQuery* asked) {
  if (direction != GST_PAD_SRC || GST_QUERY_TYPE(asked) != GST_QUERY_LATENCY) {
    return GST_BASE_TRANSFORM_CLASS(deeplab_segment_parent_class)->query(filter, direction, asked);
  }
  if (!gst_pad_peer_query(filter->sinkpad, asked)) return FALSE;
  State& state = state_of(filter);
  gboolean is_live = FALSE;
  GstClockTime least = 0, most = GST_CLOCK_TIME_NONE;
  gst_query_parse_latency(asked, &is_live, &least, &most);
  const GstClockTime own = state.latency.answer();
  state.is_live = is_live;
  if (GST_CLOCK_TIME_IS_VALID(most)) most += own;
  gst_query_set_latency(asked, is_live, least + own, most);
  return TRUE;
}

// ---- Properties --------------------------------------------------------------------------------

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  State& state = state_of(object);
  GST_OBJECT_LOCK(object);
  if (id < kInterval) state.settings_changed = true;
  switch (id) {
    case kModel:
      state.settings.model = get_text(value);
      break;
    case kThreads:
      state.settings.threads = g_value_get_int(value);
      break;
    case kFit:
      state.settings.fit = static_cast<deeplab_fit>(g_value_get_enum(value));
      break;
    case kCanvas:
      state.settings.canvas = get_text(value);
      break;
    case kIsa:
      state.settings.isa = get_text(value);
      break;
    case kTemporal:
      state.settings.temporal = g_value_get_float(value);
      break;
    case kFps:
      state.settings.fps = g_value_get_double(value);
      break;
    case kBackend:
      state.settings.backend = static_cast<deeplab_backend>(g_value_get_enum(value));
      break;
    case kTfliteLibrary:
      state.settings.tflite_library = get_text(value);
      break;
    case kDelegateLibrary:
      state.settings.delegate_library = get_text(value);
      break;
    case kDelegateOptions:
      state.settings.delegate_options = get_text(value);
      break;
    case kDelegateCache:
      state.settings.delegate_cache = get_text(value);
      break;
    case kRequireDelegated:
      state.settings.require_delegated = g_value_get_float(value);
      break;
    case kAllowCustomOps:
      state.settings.allow_custom_ops = g_value_get_boolean(value);
      break;
    case kInterval:
      state.interval = g_value_get_uint(value);
      break;
    case kPostMessages:
      state.posts_messages = g_value_get_boolean(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  State& state = state_of(object);
  GST_OBJECT_LOCK(object);
  switch (id) {
    case kModel:
      set_text(value, state.settings.model);
      break;
    case kThreads:
      g_value_set_int(value, state.settings.threads);
      break;
    case kFit:
      g_value_set_enum(value, state.settings.fit);
      break;
    case kCanvas:
      set_text(value, state.settings.canvas);
      break;
    case kIsa:
      set_text(value, state.settings.isa);
      break;
    case kTemporal:
      g_value_set_float(value, state.settings.temporal);
      break;
    case kFps:
      g_value_set_double(value, state.settings.fps);
      break;
    case kBackend:
      g_value_set_enum(value, state.settings.backend);
      break;
    case kTfliteLibrary:
      set_text(value, state.settings.tflite_library);
      break;
    case kDelegateLibrary:
      set_text(value, state.settings.delegate_library);
      break;
    case kDelegateOptions:
      set_text(value, state.settings.delegate_options);
      break;
    case kDelegateCache:
      set_text(value, state.settings.delegate_cache);
      break;
    case kRequireDelegated:
      g_value_set_float(value, state.settings.require_delegated);
      break;
    case kAllowCustomOps:
      g_value_set_boolean(value, state.settings.allow_custom_ops);
      break;
    case kInterval:
      g_value_set_uint(value, state.interval);
      break;
    case kPostMessages:
      g_value_set_boolean(value, state.posts_messages);
      break;
    case kLabels:
      g_value_set_boxed(value, state.labels);
      break;
    case kLastMs:
      g_value_set_double(value, state.last_ms);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void finalize(GObject* object) {
  delete self_of(object)->state;
  G_OBJECT_CLASS(deeplab_segment_parent_class)->finalize(object);
}

void install_properties(GObjectClass* object_class) {
  const auto opening = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                GST_PARAM_MUTABLE_READY);
  const auto playing = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                GST_PARAM_MUTABLE_PLAYING);
  const auto reading = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  const auto install = [object_class](Property id, GParamSpec* spec) {
    g_object_class_install_property(object_class, id, spec);
  };
  install(kModel, g_param_spec_string("model", "Model",
                                      "Path of a .tflite file; none: the model that is built in",
                                      nullptr, opening));
  install(kThreads,
          g_param_spec_int("threads", "Threads", "Threads at work on a frame; 0: one per CPU", 0,
                           256, 0, opening));
  install(kFit,
          g_param_spec_enum("fit", "Fit", "How a frame is laid onto the network's input canvas",
                            fit_type(), DEEPLAB_FIT_PAD, opening));
  install(kCanvas, g_param_spec_string(
                       "canvas", "Canvas",
                       "Input canvas in pixels, N or WxH; none: the model's own. Smaller is faster",
                       nullptr, opening));
  install(kIsa, g_param_spec_string("isa", "ISA",
                                    "Kernel family, such as scalar or avx2; none: the fastest",
                                    nullptr, opening));
  install(kTemporal,
          g_param_spec_float("temporal", "Temporal",
                             "Weight of the scores of the frames before, against flicker; 0: none",
                             0, 0.99f, 0, opening));
  install(kFps,
          g_param_spec_double("fps", "Frames per second",
                              "Choose the largest canvas on which this machine keeps up with this "
                              "many; 0: the property canvas says which",
                              0, 10000, 0, opening));
  install(kBackend, g_param_spec_enum("backend", "Backend", "What runs the network", backend_type(),
                                      DEEPLAB_BACKEND_ENGINE, opening));
  install(kTfliteLibrary,
          g_param_spec_string("tflite-library", "TensorFlow Lite's library",
                              "With backend=tflite: its C library; none: its usual names", nullptr,
                              opening));
  install(kDelegateLibrary,
          g_param_spec_string("delegate-library", "Delegate's library",
                              "With backend=tflite: a delegate, through which TensorFlow Lite "
                              "reaches an accelerator; none: its own kernels",
                              nullptr, opening));
  install(kDelegateOptions,
          g_param_spec_string("delegate-options", "Delegate's options",
                              "K=V,K=V by the delegate's own names", nullptr, opening));
  install(kDelegateCache,
          g_param_spec_string("delegate-cache", "Delegate's cache",
                              "Directory in which the delegate keeps what it has compiled; none: "
                              "it compiles at each start",
                              nullptr, opening));
  install(kRequireDelegated,
          g_param_spec_float("require-delegated", "Required share",
                             "Per cent of the multiply-accumulates that the delegate has to take",
                             0, 100, 0, opening));
  install(kAllowCustomOps,
          g_param_spec_boolean("allow-custom-ops", "Allow custom ops",
                               "Take a model file with code for an accelerator in it, which "
                               "backend=tflite runs with its delegate",
                               FALSE, opening));
  install(kInterval,
          g_param_spec_uint("interval", "Interval",
                            "Segment every Nth frame; those in between get the last mask", 1,
                            G_MAXINT, 1, playing));
  install(kPostMessages, g_param_spec_boolean(
                             "post-messages", "Post messages",
                             "Post an element message per frame with its classes and their shares",
                             FALSE, playing));
  install(kLabels, g_param_spec_boxed("labels", "Labels",
                                      "Names of the model's classes, by id; from READY on",
                                      G_TYPE_STRV, reading));
  install(kLastMs, g_param_spec_double("last-ms", "Last ms",
                                       "Milliseconds that the last segmented frame took", 0,
                                       G_MAXDOUBLE, 0, reading));
}

}  // namespace

static void deeplab_segment_class_init(DeeplabSegmentClass* segment_class) {
  GST_DEBUG_CATEGORY_INIT(deeplab_segment_debug, "deeplabsegment", 0, "deeplabsegment");
  auto* object_class = G_OBJECT_CLASS(segment_class);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  install_properties(object_class);
  for (const GType type : {fit_type(), backend_type()}) {
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
  }

  auto* element_class = GST_ELEMENT_CLASS(segment_class);
  element_class->change_state = change_state;
  gst_element_class_set_static_metadata(
      element_class, "DeepLab segmentation", "Filter/Analyzer/Video",
      "Attaches to each frame a mask that says what is where", "The deeplab.cpp authors");
  deeplab::gstreamer::add_pads(
      element_class,
      GST_VIDEO_CAPS_MAKE("{ RGB, BGR, RGBA, BGRA, RGBx, BGRx, GRAY8, NV12, I420 }"));

  auto* filter_class = GST_BASE_TRANSFORM_CLASS(segment_class);
  filter_class->transform_ip = transform_ip;
  filter_class->sink_event = sink_event;
  filter_class->query = query;
  filter_class->propose_allocation = deeplab::gstreamer::propose_allocation;
  GST_VIDEO_FILTER_CLASS(segment_class)->set_info = set_info;
}

static void deeplab_segment_init(DeeplabSegment* self) {
  self->state = new State;
  // The buffer is passed on; only its metadata are written.
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}
