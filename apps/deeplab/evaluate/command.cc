// deeplab evaluate: photos with masks in; how well a model does on them, out.
#include "apps/deeplab/common/command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "apps/deeplab/common/backend_flags.h"
#include "apps/deeplab/common/interrupt.h"
#include "apps/deeplab/common/model_flags.h"
#include "apps/deeplab/common/options.h"
#include "apps/deeplab/evaluate/report.h"
#include "apps/deeplab/evaluate/run.h"
#include "base/file.h"
#include "deeplab/deeplab.h"
#include "eval/report.h"
#include "eval/voc_dataset.h"

namespace deeplab::app {
namespace {

namespace fs = std::filesystem;

constexpr size_t kReportPhotos = 6;  // worst ones, and as many best ones

struct EvaluateOptions {
  std::string dataset;
  std::string split = "val";
  std::string model;
  ModelFlags model_flags;
  BackendFlags backend;
  std::string mask_map;
  EvaluateSetup setup;
  CanvasSize size;
  std::string report;
  bool json = false;
  bool quiet = false;
};

// ---- Before the first photo ------------------------------------------------------------------

/// A label map could otherwise overwrite the truth that it is measured by.
Status check_predictions_directory(const std::string& directory, const std::string& root) {
  std::error_code ignored;
  for (const char* folder : {"SegmentationClass", "JPEGImages"}) {
    if (fs::equivalent(directory, fs::path(root) / folder, ignored)) {
      return invalid_argument("--predictions ", directory, " is the dataset's own ", folder,
                              "; name another directory");
    }
  }
  return {};
}

/// Looks whether files may be created: better now than after the last photo's work.
Status check_writable(const fs::path& directory) {
  const fs::path path = directory.empty() ? "." : directory;
  if (::access(path.c_str(), W_OK | X_OK) == 0) return {};
  return io_error("cannot write to the directory ", path.string(), ": ",
                  std::generic_category().message(errno));
}

Status prepare_outputs(const EvaluateOptions& options) {
  const std::string& predictions = options.setup.predictions;
  if (!predictions.empty()) {
    std::error_code error;
    fs::create_directories(predictions, error);
    if (error && !fs::is_directory(predictions)) {
      return io_error("cannot create the directory ", predictions, ": ", error.message());
    }
    DEEPLAB_RETURN_IF_ERROR(check_predictions_directory(predictions, options.dataset));
    DEEPLAB_RETURN_IF_ERROR(check_writable(predictions));
  }
  if (options.report.empty() || is_written_in_place(options.report)) return {};
  return check_writable(fs::path(options.report).parent_path());
}

/// A photo that counts twice is a mistake in the list, and a quiet one.
Status check_no_duplicates(const eval::VocDataset& dataset) {
  std::set<std::string_view> seen;
  for (const eval::VocItem& item : dataset.items) {
    if (seen.insert(item.id).second) continue;
    return invalid_argument("split '", dataset.split, "' of ", dataset.root, " lists ", item.id,
                            " twice");
  }
  return {};
}

void print_left_out(const eval::VocDataset& dataset) {
  if (dataset.photos_without_mask + dataset.masks_without_photo == 0) return;
  print_error(fmt::format(
      "{}: {} pairs; left out: photos without a mask {}, masks without a photo {}", dataset.root,
      dataset.items.size(), dataset.photos_without_mask, dataset.masks_without_photo));
}

/// For a dataset as CVAT exports it, whose colours its own file explains.
void print_label_map_hint(const eval::VocDataset& dataset) {
  const std::string path = (fs::path(dataset.root) / "labelmap.txt").string();
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return;
  print_error(fmt::format("{} says what the masks' colours mean; add --mask-map {}", path, path));
}

// ---- The report page -------------------------------------------------------------------------

Result<std::vector<eval::ReportPhoto>> look_at(const std::vector<size_t>& indices,
                                               const eval::VocDataset& dataset, EvaluateRun& run,
                                               int32_t classes, const eval::ClassMap* map) {
  std::vector<eval::ReportPhoto> photos;
  for (const size_t index : indices) {
    const eval::VocItem& item = dataset.items[index];
    eval::ReportPhoto photo;
    photo.name = item.id;
    photo.miou = eval::photo_miou(*run.photos()[index], classes).value_or(0);
    DEEPLAB_ASSIGN_OR_RETURN(photo.photo, run.predictor().read_photo(item.image_path));
    const int32_t width = photo.photo.original_width;
    const int32_t height = photo.photo.original_height;
    DEEPLAB_ASSIGN_OR_RETURN(photo.truth, eval::read_mask_of(item, map, width, height));
    photo.predicted = photo.truth;
    DEEPLAB_ASSIGN_OR_RETURN(photo.predicted.pixels, run.predictor().predict(photo.photo));
    photos.push_back(std::move(photo));
  }
  return photos;
}

Status write_report(const std::string& path, const eval::Evaluation& evaluation,
                    const eval::VocDataset& dataset, const eval::ClassMap* map, EvaluateRun& run) {
  const auto classes = static_cast<int32_t>(evaluation.labels.size());
  const eval::PhotoChoice choice = eval::choose_photos(run.photos(), classes, kReportPhotos);
  DEEPLAB_ASSIGN_OR_RETURN(const auto worst, look_at(choice.worst, dataset, run, classes, map));
  DEEPLAB_ASSIGN_OR_RETURN(const auto best, look_at(choice.best, dataset, run, classes, map));
  DEEPLAB_ASSIGN_OR_RETURN(const std::string page,
                           eval::evaluation_page(evaluation, worst, best,
                                                 str_cat("deeplab evaluate ", deeplab_version())));
  return write_file_atomically(path, std::as_bytes(std::span(page)));
}

// ---- The command -----------------------------------------------------------------------------

ExitCode fail(const Status& status) {
  print_error(status.message());
  return ExitCode::kFailed;
}

ExitCode run_evaluate(const EvaluateOptions& options) {
  const auto model = load_model(options.model, options.model_flags);
  if (!model.ok()) return fail(model.status());
  const auto dataset =
      eval::open_voc_dataset(options.dataset, options.split, eval::MaskRequirement::kRequired);
  if (!dataset.ok()) return fail(dataset.status());
  if (const Status twice = check_no_duplicates(*dataset); !twice.ok()) return fail(twice);

  const auto classes = eval::read_class_map(options.mask_map, **model);
  if (!classes.ok()) return fail(classes.status());
  const Status usable = eval::check_not_black_and_white(*dataset, classes->get());
  if (!usable.ok()) return fail(usable);
  if (!options.quiet) print_left_out(*dataset);

  EvaluateSetup setup = options.setup;
  setup.classes = *classes;
  setup.protocol.width = options.size.width;
  setup.protocol.height = options.size.height;
  setup.protocol.tflite = options.backend.options();
  if (options.backend.has_accelerator()) setup.threads = 1;
  const auto run = EvaluateRun::create(*model, *dataset, std::move(setup));
  if (!run.ok()) return fail(run.status());
  if (const Status prepared = prepare_outputs(options); !prepared.ok()) return fail(prepared);
  const InterruptGuard interrupts;
  if (const Status ran = (*run)->run(!options.quiet); !ran.ok()) return fail(ran);

  const std::vector<Status> errors = (*run)->errors();
  for (const Status& error : errors) print_error(error.message());
  if (!errors.empty() && options.mask_map.empty()) print_label_map_hint(*dataset);
  if (!(*run)->is_complete()) {  // scores of some photos are nobody's
    const size_t before = dataset->items.size() - (*run)->todo();
    print_interrupted(before + (*run)->begun(), dataset->items.size(),
                      options.setup.state.empty() ? ", without --resume"
                                                  : "; the same command resumes from there");
    return ExitCode::kInterrupted;
  }
  const eval::Evaluation evaluation = (*run)->evaluation();
  if (evaluation.images == 0) return ExitCode::kFailed;
  if (options.json || !options.quiet) {
    const Status printed =
        print_output(options.json ? json_line(evaluation) : text_report(evaluation));
    if (!printed.ok()) return fail(printed);
  }
  const auto only = EvaluateRun::only_class(evaluation);
  if (only && !(*model)->is_normalization_known() && !options.quiet) {
    print_error(normalization_warning(evaluation.model, evaluation.labels[*only]));
  }
  if (!options.report.empty()) {
    const Status written =
        write_report(options.report, evaluation, *dataset, classes->get(), **run);
    if (!written.ok()) return fail(annotate(written, "--report"));
  }
  return errors.empty() ? ExitCode::kDone : ExitCode::kFailed;
}

// ---- The command line ------------------------------------------------------------------------

std::vector<double> parse_scales(const std::string& text) {
  constexpr double kLeast = 0.1, kMost = 4;
  std::vector<double> scales;
  for (const std::string& item : split_list(text)) {
    double scale = 0;
    if (!CLI::detail::lexical_cast(item, scale) || !(scale >= kLeast && scale <= kMost)) {
      throw CLI::ValidationError(
          "--scales", fmt::format("invalid scale '{}'; expected {} to {}", item, kLeast, kMost));
    }
    if (std::ranges::find(scales, scale) != scales.end()) {
      throw CLI::ValidationError("--scales", fmt::format("{} is given twice", item));
    }
    scales.push_back(scale);
  }
  return scales;
}

void add_protocol_options(CLI::App& command, EvaluateOptions& options) {
  eval::Protocol& protocol = options.setup.protocol;
  add_fit_option(command, protocol.fit);
  add_size_option(command, options.size);
  add_output_stride_option(command, protocol.output_stride);
  command
      .add_option_function<std::string>(
          "--scales",
          [&protocol](const std::string& text) { protocol.scales = parse_scales(text); },
          "Scales to average over, multiples of the canvas [1]")
      ->type_name("LIST");
  command.add_flag("--flip", protocol.flip, "Also average over the mirrored photo");
  add_decode_options(command, protocol.decode);
}

void add_output_options(CLI::App& command, EvaluateOptions& options) {
  command.add_option("--report", options.report, "One HTML page: scores, bars, confusion, photos")
      ->type_name("FILE");
  command
      .add_option("--predictions", options.setup.predictions,
                  "Directory for the label maps, ID.png in the VOC palette")
      ->type_name("DIR");
  command
      .add_option("--resume", options.setup.state,
                  "Keep results in FILE; after a stop, resume from it")
      ->type_name("FILE");
  add_json_flag(command, options.json);
  add_quiet_flag(command, options.quiet);
  command.footer(
      "DATASET holds photos JPEGImages/ID.jpg (or .png, .webp, .bmp, ..., capitals, too), masks\n"
      "SegmentationClass/ID.png and lists of ids ImageSets/Segmentation/NAME.txt. Masks hold "
      "class\n"
      "ids, colours of the VOC palette, or what --mask-map says; 255 is ignored. A name in\n"
      "--mask-map stands for the model's class of that name, a number for a class id.\n"
      "\n"
      "Scores are taken at each photo's own size. Mean IoU is the mean over the classes that "
      "occur\n"
      "in the masks, background included. With several scales or --flip, a pixel's label is the\n"
      "class with the highest mean probability.\n"
      "\n"
      "After SIGINT or SIGTERM (Ctrl-C, kill) the photos in progress are finished and kept for\n"
      "--resume, then the run exits with that signal (128 + its number in a shell). A second one\n"
      "ends it at once.\n");
}

}  // namespace

void add_evaluate(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("evaluate", "Measure a model on a dataset with masks");
  const auto options = std::make_shared<EvaluateOptions>();
  command->add_option("DATASET", options->dataset, "Directory in the layout of PASCAL VOC")
      ->required()
      ->type_name("");
  add_model_option(*command, options->model);
  command
      ->add_option("--split", options->split,
                   "The list ImageSets/Segmentation/NAME.txt; all: every photo with a mask")
      ->type_name("NAME")
      ->capture_default_str();
  add_mask_map_option(*command, options->mask_map);
  options->model_flags.add_to(*command);
  options->backend.add_to(*command);
  add_protocol_options(*command, *options);
  add_threads_option(*command, options->setup.threads)
      ->description("Photos at a time; 0 is one per CPU");
  add_output_options(*command, *options);
  command->callback([options, &action] {
    options->backend.check();
    action = [options] { return run_evaluate(*options); };
  });
}

}  // namespace deeplab::app
