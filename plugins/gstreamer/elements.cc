#include "elements.h"

namespace deeplab::gstreamer {

gboolean propose_allocation(GstBaseTransform* filter, GstQuery* /*decided*/, GstQuery* asked) {
  if (!gst_pad_peer_query(filter->srcpad, asked)) return FALSE;
  guint index = 0;
  if (gst_query_find_allocation_meta(asked, GST_VIDEO_CROP_META_API_TYPE, &index)) {
    gst_query_remove_nth_allocation_meta(asked, index);
  }
  return TRUE;
}

void add_pads(GstElementClass* element_class, const char* caps) {
  GstCaps* parsed = gst_caps_from_string(caps);
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, parsed));
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, parsed));
  gst_caps_unref(parsed);
}

std::string get_text(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text == nullptr ? "" : text;
}

void set_text(GValue* value, const std::string& text) {
  g_value_set_string(value, text.empty() ? nullptr : text.c_str());
}

void post_warning(gpointer element, GstBuffer* buffer, const char* sentence) {
  gchar* text = g_strdup_printf("frame at %" GST_TIME_FORMAT ": %s",
                                GST_TIME_ARGS(GST_BUFFER_PTS(buffer)), sentence);
  gst_element_message_full(GST_ELEMENT(element), GST_MESSAGE_WARNING, GST_STREAM_ERROR,
                           GST_STREAM_ERROR_FAILED, text, nullptr, __FILE__, GST_FUNCTION,
                           __LINE__);
}

void warn_of_small_buffer(gpointer element, GstBuffer* buffer, const GstVideoInfo& info) {
  gchar* what =
      g_strdup_printf("a buffer of %" G_GSIZE_FORMAT " bytes is too small for %s of %dx%d",
                      gst_buffer_get_size(buffer), GST_VIDEO_INFO_NAME(&info),
                      GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info));
  post_warning(element, buffer, what);
  g_free(what);
}

deeplab_image to_image(const GstVideoInfo& info, const MappedFrame& frame) {
  deeplab_image image;
  deeplab_image_init(&image, sizeof image);
  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES(&info); ++plane) {
    image.planes[plane] = frame.pixels(plane);
    image.strides[plane] = frame.stride(plane);
  }
  image.width = GST_VIDEO_INFO_WIDTH(&info);
  image.height = GST_VIDEO_INFO_HEIGHT(&info);
  const GstVideoColorimetry& colours = info.colorimetry;
  image.yuv_matrix = colours.matrix == GST_VIDEO_COLOR_MATRIX_BT601 ? DEEPLAB_BT601 : DEEPLAB_BT709;
  image.yuv_range =
      colours.range == GST_VIDEO_COLOR_RANGE_0_255 ? DEEPLAB_RANGE_FULL : DEEPLAB_RANGE_LIMITED;
  switch (GST_VIDEO_INFO_FORMAT(&info)) {
    case GST_VIDEO_FORMAT_BGR:
      image.format = DEEPLAB_BGR8;
      break;
    case GST_VIDEO_FORMAT_RGBA:
    case GST_VIDEO_FORMAT_RGBx:
      image.format = DEEPLAB_RGBA8;
      break;
    case GST_VIDEO_FORMAT_BGRA:
    case GST_VIDEO_FORMAT_BGRx:
      image.format = DEEPLAB_BGRA8;
      break;
    case GST_VIDEO_FORMAT_GRAY8:
      image.format = DEEPLAB_GRAY8;
      break;
    case GST_VIDEO_FORMAT_NV12:
      image.format = DEEPLAB_NV12;
      break;
    case GST_VIDEO_FORMAT_I420:
      image.format = DEEPLAB_I420;
      break;
    default:
      image.format = DEEPLAB_RGB8;
      break;
  }
  return image;
}

}  // namespace deeplab::gstreamer
