// deeplab-video on sound videos: what it writes is what the library says of each frame, at the
// time, size and turn of the input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "deeplab/deeplab.hpp"
#include "deeplab/deeplab_draw.hpp"
#include "tests/apps/program.h"
#include "tests/sanitizers.h"
#include "tests/video/clips.h"

namespace deeplab::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kH264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";

/// A canvas that is quick, in every run.
ProgramRun video(std::vector<std::string> line, const RunOptions& options = {}) {
  line.insert(line.end(), {"--size", "129", "--threads", "1", "--fit", "letterbox"});
  return run_deeplab(line, options);
}

Segmenter quick_segmenter() {
  const auto model = Model::builtin();
  auto made = Segmenter::create(
      *model, {.threads = 1, .fit = Fit::kLetterbox, .width = 129, .height = 129});
  return std::move(*made);
}

/// The masks of frames of R, G, B, one after the other.
std::vector<uint8_t> masks_of(const std::vector<uint8_t>& rgb, int32_t width, int32_t height) {
  Segmenter segmenter = quick_segmenter();
  const size_t pixels = static_cast<size_t>(width) * static_cast<size_t>(height);
  std::vector<uint8_t> masks;
  for (size_t at = 0; at + 3 * pixels <= rgb.size(); at += 3 * pixels) {
    const auto result = segmenter.segment({.data = rgb.data() + at,
                                           .width = width,
                                           .height = height,
                                           .stride = ptrdiff_t{3} * width});
    if (!result.ok()) throw std::runtime_error(result.status().message());
    masks.insert(masks.end(), result->category_mask.begin(), result->category_mask.end());
  }
  return masks;
}

class Video : public ::testing::Test {
 protected:
  void SetUp() override { DEEPLAB_NEEDS_FFMPEG(); }

  /// Masks of `clip`, held against the library's of the frames that ffmpeg extracts.
  void expect_masks(const std::string& clip, int32_t width, int32_t height, size_t frames) {
    const std::string masks = dir_ / "mask.mkv";
    const ProgramRun run = video({clip, "-o", masks, "--write", "mask", "--quiet"});
    ASSERT_EQ(run.status, 0) << run.err;
    EXPECT_EQ(stream_value(masks, "codec_name"), "ffv1");
    EXPECT_EQ(stream_value(masks, "pix_fmt"), "gray");
    EXPECT_EQ(stream_value(masks, "width"), std::to_string(width));
    EXPECT_EQ(stream_value(masks, "height"), std::to_string(height));
    const std::vector<uint8_t> made = pixels_of(masks, "gray");
    const std::vector<uint8_t> expected = masks_of(pixels_of(clip, "rgb24"), width, height);
    ASSERT_EQ(expected.size(), frames * static_cast<size_t>(width) * static_cast<size_t>(height));
    EXPECT_GT(std::ranges::count(expected, 8), 0) << "no cat in the clip";
    EXPECT_TRUE(made == expected);
  }

  /// The pixels that the network sees: of all classes together, nothing is blurred.
  void expect_pictures(const std::string& clip) {
    const std::string out = dir_ / "pictures.mkv";
    std::string all = "0";
    for (int id = 1; id < 21; ++id) all += "," + std::to_string(id);
    const ProgramRun run =
        video({clip, "-o", out, "--write", "blur", "--class", all, "--codec", "ffv1", "--quiet"});
    ASSERT_EQ(run.status, 0) << run.err;
    const std::vector<uint8_t> expected = pixels_of(clip, "rgb24");
    EXPECT_FALSE(expected.empty());
    EXPECT_TRUE(pixels_of(out, "rgb24") == expected) << stream_value(clip, "width");
  }

  const TempDir dir_;
};

TEST_F(Video, MasksAreThoseOfTheExtractedFrames) {
  const std::string clip = dir_ / "clip.mp4";
  make_clip(clip, 12, "320x240", kH264);
  expect_masks(clip, 320, 240, 12);
  EXPECT_EQ(times_of(dir_ / "mask.mkv"), times_of(clip));
}

