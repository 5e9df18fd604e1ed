// deeplab-video against what is not as it should be: files that are damaged, truncated or no video
// at all, wrong flags, disks that are full. Each gets a sentence that names it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "tests/apps/program.h"
#include "tests/video/clips.h"

namespace deeplab::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kH264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 10";

ProgramRun video(std::vector<std::string> line, const RunOptions& options = {}) {
  line.insert(line.end(), {"--size", "65", "--threads", "1"});
  return run_deeplab(line, options);
}

// ---- Wrong usage --------------------------------------------------------------------------------

struct WrongLine {
  std::vector<std::string> arguments;
  std::string named;  // what the message must name
};

class VideoUsage : public ::testing::TestWithParam<WrongLine> {};

TEST_P(VideoUsage, HasStatus2AndOneLine) {
  const ProgramRun run = run_deeplab(GetParam().arguments);
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.out, IsEmpty());
  ASSERT_THAT(lines_of(run.err), SizeIs(1)) << run.err;
  EXPECT_THAT(run.err, StartsWith("deeplab-video: "));
  EXPECT_THAT(run.err, HasSubstr(GetParam().named));
}

INSTANTIATE_TEST_SUITE_P(
    Flags, VideoUsage,
    ::testing::Values(
        WrongLine{{"-o", "out.mp4"}, "IN"}, WrongLine{{"a.mp4"}, "--output"},
        WrongLine{{"a.mp4", "-o", "out.avi"}, "out.avi"}, WrongLine{{"a.mp4", "-o", "mp4"}, "mp4"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--write", "video"}, "video"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--write", "mask"}, ".mkv"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--write", "cutout"}, ".webm"},
        WrongLine{{"a.mp4", "-o", "out.mkv", "--write", "mask", "--codec", "libx264"}, "libx264"},
        WrongLine{{"a.mp4", "-o", "out.mkv", "--write", "cutout", "--codec", "libx264"}, "libx264"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--codec", "paint"}, "paint"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--codec", "aac"}, "aac"},
        WrongLine{{"a.mp4", "-o", "out.webm", "--codec", "libx264"}, "libx264"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--every", "0"}, "--every"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--max-frames=-1"}, "--max-frames"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--start", "soon"}, "soon"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--start", "1:75"}, "1:75"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--duration", "0"}, "--duration"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--duration", "nan"}, "nan"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--class", "cat"}, "--class"},
        WrongLine{{"a.mp4", "-o", "out.mkv", "--write", "cutout", "--class", "unicorn"}, "unicorn"},
        WrongLine{{"a.mp4", "--json", "--copy-audio"}, "--copy-audio"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--size", "0"}, "--size"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--fit", "crop"}, "crop"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--fps", "0"}, "--fps"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--fps", "nan"}, "--fps"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--fps", "25", "--size", "257"}, "--fps"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--temporal", "1"}, "--temporal"},
        WrongLine{{"a.mp4", "-o", "out.mp4", "--temporal", "nan"}, "--temporal"},
        WrongLine{{"a.mp4", "b.mp4", "-o", "out.mp4"}, "b.mp4"}));

