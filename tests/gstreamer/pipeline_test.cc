// Whole pipelines: test pictures, a clip, seeks, state cycles, overload.
#include <gmock/gmock.h>
#include <gst/app/gstappsink.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "tests/gstreamer/element_harness.h"
#include "tests/sanitizers.h"

namespace deeplab::testing {
namespace {

/// Pixels and mask of a frame that came out of a pipeline.
struct Frame {
  Picture picture;
  std::optional<Attached> attached;
  GstClockTime time = 0;
};

/// The next frame of an appsink that takes RGB; nothing at the end.
std::optional<Frame> pull(GstElement* sink) {
  GstSample* sample = gst_app_sink_try_pull_sample(GST_APP_SINK(sink), 30 * GST_SECOND);
  if (sample == nullptr) return std::nullopt;
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  GstVideoInfo info;
  gst_video_info_from_caps(&info, gst_sample_get_caps(sample));
  GstVideoFrame mapped;
  EXPECT_TRUE(gst_video_frame_map(&mapped, &info, buffer, GST_MAP_READ));
  Frame frame;
  frame.picture.width = info.width;
  frame.picture.height = info.height;
  for (int y = 0; y < info.height; ++y) {
    const auto* row = static_cast<uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&mapped, 0)) +
                      ptrdiff_t{1} * y * GST_VIDEO_FRAME_PLANE_STRIDE(&mapped, 0);
    frame.picture.rgb.insert(frame.picture.rgb.end(), row, row + ptrdiff_t{3} * info.width);
  }
  gst_video_frame_unmap(&mapped);
  frame.attached = attached(buffer);
  frame.time = GST_BUFFER_PTS(buffer);
  gst_sample_unref(sample);
  return frame;
}

ElementPtr by_name(const ElementPtr& bin, const char* name) {
  return ElementPtr(gst_bin_get_by_name(GST_BIN(bin.get()), name));
}

/// Resident memory of this process, in bytes.
long resident() {
  long pages = 0, in_memory = 0;
  std::ifstream("/proc/self/statm") >> pages >> in_memory;
  return in_memory * sysconf(_SC_PAGESIZE);
}

std::vector<Frame> all_frames(const std::string& description) {
  const ElementPtr made = pipeline(description + " ! appsink name=sink sync=false");
  const ElementPtr sink = by_name(made, "sink");
  gst_element_set_state(made.get(), GST_STATE_PLAYING);
  std::vector<Frame> frames;
  while (auto frame = pull(sink.get())) frames.push_back(std::move(*frame));
  EXPECT_TRUE(gst_app_sink_is_eos(GST_APP_SINK(sink.get())));
  gst_element_set_state(made.get(), GST_STATE_NULL);
  return frames;
}

TEST(Pipeline, TestPicturesKeepTheirBytesAndGetTheLibrarysMasks) {
  for (const std::string pattern : {"smpte", "ball", "circular"}) {
    const std::string source = "videotestsrc num-buffers=4 pattern=" + pattern +
                               " ! video/x-raw,format=RGB,width=322,height=241";
    const std::vector<Frame> plain = all_frames(source);
    const std::vector<Frame> segmented = all_frames(source + " ! deeplabsegment canvas=129");
    ASSERT_EQ(plain.size(), 4u);
    ASSERT_EQ(segmented.size(), 4u);
    for (size_t i = 0; i < plain.size(); ++i) {
      EXPECT_FALSE(plain[i].attached.has_value());
      EXPECT_EQ(segmented[i].picture.rgb, plain[i].picture.rgb) << pattern << " " << i;
      EXPECT_EQ(segmented[i].time, plain[i].time);
      ASSERT_TRUE(segmented[i].attached.has_value());
      EXPECT_EQ(segmented[i].attached->mask, library_mask(plain[i].picture, "RGB"))
          << pattern << " " << i;
    }
  }
}

/// A camera that pans over the photo of the cat, as a Motion JPEG file.
class Clip : public ::testing::Test {
 protected:
  static constexpr int kFrames = 20, kWidth = 240, kHeight = 176;

