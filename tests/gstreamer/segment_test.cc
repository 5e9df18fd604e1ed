// deeplabsegment, frame by frame.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/gstreamer/element_harness.h"
#include "tests/samples/samples.h"

namespace deeplab::testing {
namespace {

using ::testing::HasSubstr;

const std::string kSegment = "deeplabsegment canvas=" + kCanvas;
const std::vector<std::string> kFormats = {"RGB", "BGR", "RGBA", "BGRA", "RGBx", "BGRx", "GRAY8"};

TEST(Segment, EveryFormatGivesTheLibrarysMask) {
  for (const std::string& format : kFormats) {
    Harness harness(kSegment);
    const Picture picture = cat(250, 167);
    const auto expected = library_mask(picture, format);
    if (!cat_photo().rgb.empty()) {
      EXPECT_GT(share(expected, 8), 0.05) << format;
    }
    for (const int padding : {0, 1, 13}) {
      BufferPtr in = to_buffer(picture, format, padding, padding);
      const std::vector<uint8_t> before = bytes_of(in.get());
      const GstMemory* memory = gst_buffer_peek_memory(in.get(), 0);
      harness.set_caps(caps_of(format, 250, 167));
      const BufferPtr out = harness.run(std::move(in));
      ASSERT_NE(out, nullptr);
      EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), memory) << "the picture was copied";
      EXPECT_EQ(bytes_of(out.get()), before) << format;
      const auto found = attached(out.get());
      ASSERT_TRUE(found.has_value()) << format;
      EXPECT_EQ(found->mask, expected) << format << ", padding " << padding;
      EXPECT_EQ(found->width, 250);
      EXPECT_EQ(found->height, 167);
      EXPECT_EQ(found->age, 0u);
      ASSERT_EQ(found->labels.size(), 21u);
      EXPECT_EQ(found->labels[8], "cat");
      ASSERT_EQ(found->fractions.size(), 21u);
      for (uint8_t id = 0; id < 21; ++id)
        EXPECT_DOUBLE_EQ(found->fractions[id], share(expected, id));
    }
  }
}

/// Planes of Y, U and V, as cameras and decoders give them, with strides of their own.
TEST(Segment, PlanesOfCamerasAndDecoders) {
  constexpr int kWidth = 161, kHeight = 119, kChroma = 81, kChromaRows = 60;
  const Picture picture = cat(kWidth, kHeight);
  for (const bool is_nv12 : {true, false}) {
    for (const std::string colorimetry : {"bt601", "bt709", "1:4:0:0"}) {
      // Y is the grey of the picture, U and V noise about the middle.
      constexpr gint kStride = 170;
      gint strides[GST_VIDEO_MAX_PLANES] = {kStride, is_nv12 ? 2 * kChroma + 3 : kChroma + 3,
                                            is_nv12 ? 0 : kChroma + 5};
      gsize offsets[GST_VIDEO_MAX_PLANES] = {0, kStride * kHeight + 7};
      offsets[2] = offsets[1] + static_cast<gsize>(strides[1] * kChromaRows);
      std::vector<uint8_t> bytes(offsets[2] + static_cast<gsize>(strides[2] * kChromaRows));
      for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(110 + i * 7 % 37);
      for (int y = 0; y < kHeight; ++y) {
        for (int x = 0; x < kWidth; ++x) {
          bytes[static_cast<size_t>(y * kStride + x)] =
              picture.rgb[static_cast<size_t>(3 * (y * kWidth + x) + 1)];
        }
      }
      BufferPtr buffer(gst_buffer_new_memdup(bytes.data(), bytes.size()));
      gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE,
                                     is_nv12 ? GST_VIDEO_FORMAT_NV12 : GST_VIDEO_FORMAT_I420,
                                     kWidth, kHeight, is_nv12 ? 2u : 3u, offsets, strides);
      deeplab_image image;
      deeplab_image_init(&image, sizeof image);
      for (size_t plane = 0; plane < (is_nv12 ? 2u : 3u); ++plane) {
        image.planes[plane] = bytes.data() + offsets[plane];
        image.strides[plane] = strides[plane];
      }
      image.format = is_nv12 ? DEEPLAB_NV12 : DEEPLAB_I420;
      image.width = kWidth;
      image.height = kHeight;
      image.yuv_matrix = colorimetry == "bt709" ? DEEPLAB_BT709 : DEEPLAB_BT601;
      image.yuv_range = colorimetry == "1:4:0:0" ? DEEPLAB_RANGE_FULL : DEEPLAB_RANGE_LIMITED;

      Harness harness(kSegment);
      harness.set_caps(caps_of(is_nv12 ? "NV12" : "I420", kWidth, kHeight) +
                       ",colorimetry=" + colorimetry);
      const auto found = attached(harness.run(std::move(buffer)).get());
      ASSERT_TRUE(found.has_value());
      EXPECT_EQ(found->mask, library_mask(image)) << is_nv12 << " " << colorimetry;
    }
  }
}

