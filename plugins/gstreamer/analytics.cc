#include "analytics.h"

#ifdef DEEPLAB_WITH_GST_ANALYTICS
#include <gst/analytics/analytics.h>
#include <gst/video/video.h>

#include <vector>
#endif

namespace deeplab::gstreamer {

#ifdef DEEPLAB_WITH_GST_ANALYTICS

void attach_analytics(GstBuffer* buffer, const Segmentation& segmentation,
                      const gchar* const* labels) {
  GstBuffer* mask = gst_buffer_new_wrapped_bytes(segmentation.mask.get());
  gsize offsets[GST_VIDEO_MAX_PLANES] = {0};
  gint strides[GST_VIDEO_MAX_PLANES] = {segmentation.width};
  const auto width = static_cast<guint>(segmentation.width),
             height = static_cast<guint>(segmentation.height);
  gst_buffer_add_video_meta_full(mask, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8, width,
                                 height, 1, offsets, strides);

  std::vector<guint> ids;
  std::vector<GQuark> names;
  std::vector<gfloat> confidences;
  for (guint id = 0; labels[id] != nullptr; ++id) {
    ids.push_back(id);
    names.push_back(g_quark_from_string(labels[id]));
    confidences.push_back(-1);  // undefined: a region is a class, not a guess at one
  }
  GstAnalyticsRelationMeta* relations = gst_buffer_add_analytics_relation_meta(buffer);
  GstAnalyticsSegmentationMtd regions;
  GstAnalyticsClsMtd classes;
  if (gst_analytics_relation_meta_add_segmentation_mtd(relations, mask,
                                                       GST_SEGMENTATION_TYPE_SEMANTIC, ids.size(),
                                                       ids.data(), 0, 0, width, height, &regions) &&
      gst_analytics_relation_meta_add_cls_mtd(relations, ids.size(), confidences.data(),
                                              names.data(), &classes)) {
    gst_analytics_relation_meta_set_relation(relations, GST_ANALYTICS_REL_TYPE_RELATE_TO,
                                             regions.id, classes.id);
  }
}

#else

void attach_analytics(GstBuffer*, const Segmentation&, const gchar* const*) {}

#endif

}  // namespace deeplab::gstreamer