TEST_F(Video, OddSizes) {
  const std::string clip = dir_ / "clip.mkv";
  make_clip(clip, 4, "161x123", "-c:v ffv1 -pix_fmt bgr0");
  expect_masks(clip, 161, 123, 4);
  // As decoded from YUV, where libswscale has a way of its own that knows vectors only.
  const std::string yuv = dir_ / "yuv.mkv";
  for (const char* size : {"130:98", "161:123", "94:61"}) {
    run_ffmpeg("-i " + clip + " -frames:v 2 -vf scale=" + size + " -c:v mpeg4 -q:v 2 " + yuv);
    expect_pictures(yuv);
  }
  // H.264 has even sizes only: the last row and column are there twice.
  const std::string overlay = dir_ / "overlay.mp4";
  ASSERT_EQ(video({clip, "-o", overlay, "--quiet"}).status, 0);
  EXPECT_EQ(stream_value(overlay, "width"), "162");
  EXPECT_EQ(stream_value(overlay, "height"), "124");
  EXPECT_THAT(times_of(overlay), SizeIs(4));
}

TEST_F(Video, ARotatedVideoIsTurnedUpright) {
  const struct {
    const char* degrees;
    const char* lying;  // the opposite turn
    bool swaps;
  } turns[] = {
      {"90", "transpose=1", true}, {"180", "hflip,vflip", false}, {"270", "transpose=2", true}};
  const std::string upright = dir_ / "upright.mkv", flat = dir_ / "flat.mp4";
  make_clip(upright, 3, "160x120", "-c:v ffv1");
  for (const auto& turn : turns) {
    run_ffmpeg("-i " + upright + " -vf " + turn.lying + " " + kH264 + " " + flat);
    const std::string clip = dir_ / ("turned" + std::string(turn.degrees) + ".mp4");
    run_ffmpeg("-i " + flat + " -c copy -metadata:s:v rotate=" + turn.degrees + " " + clip);
    EXPECT_EQ(stream_value(clip, "width"), turn.swaps ? "120" : "160");
    expect_masks(clip, 160, 120, 3);
  }
}

TEST_F(Video, TimeStampsOfAVariableRateAreKept) {
  for (const char* name : {"clip.mp4", "clip.mkv"}) {
    const std::string clip = dir_ / name;
    make_clip(dir_ / "steady.mkv", 10, "160x120", "-c:v ffv1");
    run_ffmpeg("-i " + (dir_ / "steady.mkv") + " -vf \"setpts='(N*N*0.01+N*0.02+0.5)/TB'\" " +
               "-vsync vfr -enc_time_base 1:1000 -video_track_timescale 1000 " + kH264 + " " +
               clip);
    const std::vector<std::string> times = times_of(clip);
    ASSERT_THAT(times, SizeIs(10)) << name;
    EXPECT_NE(times[2], times[9]);
    for (const char* output : {"out.mp4", "out.mkv", "out.mov"}) {
      const std::string out = dir_ / output;
      const ProgramRun run = video({clip, "-o", out, "--quiet"});
      ASSERT_EQ(run.status, 0) << run.err;
      EXPECT_EQ(times_of(out), times) << name << " to " << output;
    }
  }
}

TEST_F(Video, AStreamThatBeginsLateKeepsItsTimes) {  // as an MPEG transport stream does
  const std::string clip = dir_ / "clip.ts";
  make_clip(clip, 8, "160x120", kH264);
  const std::vector<std::string> times = times_of(clip);
  ASSERT_THAT(times, SizeIs(8));
  ASSERT_GT(std::atof(times.front().c_str()), 1);
  const std::string out = dir_ / "out.mp4";
  const ProgramRun run = video({clip, "-o", out, "--quiet"});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(times_of(out), times);
}

