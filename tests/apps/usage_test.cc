// The command line itself: help, version, wrong usage, and models that are not there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "deeplab/deeplab.h"
#include "tests/apps/program.h"

namespace deeplab::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST(Usage, HelpGoesToStandardOutputWithStatus0) {
  const ProgramRun help = run_deeplab({"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.out, HasSubstr("segment"));
  EXPECT_THAT(help.err, IsEmpty());

  const ProgramRun segment = run_deeplab({"segment", "--help"});
  EXPECT_EQ(segment.status, 0);
  for (const char* flag : {"--model", "--output", "--fit", "--size", "--threads", "--write",
                           "--class", "--json", "--quiet", "--labels", "--mean", "--std"}) {
    EXPECT_THAT(segment.out, HasSubstr(flag));
  }
}

TEST(Usage, Version) {
  const ProgramRun run = run_deeplab({"--version"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.out, HasSubstr(deeplab_version()));
}

struct WrongUsage {
  std::vector<std::string> arguments;
  std::string named;  // what the message must name
};

class UsageError : public ::testing::TestWithParam<WrongUsage> {};

TEST_P(UsageError, HasStatus2AndOneLine) {
  const ProgramRun run = run_deeplab(GetParam().arguments);
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.out, IsEmpty());
  ASSERT_THAT(lines_of(run.err), SizeIs(1)) << run.err;
  EXPECT_THAT(run.err, StartsWith("deeplab: "));
  EXPECT_THAT(run.err, HasSubstr(GetParam().named));
}

INSTANTIATE_TEST_SUITE_P(
    Segment, UsageError,
    ::testing::Values(WrongUsage{{}, "subcommand"}, WrongUsage{{"paint"}, "paint"},
                      WrongUsage{{"segment"}, "PHOTO"},
                      WrongUsage{{"segment", "a.png", "--colour"}, "--colour"},
                      WrongUsage{{"segment", "a.png", "-m"}, "--model"},
                      WrongUsage{{"segment", "a.png", "--fit", "crop"}, "crop"},
                      WrongUsage{{"segment", "a.png", "--size", "0"}, "--size"},
                      WrongUsage{{"segment", "a.png", "--size", "640x"}, "640x"},
                      WrongUsage{{"segment", "a.png", "--size", "1x2x3"}, "1x2x3"},
                      WrongUsage{{"segment", "a.png", "--size", "70000"}, "70000"},
                      WrongUsage{{"segment", "a.png", "--size=-513"}, "-513"},
                      WrongUsage{{"segment", "a.png", "--threads=-1"}, "--threads"},
                      WrongUsage{{"segment", "a.png", "--threads", "257"}, "257"},
                      WrongUsage{{"segment", "a.png", "--threads", "two"}, "two"},
                      WrongUsage{{"segment", "a.png", "--write", "mask,video"}, "video"},
                      WrongUsage{{"segment", "a.png", "--write", ""}, "--write"},
                      WrongUsage{{"segment", "a.png", "--write", "mask,"}, "--write"},
                      WrongUsage{{"segment", "a.png", "--class", "dog"}, "--class"},
                      WrongUsage{{"segment", "a.png", "--class", "dog", "--write", "mask"},
                                 "--class"},
                      WrongUsage{{"segment", "a.png", "--quality", "101"}, "101"},
                      WrongUsage{{"segment", "a.png", "--min-area", "0"}, "--min-area"},
                      WrongUsage{{"segment", "a.png", "--tolerance", "nan"}, "--tolerance"},
                      WrongUsage{{"segment", "a.png", "--mean", "1,two,3"}, "--mean"}));

INSTANTIATE_TEST_SUITE_P(
    Tools, UsageError,
    ::testing::Values(
        WrongUsage{{"run"}, "photo"}, WrongUsage{{"run", "a.png", "-o", "d"}, "--model"},
        WrongUsage{{"run", "a.png", "-m", "m"}, "--output"},
        WrongUsage{{"run", "a.png", "-m", "m", "-o", "d", "--executor", "fast"}, "fast"},
        WrongUsage{{"run", "a.png", "-m", "m", "-o", "d", "--rounding", "up"}, "up"},
        WrongUsage{{"run", "a.png", "-m", "m", "-o", "d", "--rounding", "tflite"}, "naive"},
        WrongUsage{{"inspect"}, "model"}, WrongUsage{{"inspect", "m", "--size", "x"}, "--size"},
        WrongUsage{{"compare", "m", "m"}, "photos"},
        WrongUsage{{"compare", "m", "m", "a.png", "--isa", "mmx"}, "mmx"},
        WrongUsage{{"compare", "m", "m", "a.png", "--isa", "scalar,scalar,scalar"}, "--isa"},
        WrongUsage{{"compare", "m", "m", "a.png", "--executor", "naive,"}, "--executor"},
        WrongUsage{{"compare", "m", "m", "a.png", "--rounding", "engine,tflite"}, "naive"},
        WrongUsage{{"bench", "-m", "m", "--threads", "1,x"}, "--threads"},
        WrongUsage{{"bench", "-m", "m", "--threads", "257"}, "257"},
        WrongUsage{{"bench", "-m", "m", "--runs", "0"}, "--runs"}));

TEST(Usage, NoModelIsTheBuiltInOne) {
  const ProgramRun run =
      run_deeplab({"bench", "--threads", "1", "--runs", "1", "--size", "129", "--json"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("\"model\":\"the built-in model\""));
}

TEST(Usage, AModelThatCannotBeReadIsNamed) {
  const TempDir dir;
  write_text(dir / "text.tflite", "no model at all, but long enough to hold a header\n");
  write_text(dir / "empty.tflite", "");
  for (const std::string& model :
       {dir / "missing.tflite", dir / "text.tflite", dir / "empty.tflite", dir.path().string()}) {
    const ProgramRun run = run_deeplab({"segment", "a.png", "-m", model, "-o", dir / "out"});
    EXPECT_EQ(run.status, 1) << model;
    EXPECT_THAT(run.out, IsEmpty());
    ASSERT_THAT(lines_of(run.err), SizeIs(1)) << run.err;
    EXPECT_THAT(run.err, HasSubstr(model));
  }
  EXPECT_FALSE(std::filesystem::exists(dir / "out"));
}

}  // namespace
}  // namespace deeplab::testing
