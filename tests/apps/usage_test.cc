// The command line itself: help, version, wrong usage, and models that are not there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <regex>

#include "apps/deeplab/common/external.h"
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

TEST(Usage, NoArgumentsHelp) {
  const ProgramRun run = run_deeplab({});
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.out, IsEmpty());
  EXPECT_EQ(run.err, run_deeplab({"--help"}).out);
}

// Each flag that --help has.
TEST(Usage, ManPagesAndCompletionHaveEveryFlag) {
  EXPECT_THAT(run_deeplab({"manual"}).out, HasSubstr("\n.TP\n\\fBsegment\\fR\n"));
  for (const char* command : {"segment", "bench", "evaluate", "quantize"}) {
    const std::string help = run_deeplab({command, "--help"}).out;
    const std::string page = run_deeplab({"manual", command}).out;
    EXPECT_THAT(page, StartsWith(".TH DEEPLAB"));
    std::vector<std::string> scripts;
    for (const char* shell : {"bash", "zsh", "fish"}) {
      scripts.push_back(run_deeplab({"completion", shell}).out);
    }
    const std::regex flag("--([a-z-]+)");
    int flags = 0;
    for (auto at = std::sregex_iterator(help.begin(), help.end(), flag);
         at != std::sregex_iterator(); ++at) {
      const std::string name = (*at)[1];
      EXPECT_THAT(page, HasSubstr(std::regex_replace("--" + name, std::regex("-"), "\\-")));
      EXPECT_THAT(scripts[0], HasSubstr("--" + name));
      EXPECT_THAT(scripts[1], HasSubstr("--" + name));
      EXPECT_THAT(scripts[2], HasSubstr(" -l " + name));
      ++flags;
    }
    EXPECT_GT(flags, 8) << command;
  }
  EXPECT_EQ(run_deeplab({"manual", "paint"}).status, 2);
  EXPECT_EQ(run_deeplab({"completion", "dos"}).status, 2);
}

TEST(Usage, AllPagesGoIntoADirectory) {
  const TempDir dir;
  const std::string pages = dir / "manual/pages";
  EXPECT_EQ(run_deeplab({"manual", "-o", pages}).status, 0);
  EXPECT_EQ(file_text(pages + "/deeplab.1"), run_deeplab({"manual"}).out);
  EXPECT_EQ(file_text(pages + "/deeplab-segment.1"), run_deeplab({"manual", "segment"}).out);
  EXPECT_EQ(file_text(pages + "/deeplab.zsh"), run_deeplab({"completion", "zsh"}).out);
  EXPECT_EQ(run_deeplab({"manual", "segment", "-o", pages}).status, 2);
  write_text(dir / "file", "");
  const ProgramRun refused = run_deeplab({"manual", "-o", dir / "file"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr(dir / "file"));
}

TEST(Usage, AnotherProgramIsRunByItsName) {
  const TempDir dir;
  const std::string program = dir / "deeplab-echo";
  write_text(program, "#!/bin/sh\nprintf '<%s>' \"$@\"\nexit 7\n");
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  const std::string path = std::getenv("PATH");
  ASSERT_EQ(::setenv("PATH", (dir.path().string() + ":" + path).c_str(), 1), 0);
  const ProgramRun run = run_deeplab({"echo", "a b", "--json"});
  ASSERT_EQ(::setenv("PATH", path.c_str(), 1), 0);
  EXPECT_EQ(run.status, 7);
  EXPECT_EQ(run.out, "<a b><--json>");
}

TEST(Usage, AProgramThatIsNotInstalledIsNamed) {
  for (const std::string name : {"train", "video"}) {
    const std::string why = app::missing_program(name);
    EXPECT_THAT(why, HasSubstr("deeplab-" + name));
    EXPECT_THAT(why, HasSubstr("./build.sh --with " + name));
  }
  EXPECT_EQ(app::missing_program("paint"), "");
  // Only if it was not built beside the command: otherwise it would run.
  const auto beside = std::filesystem::path(DEEPLAB_PROGRAM).parent_path() / "deeplab-train";
  if (std::filesystem::exists(beside) || std::system("command -v deeplab-train >/dev/null") == 0) {
    return;
  }
  const ProgramRun run = run_deeplab({"train", "--data", "leaves"});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.err, "deeplab: " + app::missing_program("train") + "\n");
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
    ::testing::Values(WrongUsage{{"paint"}, "paint"}, WrongUsage{{"segment"}, "PHOTO"},
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
