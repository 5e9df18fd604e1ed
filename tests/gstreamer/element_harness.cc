#include "tests/gstreamer/element_harness.h"

#include <gst/app/gstappsink.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <random>

#include "tests/samples/samples.h"

namespace deeplab::testing {
namespace {

/// GStreamer and the plugin, by its file: the machine may have another one installed.
class GStreamer : public ::testing::Environment {
 public:
  void SetUp() override {
    setenv("GST_REGISTRY", DEEPLAB_GSTREAMER_REGISTRY, 1);
    gst_init(nullptr, nullptr);
    GError* error = nullptr;
    GstPlugin* plugin = gst_plugin_load_file(DEEPLAB_GSTREAMER_PLUGIN, &error);
    ASSERT_NE(plugin, nullptr) << error->message;
    gst_object_unref(plugin);
  }
  void TearDown() override {
    cat_photo_.rgb.clear();
    gst_deinit();
  }
  static Picture cat_photo_;
};
Picture GStreamer::cat_photo_;
[[maybe_unused]] const auto* const kGStreamer = ::testing::AddGlobalTestEnvironment(new GStreamer);

struct Order {
  size_t bytes, red, green, blue;
  deeplab_pixel_format format;
};

Order order_of(const std::string& format) {
  if (format == "RGB") return {3, 0, 1, 2, DEEPLAB_RGB8};
  if (format == "BGR") return {3, 2, 1, 0, DEEPLAB_BGR8};
  if (format == "RGBA" || format == "RGBx") return {4, 0, 1, 2, DEEPLAB_RGBA8};
  if (format == "BGRA" || format == "BGRx") return {4, 2, 1, 0, DEEPLAB_BGRA8};
  return {1, 0, 0, 0, DEEPLAB_GRAY8};
}

/// Rows tight; the fourth byte, which nobody may read, is noise.
std::vector<uint8_t> pixels_of(const Picture& picture, const std::string& format) {
  const Order order = order_of(format);
  std::vector<uint8_t> pixels(picture.rgb.size() / 3 * order.bytes);
  for (size_t i = 0; i < picture.rgb.size() / 3; ++i) {
    const uint8_t* rgb = &picture.rgb[3 * i];
    uint8_t* out = &pixels[order.bytes * i];
    if (order.bytes == 1) {
      out[0] = static_cast<uint8_t>((rgb[0] + 2 * rgb[1] + rgb[2]) / 4);
      continue;
    }
    if (order.bytes == 4) out[3] = static_cast<uint8_t>(i * 37);
    out[order.red] = rgb[0];
    out[order.green] = rgb[1];
    out[order.blue] = rgb[2];
  }
  return pixels;
}

void load_cat() {
  const std::string description =
      "filesrc location=\"" + kCatPhoto +
      "\" ! jpegdec ! videoconvert ! video/x-raw,format=RGB ! appsink name=sink sync=false";
  GError* error = nullptr;
  const ElementPtr decoder(
      gst_parse_launch_full(description.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error));
  if (decoder == nullptr) {
    g_error_free(error);
    return;
  }
  const ElementPtr sink(gst_bin_get_by_name(GST_BIN(decoder.get()), "sink"));
  gst_element_set_state(decoder.get(), GST_STATE_PLAYING);
  GstSample* sample = gst_app_sink_pull_sample(GST_APP_SINK(sink.get()));
  if (sample != nullptr) {
    GstVideoInfo info;
    gst_video_info_from_caps(&info, gst_sample_get_caps(sample));
    GstVideoFrame frame;
    gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ);
    Picture& cat = GStreamer::cat_photo_;
    cat.width = info.width;
    cat.height = info.height;
    for (int y = 0; y < info.height; ++y) {
      const auto* row = static_cast<uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0)) +
                        ptrdiff_t{1} * y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);
      cat.rgb.insert(cat.rgb.end(), row, row + ptrdiff_t{3} * info.width);
    }
    gst_video_frame_unmap(&frame);
    gst_sample_unref(sample);
  }
  gst_element_set_state(decoder.get(), GST_STATE_NULL);
}

}  // namespace

const Picture& cat_photo() {
  if (GStreamer::cat_photo_.rgb.empty()) load_cat();
  return GStreamer::cat_photo_;
}

