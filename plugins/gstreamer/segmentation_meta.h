// The mask on a frame: a custom GstMeta, a GstStructure with names, so that elements, applications
// and scripts read it without a header of ours. README.md lists its fields.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <memory>

namespace deeplab::gstreamer {

inline constexpr char kMetaName[] = "DeeplabSegmentationMeta";

struct ReleaseBytes {
  void operator()(GBytes* bytes) const { g_bytes_unref(bytes); }
};
using Bytes = std::unique_ptr<GBytes, ReleaseBytes>;

/// What a frame shows. The mask is never written to again: frames in between share it.
struct Segmentation {
  int width = 0;  ///< Of the mask, in pixels: the frame's.
  int height = 0;
  Bytes mask;       ///< width * height class ids, rows tight.
  Bytes fractions;  ///< A double per class: its share of the pixels.
  guint age = 0;    ///< Frames since the one that the mask was made of.
};

/// To be called once per process before the others.
void register_segmentation_meta();

/// Puts it on a writable buffer, instead of one that it may have. `labels`: the class names.
void attach_segmentation(GstBuffer* buffer, const Segmentation& segmentation,
                         const gchar* const* labels);

/// The mask that lies on a buffer, which owns it.
struct MaskOnFrame {
  const uint8_t* ids;  ///< Rows tight.
  int width;
  int height;
  const gchar* const* labels;  ///< NULL-terminated.
};

/// False: the buffer has none, or one that is damaged.
bool find_mask(GstBuffer* buffer, MaskOnFrame& mask);

}  // namespace deeplab::gstreamer
