// The plugin: what GStreamer loads.
#include "elements.h"
#include "segmentation_meta.h"

// GST_PLUGIN_DEFINE takes the source package's name from this macro.
#define PACKAGE "deeplab.cpp"

namespace {

gboolean load_plugin(GstPlugin* plugin) {
  deeplab::gstreamer::register_segmentation_meta();
  return GST_ELEMENT_REGISTER(deeplabsegment, plugin) &&
         GST_ELEMENT_REGISTER(deeplaboverlay, plugin);
}

}  // namespace

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, deeplab,
                  "Semantic segmentation of video on the CPU", load_plugin, DEEPLAB_VERSION,
                  "Apache 2.0", "deeplab.cpp", "deeplab.cpp")
