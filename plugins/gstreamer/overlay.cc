// deeplaboverlay: draws the mask that deeplabsegment attached, in place.
#include <cstdlib>
#include <string>
#include <string_view>

#include "elements.h"
#include "painter.h"
#include "segmentation_meta.h"

namespace {

using deeplab::gstreamer::Canvas;
using deeplab::gstreamer::MappedFrame;
using deeplab::gstreamer::MaskOnFrame;
using deeplab::gstreamer::PaintOptions;
using deeplab::gstreamer::PixelOrder;
using deeplab::gstreamer::post_warning;
using deeplab::gstreamer::warn_of_small_buffer;

struct State {
  // The object lock's.
  PaintOptions options;
  std::string classes;

  // The streaming thread's.
  deeplab::gstreamer::Painter painter;
  bool has_warned = false;  // that frames have no mask
};

}  // namespace

struct DeeplabOverlay {
  GstVideoFilter parent;
  State* state;
};
struct DeeplabOverlayClass {
  GstVideoFilterClass parent;
};

static GType deeplab_overlay_element_get_type();
G_DEFINE_TYPE(DeeplabOverlay, deeplab_overlay_element, GST_TYPE_VIDEO_FILTER)
GST_ELEMENT_REGISTER_DEFINE(deeplaboverlay, "deeplaboverlay", GST_RANK_NONE,
                            deeplab_overlay_element_get_type())

