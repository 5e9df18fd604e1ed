// Several photos in progress at a time: bounded memory, and nothing that depends on who was faster.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/deeplab/bench/measure.h"
#include "apps/deeplab/common/options.h"
#include "apps/deeplab/segment/run.h"
#include "base/file.h"
#include "tests/apps/program.h"

namespace deeplab::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(PixelGate, NeverHoldsMoreThanItsLimitButForOneAlone) {
  constexpr int64_t kLimit = 10;
  app::PixelGate gate(kLimit);
  std::atomic<int64_t> pixels{0}, inside{0}, entries{0};
  std::atomic<bool> broken{false};
  {
    std::vector<std::jthread> threads;
    for (int64_t t = 0; t < 6; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 300; ++i) {
          const int64_t size = 1 + (t * 7 + i) % 14;  // 1 to 14: some above the limit
          gate.enter(size);
          const int64_t now = pixels += size;
          const int64_t others = inside++;
          if (now > kLimit && others > 0) broken = true;
          ++entries;
          --inside;
          pixels -= size;
          gate.leave(size);
        }
      });
    }
  }
  EXPECT_FALSE(broken);
  EXPECT_EQ(entries, 6 * 300);
}

TEST(PixelGate, ALargePhotoIsNotOvertakenForEver) {
  app::PixelGate gate(10);
  gate.enter(6);
  std::atomic<bool> large_is_in{false};
  std::jthread large([&] {
    gate.enter(11);
    large_is_in = true;
    gate.leave(11);
  });
  std::atomic<bool> small_is_in{false};
  std::jthread small([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // after the large one
    gate.enter(1);
    EXPECT_TRUE(large_is_in);
    small_is_in = true;
    gate.leave(1);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  EXPECT_FALSE(large_is_in);
  EXPECT_FALSE(small_is_in) << "there is room for it, but it came later";
  gate.leave(6);
}

class SegmentPhotos : public ::testing::Test {
 protected:
  /// Photos of several sizes, one of them broken, and two of the same name.
  void SetUp() override {
    for (int i = 0; i < 12; ++i) {
      const auto file = app::synthetic_file(40 + 37 * (i * 5 % 12), 30 + 11 * i);
      ASSERT_TRUE(file.ok());
      photos_.push_back(path(str_cat("photo", i, ".jpg")));
      ASSERT_TRUE(write_file_atomically(photos_.back(), file->bytes).ok());
    }
    write_text(photos_[4], "no picture");
    fs::create_directory(dir_.path() / "other");
    fs::copy_file(photos_[0], dir_.path() / "other/photo2.jpg");
    photos_.insert(photos_.begin() + 7, path("other/photo2.jpg"));
    photos_.insert(photos_.begin() + 9, path("missing.jpg"));
  }
  std::string path(const std::string& name) const { return dir_ / name; }

  struct Outcome {
    int status;
    std::vector<json> lines;
    std::string err;
    std::map<std::string, std::string> files;
  };
  Outcome segment(const std::string& threads) const {
    const TempDir out;
    std::vector<std::string> line = {"segment", "--threads", threads, "--size",
                                     "129",     "--json",    "-o",    out.path().string()};
    line.insert(line.end(), photos_.begin(), photos_.end());
    const ProgramRun run = run_deeplab(line);
    Outcome outcome{run.status, {}, run.err, {}};
    for (const std::string& text : lines_of(run.out)) {
      outcome.lines.push_back(json::parse(text));
      outcome.lines.back().erase("timing_ms");
    }
    for (const std::string& name : files_below(out.path())) {
      outcome.files[name] = file_text(out / name);
    }
    return outcome;
  }

  const TempDir dir_;
  std::vector<std::string> photos_;
};

TEST_F(SegmentPhotos, TheSameFilesLinesAndErrorsWithAnyNumberOfThreads) {
  const Outcome one = segment("1");
  EXPECT_EQ(one.status, 1);
  ASSERT_THAT(one.lines, SizeIs(11));
  EXPECT_THAT(one.files, SizeIs(22));
  const std::vector<std::string> errors = lines_of(one.err);
  ASSERT_THAT(errors, SizeIs(3));
  EXPECT_THAT(errors[0], HasSubstr("photo4.jpg"));
  EXPECT_THAT(errors[1], HasSubstr("other/photo2.jpg: its outputs would have the same names"));
  EXPECT_THAT(errors[2], HasSubstr("missing.jpg"));
  for (const char* threads : {"2", "5", "0"}) {
    const Outcome more = segment(threads);
    EXPECT_EQ(more.status, one.status) << threads;
    EXPECT_EQ(more.lines, one.lines) << threads;
    EXPECT_EQ(more.err, one.err) << threads;
    EXPECT_EQ(more.files, one.files) << threads;
  }
}

TEST_F(SegmentPhotos, NobodyReadsTheRestSoTheRunEndsWithOneMessage) {
  const TempDir out;
  RunOptions full;
  full.output = "/dev/full";
  std::vector<std::string> line = {"segment", "--threads",        "4", "--size", "65",
                                   "-o",      out.path().string()};
  line.insert(line.end(), photos_.begin(), photos_.end());
  const ProgramRun run = run_deeplab(line, full);
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(lines_of(run.err), SizeIs(1));
  EXPECT_THAT(run.err, HasSubstr("standard output"));
}

class SegmentRunDirectly : public SegmentPhotos {
 protected:
  void make(int threads) {
    list_ = app::find_photos(photos_);
    const auto model = Model::builtin();
    ASSERT_TRUE(model.ok());
    Options options;
    options.threads = threads;
    options.width = options.height = 65;
    app::OutputOptions output;
    output.directory = out_.path().string();
    output.write = {.mask = true};
    for (int32_t id = 0; id < model->class_count(); ++id) {
      output.labels.emplace_back(model->label(id));
    }
    auto run = app::SegmentRun::create(*model, options, std::move(output), list_.photos, false);
    ASSERT_TRUE(run.ok()) << run.status().message();
    run_ = std::move(*run);
  }

  const TempDir out_;
  app::PhotoList list_;
  std::unique_ptr<app::SegmentRun> run_;
};

TEST_F(SegmentRunDirectly, ReportsComeInOrderAndOneAtATime) {
  ASSERT_NO_FATAL_FAILURE(make(6));
  std::vector<std::string> reported;
  std::atomic<int> inside{0};
  const Status ran =
      run_->run([&](const app::Photo& photo, const Result<app::SegmentReport>& report) {
        EXPECT_EQ(++inside, 1);
        reported.push_back(photo.path);
        if (report.ok()) {
          EXPECT_EQ(report->image, photo.path);
        }
        --inside;
        return true;
      });
  EXPECT_TRUE(ran.ok());
  EXPECT_EQ(reported, photos_);
}

TEST_F(SegmentRunDirectly, AReportThatSaysNoIsTheLast) {
  ASSERT_NO_FATAL_FAILURE(make(4));
  size_t reports = 0;
  EXPECT_TRUE(
      run_->run([&](const app::Photo&, const Result<app::SegmentReport>&) { return ++reports < 3; })
          .ok());
  EXPECT_EQ(reports, 3u);
}

TEST_F(SegmentRunDirectly, NoPhotosNoReports) {
  photos_.clear();
  ASSERT_NO_FATAL_FAILURE(make(2));
  const Status ran = run_->run([](const app::Photo&, const Result<app::SegmentReport>&) {
    ADD_FAILURE();
    return true;
  });
  EXPECT_TRUE(ran.ok());
}

}  // namespace
}  // namespace deeplab::testing