TEST(Segment, OddSizes) {
  Harness harness(kSegment);
  for (const auto& [width, height] :
       {std::pair{1, 1}, {2, 3}, {33, 97}, {161, 119}, {401, 13}, {7, 300}}) {
    for (const std::string format : {"RGB", "BGRx", "GRAY8"}) {
      const Picture picture = cat(width, height);
      for (const int padding : {0, 5}) {
        const BufferPtr out = harness.run(picture, format, padding);
        ASSERT_NE(out, nullptr);
        const auto found = attached(out.get());
        ASSERT_TRUE(found.has_value());
        EXPECT_EQ(found->width, width);
        EXPECT_EQ(found->mask, library_mask(picture, format))
            << width << "x" << height << " " << format;
      }
    }
  }
}

TEST(Segment, OtherModelsFitsAndCanvases) {
  const Picture picture = cat(200, 130);
  {
    Harness harness("deeplabsegment threads=1 canvas=129 model=" + kInt8Labels);
    const auto found = attached(harness.run(picture, "BGR").get());
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->mask, library_mask(picture, "BGR", "129", kInt8Labels));
  }
  const auto pad = library_mask(picture, "RGB");
  for (const std::string other : {"fit=letterbox canvas=129", "fit=stretch canvas=129x97"}) {
    Harness harness("deeplabsegment " + other);
    const auto found = attached(harness.run(picture, "RGB").get());
    ASSERT_TRUE(found.has_value());
    EXPECT_NE(found->mask, pad) << other;
    EXPECT_NEAR(share(found->mask, 8), share(pad, 8), 0.1) << other;
  }
}

TEST(Segment, CapsMayChangeMidStream) {
  Harness harness(kSegment + " interval=100");
  for (const auto& [format, width, height] : {std::tuple{"RGB", 160, 120},
                                              {"RGB", 120, 160},
                                              {"BGRA", 120, 160},
                                              {"GRAY8", 64, 64},
                                              {"RGB", 160, 120}}) {
    const Picture picture = cat(width, height);
    const auto expected = library_mask(picture, format);
    for (unsigned age = 0; age < 2; ++age) {
      const auto found = attached(harness.run(picture, format).get());
      ASSERT_TRUE(found.has_value());
      EXPECT_EQ(found->age, age) << "a mask of the last caps was carried on";
      EXPECT_EQ(found->mask, expected) << format << " " << width << "x" << height;
    }
  }
}

