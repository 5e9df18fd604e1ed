// Runs over many photos that are stopped, resumed, or not alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "apps/deeplab/bench/measure.h"
#include "base/file.h"
#include "tests/apps/program.h"
#include "tests/samples/samples.h"
#include "tests/sanitizers.h"

namespace deeplab::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Files = std::map<std::string, std::string>;

Files files_of(const fs::path& directory) {
  Files files;
  for (const std::string& name : files_below(directory)) {
    files[name] = file_text((directory / name).string());
  }
  return files;
}

class ManyPhotos : public ::testing::Test {
 protected:
  static constexpr int kPhotos = 24;
  static constexpr size_t kFilesAPhoto = 3;

  void SetUp() override {
    fs::create_directory(dir_.path() / "in");
    for (int i = 0; i < kPhotos; ++i) {
      const auto file = app::synthetic_file(320 + 7 * i, 240 + 5 * i);
      ASSERT_TRUE(file.ok());
      ASSERT_TRUE(write_file_atomically(photo(i), file->bytes).ok());
    }
  }
  std::string photo(int i) const { return dir_ / ("in/photo" + std::to_string(100 + i) + ".jpg"); }
  std::string in() const { return dir_ / "in"; }

  ProgramRun segment(const std::string& out, const std::vector<std::string>& more = {},
                     const RunOptions& options = {}) const {
    std::vector<std::string> line = {"segment", in(),  "-o",      out,
                                     "--size",  "257", "--write", "mask,overlay,polygons"};
    line.insert(line.end(), more.begin(), more.end());
    return run_deeplab(line, options);
  }
  /// What a run that nothing disturbs gives.
  const Files& expected() {
    if (expected_.empty()) {
      const std::string out = dir_ / "expected";
      const ProgramRun run = segment(out);
      EXPECT_EQ(run.status, 0) << run.err;
      expected_ = files_of(out);
      EXPECT_THAT(expected_, SizeIs(kFilesAPhoto * kPhotos));
    }
    return expected_;
  }
  /// Stops a run once some files are there, and looks at what it left.
  void stop_and_resume(int signal);

  const TempDir dir_;

 private:
  Files expected_;
};

size_t files_in(const std::string& directory) {
  std::error_code ignored;
  size_t count = 0;
  for (fs::directory_iterator it(directory, ignored), end; it != end; it.increment(ignored))
    ++count;
  return count;
}

void ManyPhotos::stop_and_resume(int signal) {
  const std::string out = dir_ / ("out" + std::to_string(signal));
  RunOptions options;
  options.kill_when = [&] { return files_in(out) > 2 * kFilesAPhoto; };
  options.kill_with = signal;
  const ProgramRun stopped = segment(out, {"--threads", "2"}, options);
  EXPECT_EQ(stopped.signal, signal) << "status " << stopped.status << ": " << stopped.err;
  ASSERT_THAT(lines_of(stopped.err), SizeIs(1)) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr(signal == SIGINT ? "SIGINT" : "SIGTERM"));
  EXPECT_THAT(stopped.err, HasSubstr("--resume"));

  const Files left = files_of(out);
  EXPECT_EQ(left.size() % kFilesAPhoto, 0u) << "a photo is half done";
  EXPECT_LT(left.size(), expected().size());
  for (const auto& [name, text] : left) {
    ASSERT_TRUE(expected().contains(name)) << name;
    EXPECT_EQ(text, expected().at(name)) << name;
  }
  const std::string finished = std::to_string(left.size() / kFilesAPhoto);
  EXPECT_THAT(stopped.err, HasSubstr("after " + finished + " of " + std::to_string(kPhotos)));
  EXPECT_THAT(lines_of(stopped.out), SizeIs(left.size() / kFilesAPhoto));

  std::map<std::string, fs::file_time_type> times;
  for (const auto& [name, text] : left) times[name] = fs::last_write_time(out + "/" + name);
  const ProgramRun resumed = segment(out, {"--resume"});
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(files_of(out), expected());
  EXPECT_THAT(resumed.err, HasSubstr(finished + " of " + std::to_string(kPhotos)));
  EXPECT_THAT(lines_of(resumed.out), SizeIs(kPhotos - left.size() / kFilesAPhoto));
  for (const auto& [name, time] : times) {
    EXPECT_EQ(fs::last_write_time(out + "/" + name), time) << name << " was made twice";
  }
}