TEST_F(Video, EveryMaxFramesStartAndDuration) {
  const std::string clip = dir_ / "clip.mkv";
  make_clip(clip, 50, "160x120", "-c:v libx264 -preset ultrafast -g 20");
  const std::string out = dir_ / "out.mkv";
  const auto times = [&](std::vector<std::string> line) {
    line.insert(line.begin(), {clip, "-o", out, "--write", "mask", "--quiet"});
    const ProgramRun run = video(line);
    EXPECT_EQ(run.status, 0) << run.err;
    return times_of(out);
  };
  EXPECT_THAT(times({"--every", "20"}), ElementsAre("0.000000", "0.800000", "1.600000"));
  EXPECT_THAT(times({"--max-frames", "2"}), ElementsAre("0.000000", "0.040000"));
  EXPECT_THAT(times({"--every", "10", "--max-frames", "2"}), ElementsAre("0.000000", "0.400000"));
  // In the middle of a group of pictures; from there on time begins at 0.
  EXPECT_THAT(times({"--start", "0:01.2", "--duration", "0.12"}),
              ElementsAre("0.000000", "0.040000", "0.080000"));
  const std::vector<uint8_t> part = pixels_of(out, "gray");
  EXPECT_THAT(times({}), SizeIs(50));
  const std::vector<uint8_t> whole = pixels_of(out, "gray");
  EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + 30 * 160 * 120))
      << "not the frames from 1.2 s on";
  // A pipe cannot be sought in: the same frames.
  RunOptions piped;
  piped.input = clip;
  const ProgramRun run =
      video({"-", "-o", out, "--write", "mask", "--quiet", "--start", "1.2", "--duration", "0.12"},
            piped);
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_TRUE(pixels_of(out, "gray") == part);
  EXPECT_EQ(run_deeplab({clip, "-o", out, "--start", "60"}).status, 1);
}

TEST_F(Video, Mpeg4HasTimeStampsOfAnyTimeBase) {
  const std::string clip = dir_ / "clip.mp4";
  for (const char* scale : {"90000", "1000000", "65537"}) {
    make_clip(clip, 8, "96x64", std::string(kH264) + " -video_track_timescale " + scale);
    ASSERT_EQ(stream_value(clip, "time_base"), std::string("1/") + scale);
    const std::vector<std::string> times = times_of(clip);
    ASSERT_THAT(times, SizeIs(8));
    for (const char* name : {"out.mp4", "out.mkv"}) {
      const ProgramRun run = video({clip, "-o", dir_ / name, "--codec", "mpeg4", "--quiet"});
      ASSERT_EQ(run.status, 0) << scale << ": " << run.err;
      const std::vector<std::string> made = times_of(dir_ / name);
      ASSERT_EQ(made.size(), times.size());
      const double step = std::string(name) == "out.mkv" ? 1e-3 : 1.0 / 65535;
      for (size_t i = 0; i < times.size(); ++i) {
        EXPECT_NEAR(std::stod(made[i]), std::stod(times[i]), step) << scale << " " << name;
      }
    }
  }
}

TEST_F(Video, MasksOfAnySizeDownToOnePixel) {
  const std::string clip = dir_ / "clip.mkv", out = dir_ / "mask.mkv";
  for (const auto& [width, height] : {std::pair{1, 40}, {40, 1}, {1, 1}, {2, 90}}) {
    const std::string size = std::to_string(width) + "x" + std::to_string(height);
    run_ffmpeg("-f lavfi -i testsrc=size=" + size +
               ":rate=25 -frames:v 2 -pix_fmt bgr0 -slices 1 " + "-c:v ffv1 " + clip);
    const ProgramRun run = video({clip, "-o", out, "--write", "mask", "--quiet"});
    ASSERT_EQ(run.status, 0) << size << ": " << run.err;
    EXPECT_TRUE(pixels_of(out, "gray") == masks_of(pixels_of(clip, "rgb24"), width, height))
        << size;
  }
}