TEST(Segment, FramesInBetweenGetTheLastMask) {
  Harness harness(kSegment + " interval=3");
  const Picture a = cat(160, 120), b = noise(160, 120, 5);
  const auto of_a = library_mask(a, "RGB"), of_b = library_mask(b, "RGB");
  ASSERT_NE(of_a, of_b);
  for (const Picture* segmented : {&a, &b, &a}) {
    const auto& expected = segmented == &a ? of_a : of_b;
    const Picture& other = segmented == &a ? b : a;
    for (unsigned age = 0; age < 3; ++age) {
      const auto found = attached(harness.run(age == 0 ? *segmented : other, "RGB").get());
      ASSERT_TRUE(found.has_value());
      EXPECT_EQ(found->age, age);
      EXPECT_EQ(found->mask, expected) << age;
    }
  }
  gst_harness_set(harness.get(), "deeplabsegment", "interval", 1u, nullptr);
  EXPECT_EQ(attached(harness.run(a, "RGB").get())->age, 0u);
  EXPECT_EQ(attached(harness.run(b, "RGB").get())->mask, of_b);
}

TEST(Segment, AFlushForgetsTheLastMask) {
  Harness harness(kSegment + " interval=100");
  const Picture a = cat(160, 120), b = noise(160, 120, 6);
  harness.run(a, "RGB");
  EXPECT_EQ(attached(harness.run(b, "RGB").get())->age, 1u);
  ASSERT_TRUE(gst_harness_push_event(harness.get(), gst_event_new_flush_start()));
  ASSERT_TRUE(gst_harness_push_event(harness.get(), gst_event_new_flush_stop(TRUE)));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  ASSERT_TRUE(gst_harness_push_event(harness.get(), gst_event_new_segment(&segment)));
  const auto found = attached(harness.run(b, "RGB").get());
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->age, 0u);
  EXPECT_EQ(found->mask, library_mask(b, "RGB"));
}

