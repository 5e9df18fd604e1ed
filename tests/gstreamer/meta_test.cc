// The mask on a buffer that is copied, scaled, cropped, turned: right, or gone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gstreamer/element_harness.h"

namespace deeplab::testing {
namespace {

const std::string kSegment = "deeplabsegment canvas=" + kCanvas;

/// What lies on the frame after those elements, which make of 160x120 RGB what `caps` says.
std::optional<Attached> after(const std::string& elements, const std::string& caps) {
  Harness harness(kSegment + " ! " + elements);
  gst_harness_set_sink_caps_str(harness.get(), caps.c_str());
  const BufferPtr out = harness.run(cat(160, 120), "RGB");
  EXPECT_NE(out, nullptr) << elements;
  return out == nullptr ? std::nullopt : attached(out.get());
}

bool is_missing(const char* element) {
  GstElementFactory* factory = gst_element_factory_find(element);
  if (factory != nullptr) gst_object_unref(factory);
  return factory == nullptr;
}

TEST(Meta, CopiesKeepItAndPartsDoNot) {
  Harness harness(kSegment);
  const BufferPtr frame = harness.run(cat(160, 120), "RGB");
  const auto mask = attached(frame.get())->mask;
  for (const BufferPtr& copy :
       {BufferPtr(gst_buffer_copy(frame.get())), BufferPtr(gst_buffer_copy_deep(frame.get()))}) {
    const auto found = attached(copy.get());
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->mask, mask);
    EXPECT_EQ(found->labels.size(), 21u);
  }
  const BufferPtr part(gst_buffer_copy_region(frame.get(), GST_BUFFER_COPY_ALL, 0, 160 * 60 * 3));
  EXPECT_FALSE(attached(part.get()).has_value());
}

TEST(Meta, AnotherPixelFormatKeepsIt) {
  const auto mask = library_mask(cat(160, 120), "RGB");
  for (const std::string format : {"I420", "NV12", "BGRA", "GRAY8"}) {
    const auto found = after("videoconvert", caps_of(format, 160, 120));
    ASSERT_TRUE(found.has_value()) << format;
    EXPECT_EQ(found->mask, mask);
  }
}

TEST(Meta, ScalingScalesIt) {
  const auto mask = library_mask(cat(160, 120), "RGB");
  for (const auto& [width, height] : {std::pair{80, 60}, {320, 240}, {161, 121}, {53, 40}}) {
    const auto found = after("videoscale", caps_of("RGB", width, height));
    ASSERT_TRUE(found.has_value()) << width;
    ASSERT_EQ(found->width, width);
    ASSERT_EQ(found->height, height);
    ASSERT_EQ(found->mask.size(), static_cast<size_t>(width * height));
    // Each pixel has the id of the pixel under its middle.
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const auto from = static_cast<size_t>((y * 2 + 1) * 120 / (2 * height) * 160 +
                                              (x * 2 + 1) * 160 / (2 * width));
        ASSERT_EQ(found->mask[static_cast<size_t>(y * width + x)], mask[from]) << x << ", " << y;
      }
    }
  }
  // The same shape by pixels that are not square.
  const auto narrow =
      after("videoscale", "video/x-raw,format=RGB,width=80,height=120,pixel-aspect-ratio=2/1");
  ASSERT_TRUE(narrow.has_value());
  EXPECT_EQ(narrow->width, 80);
}

/// videoscale adds borders then, and says so to nobody.
TEST(Meta, ScalingToAnotherShapeDropsIt) {
  const std::string square = ",pixel-aspect-ratio=1/1";
  EXPECT_FALSE(after("videoscale", caps_of("RGB", 160, 60) + square).has_value());
  EXPECT_FALSE(after("videoscale", caps_of("RGB", 90, 120) + square).has_value());
  EXPECT_FALSE(after("videoscale add-borders=false", caps_of("RGB", 160, 60) + square).has_value());
  // 200 rows would be the same shape: six more are borders.
  Harness narrow(kSegment + " ! videoscale");
  gst_harness_set_sink_caps_str(narrow.get(), (caps_of("RGB", 8, 206) + square).c_str());
  EXPECT_FALSE(attached(narrow.run(cat(12, 300), "RGB").get()).has_value());
}