TEST_F(Video, APipeGetsWhatNeedsNoSeeking) {
  const std::string clip = dir_ / "clip.mkv", got = dir_ / "got.mkv";
  make_clip(clip, 6, "96x64", kH264);
  const auto through_pipe = [&](const char* name, const char* write) {
    const NamedPipe pipe(dir_ / name);
    const ProgramRun run = video({clip, "-o", dir_ / name, "--write", write, "--quiet"});
    EXPECT_EQ(run.status, 0) << run.err;
    EXPECT_TRUE(fs::is_fifo(dir_ / name));
    write_text(got, pipe.text());
  };
  through_pipe("mask.mkv", "mask");
  EXPECT_TRUE(pixels_of(got, "gray") == masks_of(pixels_of(clip, "rgb24"), 96, 64));
  EXPECT_EQ(times_of(got), times_of(clip));
  through_pipe("overlay.webm", "overlay");
  EXPECT_EQ(pixels_of(got, "gray").size(), size_t{6} * 96 * 64);

  const std::string mp4 = dir_ / "out.mp4";
  const NamedPipe pipe(mp4);
  const ProgramRun run = video({clip, "-o", mp4});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.err, HasSubstr(mp4 + " is a pipe or a device"));
  EXPECT_THAT(run.err, HasSubstr(".mkv and .webm can"));
  EXPECT_THAT(pipe.text(), IsEmpty());
}

/// A seek in these leads into the middle of a group of pictures, or nowhere.
TEST_F(Video, StartInAStreamWithoutAnIndex) {
  for (const auto& [name, codec] : {std::pair{"clip.ts", "libx264 -preset ultrafast -bf 2"},
                                    {"clip.h264", "libx264 -preset ultrafast"},
                                    {"clip.mpg", "mpeg2video"}}) {
    const std::string clip = dir_ / name, out = dir_ / "out.mkv";
    make_clip(clip, 120, "96x64", std::string("-g 50 -c:v ") + codec);
    const auto masks = [&](std::vector<std::string> line) {
      line.insert(line.begin(), {clip, "-o", out, "--write", "mask", "--quiet"});
      const ProgramRun run = video(line);
      EXPECT_EQ(run.status, 0) << name << ": " << run.err;
      return pixels_of(out, "gray");
    };
    const std::vector<uint8_t> whole = masks({});
    for (const char* start : {"0.8", "2", "3.2"}) {
      const std::vector<uint8_t> part = masks({"--start", start});
      const auto frames = static_cast<ptrdiff_t>(part.size() / (96 * 64));
      EXPECT_NEAR(static_cast<double>(frames), 120 - 25 * std::atof(start), 1) << name << start;
      EXPECT_TRUE(std::equal(part.rbegin(), part.rend(), whole.rbegin())) << name << " " << start;
    }
  }
}

TEST_F(Video, FpsChoosesACanvasAndSaysWhich) {
  const std::string clip = dir_ / "clip.mp4";
  make_clip(clip, 2, "160x80", kH264);
  const std::string out = dir_ / "out.mkv";
  const std::vector<std::string> line = {clip, "-o", out, "--write", "mask", "--threads", "1"};
  const auto run_with = [&](const char* fps) {
    std::vector<std::string> whole = line;
    whole.insert(whole.end(), {"--fps", fps});
    return run_deeplab(whole);
  };
  const ProgramRun run = run_with("0.001");
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.err, HasSubstr("--fps 0.001: canvas 513x257, "));
  const std::vector<uint8_t> chosen = pixels_of(out, "gray");
  std::vector<std::string> given = line;
  given.insert(given.end(), {"--size", "513x257"});
  ASSERT_EQ(run_deeplab(given).status, 0);
  EXPECT_TRUE(pixels_of(out, "gray") == chosen);

  std::filesystem::remove(out);
  const ProgramRun refused = run_with("10000");
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("--fps: no canvas is fast enough for "));
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(Video, TemporalIsTheLibrarysSmoothing) {
  const std::string clip = dir_ / "clip.mkv";
  make_clip(clip, 4, "160x120", kH264);
  const std::string out = dir_ / "out.mkv";
  ASSERT_EQ(video({clip, "-o", out, "--write", "mask", "--quiet", "--temporal", "0.9"}).status, 0);
  const std::vector<uint8_t> rgb = pixels_of(clip, "rgb24");
  const auto model = Model::builtin();
  auto segmenter = Segmenter::create(
      *model,
      {.threads = 1, .fit = Fit::kLetterbox, .width = 129, .height = 129, .temporal = 0.9f});
  ASSERT_TRUE(segmenter.ok());
  std::vector<uint8_t> expected;
  for (size_t at = 0; at < rgb.size(); at += 160 * 120 * 3) {
    const auto result = segmenter->segment({rgb.data() + at, 160, 120, 160 * 3});
    ASSERT_TRUE(result.ok());
    expected.insert(expected.end(), result->category_mask.begin(), result->category_mask.end());
  }
  EXPECT_TRUE(pixels_of(out, "gray") == expected);
}