TEST_F(ManyPhotos, StoppedBySigintAllIsWholeAndResumeGoesOn) { stop_and_resume(SIGINT); }
TEST_F(ManyPhotos, StoppedBySigtermAllIsWholeAndResumeGoesOn) { stop_and_resume(SIGTERM); }

TEST_F(ManyPhotos, ASignalThatIsIgnoredStaysSo) {  // nohup, and a shell's background jobs
  const std::string out = dir_ / "out";
  RunOptions options;
  options.kill_when = [&] { return files_in(out) > 0; };
  options.kill_with = SIGINT;
  const auto before = std::signal(SIGINT, SIG_IGN);  // which the program inherits
  const ProgramRun run = segment(out, {}, options);
  std::signal(SIGINT, before);
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(files_of(out), expected());
}

TEST_F(ManyPhotos, ResumeMakesAgainWhatIsNotWhole) {
  const std::string out = dir_ / "out";
  ASSERT_EQ(segment(out).status, 0);
  const auto resumed = [&] {
    const ProgramRun run = segment(out, {"--resume"});
    EXPECT_EQ(run.status, 0) << run.err;
    EXPECT_EQ(files_of(out), expected());
    return lines_of(run.out).size();
  };
  EXPECT_EQ(resumed(), 0u);
  // As a machine without power leaves them: missing, empty, short, zeros for an end.
  const std::string overlay = out + "/photo101.overlay.jpg";
  fs::remove(out + "/photo100.mask.png");
  fs::resize_file(overlay, fs::file_size(overlay) - 1);
  fs::resize_file(out + "/photo102.mask.png", 0);
  const std::string polygons = out + "/photo103.polygons.json";
  fs::resize_file(polygons, fs::file_size(polygons) / 2);
  const std::string mask = out + "/photo104.mask.png";
  const auto size = fs::file_size(mask);
  fs::resize_file(mask, size / 2);
  fs::resize_file(mask, size);
  fs::copy_file(out + "/photo106.mask.png", out + "/photo105.mask.png",
                fs::copy_options::overwrite_existing);  // another photo's size
  EXPECT_EQ(resumed(), 6u);
  // A photo that has changed since.
  fs::last_write_time(photo(7),
                      fs::last_write_time(out + "/photo107.mask.png") + std::chrono::seconds(2));
  EXPECT_EQ(resumed(), 1u);
}

TEST_F(ManyPhotos, ResumeWithScoresNeedsTheirClasses) {
  const std::string out = dir_ / "out";
  const std::vector<std::string> first = {photo(0), "-o", out, "--size", "65", "--resume"};
  const auto lines = [&](std::vector<std::string> line, const std::vector<std::string>& more) {
    line.insert(line.begin(), "segment");
    line.insert(line.end(), more.begin(), more.end());
    const ProgramRun run = run_deeplab(line);
    EXPECT_EQ(run.status, 0) << run.err;
    return lines_of(run.out).size();
  };
  const std::vector<std::string> named = {"--write", "scores", "--class", "cat,dog"};
  EXPECT_EQ(lines(first, named), 1u);
  EXPECT_EQ(lines(first, named), 0u);
  EXPECT_EQ(lines(first, {"--write", "scores"}), 1u);
  EXPECT_EQ(lines(first, {"--write", "scores"}), 1u) << "only the network knows which there are";
}

TEST_F(ManyPhotos, TwoProcessesMayWriteTheSameFolder) {
  const std::string out = dir_ / "out";
  ProgramRun runs[2];
  {
    std::jthread other([&] { runs[1] = segment(out, {"--threads", "2"}); });
    runs[0] = segment(out, {"--threads", "2"});
  }
  for (const ProgramRun& run : runs) EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(files_of(out), expected());
}