TEST(Meta, CroppingAndTurningDropIt) {
  const auto before = bytes_of(to_buffer(cat(160, 120), "RGB").get());
  for (const auto& [element, arguments, width, height] :
       {std::tuple{"videocrop", "left=8 top=4", 152, 116},
        {"videocrop", "right=80", 80, 120},
        {"videoflip", "video-direction=180", 160, 120},
        {"videoflip", "video-direction=90r", 120, 160},
        {"videoflip", "video-direction=horiz", 160, 120},
        {"videobox", "left=10 bottom=-6", 150, 126},
        {"aspectratiocrop", "aspect-ratio=1/1", 120, 120}}) {
    if (is_missing(element)) {
      GTEST_SKIP() << "skipped: no element " << element << " (package gstreamer1.0-plugins-good)";
    }
    Harness harness(kSegment + " ! " + element + " " + arguments);
    gst_harness_set_sink_caps_str(harness.get(), caps_of("RGB", width, height).c_str());
    const BufferPtr out = harness.run(cat(160, 120), "RGB");
    ASSERT_NE(out, nullptr) << element << " " << arguments;
    EXPECT_NE(bytes_of(out.get()), before) << element << " " << arguments << " does nothing";
    EXPECT_FALSE(attached(out.get()).has_value()) << element << " " << arguments;
  }
}

/// videorate repeats frames: the same picture with the same mask.
TEST(Meta, RepeatedFramesKeepIt) {
  Harness harness(kSegment + " ! videorate");
  gst_harness_set_sink_caps_str(harness.get(),
                                "video/x-raw,format=RGB,width=160,height=120,framerate=90/1");
  harness.set_caps(caps_of("RGB", 160, 120));
  int frames = 0;
  for (int i = 0; i < 3; ++i) {
    BufferPtr buffer = to_buffer(cat(160, 120), "RGB");
    GST_BUFFER_DURATION(buffer.get()) = GST_SECOND / 30;
    BufferPtr out = harness.run(std::move(buffer));
    for (; out != nullptr; out.reset(gst_harness_try_pull(harness.get()))) {
      ++frames;
      EXPECT_TRUE(attached(out.get()).has_value());
    }
  }
  EXPECT_GE(frames, 5);
}

TEST(Meta, TheSecondElementReplacesTheFirstOnes) {
  Harness harness("deeplabsegment canvas=65 ! deeplabsegment canvas=129");
  const BufferPtr frame = harness.run(cat(160, 120), "RGB");
  EXPECT_EQ(attached(frame.get())->mask, library_mask(cat(160, 120), "RGB", "129"));
  gpointer state = nullptr;
  int count = 0;
  const GstMetaInfo* info = gst_meta_get_info("DeeplabSegmentationMeta");
  while (GstMeta* meta = gst_buffer_iterate_meta(frame.get(), &state))
    count += meta->info == info ? 1 : 0;
  EXPECT_EQ(count, 1);
}

/// The metadata are open to everybody: fields that make no sense are as no mask.
TEST(Meta, ADamagedOneIsNone) {
  const gchar* labels[] = {"background", "cat", nullptr};
  const std::vector<std::string> names(300, "class");  // ids are bytes
  std::vector<const gchar*> too_many;
  for (const std::string& name : names) too_many.push_back(name.c_str());
  too_many.push_back(nullptr);
  for (int damage = 0; damage < 7; ++damage) {
    Harness harness("deeplaboverlay classes=299");
    BufferPtr frame = to_buffer(cat(16, 12), "RGB");
    const auto before = bytes_of(frame.get());
    GstStructure* fields = gst_custom_meta_get_structure(
        gst_buffer_add_custom_meta(frame.get(), "DeeplabSegmentationMeta"));
    const std::vector<uint8_t> mask(16 * 12, 1);
    GBytes* bytes = g_bytes_new(mask.data(), damage == 1 ? mask.size() - 1 : mask.size());
    if (damage != 0) gst_structure_set(fields, "mask", G_TYPE_BYTES, bytes, nullptr);
    if (damage != 2) {
      gst_structure_set(fields, "labels", G_TYPE_STRV, damage == 6 ? too_many.data() : labels,
                        nullptr);
    }
    gst_structure_set(fields, "width", G_TYPE_INT, damage == 3 ? -16 : 16, nullptr);
    if (damage == 4) {
      gst_structure_set(fields, "height", G_TYPE_STRING, "twelve", nullptr);
    } else {
      gst_structure_set(fields, "height", G_TYPE_INT, damage == 5 ? 0 : 12, nullptr);
    }
    g_bytes_unref(bytes);
    harness.set_caps(caps_of("RGB", 16, 12));
    const BufferPtr out = harness.run(std::move(frame));
    ASSERT_NE(out, nullptr);
    EXPECT_EQ(bytes_of(out.get()), before) << damage;
    EXPECT_THAT(sentence(harness.message(GST_MESSAGE_WARNING).get()),
                ::testing::HasSubstr("no mask"))
        << damage;
  }
}

}  // namespace
}  // namespace deeplab::testing
