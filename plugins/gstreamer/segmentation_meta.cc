#include "segmentation_meta.h"

#include <gst/video/video.h>

namespace deeplab::gstreamer {
namespace {

/// The picture at another size, if it fills the other one: an element that scales may keep the
/// shape with borders, and does not say so. NULL then.
Bytes scale_mask(const MaskOnFrame& mask, const GstVideoInfo& from, const GstVideoInfo& to) {
  const int width = GST_VIDEO_INFO_WIDTH(&to), height = GST_VIDEO_INFO_HEIGHT(&to);
  const auto shape = [](const GstVideoInfo& info) {
    return double{1} * GST_VIDEO_INFO_WIDTH(&info) * GST_VIDEO_INFO_PAR_N(&info) /
           (double{1} * GST_VIDEO_INFO_HEIGHT(&info) * GST_VIDEO_INFO_PAR_D(&info));
  };
  // Above and below, or left and right. Less than a pixel is none.
  const double change = shape(from) / shape(to);
  const double borders = change > 1 ? height * (1 - 1 / change) : width * (1 - change);
  if (borders >= 1 || mask.width != GST_VIDEO_INFO_WIDTH(&from) ||
      mask.height != GST_VIDEO_INFO_HEIGHT(&from)) {
    return nullptr;
  }
  const auto size = static_cast<gsize>(width) * static_cast<gsize>(height);
  auto* ids = static_cast<uint8_t*>(g_try_malloc(size));
  if (ids == nullptr) return nullptr;
  uint8_t* to_id = ids;
  for (int y = 0; y < height; ++y) {
    const uint8_t* row =
        mask.ids + (int64_t{2} * y + 1) * mask.height / (int64_t{2} * height) * mask.width;
    for (int x = 0; x < width; ++x) {
      *to_id++ = row[(int64_t{2} * x + 1) * mask.width / (int64_t{2} * width)];
    }
  }
  return Bytes(g_bytes_new_take(ids, size));
}

GstStructure* add_copy(GstBuffer* buffer, GstCustomMeta* meta) {
  GstStructure* copy = gst_custom_meta_get_structure(gst_buffer_add_custom_meta(buffer, kMetaName));
  const auto set = [](GQuark field, const GValue* value, gpointer to) -> gboolean {
    gst_structure_id_set_value(static_cast<GstStructure*>(to), field, value);
    return TRUE;
  };
  gst_structure_foreach(gst_custom_meta_get_structure(meta), set, copy);
  return copy;
}

/// Called when a buffer is copied or made into another one. A mask that would not fit the new
/// picture is left out.
gboolean transform(GstBuffer* to, GstCustomMeta* meta, GstBuffer* from, GQuark type, gpointer data,
                   gpointer) {
  if (GST_META_TRANSFORM_IS_COPY(type)) {
    if (static_cast<GstMetaTransformCopy*>(data)->region) return TRUE;  // Bytes, no picture
    int width = 0, height = 0;
    gst_structure_get(gst_custom_meta_get_structure(meta), "width", G_TYPE_INT, &width, "height",
                      G_TYPE_INT, &height, nullptr);
    const GstVideoMeta* picture = gst_buffer_get_video_meta(to);
    if (picture != nullptr && (picture->width != static_cast<guint>(width) ||
                               picture->height != static_cast<guint>(height))) {
      return TRUE;
    }
    add_copy(to, meta);
    return TRUE;
  }
  if (GST_VIDEO_META_TRANSFORM_IS_SCALE(type)) {
    const auto* scale = static_cast<GstVideoMetaTransform*>(data);
    MaskOnFrame mask;
    if (!find_mask(from, mask)) return TRUE;
    const Bytes scaled = scale_mask(mask, *scale->in_info, *scale->out_info);
    if (scaled == nullptr) return TRUE;
    gst_structure_set(add_copy(to, meta), "mask", G_TYPE_BYTES, scaled.get(), "width", G_TYPE_INT,
                      GST_VIDEO_INFO_WIDTH(scale->out_info), "height", G_TYPE_INT,
                      GST_VIDEO_INFO_HEIGHT(scale->out_info), nullptr);
    return TRUE;
  }
  return FALSE;
}

}  // namespace

void register_segmentation_meta() {
  // What an element changes that does not know this metadata, and must drop it: size and
  // orientation. Not colours.
  const gchar* tags[] = {GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_SIZE_STR,
                         GST_META_TAG_VIDEO_ORIENTATION_STR, nullptr};
  if (gst_meta_get_info(kMetaName) == nullptr) {
    gst_meta_register_custom(kMetaName, tags, transform, nullptr, nullptr);
  }
}

void attach_segmentation(GstBuffer* buffer, const Segmentation& segmentation,
                         const gchar* const* labels) {
  GstCustomMeta* meta = gst_buffer_get_custom_meta(buffer, kMetaName);
  if (meta == nullptr) meta = gst_buffer_add_custom_meta(buffer, kMetaName);
  gst_structure_set(gst_custom_meta_get_structure(meta),                      //
                    "width", G_TYPE_INT, segmentation.width,                  //
                    "height", G_TYPE_INT, segmentation.height,                //
                    "mask", G_TYPE_BYTES, segmentation.mask.get(),            //
                    "labels", G_TYPE_STRV, labels,                            //
                    "fractions", G_TYPE_BYTES, segmentation.fractions.get(),  //
                    "age", G_TYPE_UINT, segmentation.age, nullptr);
}

bool find_mask(GstBuffer* buffer, MaskOnFrame& mask) {
  GstCustomMeta* meta = gst_buffer_get_custom_meta(buffer, kMetaName);
  if (meta == nullptr) return false;
  const GstStructure* fields = gst_custom_meta_get_structure(meta);
  const GValue* ids = gst_structure_get_value(fields, "mask");
  const GValue* labels = gst_structure_get_value(fields, "labels");
  if (ids == nullptr || !G_VALUE_HOLDS(ids, G_TYPE_BYTES) || labels == nullptr ||
      !G_VALUE_HOLDS(labels, G_TYPE_STRV) || !gst_structure_get_int(fields, "width", &mask.width) ||
      !gst_structure_get_int(fields, "height", &mask.height) || mask.width < 1 || mask.height < 1) {
    return false;
  }
  auto* bytes = static_cast<GBytes*>(g_value_get_boxed(ids));
  mask.labels = static_cast<const gchar* const*>(g_value_get_boxed(labels));
  constexpr guint kMostLabels = 256;  // an id is a byte
  if (bytes == nullptr || mask.labels == nullptr ||
      g_strv_length(const_cast<gchar**>(mask.labels)) > kMostLabels) {
    return false;
  }
  gsize size = 0;
  mask.ids = static_cast<const uint8_t*>(g_bytes_get_data(bytes, &size));
  return size == static_cast<gsize>(mask.width) * static_cast<gsize>(mask.height);
}

}  // namespace deeplab::gstreamer