TEST_F(Video, ReadsAPipe) {
  const std::string clip = dir_ / "clip.mkv";
  make_clip(clip, 5, "160x120", kH264);
  const std::string out = dir_ / "out.mkv";
  ASSERT_EQ(std::system(
                ("cat '" + clip + "' | '" DEEPLAB_PROGRAM "' - -o '" + out + "' --size 65 --quiet")
                    .c_str()),
            0);
  EXPECT_EQ(times_of(out), times_of(clip));
}

TEST_F(Video, JsonHasALinePerFrame) {
  const std::string clip = dir_ / "clip.mkv";
  make_clip(clip, 6, "160x120", "-c:v ffv1 -pix_fmt bgr0");
  const ProgramRun run = video({clip, "--json", "--every", "2"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.err, IsEmpty());
  const auto lines = lines_of(run.out);
  ASSERT_THAT(lines, SizeIs(3));
  const std::vector<uint8_t> masks = masks_of(pixels_of(clip, "rgb24"), 160, 120);
  for (size_t i = 0; i < lines.size(); ++i) {
    const auto object = nlohmann::json::parse(lines[i]);
    EXPECT_EQ(object["video"], clip);
    EXPECT_EQ(object["frame"], 2 * i);
    EXPECT_NEAR(object["time"].get<double>(), 0.08 * static_cast<double>(i), 1e-9);
    EXPECT_EQ(object["width"], 160);
    EXPECT_EQ(object["height"], 120);
    EXPECT_EQ(object["fit"], "letterbox");
    EXPECT_TRUE(object["timing_ms"].contains("infer"));
    double sum = 0;
    for (const auto& found : object["classes"]) {
      sum += found["fraction"].get<double>();
      const auto begin = masks.begin() + static_cast<ptrdiff_t>(2 * i * 160 * 120);
      EXPECT_EQ(found["pixels"], std::count(begin, begin + 160 * 120, found["id"].get<int>()));
    }
    EXPECT_NEAR(sum, 1, 1e-9);
  }
}

TEST_F(Video, WithoutJsonALineSaysWhatWasDone) {
  const std::string clip = dir_ / "clip.mkv";
  make_clip(clip, 3, "160x120", kH264);
  const std::string out = dir_ / "out.mp4";
  const ProgramRun run = video({clip, "-o", out});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.out, StartsWith(out + ": 3 frames of 160x120, "));
  EXPECT_THAT(run.out, HasSubstr("background"));
  EXPECT_THAT(run.err, IsEmpty());  // the progress bar is for terminals
}

TEST_F(Video, ATerminalSeesProgress) {
  if (!fs::exists("/dev/ptmx")) GTEST_SKIP() << "skipped: no terminals here";
  const std::string clip = dir_ / "clip.mkv";
  make_clip(clip, 3, "160x120", kH264);
  RunOptions options;
  options.terminal_error = true;
  const ProgramRun run = video({clip, "-o", dir_ / "out.mp4"}, options);
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.err, HasSubstr("3/3"));
  EXPECT_THAT(run.err, HasSubstr("frames/s"));
  EXPECT_THAT(run.err, HasSubstr("left"));
  EXPECT_THAT(video({clip, "-o", dir_ / "out.mp4", "--quiet"}, options).err, IsEmpty());
}