  void SetUp() override {
    for (const char* element : {"jpegdec", "jpegenc", "avimux", "avidemux"}) {
      GstElementFactory* factory = gst_element_factory_find(element);
      if (factory == nullptr) {
        GTEST_SKIP() << "skipped: no element " << element << " (package gstreamer1.0-plugins-good)";
      }
      gst_object_unref(factory);
    }
    path_ = std::filesystem::temp_directory_path() /
            ("deeplab-clip-" + std::to_string(getpid()) + ".avi");
    Harness encoder("jpegenc quality=92 ! avimux");
    encoder.set_caps(caps_of("RGB", kWidth, kHeight));
    const Picture& photo = cat_photo();
    for (int i = 0; i < kFrames; ++i) {
      Picture view{kWidth, kHeight, {}};
      for (int y = 0; y < kHeight; ++y) {
        const auto row =
            photo.rgb.begin() + ptrdiff_t{3} * ((y + 60 + 2 * i) * photo.width + 40 + 8 * i);
        view.rgb.insert(view.rgb.end(), row, row + ptrdiff_t{3} * kWidth);
      }
      BufferPtr buffer = to_buffer(view, "RGB");
      GST_BUFFER_PTS(buffer.get()) = static_cast<GstClockTime>(i) * GST_SECOND / 30;
      GST_BUFFER_DURATION(buffer.get()) = GST_SECOND / 30;
      ASSERT_EQ(gst_harness_push(encoder.get(), buffer.release()), GST_FLOW_OK);
    }
    gst_harness_push_event(encoder.get(), gst_event_new_eos());
    write_file(encoder);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::string source() const {
    return "filesrc location=\"" + path_ +
           "\" ! avidemux ! jpegdec ! videoconvert ! video/x-raw,format=RGB";
  }

 private:
  /// avimux writes its header again at the end, at the start of the file: a new SEGMENT event in
  /// bytes says where.
  void write_file(Harness& encoder) {
    std::ofstream file(path_, std::ios::binary);
    while (true) {
      if (GstBuffer* buffer = gst_harness_try_pull(encoder.get())) {
        const auto bytes = bytes_of(buffer);
        if (GST_BUFFER_OFFSET_IS_VALID(buffer))
          file.seekp(static_cast<std::streamoff>(GST_BUFFER_OFFSET(buffer)));
        file.write(reinterpret_cast<const char*>(bytes.data()),
                   static_cast<std::streamsize>(bytes.size()));
        gst_buffer_unref(buffer);
        continue;
      }
      break;
    }
    ASSERT_TRUE(file.flush());
  }

 protected:
  std::string path_;
};

TEST_F(Clip, MasksAreThoseOfItsFrames) {
  const std::vector<Frame> frames = all_frames(source() + " ! deeplabsegment canvas=129");
  ASSERT_EQ(frames.size(), static_cast<size_t>(kFrames));
  double cat_in_all = 0;
  for (const Frame& frame : frames) {
    ASSERT_TRUE(frame.attached.has_value());
    const auto expected = library_mask(frame.picture, "RGB");
    EXPECT_EQ(frame.attached->mask, expected);
    cat_in_all += share(expected, 8) / kFrames;
  }
  EXPECT_GT(cat_in_all, 0.1);
}

TEST_F(Clip, ASeekStartsWithAFreshMask) {
  const ElementPtr made = pipeline(
      source() +
      " ! deeplabsegment canvas=129 interval=1000 ! appsink name=sink sync=false max-buffers=2");
  const ElementPtr sink = by_name(made, "sink");
  gst_element_set_state(made.get(), GST_STATE_PAUSED);
  ASSERT_EQ(gst_element_get_state(made.get(), nullptr, nullptr, 30 * GST_SECOND),
            GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state(made.get(), GST_STATE_PLAYING);
  for (const int frame : {0, 12, 3, 18, 0}) {
    const auto flags = static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE);
    ASSERT_TRUE(gst_element_seek_simple(made.get(), GST_FORMAT_TIME, flags,
                                        frame * GST_SECOND / 30 + GST_MSECOND));
    for (unsigned age = 0; age < 2; ++age) {
      const auto found = pull(sink.get());
      ASSERT_TRUE(found.has_value());
      ASSERT_TRUE(found->attached.has_value());
      EXPECT_EQ(found->attached->age, age);
      if (age > 0) continue;
      EXPECT_NEAR(static_cast<double>(found->time), static_cast<double>(frame) * GST_SECOND / 30,
                  GST_SECOND / 25);
      EXPECT_EQ(found->attached->mask, library_mask(found->picture, "RGB"));
    }
  }
  gst_element_set_state(made.get(), GST_STATE_NULL);
}

TEST_F(Clip, AFilePlaysThroughBothElementsToItsEnd) {
  const ElementPtr made = pipeline(source() +
                                   " ! deeplabsegment canvas=129 ! deeplaboverlay ! videoconvert ! "
                                   "video/x-raw,format=I420 ! fakesink");
  EXPECT_EQ(play(made.get()), "");
}

TEST(Pipeline, TwoHundredStateCycles) {
  const ElementPtr made = pipeline(
      "videotestsrc ! video/x-raw,format=BGRx,width=64,height=48 ! deeplabsegment canvas=65 "
      "threads=2 name=segment ! "
      "deeplaboverlay mode=blur ! fakesink sync=false");
  const ElementPtr segment = by_name(made, "segment");
  long after_some = 0;
  for (int cycle = 0; cycle < 200; ++cycle) {
    ASSERT_NE(gst_element_set_state(made.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE)
        << cycle;
    // A fakesink is playing once it has had a frame.
    ASSERT_EQ(gst_element_get_state(made.get(), nullptr, nullptr, 30 * GST_SECOND),
              GST_STATE_CHANGE_SUCCESS)
        << cycle;
    ASSERT_EQ(gst_element_set_state(made.get(), GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS) << cycle;
    if (cycle == 50) after_some = resident();
  }
  if (!kSanitizer) {
    EXPECT_LT(resident(), after_some + (4 << 20));
  }
}

/// A source that never waits: frames are dropped before the network, and nothing piles up.
TEST(Pipeline, OverloadBeforeALeakyQueueKeepsMemoryFlat) {
  const ElementPtr made = pipeline(
      "videotestsrc pattern=black ! video/x-raw,format=RGB,width=320,height=240 ! "
      "identity name=before ! queue leaky=downstream max-size-buffers=2 ! "
      "deeplabsegment threads=1 qos=false ! "
      "fakesink name=sink sync=false signal-handoffs=true");
  struct Counts {
    std::atomic<int> before = 0, after = 0;
  } counts;
  const ElementPtr before = by_name(made, "before"), sink = by_name(made, "sink");
  const auto count_before =
      +[](GstElement*, GstBuffer*, gpointer data) { ++static_cast<Counts*>(data)->before; };
  const auto count_after =
      +[](GstElement*, GstBuffer*, GstPad*, gpointer data) { ++static_cast<Counts*>(data)->after; };
  g_signal_connect(before.get(), "handoff", G_CALLBACK(count_before), &counts);
  g_signal_connect(sink.get(), "handoff", G_CALLBACK(count_after), &counts);
  gst_element_set_state(made.get(), GST_STATE_PLAYING);
  const auto wait_for = [&](int frames) {
    for (int i = 0; i < 6000 && counts.after < frames; ++i) g_usleep(10000);
    ASSERT_GE(counts.after, frames) << "not in a minute";
  };
  wait_for(30);
  const long early = resident();
  wait_for(130);
  const long late = resident();
  gst_element_set_state(made.get(), GST_STATE_NULL);
  EXPECT_GT(counts.before, 2 * counts.after) << "no overload: the test shows nothing";
  if (!kSanitizer) {
    EXPECT_LT(late, early + (4 << 20));
  }
}

TEST(Pipeline, AWrongModelFailsItWithOneSentence) {
  const ElementPtr made =
      pipeline("videotestsrc ! videoconvert ! deeplabsegment model=/no/such.tflite ! fakesink");
  EXPECT_THAT(play(made.get()), ::testing::HasSubstr("cannot open /no/such.tflite"));
}

}  // namespace
}  // namespace deeplab::testing