TEST_F(ManyPhotos, EvaluateKeepsWhatIsMeasuredAndGoesOn) {
  const std::string root = dir_ / "voc";
  std::string ids;
  for (const char* folder : {"JPEGImages", "SegmentationClass"})
    fs::create_directories(root + "/" + folder);
  for (int i = 0; i < kPhotos; ++i) {  // the masks of another canvas are as good as any
    const std::string id = "photo" + std::to_string(100 + i);
    fs::copy_file(photo(i), root + "/JPEGImages/" + id + ".jpg");
    write_text(root + "/SegmentationClass/" + id + ".png", expected().at(id + ".mask.png"));
    ids += id + "\n";
  }
  write_text(root + "/ImageSets/Segmentation/val.txt", ids);

  const std::string maps = dir_ / "maps";
  const std::vector<std::string> plain = {"evaluate", root,        "--json", "--scales",
                                          "1,1.5",    "--threads", "2"};
  auto line = plain;
  line.insert(line.end(), {"--predictions", maps, "--resume", dir_ / "state"});
  RunOptions options;
  options.kill_when = [&] { return files_in(maps) > 2; };
  options.kill_with = SIGTERM;
  const ProgramRun stopped = run_deeplab(line, options);
  EXPECT_EQ(stopped.signal, SIGTERM) << stopped.err;
  EXPECT_THAT(stopped.out, IsEmpty()) << "scores of some photos only";
  ASSERT_THAT(lines_of(stopped.err), SizeIs(1));
  const Files left = files_of(maps);
  EXPECT_LT(left.size(), size_t{kPhotos});
  EXPECT_THAT(stopped.err, HasSubstr("after " + std::to_string(left.size()) + " of 24 photos"));

  const ProgramRun whole = run_deeplab(plain);
  const ProgramRun resumed = run_deeplab(line);
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(resumed.out, whole.out);
  const Files all = files_of(maps);
  EXPECT_EQ(all.size(), size_t{kPhotos});
  for (const auto& [name, text] : left) EXPECT_EQ(all.at(name), text) << name;
}

// ---- Disks, folders and memory ---------------------------------------------------------------

TEST_F(ManyPhotos, APipeThatEndsEarlyFailsThatPhotoOnly) {
  const std::string pipe = dir_ / "pipe.jpg";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::jthread writer(  // ends inside the header: of less than that there is no photo to warn about
      [&] { std::ofstream(pipe, std::ios::binary) << file_text(photo(0)).substr(0, 100); });
  const std::string out = dir_ / "out";
  const ProgramRun run = segment(out, {pipe});
  EXPECT_EQ(run.status, 1);
  ASSERT_THAT(lines_of(run.err), SizeIs(1)) << run.err;
  EXPECT_THAT(run.err, HasSubstr(pipe));
  EXPECT_EQ(files_of(out).size(), size_t{kFilesAPhoto * kPhotos});
}

TEST_F(ManyPhotos, APipeInADirectoryIsPassedOver) {  // reading it might never end
  ASSERT_EQ(::mkfifo((in() + "/pipe.jpg").c_str(), 0600), 0);
  const std::string out = dir_ / "out";
  const ProgramRun run = segment(out);
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.err, HasSubstr("passed over 1 file: 1 special file (pipe.jpg)"));
  EXPECT_EQ(files_of(out).size(), size_t{kFilesAPhoto * kPhotos});
}

TEST_F(ManyPhotos, TooLittleMemoryIsAnErrorNeverTheEndOfTheProcess) {
  if (kAddressSanitizer) {
    GTEST_SKIP() << "skipped: the sanitizer itself takes terabytes of addresses";
  }
  constexpr int64_t kMiB = 1 << 20;
  const auto run_with = [&](const std::vector<std::string>& line, int64_t mib) {
    RunOptions options;
    options.max_memory_bytes = mib * kMiB;
    return run_deeplab(line, options);
  };
  int64_t least = 8;  // below, the program's own libraries find no place
  while (least < 512 && run_with({"--version"}, least).status != 0) ++least;
  const std::string out = dir_ / "out";
  const std::vector<std::vector<std::string>> lines = {
      {"segment", in(), "-o", out, "--size", "257", "--threads", "2", "--write",
       "mask,overlay,cutout,scores,polygons"},
      {"segment", photo(0), "-o", out, "--size", "257", "--threads", "16"},
      {"run", photo(0), "-m", kInt8FloatIo, "-o", out},
      {"inspect", kInt8FloatIo, "--json"},
  };
  for (const std::vector<std::string>& line : lines) {
    int refused = 0;
    for (int64_t more = 0; more <= 60; more += 5) {
      fs::remove_all(out);
      const ProgramRun run = run_with(line, least + more);
      ASSERT_EQ(run.signal, 0) << line[0] << " with " << more << " MiB: " << run.err;
      if (run.status == 0) continue;
      ++refused;
      EXPECT_EQ(run.status, 1) << run.err;
      EXPECT_THAT(run.err, HasSubstr("deeplab: "));
    }
    EXPECT_GT(refused, 0) << line[0] << ": no limit was too small";
  }
}

