// The mask as GStreamer's own metadata, which exist from 1.26 on.
#pragma once

#include "segmentation_meta.h"

namespace deeplab::gstreamer {

/// Adds a GstAnalyticsSegmentationMtd with the mask, and a GstAnalyticsClsMtd with the names of its
/// regions, to a writable buffer. Does nothing if the plugin was built against an older GStreamer.
void attach_analytics(GstBuffer* buffer, const Segmentation& segmentation,
                      const gchar* const* labels);

}  // namespace deeplab::gstreamer
