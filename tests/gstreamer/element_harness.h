// What the tests of the GStreamer elements share: pictures, the library's own masks, a GstHarness
// that frees itself.
#pragma once

#include <gst/check/gstharness.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "deeplab/deeplab_draw.h"

namespace deeplab::testing {

/// Small, for speed; the cat is still found.
inline const std::string kCanvas = "129";

struct Unref {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstMessage* message) const { gst_message_unref(message); }
  void operator()(GstElement* element) const { gst_object_unref(element); }
  void operator()(GstBus* bus) const { gst_object_unref(bus); }
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
};
using BufferPtr = std::unique_ptr<GstBuffer, Unref>;
using MessagePtr = std::unique_ptr<GstMessage, Unref>;
using ElementPtr = std::unique_ptr<GstElement, Unref>;
using BusPtr = std::unique_ptr<GstBus, Unref>;

/// R, G, B, rows tight.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> rgb;
};

/// docs/images/cat.jpg, decoded by GStreamer and scaled to that size. Empty without its JPEG
/// decoder.
const Picture& cat_photo();
Picture cat(int width, int height);
/// Noise, of which the network makes nothing in particular.
Picture noise(int width, int height, unsigned seed);

std::string caps_of(const std::string& format, int width, int height);

/// The picture in a video format, `padding` bytes after each row, told by a GstVideoMeta if there
/// is a padding. `before` bytes come before the first row.
BufferPtr to_buffer(const Picture& picture, const std::string& format, int padding = 0,
                    int before = 0);

/// All bytes of a buffer.
std::vector<uint8_t> bytes_of(GstBuffer* buffer);

/// What the library makes of the pixels that a buffer of to_buffer() holds.
std::vector<uint8_t> library_mask(const Picture& picture, const std::string& format,
                                  const std::string& canvas = kCanvas,
                                  const std::string& model = "");

/// The same of any picture that the library reads.
std::vector<uint8_t> library_mask(const deeplab_image& image, const std::string& canvas = kCanvas,
                                  const std::string& model = "");

/// What lies on a buffer.
struct Attached {
  int width = 0;
  int height = 0;
  unsigned age = 0;
  std::vector<uint8_t> mask;
  std::vector<std::string> labels;
  std::vector<double> fractions;
};
std::optional<Attached> attached(GstBuffer* buffer);

/// A share of an id in a mask.
double share(const std::vector<uint8_t>& mask, uint8_t id);

/// One or more elements, as gst-launch writes them, between two pads of the test's.
class Harness {
 public:
  explicit Harness(const std::string& elements);
  ~Harness();
  Harness(const Harness&) = delete;
  Harness& operator=(const Harness&) = delete;

  /// Announces what comes; frames of other sizes and formats may follow.
  void set_caps(const std::string& caps);
  /// What comes out of the frame.
  BufferPtr run(BufferPtr buffer);
  /// The same of a picture; announces its format and size if they are others than before.
  BufferPtr run(const Picture& picture, const std::string& format, int padding = 0);
  /// Next message of that type that the elements have posted; NULL: there is none.
  MessagePtr message(GstMessageType type);
  GstHarness* get() { return harness_; }
  GstElement* element() { return harness_->element; }

 private:
  GstHarness* harness_;
  BusPtr bus_;
  std::string caps_;
  GstClockTime time_ = 0;
};

/// The sentence of an error or a warning.
std::string sentence(GstMessage* message);

/// A pipeline as gst-launch writes it. Fails the test if it cannot be made.
ElementPtr pipeline(const std::string& description);

/// Plays it to its end. "" or the sentence of the error.
std::string play(GstElement* pipeline);

}  // namespace deeplab::testing