Picture cat(int width, int height) {
  const Picture& photo = cat_photo();
  Picture scaled{width, height, {}};
  if (photo.rgb.empty()) return noise(width, height, 1);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto at = static_cast<ptrdiff_t>(3) *
                      (y * photo.height / height * photo.width + x * photo.width / width);
      scaled.rgb.insert(scaled.rgb.end(), photo.rgb.begin() + at, photo.rgb.begin() + at + 3);
    }
  }
  return scaled;
}

Picture noise(int width, int height, unsigned seed) {
  Picture picture{width, height, std::vector<uint8_t>(static_cast<size_t>(width * height * 3))};
  std::mt19937 random(seed);
  for (uint8_t& value : picture.rgb) value = static_cast<uint8_t>(random());
  return picture;
}

std::string caps_of(const std::string& format, int width, int height) {
  return "video/x-raw,format=" + format + ",width=" + std::to_string(width) +
         ",height=" + std::to_string(height) + ",framerate=30/1";
}

BufferPtr to_buffer(const Picture& picture, const std::string& format, int padding, int before) {
  const std::vector<uint8_t> pixels = pixels_of(picture, format);
  const auto row = static_cast<ptrdiff_t>(order_of(format).bytes) * picture.width;
  GstVideoInfo info;
  gst_video_info_set_format(&info, gst_video_format_from_string(format.c_str()),
                            static_cast<guint>(picture.width), static_cast<guint>(picture.height));
  const ptrdiff_t stride = padding > 0 ? row + padding : GST_VIDEO_INFO_PLANE_STRIDE(&info, 0);
  // With strides of its own the buffer ends with its last pixel, for the address sanitizer.
  const ptrdiff_t size = padding > 0 ? before + stride * (picture.height - 1) + row
                                     : static_cast<ptrdiff_t>(GST_VIDEO_INFO_SIZE(&info));
  std::vector<uint8_t> bytes(static_cast<size_t>(size), 0xA5);
  for (int y = 0; y < picture.height; ++y) {
    std::memcpy(bytes.data() + before + y * stride, pixels.data() + y * row,
                static_cast<size_t>(row));
  }
  BufferPtr buffer(gst_buffer_new_memdup(bytes.data(), bytes.size()));
  if (padding > 0) {
    gsize offsets[GST_VIDEO_MAX_PLANES] = {static_cast<gsize>(before)};
    gint strides[GST_VIDEO_MAX_PLANES] = {static_cast<gint>(stride)};
    gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE,
                                   GST_VIDEO_INFO_FORMAT(&info), static_cast<guint>(picture.width),
                                   static_cast<guint>(picture.height), 1, offsets, strides);
  }
  return buffer;
}

