// The elements of the plugin, and what both need of a video filter.
#pragma once

#include <gst/video/gstvideofilter.h>
#include <gst/video/video.h>

#include <string>

#include "deeplab/deeplab.h"

G_BEGIN_DECLS
GST_ELEMENT_REGISTER_DECLARE(deeplabsegment)
GST_ELEMENT_REGISTER_DECLARE(deeplaboverlay)
G_END_DECLS

namespace deeplab::gstreamer {

/// Answers an ALLOCATION query of a filter that passes its buffers on: as the next element does,
/// since that one gets them, except that frames must not come with a crop that only their metadata
/// tell.
gboolean propose_allocation(GstBaseTransform* filter, GstQuery* decided, GstQuery* asked);

/// One pad on each side, both of these caps.
void add_pads(GstElementClass* element_class, const char* caps);

/// A property of type string, of which none is "".
std::string get_text(const GValue* value);
void set_text(GValue* value, const std::string& text);

/// Posts what was wrong with a frame, which is not the end of the stream.
void post_warning(gpointer element, GstBuffer* buffer, const char* sentence);

/// The same of one that MappedFrame cannot map.
void warn_of_small_buffer(gpointer element, GstBuffer* buffer, const GstVideoInfo& info);

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
deeplab_image to_image(const GstVideoInfo& info, const MappedFrame& frame);

}  // namespace deeplab::gstreamer
