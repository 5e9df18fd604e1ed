// deeplab segment: photos in; label maps, and what can be made of them, out.
#include "apps/deeplab/common/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/deeplab/common/backend_flags.h"
#include "apps/deeplab/common/builtin_model.h"
#include "apps/deeplab/common/interrupt.h"
#include "apps/deeplab/common/model_flags.h"
#include "apps/deeplab/common/options.h"
#include "apps/deeplab/common/palette.h"
#include "apps/deeplab/common/photos.h"
#include "apps/deeplab/common/progress.h"
#include "apps/deeplab/common/public_model.h"
#include "apps/deeplab/segment/output.h"
#include "apps/deeplab/segment/report.h"
#include "apps/deeplab/segment/run.h"
#include "base/status.h"
#include "deeplab/deeplab.hpp"

namespace deeplab::app {
namespace {

struct SegmentOptions {
  std::vector<std::string> photos;
  std::string model;
  std::string directory = ".";
  vision::Fit fit = vision::Fit::kPad;
  CanvasSize size;
  int32_t output_stride = 0;
  int threads = 0;
  OutputSet write{.mask = true, .overlay = true};
  std::vector<std::string> classes;
  std::string palette = "voc";
  ModelFlags model_flags;
  BackendFlags backend;
  int quality = 90;
  int64_t min_area = 1;
  double tolerance = 1;
  photos::DecodeOptions decode;
  bool resume = false;
  bool json = false;
  bool quiet = false;
};

// ---- Before the first photo ------------------------------------------------------------------

/// Makes the directory and looks whether files may be created in it: better now than after the
/// first photo's work.
Status make_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error && !std::filesystem::is_directory(path)) {
    return io_error("cannot create the directory ", path, ": ", error.message());
  }
  if (::access(path.c_str(), W_OK | X_OK) != 0) {
    return io_error("cannot write to the directory ", path, ": ",
                    std::generic_category().message(errno));
  }
  return {};
}

// ---- The photos ------------------------------------------------------------------------------

/// The class that covers every photo of a run from edge to edge, if there is such a class.
class OnlyClass {
 public:
  void add(const SegmentReport& report) {
    const bool covers = report.shares.size() == 1 && (!id_ || *id_ == report.shares[0].id);
    if (!covers) differs_ = true;
    if (covers) id_ = report.shares[0].id;
  }
  std::optional<int32_t> id() const { return differs_ ? std::nullopt : id_; }

 private:
  std::optional<int32_t> id_;
  bool differs_ = false;
};

/// `normalization_known`: the model or the command line says what the network wants.
ExitCode segment_photos(const SegmentOptions& options, const PhotoList& list,
                        const std::vector<std::string>& labels, bool normalization_known,
                        SegmentRun& run) {
  ExitCode exit_code = ExitCode::kDone;
  for (const Status& error : list.errors) {
    print_error(error.message());
    exit_code = ExitCode::kFailed;
  }
  const InterruptGuard interrupts;
  Progress progress(list.photos.size(), !options.quiet);
  size_t were_there = 0;
  OnlyClass only;
  const Status ran = run.run([&](const Photo& photo, const Result<SegmentReport>& report) {
    if (!report.ok()) {
      progress.hide();
      print_error(photo.name(), report.status());
      exit_code = ExitCode::kFailed;
    } else if (report->was_there) {
      ++were_there;
    } else {
      only.add(*report);
    }
    if (report.ok() && !report->warning.empty()) {
      progress.hide();
      print_warning(photo, report->warning);
    }
    if (report.ok() && !report->was_there && (options.json || !options.quiet)) {
      progress.hide();
      const Status printed = print_output(options.json ? json_line(*report) : text_line(*report));
      if (!printed.ok()) {  // nobody would see the rest
        print_error(printed.message());
        exit_code = ExitCode::kFailed;
        return false;
      }
    }
    progress.advance();
    return true;
  });
  progress.hide();
  if (!ran.ok()) {
    print_error(ran.message());
    return ExitCode::kFailed;
  }
  const size_t done = run.reported(), total = list.photos.size();
  if (InterruptGuard::requested() && done < total) {
    print_interrupted(done, total, "; --resume continues from there");
    return ExitCode::kInterrupted;
  }
  if (were_there > 0 && !options.quiet) {
    print_error(fmt::format("{} of {} photos had their files already", were_there, total));
  }
  if (only.id() && !normalization_known && !options.quiet) {
    print_error(normalization_warning(options.model, labels[static_cast<size_t>(*only.id())]));
  }
  return std::max(exit_code,
                  report_passed_over(list.passed_over, options.decode.strict, options.quiet));
}

ExitCode fail(const Status& status, ExitCode code = ExitCode::kFailed) {
  print_error(status.message());
  return code;
}