std::vector<uint8_t> bytes_of(GstBuffer* buffer) {
  std::vector<uint8_t> bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

std::vector<uint8_t> library_mask(const Picture& picture, const std::string& format,
                                  const std::string& canvas, const std::string& model) {
  const std::vector<uint8_t> pixels = pixels_of(picture, format);
  deeplab_image image;
  deeplab_image_init(&image, sizeof image);
  image.planes[0] = pixels.data();
  image.strides[0] = static_cast<ptrdiff_t>(order_of(format).bytes) * picture.width;
  image.format = order_of(format).format;
  image.width = picture.width;
  image.height = picture.height;
  return library_mask(image, canvas, model);
}

std::vector<uint8_t> library_mask(const deeplab_image& image, const std::string& canvas,
                                  const std::string& path) {
  deeplab_model* model = nullptr;
  deeplab_segmenter* segmenter = nullptr;
  EXPECT_EQ(path.empty() ? deeplab_model_load_builtin(&model)
                         : deeplab_model_load_file(path.c_str(), &model),
            DEEPLAB_OK);
  deeplab_segmenter_options options;
  deeplab_segmenter_options_init(&options, sizeof options);
  options.threads = 1;
  options.width = options.height = std::atoi(canvas.c_str());
  EXPECT_EQ(deeplab_segmenter_create(model, &options, &segmenter), DEEPLAB_OK)
      << deeplab_last_error();
  std::vector<uint8_t> mask(static_cast<size_t>(image.width * image.height));
  EXPECT_EQ(deeplab_segmenter_run(segmenter, &image, nullptr), DEEPLAB_OK) << deeplab_last_error();
  EXPECT_EQ(deeplab_segmenter_category_mask(segmenter, image.width, image.height, mask.data(),
                                            image.width),
            DEEPLAB_OK);
  deeplab_segmenter_free(segmenter);
  deeplab_model_free(model);
  return mask;
}

std::optional<Attached> attached(GstBuffer* buffer) {
  GstCustomMeta* meta = gst_buffer_get_custom_meta(buffer, "DeeplabSegmentationMeta");
  if (meta == nullptr) return std::nullopt;
  GBytes *mask = nullptr, *fractions = nullptr;
  gchar** labels = nullptr;
  Attached result;
  EXPECT_TRUE(gst_structure_get(
      gst_custom_meta_get_structure(meta), "width", G_TYPE_INT, &result.width, "height", G_TYPE_INT,
      &result.height, "mask", G_TYPE_BYTES, &mask, "labels", G_TYPE_STRV, &labels, "fractions",
      G_TYPE_BYTES, &fractions, "age", G_TYPE_UINT, &result.age, nullptr));
  gsize size = 0;
  const auto* ids = static_cast<const uint8_t*>(g_bytes_get_data(mask, &size));
  result.mask.assign(ids, ids + size);
  const auto* shares = static_cast<const double*>(g_bytes_get_data(fractions, &size));
  result.fractions.assign(shares, shares + size / sizeof(double));
  for (gchar** label = labels; *label != nullptr; ++label) result.labels.emplace_back(*label);
  g_bytes_unref(mask);
  g_bytes_unref(fractions);
  g_strfreev(labels);
  return result;
}

double share(const std::vector<uint8_t>& mask, uint8_t id) {
  return static_cast<double>(std::count(mask.begin(), mask.end(), id)) /
         static_cast<double>(mask.size());
}

Harness::Harness(const std::string& elements)
    : harness_(gst_harness_new_parse(elements.c_str())), bus_(gst_bus_new()) {
  gst_element_set_bus(harness_->element, bus_.get());
}

Harness::~Harness() {
  gst_bus_set_flushing(bus_.get(), TRUE);
  gst_element_set_bus(harness_->element, nullptr);
  gst_harness_teardown(harness_);
}

void Harness::set_caps(const std::string& caps) {
  if (caps != caps_) gst_harness_set_src_caps_str(harness_, caps.c_str());
  caps_ = caps;
}

BufferPtr Harness::run(BufferPtr buffer) {
  GST_BUFFER_PTS(buffer.get()) = time_;
  time_ += GST_SECOND / 30;
  EXPECT_EQ(gst_harness_push(harness_, buffer.release()), GST_FLOW_OK);
  return BufferPtr(gst_harness_try_pull(harness_));
}

BufferPtr Harness::run(const Picture& picture, const std::string& format, int padding) {
  set_caps(caps_of(format, picture.width, picture.height));
  return run(to_buffer(picture, format, padding));
}

MessagePtr Harness::message(GstMessageType type) {
  return MessagePtr(gst_bus_pop_filtered(bus_.get(), type));
}

std::string sentence(GstMessage* message) {
  if (message == nullptr) return "(no message)";
  GError* error = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
    gst_message_parse_warning(message, &error, nullptr);
  } else {
    gst_message_parse_error(message, &error, nullptr);
  }
  std::string text = error->message;
  g_error_free(error);
  return text;
}

ElementPtr pipeline(const std::string& description) {
  GError* error = nullptr;
  ElementPtr made(
      gst_parse_launch_full(description.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error));
  EXPECT_NE(made, nullptr) << (error != nullptr ? error->message : "");
  if (error != nullptr) g_error_free(error);
  return made;
}

std::string play(GstElement* pipeline) {
  const BusPtr bus(gst_element_get_bus(pipeline));
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  const MessagePtr message(
      gst_bus_timed_pop_filtered(bus.get(), 60 * GST_SECOND,
                                 static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  gst_element_set_state(pipeline, GST_STATE_NULL);
  if (message == nullptr) return "no end after a minute";
  return GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS ? "" : sentence(message.get());
}

}  // namespace deeplab::testing
