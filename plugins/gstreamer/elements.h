// The elements of the plugin, and what both need of a video filter.
#pragma once

#include <gst/video/gstvideofilter.h>
#include <gst/video/video.h>

#include "deeplab/deeplab.h"

G_BEGIN_DECLS
GST_ELEMENT_REGISTER_DECLARE(deeplabsegment)
GST_ELEMENT_REGISTER_DECLARE(deeplaboverlay)
G_END_DECLS

namespace deeplab::gstreamer {

/// Answers an ALLOCATION query of a filter that passes its buffers on: as the next element does,
/// since that one gets them, except that frames must not come with a crop that only their metadata
/// tell.
inline gboolean propose_allocation_of_next(GstBaseTransform* filter, GstQuery* query) {
  if (!gst_pad_peer_query(filter->srcpad, query)) return FALSE;
  guint index = 0;
  if (gst_query_find_allocation_meta(query, GST_VIDEO_CROP_META_API_TYPE, &index)) {
    gst_query_remove_nth_allocation_meta(query, index);
  }
  return TRUE;
}

/// A mapped frame for as long as this lives. GStreamer's frames keep their own strides, or those of
/// their GstVideoMeta.
class MappedFrame {
 public:
  /// `flags` of GstMapFlags. Not ok() if the buffer holds less than a picture of `info`.
  MappedFrame(const GstVideoInfo& info, GstBuffer* buffer, int flags) {
    is_mapped_ = gst_video_frame_map(&frame_, &info, buffer, static_cast<GstMapFlags>(flags));
    is_large_enough_ = is_mapped_ &&
                       GST_VIDEO_FRAME_WIDTH(&frame_) >= GST_VIDEO_INFO_WIDTH(&info) &&
                       GST_VIDEO_FRAME_HEIGHT(&frame_) >= GST_VIDEO_INFO_HEIGHT(&info);
  }
  ~MappedFrame() {
    if (is_mapped_) gst_video_frame_unmap(&frame_);
  }
  MappedFrame(const MappedFrame&) = delete;
  MappedFrame& operator=(const MappedFrame&) = delete;

  bool ok() const { return is_large_enough_; }
  uint8_t* pixels(guint plane = 0) const {
    return static_cast<uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame_, plane));
  }
  ptrdiff_t stride(guint plane = 0) const { return GST_VIDEO_FRAME_PLANE_STRIDE(&frame_, plane); }

 private:
  GstVideoFrame frame_;
  bool is_mapped_;
  bool is_large_enough_;
};

/// The library's view of a frame; the x of RGBx and BGRx is an alpha, which it ignores. Y, U and V
/// of another matrix than BT.601 are read as BT.709's, which the rest resemble.
inline deeplab_image to_image(const GstVideoInfo& info, const MappedFrame& frame) {
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