/// Scores are carried on from frame to frame, and over no flush.
TEST(Segment, TemporalIsTheLibrarysAndEndsAtAFlush) {
  Harness harness(kSegment + " temporal=0.8");
  const Picture a = cat(160, 120);
  Picture b = a;  // the same in other light, with noise
  for (size_t i = 0; i < b.rgb.size(); ++i) {
    b.rgb[i] = static_cast<uint8_t>(b.rgb[i] / 2 + i * i % 61);
  }
  const auto alone = library_mask(b, "RGB");
  deeplab_model* model = nullptr;
  deeplab_segmenter* segmenter = nullptr;
  deeplab_segmenter_options options;
  deeplab_segmenter_options_init(&options, sizeof options);
  options.width = options.height = 129;
  options.temporal = 0.8f;
  ASSERT_EQ(deeplab_model_load_builtin(&model), DEEPLAB_OK);
  ASSERT_EQ(deeplab_segmenter_create(model, &options, &segmenter), DEEPLAB_OK);
  bool has_differed = false;
  for (const Picture* picture : std::initializer_list<const Picture*>{&a, &b, &b, &a, &b}) {
    deeplab_image image;
    deeplab_image_init(&image, sizeof image);
    image.planes[0] = picture->rgb.data();
    image.strides[0] = 3 * 160;
    image.width = 160;
    image.height = 120;
    std::vector<uint8_t> expected(160 * 120);
    ASSERT_EQ(deeplab_segmenter_run(segmenter, &image, nullptr), DEEPLAB_OK);
    ASSERT_EQ(deeplab_segmenter_category_mask(segmenter, 160, 120, expected.data(), 160),
              DEEPLAB_OK);
    EXPECT_EQ(attached(harness.run(*picture, "RGB").get())->mask, expected);
    has_differed |= picture == &b && expected != alone;
  }
  EXPECT_TRUE(has_differed);
  deeplab_segmenter_free(segmenter);
  deeplab_model_free(model);
  gst_harness_push_event(harness.get(), gst_event_new_flush_start());
  gst_harness_push_event(harness.get(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(harness.get(), gst_event_new_segment(&segment));
  EXPECT_EQ(attached(harness.run(b, "RGB").get())->mask, alone);
}

/// A seek need not wait until the network is done with a frame.
TEST(Segment, AFlushStopsARun) {
  Harness harness("deeplabsegment isa=scalar threads=1");
  const Picture picture = cat(200, 150);
  ASSERT_NE(harness.run(picture, "RGB"), nullptr);
  const auto last_ms = [&] {
    gdouble value = 0;
    gst_harness_get(harness.get(), "deeplabsegment", "last-ms", &value, nullptr);
    return value;
  };
  bool was_stopped = false;
  // A run may be over before the flush comes, if the machine has just become faster: once more.
  for (double wait_ms = last_ms() / 4; !was_stopped && wait_ms > 0.05; wait_ms /= 2) {
    const double before = last_ms();
    GstFlowReturn result = GST_FLOW_OK;
    std::thread pusher(
        [&] { result = gst_harness_push(harness.get(), to_buffer(picture, "RGB").release()); });
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(wait_ms));
    gst_harness_push_event(harness.get(), gst_event_new_flush_start());
    pusher.join();
    // A run that comes to its end tells how long it took.
    was_stopped = result == GST_FLOW_FLUSHING && last_ms() == before;
    gst_harness_push_event(harness.get(), gst_event_new_flush_stop(TRUE));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(harness.get(), gst_event_new_segment(&segment));
  }
  EXPECT_TRUE(was_stopped);
  EXPECT_EQ(sentence(harness.message(GST_MESSAGE_WARNING).get()), "(no message)");
}

TEST(Segment, TheEndOfTheStreamIsPassedOn) {
  Harness harness(kSegment);
  ASSERT_NE(harness.run(cat(80, 60), "RGB"), nullptr);
  ASSERT_TRUE(gst_harness_push_event(harness.get(), gst_event_new_eos()));
  bool has_ended = false;
  while (GstEvent* event = gst_harness_try_pull_event(harness.get())) {
    has_ended |= GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    gst_event_unref(event);
  }
  EXPECT_TRUE(has_ended);
}

TEST(Segment, LatencyIsTheTimeOfAFrameAndWhatComesBefore) {
  Harness harness(kSegment);
  gst_harness_set_upstream_latency(harness.get(), 40 * GST_MSECOND);
  harness.set_caps(caps_of("RGB", 160, 120));
  EXPECT_EQ(gst_harness_query_latency(harness.get()), 40 * GST_MSECOND);
  ASSERT_NE(harness.run(cat(160, 120), "RGB"), nullptr);
  EXPECT_NE(harness.message(GST_MESSAGE_LATENCY), nullptr) << "nobody was told to ask again";
  gdouble last_ms = 0;
  gst_harness_get(harness.get(), "deeplabsegment", "last-ms", &last_ms, nullptr);
  EXPECT_GT(last_ms, 0);
  const double answer = static_cast<double>(gst_harness_query_latency(harness.get())) / GST_MSECOND;
  EXPECT_NEAR(answer, 40 + 1.2 * last_ms, 0.01);
}

TEST(Segment, ABadFrameIsAWarningAndTheStreamContinues) {
  Harness harness(kSegment + " interval=10");
  const Picture picture = cat(160, 120);
  ASSERT_TRUE(attached(harness.run(picture, "RGB").get()).has_value());
  gst_harness_push_event(harness.get(), gst_event_new_flush_start());
  gst_harness_push_event(harness.get(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(harness.get(), gst_event_new_segment(&segment));
  for (const gsize size : {gsize{1}, gsize{160 * 120 * 3 - 1}}) {
    const BufferPtr out = harness.run(BufferPtr(gst_buffer_new_allocate(nullptr, size, nullptr)));
    ASSERT_NE(out, nullptr);
    EXPECT_FALSE(attached(out.get()).has_value());
    EXPECT_THAT(sentence(harness.message(GST_MESSAGE_WARNING).get()),
                HasSubstr("a buffer of " + std::to_string(size) +
                          " bytes is too small for RGB of 160x120"));
  }
  const auto found = attached(harness.run(picture, "RGB").get());
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->mask, library_mask(picture, "RGB"));
  EXPECT_EQ(harness.message(GST_MESSAGE_ERROR), nullptr);
}

TEST(Segment, AMessagePerFrameIfAskedFor) {
  Harness harness(kSegment + " interval=2");
  const Picture picture = cat(160, 120);
  harness.run(picture, "RGB");
  EXPECT_EQ(harness.message(GST_MESSAGE_ELEMENT), nullptr);
  gst_harness_set(harness.get(), "deeplabsegment", "post-messages", TRUE, nullptr);
  for (unsigned i = 1; i < 5; ++i) {
    const auto found = attached(harness.run(picture, "RGB").get());
    ASSERT_TRUE(found.has_value());
    const MessagePtr message = harness.message(GST_MESSAGE_ELEMENT);
    ASSERT_NE(message, nullptr);
    EXPECT_EQ(harness.message(GST_MESSAGE_ELEMENT), nullptr) << "more than one";
    const GstStructure* structure = gst_message_get_structure(message.get());
    ASSERT_STREQ(gst_structure_get_name(structure), "deeplab-segmentation");
    guint64 time = 0;
    guint age = 0;
    ASSERT_TRUE(gst_structure_get(structure, "timestamp", G_TYPE_UINT64, &time, "age", G_TYPE_UINT,
                                  &age, nullptr));
    EXPECT_EQ(time, i * (GST_SECOND / 30));
    EXPECT_EQ(age, i % 2);
    const GValue* names = gst_structure_get_value(structure, "classes");
    const GValue* ids = gst_structure_get_value(structure, "class-ids");
    const GValue* fractions = gst_structure_get_value(structure, "fractions");
    double sum = 0, last = 1;
    ASSERT_GT(gst_value_array_get_size(ids), 0u);
    for (guint k = 0; k < gst_value_array_get_size(ids); ++k) {
      const auto id = static_cast<size_t>(g_value_get_int(gst_value_array_get_value(ids, k)));
      const double fraction = g_value_get_double(gst_value_array_get_value(fractions, k));
      EXPECT_EQ(g_value_get_string(gst_value_array_get_value(names, k)), found->labels[id]);
      EXPECT_DOUBLE_EQ(fraction, found->fractions[id]);
      EXPECT_LE(fraction, last);
      last = fraction;
      sum += fraction;
    }
    EXPECT_NEAR(sum, 1, 1e-9);
  }
}

/// Frames of a file that is read without a parser: their segment counts bytes.
TEST(Segment, AMessageHasNoTimesIfTheStreamCountsInBytes) {
  Harness harness(kSegment + " post-messages=true");
  const Picture picture = cat(160, 120);
  harness.set_caps(caps_of("RGB", 160, 120));
  GstSegment bytes;
  gst_segment_init(&bytes, GST_FORMAT_BYTES);
  ASSERT_TRUE(gst_harness_push_event(harness.get(), gst_event_new_segment(&bytes)));
  int criticals = 0;
  const auto count = [](const gchar*, GLogLevelFlags, const gchar*, gpointer to) {
    ++*static_cast<int*>(to);
  };
  const guint handler = g_log_set_handler("GStreamer", G_LOG_LEVEL_CRITICAL, count, &criticals);
  EXPECT_TRUE(attached(harness.run(picture, "RGB").get()).has_value());
  g_log_remove_handler("GStreamer", handler);
  EXPECT_EQ(criticals, 0);
  const MessagePtr message = harness.message(GST_MESSAGE_ELEMENT);
  ASSERT_NE(message, nullptr);
  guint64 stream_time = 0, running_time = 0;
  ASSERT_TRUE(gst_structure_get(gst_message_get_structure(message.get()), "stream-time",
                                G_TYPE_UINT64, &stream_time, "running-time", G_TYPE_UINT64,
                                &running_time, nullptr));
  EXPECT_EQ(stream_time, GST_CLOCK_TIME_NONE);
  EXPECT_EQ(running_time, GST_CLOCK_TIME_NONE);
}

/// What the element says if it is brought to READY; "" if it gets there.
std::string error_of(const std::string& properties) {
  const ElementPtr bin = pipeline("deeplabsegment name=segment " + properties + " ! fakesink");
  const BusPtr bus(gst_element_get_bus(bin.get()));
  const GstStateChangeReturn result = gst_element_set_state(bin.get(), GST_STATE_READY);
  const MessagePtr message(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  EXPECT_EQ(result == GST_STATE_CHANGE_FAILURE, message != nullptr);
  gst_element_set_state(bin.get(), GST_STATE_NULL);
  return message == nullptr ? "" : sentence(message.get());
}

TEST(Segment, AModelErrorIsTheLibrarysSentence) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("deeplab-gst-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  const std::string missing = folder / "missing.tflite", broken = folder / "broken.tflite",
                    noise = folder / "noise.tflite", empty = folder / "empty.tflite";
  {
    std::ifstream whole(kInt8FloatIo, std::ios::binary);
    std::string bytes(200000, '\0');
    whole.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    std::ofstream(broken, std::ios::binary) << bytes;
    std::ofstream(noise, std::ios::binary)
        << "not a model, though long enough to look like something";
    std::ofstream(empty, std::ios::binary) << "";
  }
  for (const std::string& path : {missing, broken, noise, empty, folder.string()}) {
    deeplab_model* model = nullptr;
    ASSERT_NE(deeplab_model_load_file(path.c_str(), &model), DEEPLAB_OK);
    const std::string expected = deeplab_last_error();
    EXPECT_THAT(expected, HasSubstr(path));
    EXPECT_EQ(error_of("model=" + path), expected);
  }
  std::filesystem::remove_all(folder);
}

TEST(Segment, FpsChoosesACanvasAndSaysWhich) {
  Harness harness("deeplabsegment fps=0.001 threads=1");
  const Picture picture = noise(64, 32, 5);
  const auto found = attached(harness.run(picture, "RGB").get());
  ASSERT_TRUE(found.has_value());
  const MessagePtr message = harness.message(GST_MESSAGE_ELEMENT);
  ASSERT_NE(message, nullptr);
  const GstStructure* structure = gst_message_get_structure(message.get());
  ASSERT_STREQ(gst_structure_get_name(structure), "deeplab-canvas");
  int width = 0, height = 0;
  ASSERT_TRUE(gst_structure_get(structure, "width", G_TYPE_INT, &width, "height", G_TYPE_INT,
                                &height, nullptr));
  EXPECT_EQ(width, 513);
  EXPECT_EQ(height, 257);
  EXPECT_EQ(found->mask, library_mask(picture, "RGB", "513x257"));
  // Frames of the same size are not measured again.
  harness.run(picture, "BGR");
  EXPECT_EQ(harness.message(GST_MESSAGE_ELEMENT), nullptr);
}

TEST(Segment, FpsThatChangesWhilePlayingCountsAtTheNextStart) {
  for (const auto& [before, after] : {std::pair{0.0, 0.001}, {0.001, 0.0}}) {
    Harness harness("deeplabsegment threads=1 fps=" + std::to_string(before));
    harness.run(noise(64, 32, 5), "RGB");
    harness.message(GST_MESSAGE_ELEMENT);
    gst_harness_set(harness.get(), "deeplabsegment", "fps", after, nullptr);
    const BufferPtr out = harness.run(noise(64, 48, 5), "RGB");
    ASSERT_NE(out, nullptr);
    EXPECT_TRUE(attached(out.get()).has_value());
    EXPECT_EQ(harness.message(GST_MESSAGE_ELEMENT) != nullptr, before > 0) << before;
  }
}

TEST(Segment, AFrameRateThatNoCanvasHoldsIsAnError) {
  const ElementPtr playing = pipeline(
      "videotestsrc num-buffers=2 ! video/x-raw,format=RGB,width=64,height=32 ! "
      "deeplabsegment fps=10000 isa=scalar threads=1 ! fakesink");
  EXPECT_THAT(play(playing.get()), HasSubstr("no canvas is fast enough"));
}

TEST(Segment, WrongSettingsAreErrorsThatNameThem) {
  for (const std::string canvas :
       {"12x", "x12", "0", "-5", "129x0", "big", "129x129x129", "1.5", "99999999999"}) {
    EXPECT_THAT(error_of("canvas=" + canvas),
                HasSubstr("invalid canvas '" + canvas + "'; expected N or WxH"));
  }
  EXPECT_THAT(error_of("canvas=70000"), HasSubstr("70000"));
  EXPECT_THAT(error_of("canvas=129 fps=5"), HasSubstr("fps chooses the canvas"));
  EXPECT_THAT(error_of("delegate-library=libnpu.so"), HasSubstr("need backend=tflite"));
  EXPECT_THAT(error_of("backend=tflite tflite-library=/nowhere/libtflite.so"),
              HasSubstr("/nowhere/libtflite.so"));
  EXPECT_THAT(error_of("backend=tflite delegate-options=device=npu"),
              HasSubstr("delegate-options needs delegate-library"));
  EXPECT_THAT(error_of("backend=tflite delegate-library=libnpu.so delegate-options=fast"),
              HasSubstr("invalid delegate-options 'fast'; expected K=V,K=V"));
  EXPECT_THAT(error_of("backend=tflite delegate-cache=/tmp"),
              HasSubstr("delegate-cache needs delegate-library"));
  EXPECT_THAT(error_of("backend=tflite require-delegated=90"),
              HasSubstr("require-delegated needs delegate-library"));
  EXPECT_THAT(error_of("isa=mmx"), HasSubstr("unknown instruction set 'mmx'"));
  EXPECT_EQ(error_of("canvas=129x65 isa=scalar threads=2 fit=stretch interval=5"), "");
  // What GStreamer itself refuses.
  GError* error = nullptr;
  const ElementPtr made(gst_parse_launch_full("deeplabsegment fit=diagonal ! fakesink", nullptr,
                                              GST_PARSE_FLAG_FATAL_ERRORS, &error));
  EXPECT_EQ(made, nullptr);
  ASSERT_NE(error, nullptr);
  g_error_free(error);
}

TEST(Segment, SettingsOfReadyCountAtTheNextStart) {
  const Picture picture = cat(160, 120);
  const ElementPtr bin = pipeline("deeplabsegment name=segment canvas=65 ! fakesink");
  const ElementPtr segment(gst_bin_get_by_name(GST_BIN(bin.get()), "segment"));
  gchar** labels = nullptr;
  g_object_get(segment.get(), "labels", &labels, nullptr);
  EXPECT_EQ(labels, nullptr);
  ASSERT_EQ(gst_element_set_state(bin.get(), GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  g_object_get(segment.get(), "labels", &labels, nullptr);
  ASSERT_NE(labels, nullptr);
  EXPECT_EQ(g_strv_length(labels), 21u);
  EXPECT_STREQ(labels[15], "person");
  g_strfreev(labels);
  g_object_set(segment.get(), "canvas", "wide", nullptr);
  EXPECT_EQ(gst_element_set_state(bin.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  g_object_set(segment.get(), "canvas", "129", nullptr);
  EXPECT_NE(gst_element_set_state(bin.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  gst_element_set_state(bin.get(), GST_STATE_NULL);
  gchar* canvas = nullptr;
  g_object_get(segment.get(), "canvas", &canvas, "labels", &labels, nullptr);
  EXPECT_STREQ(canvas, "129");
  EXPECT_EQ(labels, nullptr);
  g_free(canvas);
}

}  // namespace
}  // namespace deeplab::testing
