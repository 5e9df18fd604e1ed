// The program against files from strangers: for each broken model or photo, exit status 1, one
// line that names the file, no output file, no crash. The corpus is made here, on the spot.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <random>

#include "tests/apps/program.h"
#include "tests/imageio/sample_files.h"
#include "tests/test_data.h"
#include "tests/tflite/model_builder.h"

namespace deeplab::testing {
namespace {

namespace fs = std::filesystem;
namespace schema = tflite::schema;
using imageio::testing::File;
using imageio::testing::NamedFile;
using ::testing::HasSubstr;

void write_bytes(const std::string& path, const File& bytes) {
  write_text(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

File text_file(const std::string& text) { return imageio::testing::text_file(text); }

File head_of(const File& file, size_t size) {
  return {file.begin(), file.begin() + static_cast<ptrdiff_t>(size)};
}

/// Cuts at every 1/16, the empty file included.
void add_truncated(const NamedFile& file, std::vector<NamedFile>& corpus) {
  for (size_t i = 0; i < 16; ++i) {
    corpus.push_back(
        {std::to_string(i) + "of16-" + file.name, head_of(file.bytes, file.bytes.size() * i / 16)});
  }
}

/// 1 to 8 bytes changed at places and to values that the seed decides.
File flipped(File file, unsigned seed) {
  std::mt19937 random(seed);
  for (unsigned n = 1 + random() % 8; n > 0; --n) {
    file[random() % file.size()] = static_cast<std::byte>(random());
  }
  return file;
}

/// Model files that lie, one way each. The names go into the file names.
std::vector<NamedFile> lying_models() {
  std::vector<NamedFile> corpus;
  const auto add = [&](const std::string& name, const std::function<void(ModelBuilder&)>& change) {
    ModelBuilder builder = small_int8_model();
    change(builder);
    corpus.push_back({name + ".tflite", builder.build()});
  };
  const auto op_output = [](ModelBuilder& b, size_t op) { return b.op(op).outputs[0]; };
  add("swapped-buffers",
      [](ModelBuilder& b) { std::swap(b.model.buffers[1], b.model.buffers[2]); });
  add("huge-shape", [](ModelBuilder& b) { b.tensor(0).shape = {1, 60000, 60000, 3}; });
  add("overflowing-shape", [](ModelBuilder& b) {
    b.tensor(0).shape = {1 << 30, 1 << 30, 1 << 30, 1 << 30};
  });
  add("zero-dimension", [](ModelBuilder& b) { b.tensor(0).shape = {1, 0, 9, 3}; });
  add("negative-dimension", [](ModelBuilder& b) { b.tensor(0).shape = {1, 9, -9, 3}; });
  add("negative-tensor-id", [](ModelBuilder& b) { b.op(0).inputs[0] = -7; });
  add("tensor-id-past-the-end", [](ModelBuilder& b) { b.op(0).inputs[1] = 1000; });
  add("buffer-id-past-the-end", [](ModelBuilder& b) { b.tensor(1).buffer = 1u << 31; });
  add("opcode-past-the-end", [](ModelBuilder& b) { b.op(1).opcode_index = 99; });
  add("cycle", [&](ModelBuilder& b) { b.op(0).inputs[0] = op_output(b, 1); });
  add("two-writers", [&](ModelBuilder& b) { b.op(1).outputs[0] = op_output(b, 0); });
  add("short-weights", [](ModelBuilder& b) { b.data(1).resize(100); });
  add("scale-zero", [](ModelBuilder& b) { b.tensor(0).quantization->scale = {0.0f}; });
  add("scale-nan", [](ModelBuilder& b) { b.tensor(0).quantization->scale = {std::nanf("")}; });
  add("zero-point-out-of-range",
      [](ModelBuilder& b) { b.tensor(0).quantization->zero_point = {1000}; });
  add("too-few-scales", [](ModelBuilder& b) { b.tensor(1).quantization->scale.pop_back(); });
  add("stride-zero",
      [](ModelBuilder& b) { b.op(0).builtin_options.AsConv2DOptions()->stride_w = 0; });
  add("stride-negative",
      [](ModelBuilder& b) { b.op(0).builtin_options.AsConv2DOptions()->stride_h = -2; });
  add("dilation-huge", [](ModelBuilder& b) {
    b.op(0).builtin_options.AsConv2DOptions()->dilation_w_factor = 1 << 30;
  });
  add("unlisted-op", [](ModelBuilder& b) {
    b.model.operator_codes[1]->builtin_code = schema::BuiltinOperator(16);  // LSTM
    b.model.operator_codes[1]->deprecated_builtin_code = 16;
  });
  add("no-outputs", [](ModelBuilder& b) { b.graph().outputs.clear(); });
  add("no-graph", [](ModelBuilder& b) { b.model.subgraphs.clear(); });
  return corpus;
}

std::vector<NamedFile> no_files_of_any_kind() {
  return {{"empty", {}}, {"text", text_file("Dear reader, this is a letter, not a photo.\n")}};
}

/// A directory, a file nobody may read, a file that is not there: by path.
std::vector<std::string> unreadable_paths(const TempDir& dir) {
  fs::create_directory(dir / "a-directory");
  std::vector<std::string> paths = {dir / "missing"};
  if (::geteuid() != 0) {  // root reads everything
    write_text(dir / "no-permission", "secret");
    ::chmod((dir / "no-permission").c_str(), 0);
    paths.push_back(dir / "no-permission");
  }
  return paths;
}

class BadInput : public ::testing::Test {
 protected:
  void SetUp() override {
    model_ = dir_ / "good.tflite";
    photo_ = dir_ / "good.bmp";
    write_bytes(model_, small_int8_model().build());
    imageio::testing::BmpSpec bmp;
    bmp.width = bmp.height = 8;
    bmp.data = imageio::testing::gradient(8, 8, 3);
    write_bytes(photo_, imageio::testing::bmp_file(bmp));
    const ProgramRun good = run_deeplab({"segment", photo_, "-m", model_, "-o", dir_ / "good"});
    ASSERT_EQ(good.status, 0) << good.err;
    ASSERT_EQ(files_below(dir_ / "good").size(), 2u);
  }

  /// `status` 1, one line on standard error that names `path`, nothing in the output folder.
  void expect_refused(const ProgramRun& run, const std::string& path) {
    EXPECT_EQ(run.status, 1) << path << ": signal " << run.signal << "\n" << run.err;
    EXPECT_EQ(lines_of(run.err).size(), 1u) << path << "\n" << run.err;
    EXPECT_THAT(run.err, HasSubstr(path));
    EXPECT_EQ(run.out, "");
    if (fs::exists(dir_ / "out")) {
      EXPECT_EQ(files_below(dir_ / "out").size(), 0u) << path;
    }
  }

  TempDir dir_;
  std::string model_;
  std::string photo_;
};

TEST_F(BadInput, EveryBrokenModelIsRefusedByName) {
  std::vector<NamedFile> corpus = lying_models();
  add_truncated({"model.tflite", small_int8_model().build()}, corpus);
  for (const NamedFile& file : no_files_of_any_kind()) corpus.push_back(file);
  std::vector<std::string> paths = unreadable_paths(dir_);
  paths.push_back(dir_ / "a-directory");
  for (const NamedFile& file : corpus) {
    paths.push_back(dir_ / ("models/" + file.name));
    write_bytes(paths.back(), file.bytes);
  }
  for (const std::string& path : paths) {
    expect_refused(run_deeplab({"segment", photo_, "-m", path, "-o", dir_ / "out"}), path);
    expect_refused(run_deeplab({"inspect", path}), path);
  }
  std::printf("%zu broken models, each refused twice\n", paths.size());
}

TEST_F(BadInput, AModelWithFlippedBytesRunsOrIsRefused) {
  const File good = small_int8_model().build();
  std::map<int, int> outcomes;
  for (unsigned seed = 0; seed < 60; ++seed) {
    const std::string path = dir_ / "flipped.tflite";
    write_bytes(path, flipped(good, seed));
    const ProgramRun run = run_deeplab({"segment", photo_, "-m", path, "-o", dir_ / "flipped"});
    ++outcomes[run.status];
    if (run.status == 0) continue;
    EXPECT_EQ(run.status, 1) << "seed " << seed << ", signal " << run.signal << "\n" << run.err;
    EXPECT_EQ(lines_of(run.err).size(), 1u) << run.err;
  }
  EXPECT_GT(outcomes[0], 0);
  EXPECT_GT(outcomes[1], 0);
}

TEST_F(BadInput, EveryBrokenPhotoIsRefusedByNameInOneGo) {
  std::vector<NamedFile> corpus = no_files_of_any_kind();
  const std::vector<NamedFile> flavours = imageio::testing::every_flavour();
  ASSERT_GE(flavours.size(), 10u);
  for (const NamedFile& file : flavours) add_truncated(file, corpus);

  imageio::testing::PngSpec png;
  png.width = png.height = 4;
  png.rows = imageio::testing::gradient(4, 4, 3);
  const File small_png = imageio::testing::png_file(png);
  const auto sized = [&](uint32_t width, uint32_t height) {
    return imageio::testing::with_png_size(small_png, width, height);
  };
  corpus.push_back({"60000x60000.png", sized(60000, 60000)});
  corpus.push_back({"zero-width.png", sized(0, 4)});
  corpus.push_back({"two-gigapixels.png", sized(0x7FFFFFFF, 1)});
  corpus.push_back({"bomb.png", imageio::testing::with_png_chunk(
                                    small_png, imageio::testing::png_chunk("iCCP", [] {
                                      File data = text_file(std::string("x\0\0", 3));
                                      const File zeros = imageio::testing::zlib_zeros(200'000'000);
                                      data.insert(data.end(), zeros.begin(), zeros.end());
                                      return data;
                                    }()))});
  corpus.push_back({"60000x60000.ppm", text_file("P6 60000 60000 255\nxx")});
  corpus.push_back({"negative.pgm", text_file("P5 -3 4 255\nxxxxxxxxxxxx")});

  // A bomb of a chunk may be skipped and the pixels still be good; all else must be refused.
  std::vector<std::string> arguments = {"segment", "-m", model_, "-o", dir_ / "out", "--strict"};
  std::vector<std::string> paths = unreadable_paths(dir_);
  for (const NamedFile& file : corpus) {
    // The number keeps the stems apart: two photos may not share their outputs' names.
    paths.push_back(dir_ / ("photos/" + std::to_string(paths.size()) + "-" + file.name));
    write_bytes(paths.back(), file.bytes);
  }
  arguments.insert(arguments.end(), paths.begin(), paths.end());
  const ProgramRun run = run_deeplab(arguments);
  EXPECT_EQ(run.status, 1) << "signal " << run.signal << "\n" << run.err;
  const std::vector<std::string> errors = lines_of(run.err);
  for (const std::string& path : paths) {
    const auto names = [&](const std::string& line) {
      return (line + " ").find(path + ":") != std::string::npos ||
             (line + " ").find(path + " ") != std::string::npos;
    };
    const auto lines = std::count_if(errors.begin(), errors.end(), names);
    if (path.ends_with("bomb.png")) {
      EXPECT_LE(lines, 1);
    } else {
      EXPECT_EQ(lines, 1) << path;
    }
  }
  EXPECT_LE(errors.size(), paths.size()) << "more lines than broken photos";
  std::printf("%zu broken photos, %zu refused\n", paths.size(), errors.size());
}

TEST_F(BadInput, APhotoWithFlippedBytesIsSegmentedOrRefused) {
  std::vector<std::string> arguments = {"segment",        "-m",      model_, "-o",
                                        dir_ / "flipped", "--strict"};
  const std::vector<NamedFile> flavours = imageio::testing::every_flavour();
  size_t photos = 0;
  for (const NamedFile& file : flavours) {
    for (unsigned seed = 0; seed < 20; ++seed, ++photos) {
      arguments.push_back(dir_ / ("flips/" + std::to_string(photos) + "-" + file.name));
      write_bytes(arguments.back(), flipped(file.bytes, seed));
    }
  }
  const ProgramRun run = run_deeplab(arguments);
  EXPECT_EQ(run.status, 1) << "signal " << run.signal << "\n" << run.err;
  const size_t done = lines_of(run.out).size(), refused = lines_of(run.err).size();
  EXPECT_EQ(done + refused, photos);
  EXPECT_GT(done, 0u);
  EXPECT_GT(refused, 0u);
}

TEST_F(BadInput, AFullDiskLeavesNothingHalfWritten) {
  if (::geteuid() != 0) GTEST_SKIP() << "skipped: mounting a small disk needs root";
  const std::string disk = dir_ / "disk";
  fs::create_directory(disk);
  if (::mount("deeplab-test", disk.c_str(), "tmpfs", 0, "size=16k") != 0) {
    GTEST_SKIP() << "skipped: no tmpfs may be mounted here";
  }
  const std::string big = dir_ / "big.ppm";
  std::mt19937 random(1);
  std::string pixels(600 * 600 * 3, '\0');
  for (char& c : pixels) c = static_cast<char>(random());
  write_text(big, "P6 600 600 255\n" + pixels);
  const ProgramRun run = run_deeplab({"segment", big, photo_, "-m", model_, "-o", disk});
  const std::vector<std::string> left = files_below(disk);
  ::umount(disk.c_str());
  EXPECT_EQ(run.status, 1) << run.err;
  EXPECT_EQ(lines_of(run.err).size(), 1u) << run.err;
  EXPECT_THAT(run.err, HasSubstr("No space left on device"));
  // What is there belongs to outputs that fitted; no temporary file, no half.
  for (const std::string& name : left) {
    EXPECT_TRUE(name.ends_with(".mask.png") || name.ends_with(".overlay.jpg")) << name;
    EXPECT_FALSE(name == "big.overlay.jpg") << name;
  }
  EXPECT_THAT(left, ::testing::Contains("good.mask.png"));
}

}  // namespace
}  // namespace deeplab::testing