TEST(VideoHelp, GoesToStandardOutput) {
  const ProgramRun help = run_deeplab({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* flag :
       {"--write",      "--every",   "--start",         "--duration",  "--max-frames",
        "--copy-audio", "--codec",   "--json",          "--quiet",     "--model",
        "--threads",    "--fit",     "--size",          "--mean",      "--std",
        "--labels",     "--palette", "--output-tensor", "--threshold", "--allow-rtsp"}) {
    EXPECT_THAT(help.out, HasSubstr(flag));
  }
  const ProgramRun page = run_deeplab({"--manual"});
  EXPECT_EQ(page.status, 0);
  EXPECT_THAT(page.out, ::testing::StartsWith(".TH DEEPLAB-VIDEO 1"));
  EXPECT_THAT(page.out, HasSubstr("\n\\fBdeeplab\\-video\\fR [\\fIOPTIONS\\fR] \\fIIN\\fR\n"));
  for (const char* part : {"\\fB\\-\\-write\\fR", ".SH EXIT STATUS", "frames", "deeplab (1)"}) {
    EXPECT_THAT(page.out, HasSubstr(part));
  }
  const ProgramRun none = run_deeplab({});
  EXPECT_EQ(none.status, 2);
  EXPECT_EQ(none.err, help.out);
}

// ---- Not a video --------------------------------------------------------------------------------

class BadVideo : public ::testing::Test {
 protected:
  /// Status 1, one line that names the file and says `why`, and nothing written.
  void expect_refused(const std::string& path, const std::string& why) {
    fs::create_directories(out_);
    const ProgramRun run = video({path, "-o", out_ + "/out.mkv"});
    EXPECT_EQ(run.status, 1) << run.err;
    EXPECT_EQ(run.signal, 0);
    ASSERT_THAT(lines_of(run.err), SizeIs(1)) << run.err;
    EXPECT_THAT(run.err, HasSubstr(path));
    EXPECT_THAT(run.err, HasSubstr(why));
    EXPECT_THAT(files_below(out_), IsEmpty());
  }
  std::string file(const std::string& name, const std::string& text) {
    write_text(dir_ / name, text);
    return dir_ / name;
  }

  const TempDir dir_;
  const std::string out_ = dir_ / "out";
};

TEST_F(BadVideo, FilesThatAreNone) {
  expect_refused(dir_ / "missing.mp4", "No such file or directory");
  fs::create_directory(dir_ / "folder.mp4");
  expect_refused(dir_ / "folder.mp4", "directory");
  expect_refused(file("empty.mp4", ""), "not a video");
  const std::string letter(3000, 'a');
  for (const char* name : {"letter.mp4", "letter.txt", "letter.mkv"}) {
    expect_refused(file(name, "Dear reader,\nthis is a letter.\n" + letter), "not a video");
  }
}

TEST_F(BadVideo, ScriptsThatNameOtherFilesAreRefused) {
  file("frames/0.png", "");
  const std::string secret = file("secret", "secret");
  expect_refused(file("list.mp4", "ffconcat version 1.0\nfile " + secret + "\n"), "not a video");
  expect_refused(file("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n" + secret +
                                       "\n#EXT-X-ENDLIST\n"),
                 "not a video");
  expect_refused(dir_ / "frames/%d.png", "No such file");
}

TEST_F(BadVideo, AddressesAreNotRead) {
  expect_refused("http://127.0.0.1:9/a.mp4", "rtsp://");
  expect_refused("rtsp://127.0.0.1:9/a", "--allow-rtsp");
  const ProgramRun run = video({"rtsp://127.0.0.1:9/a", "-o", out_ + ".mkv", "--allow-rtsp"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, HasSubstr("Connection refused"));
}

TEST_F(BadVideo, SizesOverTheLimitAreRefusedByTheHeader) {
  const auto y4m = [&](const std::string& name, const std::string& size) {
    return file(
        name, "YUV4MPEG2 " + size + " F25:1 Ip A1:1 C420jpeg\nFRAME\n" + std::string(300'000, 'x'));
  };
  expect_refused(y4m("wide.y4m", "W70000 H1"), "70000x1");
  expect_refused(y4m("high.y4m", "W1 H70000"), "1x70000");
  expect_refused(y4m("large.y4m", "W16000 H16000"), "16000x16000");
}

TEST_F(BadVideo, SoundIsNoVideo) {
  DEEPLAB_NEEDS_FFMPEG();
  run_ffmpeg("-f lavfi -i sine=duration=0.2 -c:a aac " + (dir_ / "sound.mp4"));
  expect_refused(dir_ / "sound.mp4", "no video");
}

TEST_F(BadVideo, CamerasThatAreNone) {
  expect_refused("/dev/video-none", "No such file or directory");
}

// ---- Damage -------------------------------------------------------------------------------------

class DamagedVideo : public BadVideo {
 protected:
  void SetUp() override { DEEPLAB_NEEDS_FFMPEG(); }
};

TEST_F(DamagedVideo, ATruncatedFileGivesTheFramesThatAreThere) {
  const struct {
    const char* name;
    const char* options;
  } kinds[] = {{"clip.mkv", kH264},
               {"clip.mp4", "-movflags +faststart -c:v libx264 -pix_fmt yuv420p -g 10"}};
  for (const auto& kind : kinds) {
    const std::string clip = dir_ / kind.name;
    make_clip(clip, 40, "160x120", kind.options);
    fs::resize_file(clip, fs::file_size(clip) * 6 / 10);
    const std::string out = dir_ / "out.mkv";
    const ProgramRun run = video({clip, "-o", out, "--write", "mask"});
    EXPECT_EQ(run.status, 1);
    EXPECT_THAT(run.err, HasSubstr(clip + ": truncated"));
    const size_t frames = times_of(out).size();
    EXPECT_GT(frames, 10u) << kind.name;
    EXPECT_LT(frames, 40u) << kind.name;
    EXPECT_THAT(run.out, HasSubstr(std::to_string(frames) + " frames"));
  }
}

TEST_F(DamagedVideo, AnIndexThatIsMissingIsNamed) {
  const std::string clip = dir_ / "clip.mp4";
  make_clip(clip, 10, "160x120", kH264);
  fs::resize_file(clip, fs::file_size(clip) / 2);
  expect_refused(clip, "truncated: its index");
}

TEST_F(DamagedVideo, AnIndexAtTheEndOfAPipeIsNamed) {
  const std::string clip = dir_ / "clip.mp4";
  make_clip(clip, 40, "320x240", kH264);
  ASSERT_GT(fs::file_size(clip), 100'000u) << "more than is kept of a pipe";
  RunOptions piped;
  piped.input = dir_ / "pipe";
  ASSERT_EQ(::mkfifo(piped.input.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(piped.input, std::ios::binary) << file_text(clip); });
  const ProgramRun run = video({"-", "-o", dir_ / "out.mkv", "--write", "mask"}, piped);
  writer.join();
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.err,
            "deeplab-video: standard input: its index is at its end, which a pipe reaches too "
            "late; give the file itself\n");
}

TEST_F(DamagedVideo, ASignalEndsTheWaitForAPipe) {
  const std::string pipe = dir_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  RunOptions options;
  options.kill_when = [&] { return std::chrono::steady_clock::now() > end; };
  options.kill_with = SIGINT;
  EXPECT_EQ(video({pipe, "-o", dir_ / "out.mkv"}, options).signal, SIGINT);
}

TEST_F(DamagedVideo, DamagedFramesAreCountedAndTheRestIsDone) {
  const std::string clip = dir_ / "clip.mkv";
  make_clip(clip, 20, "160x120", "-c:v ffv1 -level 3 -slicecrc 1 -g 1");
  std::string bytes = file_text(clip);
  // Three frames, a quarter of the file apart; their checksums do not fit any more.
  for (const size_t quarter : {1, 2, 3}) {
    for (size_t i = 0; i < 8; ++i) bytes[bytes.size() * quarter / 4 + i] ^= 0x55;
  }
  write_text(clip, bytes);
  const std::string out = dir_ / "out.mkv";
  const ProgramRun run = video({clip, "-o", out, "--write", "mask", "--quiet"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(times_of(out), SizeIs(20));
  EXPECT_THAT(run.err, HasSubstr(clip + ": damaged frame at 0."));
  EXPECT_THAT(run.err, HasSubstr(clip + ": 3 damaged and 0 lost frames; the rest is done"));
}

TEST_F(DamagedVideo, NoDamageCrashesOrHangs) {
  const std::string clip = dir_ / "clip";
  for (const char* kind : {".mp4", ".mkv", ".ts", ".webm"}) {
    make_clip(
        clip + kind, 10, "96x64",
        kind == std::string(".webm") ? "-c:v libvpx-vp9 -deadline realtime -cpu-used 8" : kH264);
    const std::string whole = file_text(clip + kind);
    for (unsigned seed = 0; seed < 6; ++seed) {
      std::string bytes = whole;
      std::mt19937 random(seed);
      for (int n = 0; n < 12; ++n) bytes[random() % bytes.size()] = static_cast<char>(random());
      if (seed % 2 == 1) bytes.resize(bytes.size() * (seed + 1) / 8);
      const std::string bad = dir_ / ("bad" + std::string(kind));
      write_text(bad, bytes);
      const ProgramRun run = video({bad, "-o", dir_ / "out.mkv", "--write", "mask", "--quiet"});
      EXPECT_EQ(run.signal, 0) << kind << " " << seed << ": " << run.err;
      EXPECT_TRUE(run.status == 0 || run.status == 1) << run.status;
      if (run.status == 1) {
        EXPECT_THAT(run.err, HasSubstr(bad));
      }
    }
  }
}

TEST_F(DamagedVideo, FramesThatChangeTheirSizeAreScaled) {
  make_clip(dir_ / "a.ts", 5, "160x120", kH264);
  make_clip(dir_ / "b.ts", 5, "200x160", kH264);
  const std::string clip = file("clip.ts", file_text(dir_ / "a.ts") + file_text(dir_ / "b.ts"));
  const std::string out = dir_ / "out.mkv";
  const ProgramRun run = video({clip, "-o", out, "--write", "mask", "--quiet"});
  EXPECT_EQ(run.signal, 0);
  EXPECT_EQ(stream_value(out, "width"), "160");
  EXPECT_GT(times_of(out).size(), 8u);
}

// ---- Outputs ------------------------------------------------------------------------------------

TEST_F(DamagedVideo, AFullDiskIsNamedAndTheOldFileStays) {
  const std::string clip = dir_ / "clip.mkv";
  make_clip(clip, 40, "320x240", kH264);
  fs::create_directories(out_);
  for (const char* name : {"out.mp4", "out.mkv"}) {
    const std::string out = out_ + "/" + name;
    write_text(out, "before");
    RunOptions options;
    options.max_file_bytes = 20'000;
    const ProgramRun run = video({clip, "-o", out, "--quiet"}, options);
    EXPECT_EQ(run.status, 1);
    EXPECT_THAT(run.err, HasSubstr("cannot write " + out + ": File too large"));
    EXPECT_EQ(file_text(out), "before");
    fs::remove(out);
  }
  EXPECT_THAT(files_below(out_), IsEmpty());
}

TEST_F(DamagedVideo, TheInputIsNeverReplaced) {
  const std::string clip = dir_ / "clip.mkv";
  make_clip(clip, 3, "96x64", kH264);
  const std::string before = file_text(clip);
  fs::create_hard_link(clip, dir_ / "link.mkv");
  const ProgramRun run = video({clip, "-o", dir_ / "link.mkv"});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, HasSubstr("is the input itself"));
  RunOptions redirected;
  redirected.input = clip;
  EXPECT_EQ(video({"-", "-o", clip, "--write", "mask"}, redirected).status, 1);
  EXPECT_EQ(file_text(clip), before);
  const ProgramRun nowhere = video({clip, "-o", dir_ / "no/such/out.mkv"});
  EXPECT_EQ(nowhere.status, 1);
  EXPECT_THAT(nowhere.err, HasSubstr("no/such/out.mkv"));
}

TEST_F(DamagedVideo, StandardOutputThatIsClosedEndsTheRun) {
  const std::string clip = dir_ / "clip.mkv";
  make_clip(clip, 10, "96x64", kH264);
  RunOptions options;
  options.output = "/dev/full";
  const ProgramRun run = video({clip, "--json"}, options);
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.err, HasSubstr("standard output"));
}

}  // namespace
}  // namespace deeplab::testing