TEST_F(Video, SoundIsCopied) {
  const std::string clip = dir_ / "clip.mp4";
  make_clip(dir_ / "silent.mp4", 50, "160x120", kH264);
  run_ffmpeg("-i " + (dir_ / "silent.mp4") +
             " -f lavfi -i sine=frequency=440:duration=2 -c:v copy " + "-c:a aac -shortest " +
             clip);
  const auto sound = [](const std::string& path) {
    return output_of("ffmpeg -nostdin -v error -i '" + path + "' -map 0:a -c copy -f md5 -");
  };
  for (const char* name : {"out.mp4", "out.mkv"}) {
    const std::string out = dir_ / name;
    const ProgramRun run = video({clip, "-o", out, "--copy-audio", "--quiet", "--every", "10"});
    ASSERT_EQ(run.status, 0) << run.err;
    EXPECT_EQ(sound(out), sound(clip)) << name;
    EXPECT_THAT(times_of(out),
                ElementsAre("0.000000", "0.400000", "0.800000", "1.200000", "1.600000"));
  }
  // A part of it: as long as the frames, give or take a packet.
  const std::string out = dir_ / "part.mp4";
  ASSERT_EQ(video({clip, "-o", out, "--copy-audio", "--quiet", "--start", "0.5", "--duration", "1"})
                .status,
            0);
  const double length =
      std::atof(output_of("ffprobe -v error -select_streams a -show_entries stream=duration -of "
                          "default=nokey=1:noprint_wrappers=1 '" +
                          out + "'")
                    .c_str());
  EXPECT_NEAR(length, 1, 0.06);
  const ProgramRun webm = video({clip, "-o", dir_ / "out.webm", "--copy-audio"});
  EXPECT_EQ(webm.status, 1);
  EXPECT_THAT(webm.err, HasSubstr("aac"));
  EXPECT_FALSE(fs::exists(dir_ / "out.webm"));
  // Matroska takes any.
  run_ffmpeg("-i " + clip + " -c:v mpeg4 -c:a adpcm_ms " + (dir_ / "old.avi"));
  const ProgramRun old =
      video({dir_ / "old.avi", "-o", dir_ / "old.mkv", "--copy-audio", "--quiet"});
  EXPECT_EQ(old.status, 0) << old.err;
  EXPECT_EQ(sound(dir_ / "old.mkv"), sound(dir_ / "old.avi"));
}

TEST_F(Video, MotionJpegHasFullRange) {
  const std::string clip = dir_ / "clip.mkv", out = dir_ / "out.mkv";
  make_clip(clip, 2, "96x64", kH264);
  const ProgramRun run = video({clip, "-o", out, "--codec", "mjpeg", "--quiet"});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(stream_value(out, "codec_name"), "mjpeg");
  EXPECT_EQ(stream_value(out, "color_range"), "pc");
}

TEST_F(Video, ACutOutIsTransparent) {
  const std::string clip = dir_ / "clip.mkv";
  make_clip(clip, 2, "160x120", "-c:v ffv1 -pix_fmt bgr0");
  const std::string out = dir_ / "out.mkv";
  ASSERT_EQ(video({clip, "-o", out, "--write", "cutout", "--class", "cat", "--quiet"}).status, 0);
  const std::vector<uint8_t> made = pixels_of(out, "rgba");
  const std::vector<uint8_t> rgb = pixels_of(clip, "rgb24");
  const size_t pixels = 160 * 120;
  ASSERT_EQ(made.size(), 2 * 4 * pixels);
  Segmenter segmenter = quick_segmenter();
  for (size_t frame = 0; frame < 2; ++frame) {
    const ImageView view{
        .data = rgb.data() + frame * 3 * pixels, .width = 160, .height = 120, .stride = 480};
    ASSERT_TRUE(segmenter.run(view).ok());
    std::vector<float> confidence(pixels);
    ASSERT_TRUE(segmenter.confidence_mask(8, 160, 120, confidence).ok());
    std::vector<uint8_t> expected(4 * pixels);
    ASSERT_TRUE(cut_out(view, confidence, expected).ok());
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(),
                           made.begin() + static_cast<ptrdiff_t>(frame * 4 * pixels)));
  }
  // The other two containers, whose codecs are lossy.
  for (const char* name : {"out.mov", "out.webm"}) {
    ASSERT_EQ(video({clip, "-o", dir_ / name, "--write", "cutout", "--quiet"}).status, 0);
  }
  EXPECT_THAT(stream_value(dir_ / "out.mov", "pix_fmt"), StartsWith("yuva"));
  EXPECT_THAT(output_of("ffprobe -v error -show_entries stream_tags=alpha_mode '" +
                        (dir_ / "out.webm") + "'"),
              HasSubstr("1"));
}