namespace {

enum Property {
  kPropMode = 1,
  kPropAlpha,
  kPropClasses,
  kPropRadius,
  kPropLegend,
};

DeeplabOverlay* self_of(gpointer object) { return reinterpret_cast<DeeplabOverlay*>(object); }
State& state_of(gpointer object) { return *self_of(object)->state; }

GType mode_type() {
  static const GEnumValue values[] = {
      {deeplab::gstreamer::kOverlay, "The classes' colours over the picture", "overlay"},
      {deeplab::gstreamer::kMask, "The classes' colours alone, background black", "mask"},
      {deeplab::gstreamer::kCutout,
       "The classes, all else transparent, or black without an alpha channel", "cutout"},
      {deeplab::gstreamer::kBlur, "The classes, all else out of focus", "blur"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("DeeplabOverlayMode", values);
  return type;
}

PixelOrder order_of(const GstVideoInfo& info) {
  const auto place = [&info](int component) {
    return static_cast<int>(GST_VIDEO_INFO_COMP_POFFSET(&info, component));
  };
  return {GST_VIDEO_INFO_COMP_PSTRIDE(&info, 0), place(0), place(1), place(2),
          GST_VIDEO_INFO_HAS_ALPHA(&info) ? place(3) : -1};
}

/// The id of a class, by its name or as a number; -1 if the model has no such class.
int find_class(const std::string& name, const gchar* const* labels, int count) {
  for (int id = 0; id < count; ++id) {
    if (name == labels[id]) return id;
  }
  char* end = nullptr;
  const long id = std::strtol(name.c_str(), &end, 10);
  return end != name.c_str() && *end == '\0' && id >= 0 && id < count ? static_cast<int>(id) : -1;
}

/// "person, dog" or "15,12"; nothing: all but the background. False: the model has no class
/// `unknown`.
bool choose_classes(const std::string& list, const gchar* const* labels, int count, bool shown[256],
                    std::string& unknown) {
  for (int id = 0; id < 256; ++id) shown[id] = list.empty() && id > 0;
  if (list.empty()) return true;
  std::string_view rest = list;
  while (true) {
    const size_t comma = rest.find(',');
    std::string_view name = rest.substr(0, comma);
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    const int id = find_class(std::string(name), labels, count);
    if (id < 0) {
      unknown = name;
      return false;
    }
    shown[id] = true;
    if (comma == std::string_view::npos) return true;
    rest.remove_prefix(comma + 1);
  }
}

// ---- Frames ------------------------------------------------------------------------------------

/// Once per stream: a decoder that starts in the middle may give many.
void warn_of_no_mask(DeeplabOverlay* self, GstBuffer* buffer) {
  if (self->state->has_warned) return;
  self->state->has_warned = true;
  post_warning(self, buffer,
               "no mask of its size; expected deeplabsegment before deeplaboverlay, and nothing "
               "that crops or turns "
               "the picture in between");
}

GstFlowReturn transform_ip(GstBaseTransform* filter, GstBuffer* buffer) {
  DeeplabOverlay* self = self_of(filter);
  State& state = *self->state;
  if (!GST_VIDEO_FILTER(self)->negotiated) return GST_FLOW_NOT_NEGOTIATED;
  const GstVideoInfo& info = GST_VIDEO_FILTER(self)->in_info;
  GST_OBJECT_LOCK(self);
  PaintOptions options = state.options;
  const std::string classes = state.classes;
  GST_OBJECT_UNLOCK(self);

  MaskOnFrame mask = {};
  const bool has_mask = find_mask(buffer, mask) && mask.width == GST_VIDEO_INFO_WIDTH(&info) &&
                        mask.height == GST_VIDEO_INFO_HEIGHT(&info);
  int label_count = 0;
  if (has_mask) {
    label_count = static_cast<int>(g_strv_length(const_cast<gchar**>(mask.labels)));
    std::string unknown;
    if (!choose_classes(classes, mask.labels, label_count, options.shown, unknown)) {
      gchar* names = g_strjoinv(", ", const_cast<gchar**>(mask.labels));
      GST_ELEMENT_ERROR(self, LIBRARY, SETTINGS,
                        ("classes: no class '%s'; the model has %s", unknown.c_str(), names),
                        (nullptr));
      g_free(names);
      return GST_FLOW_ERROR;
    }
  } else {
    warn_of_no_mask(self, buffer);
    if (options.mode == deeplab::gstreamer::kOverlay) return GST_FLOW_OK;
  }
  const MappedFrame frame(info, buffer,
                          GST_MAP_READWRITE | static_cast<int>(GST_VIDEO_FRAME_MAP_FLAG_NO_REF));
  if (!frame.ok()) {
    warn_of_small_buffer(self, buffer, info);
    return GST_FLOW_OK;
  }
  const Canvas canvas = {frame.pixels(),
                         frame.stride(),
                         GST_VIDEO_INFO_WIDTH(&info),
                         GST_VIDEO_INFO_HEIGHT(&info),
                         to_image(info, frame).format,
                         order_of(info)};
  if (state.painter.paint(canvas, has_mask ? mask.ids : nullptr, mask.labels, label_count,
                          options) != DEEPLAB_OK) {
    post_warning(self, buffer, deeplab_last_error());
  }
  return GST_FLOW_OK;
}

gboolean sink_event(GstBaseTransform* filter, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START) state_of(filter).has_warned = false;
  return GST_BASE_TRANSFORM_CLASS(deeplab_overlay_element_parent_class)->sink_event(filter, event);
}

// ---- Properties --------------------------------------------------------------------------------

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  State& state = state_of(object);
  GST_OBJECT_LOCK(object);
  switch (id) {
    case kPropMode:
      state.options.mode = static_cast<deeplab::gstreamer::Mode>(g_value_get_enum(value));
      break;
    case kPropAlpha:
      state.options.opacity = g_value_get_float(value);
      break;
    case kPropClasses:
      state.classes = deeplab::gstreamer::get_text(value);
      break;
    case kPropRadius:
      state.options.radius = g_value_get_int(value);
      break;
    case kPropLegend:
      state.options.legend = g_value_get_boolean(value);
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
    case kPropMode:
      g_value_set_enum(value, state.options.mode);
      break;
    case kPropAlpha:
      g_value_set_float(value, state.options.opacity);
      break;
    case kPropClasses:
      deeplab::gstreamer::set_text(value, state.classes);
      break;
    case kPropRadius:
      g_value_set_int(value, state.options.radius);
      break;
    case kPropLegend:
      g_value_set_boolean(value, state.options.legend);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void finalize(GObject* object) {
  delete self_of(object)->state;
  G_OBJECT_CLASS(deeplab_overlay_element_parent_class)->finalize(object);
}

void install_properties(GObjectClass* object_class) {
  // Each may change at any time, and counts from the next frame on.
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                              GST_PARAM_MUTABLE_PLAYING);
  const auto install = [object_class](Property id, GParamSpec* spec) {
    g_object_class_install_property(object_class, id, spec);
  };
  const PaintOptions defaults;
  install(kPropMode,
          g_param_spec_enum("mode", "Mode", "What is drawn", mode_type(), defaults.mode, flags));
  install(kPropAlpha, g_param_spec_float("alpha", "Alpha", "Opacity of the colours of mode overlay",
                                         0, 1, defaults.opacity, flags));
  install(kPropClasses, g_param_spec_string(
                            "classes", "Classes",
                            "What is drawn, kept or left sharp: names or ids with commas between; "
                            "none: all but the background",
                            nullptr, flags));
  install(
      kPropRadius,
      g_param_spec_int("radius", "Radius",
                       "How far mode blur reaches, in pixels; 0: a twentieth of the shorter side",
                       0, 1024, 0, flags));
  install(kPropLegend, g_param_spec_boolean("legend", "Legend",
                                            "Names and shares of the classes in mode overlay",
                                            defaults.legend, flags));
}

}  // namespace

static void deeplab_overlay_element_class_init(DeeplabOverlayClass* overlay_class) {
  auto* object_class = G_OBJECT_CLASS(overlay_class);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  install_properties(object_class);
  gst_type_mark_as_plugin_api(mode_type(), static_cast<GstPluginAPIFlags>(0));

  auto* element_class = GST_ELEMENT_CLASS(overlay_class);
  gst_element_class_set_static_metadata(element_class, "DeepLab overlay", "Filter/Effect/Video",
                                        "Draws the mask that deeplabsegment attached to a frame",
                                        "The deeplab.cpp authors");
  deeplab::gstreamer::add_pads(element_class,
                               GST_VIDEO_CAPS_MAKE("{ RGB, BGR, RGBA, BGRA, RGBx, BGRx }"));

  auto* filter_class = GST_BASE_TRANSFORM_CLASS(overlay_class);
  filter_class->transform_ip = transform_ip;
  filter_class->sink_event = sink_event;
  filter_class->propose_allocation = deeplab::gstreamer::propose_allocation;
}

static void deeplab_overlay_element_init(DeeplabOverlay* self) {
  self->state = new State;
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}