ExitCode run_segment(const SegmentOptions& options) {
  const auto loaded = load_public_model(options.model, options.model_flags);
  if (!loaded.ok()) return fail(loaded.status());

  OutputOptions output;
  output.directory = options.directory;
  output.write = options.write;
  output.decode = options.decode;
  output.jpeg_quality = options.quality;
  output.min_area = options.min_area;
  output.tolerance = options.tolerance;
  output.labels = loaded->labels;
  auto classes = find_classes(options.classes, output.labels);
  if (!classes.ok()) return fail(classes.status(), ExitCode::kUsage);
  output.classes = std::move(*classes);

  const auto palette = find_palette(options.palette, loaded->model.class_count());
  if (!palette.ok()) return fail(palette.status());
  output.palette = *palette;

  auto network =
      segmenter_options(*loaded, options.fit, options.size, options.output_stride, options.threads);
  if (!network.ok()) return fail(network.status());
  network->tflite = options.backend.public_options();
  const PhotoList list = find_photos(options.photos);
  const auto run =
      SegmentRun::create(loaded->model, *network, std::move(output), list.photos, options.resume);
  if (!run.ok()) return fail(run.status());
  release_builtin_model();
  if (const Status made = make_directory(options.directory); !made.ok()) return fail(made);
  return segment_photos(options, list, loaded->labels, loaded->normalization_known, **run);
}

// ---- The command line ------------------------------------------------------------------------

void add_output_options(CLI::App& command, SegmentOptions& options) {
  command
      .add_option("-o,--output", options.directory, "Directory for the outputs, created if missing")
      ->type_name("DIR")
      ->capture_default_str();
  command
      .add_option_function<std::string>(
          "--write",
          [&options](const std::string& list) {
            const auto set = OutputSet::parse(list);
            if (!set.ok()) throw CLI::ValidationError("--write", set.status().message());
            options.write = *set;
          },
          "Files to write, see below [mask,overlay]")
      ->type_name("LIST");
  add_class_option(command, options.classes)
      ->description(
          "Classes of cutout, scores and polygons, by name or id [all but the background]");
  add_palette_option(command, options.palette);
  command.add_option("--quality", options.quality, "Quality of the overlay's JPEG, 1 to 100")
      ->check(CLI::Range(1, 100).description(""))
      ->type_name("N")
      ->capture_default_str();
  command.add_option("--min-area", options.min_area, "Polygons: leave out smaller regions")
      ->check(CLI::Range(int64_t{1}, vision::kMaxPixels).description(""))
      ->type_name("PIXELS")
      ->capture_default_str();
  command
      .add_option("--tolerance", options.tolerance,
                  "Polygons: how far an outline may move to save points")
      ->type_name("PIXELS")
      ->capture_default_str();
  command.add_flag("--resume", options.resume,
                   "Skip photos whose outputs are complete and up to date");
  command.footer(
      "--write, in DIR, STEM being the photo's name without its extension (stdin for -); photos "
      "of\n"
      "a directory keep their folders below it:\n"
      "  mask      STEM.mask.png              class ids in the colours of --palette\n"
      "  overlay   STEM.overlay.jpg           the mask over the photo, with a legend\n"
      "  cutout    STEM.cutout.png            the photo's classes with soft edges, RGBA\n"
      "  scores    STEM.CLASS.confidence.png  probability of a class, 65535 is 1; without\n"
      "                                       --class for every class in the photo\n"
      "  polygons  STEM.polygons.json         outlines as COCO annotations\n"
      "\n"
      "A file appears whole or not at all; a named pipe or a device of its name is written into.\n"
      "After SIGINT or SIGTERM (Ctrl-C, kill) the photos in progress are finished, then the run\n"
      "exits with that signal (128 + its number in a shell). A second one ends it at once.\n"
      "--resume continues; it assumes that the outputs it finds were made with the same "
      "options.\n");
}

void add_model_options(CLI::App& command, SegmentOptions& options) {
  add_model_option(command, options.model);
  add_fit_option(command, options.fit);
  add_size_option(command, options.size);
  add_output_stride_option(command, options.output_stride);
  add_threads_option(command, options.threads)
      ->description(
          "Threads: photos at a time, or for the network of a single photo; 0 is one per CPU");
  options.model_flags.add_to(command);
  options.backend.add_to(command);
  add_decode_options(command, options.decode);
}

/// What a single flag cannot know.
void check_options(const SegmentOptions& options) {
  options.backend.check();
  if (!options.classes.empty() && !options.write.uses_classes()) {
    throw CLI::ValidationError("--class", "needs cutout, scores or polygons in --write");
  }
  if (!(options.tolerance >= 0 && options.tolerance <= vision::kMaxSide)) {
    throw CLI::ValidationError("--tolerance",
                               fmt::format("expected 0 to {} pixels", vision::kMaxSide));
  }
}

}  // namespace

void add_segment(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("segment", "Segment photos: label maps, overlays, cut-outs, polygons");
  const auto options = std::make_shared<SegmentOptions>();
  command
      ->add_option("PHOTO", options->photos,
                   "Image files; directories, searched recursively; - for standard input")
      ->required()
      ->type_name("");
  add_model_options(*command, *options);
  add_output_options(*command, *options);
  add_json_flag(*command, options->json);
  add_quiet_flag(*command, options->quiet);
  command->callback([options, &action] {
    check_options(*options);
    action = [options] { return run_segment(*options); };
  });
}

}  // namespace deeplab::app