TEST_F(Video, BlurLeavesTheClassesSharp) {
  const std::string clip = dir_ / "clip.mkv";
  make_clip(clip, 1, "320x240", "-c:v ffv1 -pix_fmt bgr0");
  const std::string cut = dir_ / "cut.mkv", out = dir_ / "out.mkv";
  ASSERT_EQ(video({clip, "-o", cut, "--write", "cutout", "--quiet"}).status, 0);
  ASSERT_EQ(video({clip, "-o", out, "--write", "blur", "--codec", "ffv1", "--quiet"}).status, 0);
  const std::vector<uint8_t> before = pixels_of(clip, "rgb24"), after = pixels_of(out, "rgb24");
  const std::vector<uint8_t> rgba = pixels_of(cut, "rgba");
  ASSERT_EQ(before.size(), after.size());
  double edges_before = 0, edges_after = 0;
  int64_t sharp = 0, moved = 0;
  for (size_t i = 0; i + 1 < before.size() / 3; ++i) {
    const uint8_t alpha = rgba[4 * i + 3];
    if (alpha == 255) {
      ++sharp;
      for (size_t c = 0; c < 3; ++c) moved += before[3 * i + c] != after[3 * i + c];
    } else if (alpha == 0 && rgba[4 * i + 7] == 0) {
      edges_before += std::abs(before[3 * i] - before[3 * i + 3]);
      edges_after += std::abs(after[3 * i] - after[3 * i + 3]);
    }
  }
  EXPECT_GT(sharp, 500);
  EXPECT_EQ(moved, 0);
  EXPECT_LT(edges_after, edges_before / 2);
}

TEST_F(Video, ASignalLeavesAPlayableFile) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const std::string clip = dir_ / "clip.mkv";
    make_clip(clip, 400, "320x240", "-c:v libx264 -preset ultrafast");
    const std::string folder = dir_ / "out";
    fs::create_directories(folder);
    const std::string out = folder + "/out.mkv";
    RunOptions options;
    options.kill_when = [&] {
      for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        if (entry.file_size() > 20000) return true;
      }
      return false;
    };
    options.kill_with = signal;
    const ProgramRun run =
        run_deeplab({clip, "-o", out, "--write", "mask", "--threads", "1"}, options);
    EXPECT_EQ(run.signal, signal);
    EXPECT_THAT(run.err, HasSubstr(signal == SIGINT ? "stopped by SIGINT after "
                                                    : "stopped by SIGTERM after "));
    EXPECT_THAT(files_below(folder), ElementsAre("out.mkv"));
    const size_t frames = times_of(out).size();
    EXPECT_THAT(run.err, HasSubstr("after " + std::to_string(frames) + " frames"));
    EXPECT_GT(frames, 0u);
    EXPECT_LT(frames, 400u);
    fs::remove(out);
  }
}

TEST_F(Video, MemoryDoesNotGrowWithTheFrames) {
  const auto peak = [&](int frames) {
    const std::string clip = dir_ / "clip.mp4";
    make_clip(clip, frames, "64x48", kH264);
    const ProgramRun run =
        run_deeplab({clip, "-o", dir_ / "out.mp4", "--size", "33", "--threads", "1", "--quiet"});
    EXPECT_EQ(run.status, 0) << run.err;
    return run.peak_bytes;
  };
  const int64_t few = peak(100), many = peak(1500);
  if (!kAddressSanitizer) {  // which keeps what is freed
    EXPECT_LT(many - few, 6 << 20) << few << " and " << many << " bytes";
  }
}

TEST_F(Video, TheCommandFindsIt) {
  EXPECT_EQ(output_of("'" DEEPLAB_COMMAND "' video --version"),
            output_of("'" DEEPLAB_PROGRAM "' --version"));
}

}  // namespace
}  // namespace deeplab::testing