TEST_F(ManyPhotos, AFolderThatVanishesFailsEachPhotoThatIsLeft) {
  const std::string out = dir_ / "out";
  bool gone = false;
  RunOptions options;
  options.kill_when = [&] {
    if (!gone && files_in(out) > kFilesAPhoto) {
      std::error_code error;  // files may come while others go
      do {
        fs::remove_all(out, error);
      } while (fs::exists(out));
      gone = true;
    }
    return false;
  };
  const ProgramRun run = segment(out, {}, options);
  ASSERT_TRUE(gone);
  EXPECT_EQ(run.status, 1) << run.signal;
  const std::vector<std::string> errors = lines_of(run.err);
  EXPECT_EQ(errors.size() + lines_of(run.out).size(), size_t{kPhotos});
  for (const std::string& error : errors) {
    EXPECT_THAT(error, HasSubstr("in/photo"));
    EXPECT_THAT(error, HasSubstr("No such file or directory"));
  }
  EXPECT_THAT(errors, Not(IsEmpty()));
  EXPECT_FALSE(fs::exists(out)) << "made again in the middle of a run";
}

TEST_F(ManyPhotos, AFolderWithoutPermissionEndsTheRunAtOnce) {
  const std::string out = dir_ / "out";
  fs::create_directory(out);
  ::chmod(dir_.path().c_str(), 0755);
  fs::permissions(out, fs::perms(0555));
  RunOptions options;
  options.unprivileged = true;
  if (run_deeplab({"--version"}, options).status != 0) {
    GTEST_SKIP() << "skipped: nobody cannot run the program where it was built";
  }
  const ProgramRun run = segment(out, {}, options);
  EXPECT_EQ(run.status, 1);
  ASSERT_THAT(lines_of(run.err), SizeIs(1)) << run.err;
  EXPECT_THAT(run.err, HasSubstr(out + ": Permission denied"));
  EXPECT_THAT(files_below(out), IsEmpty());
}

/// A small disk of its own, for as long as this lives.
class SmallDisk {
 public:
  SmallDisk(std::string path, const char* options) : path_(std::move(path)) {
    fs::create_directory(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, options) == 0;
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool mounted() const { return mounted_; }

 private:
  std::string path_;
  bool mounted_ = false;
};

TEST_F(ManyPhotos, AFullDiskKeepsWhatFitsAndNamesTheRest) {
  const std::string out = dir_ / "disk";
  const SmallDisk disk(out, "size=256k");
  if (!disk.mounted()) GTEST_SKIP() << "skipped: a tmpfs may not be mounted here";
  const ProgramRun run = segment(out);
  EXPECT_EQ(run.status, 1);
  const std::vector<std::string> errors = lines_of(run.err);
  EXPECT_THAT(errors, Not(IsEmpty()));
  EXPECT_EQ(errors.size() + lines_of(run.out).size(), size_t{kPhotos});
  for (const std::string& error : errors) {
    EXPECT_THAT(error, HasSubstr("in/photo"));
    EXPECT_THAT(error, HasSubstr("No space left on device"));
  }
  const Files left = files_of(out);
  EXPECT_THAT(left, Not(IsEmpty()));
  for (const auto& [name, text] : left) {
    ASSERT_TRUE(expected().contains(name)) << name;
    EXPECT_EQ(text, expected().at(name)) << name;
  }
}

TEST_F(ManyPhotos, AReadOnlyDiskEndsTheRunAtOnce) {
  const std::string out = dir_ / "disk";
  const SmallDisk disk(out, "ro,size=256k");
  if (!disk.mounted()) GTEST_SKIP() << "skipped: a tmpfs may not be mounted here";
  ::mount("none", out.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr);
  const ProgramRun run = segment(out);
  EXPECT_EQ(run.status, 1);
  ASSERT_THAT(lines_of(run.err), SizeIs(1)) << run.err;
  EXPECT_THAT(run.err, HasSubstr(out + ": Read-only file system"));
}

}  // namespace
}  // namespace deeplab::testing
