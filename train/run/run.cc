#include "train/run/run.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/parallel.h"
#include "eval/voc_dataset.h"
#include "train/data/check.h"
#include "train/run/exported_model.h"
#include "train/run/log_writer.h"
#include "train/run/option_list.h"
#include "train/run/progress.h"
#include "train/run/report.h"
#include "train/run/stored_options.h"
#include "train/run/trainer.h"
#include "train/run/validation.h"

namespace deeplab::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

void say(const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }

std::string duration(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  char text[32];
  std::snprintf(text, sizeof(text), "%ld:%02ld:%02ld", static_cast<long>(whole / 3600),
                static_cast<long>(whole / 60 % 60), static_cast<long>(whole % 60));
  return text;
}

class Run {
 public:
  explicit Run(const RunOptions& options) : options_(options) {}

  Status run() {
    DEEPLAB_ASSIGN_OR_RETURN(options_.threads, ThreadPool::count_threads(options_.threads));
    // Rank 0 alone validates, which may take long.
    DEEPLAB_ASSIGN_OR_RETURN(group_, ProcessGroup::from_environment(std::chrono::hours(1)));
    DEEPLAB_RETURN_IF_ERROR(group_->check_same("the options", recorded_options(options_).dump()));
    std::error_code error;
    fs::create_directories(options_.directory, error);
    if (error) return io_error(options_.directory, ": ", error.message());
    DEEPLAB_RETURN_IF_ERROR(check_data());
    DEEPLAB_RETURN_IF_ERROR(open_validation());
    DEEPLAB_ASSIGN_OR_RETURN(trainer_,
                             Trainer::create(options_.train, options_.threads, group_.get()));
    if (leads() && !trainer_->fresh_layers().empty()) {
      std::string names;
      for (const std::string& name : trainer_->fresh_layers()) names += " " + name;
      say("start at random:" + names);
    }
    DEEPLAB_RETURN_IF_ERROR(resume());
    if (leads()) {
      const Json first = {{"options", recorded_options(options_)},
                          {"classes", options_.class_names},
                          {"dataset", facts_}};
      DEEPLAB_RETURN_IF_ERROR(log_.open(options_.directory, first, trainer_->steps_done()));
    }
    DEEPLAB_RETURN_IF_ERROR(train());
    return leads() ? finish() : Status();
  }

 private:
  bool leads() const { return group_->rank() == 0; }
  std::string file(const char* name) const { return options_.directory + "/" + name; }

  Status check_data() {
    if (!options_.check && !options_.balanced_loss) return {};
    CheckOptions check;
    check.training = options_.train.data.sources;
    check.validation = options_.validation;
    check.class_count = options_.train.network.classes;
    check.class_names = options_.class_names;
    check.allow_missing_classes = options_.allow_missing_classes;
    check.threads = options_.threads;
    DEEPLAB_ASSIGN_OR_RETURN(const DatasetReport report, check_datasets(check));
    if (leads()) {
      facts_ = report.facts;
      for (const std::string& line : report.facts) say(line);
      for (const std::string& line : report.warnings) say("warning: " + line);
      for (const std::string& line : report.errors) say("error: " + line);
    }
    if (!report.ok()) {
      return invalid_argument("the data has ", report.errors.size(),
                              report.errors.size() == 1 ? " error" : " errors",
                              "; first: ", report.errors.front());
    }
    if (options_.balanced_loss) {
      options_.train.loss.class_weights.assign(report.class_weights.begin(),
                                               report.class_weights.end());
    }
    return {};
  }

  Status open_validation() {
    for (const SourceOptions& source : options_.validation) {
      DEEPLAB_ASSIGN_OR_RETURN(
          auto dataset,
          eval::open_voc_dataset(source.root, source.split, eval::MaskRequirement::kRequired));
      validation_.push_back(std::move(dataset));
    }
    return {};
  }

  Status resume() {
    std::error_code ignored;
    if (!fs::exists(file("checkpoint.pt"), ignored)) {
      return leads() ? store_options(options_.directory, options_) : Status();
    }
    DEEPLAB_RETURN_IF_ERROR(expect_stored_options(options_.directory, options_));
    DEEPLAB_RETURN_IF_ERROR(trainer_->load(file("checkpoint.pt")));
    if (leads()) say("continues after step " + std::to_string(trainer_->steps_done()));
    return {};
  }

  Status train() {
    const int64_t steps = options_.train.steps;
    // A run that had ended: its files once more, with the names and texts of now.
    if (trainer_->steps_done() == steps) return leads() ? validate() : Status();
    Progress progress(trainer_->seconds_waited());
    while (trainer_->steps_done() < steps) {
      DEEPLAB_ASSIGN_OR_RETURN(const StepReport report, trainer_->step());
      progress.add(report);
      const bool last = report.step == steps;
      if (leads() && (report.step % options_.log_every == 0 || last)) {
        DEEPLAB_RETURN_IF_ERROR(log_step(report, progress));
        progress.restart(trainer_->seconds_waited());
      }
      const bool validates =
          options_.validate_every > 0 && report.step % options_.validate_every == 0;
      if (leads() && (report.step % options_.save_every == 0 || validates || last)) {
        DEEPLAB_RETURN_IF_ERROR(trainer_->save(file("checkpoint.pt")));
      }
      if (leads() && (validates || last)) DEEPLAB_RETURN_IF_ERROR(validate());
      if (validates || last) DEEPLAB_RETURN_IF_ERROR(group_->barrier());
      if (validates) progress.restart(trainer_->seconds_waited());
    }
    return {};
  }

  Status log_step(const StepReport& report, const Progress& progress) {
    const Progress::Means means = progress.means(trainer_->seconds_waited());
    const double photos =
        options_.train.data.batch * group_->world() / means.seconds_per_step;  // per second
    Json line = {{"step", report.step},       {"loss", means.loss},
                 {"loss_masks", means.masks}, {"lr", report.learning_rate},
                 {"photos_per_s", photos},    {"data_wait", means.wait}};
    if (!options_.train.teachers.empty()) line["loss_teacher"] = means.teacher;
    DEEPLAB_RETURN_IF_ERROR(log_.add(line, report.step, "train"));
    const int64_t steps = options_.train.steps;
    const double left = static_cast<double>(steps - report.step) * means.seconds_per_step;
    char text[200];
    std::snprintf(text, sizeof(text),
                  "step %ld/%ld  loss %.4f (masks %.4f, teacher %.4f)  %.1f photos/s  "
                  "data wait %.1f %%  %s left",
                  static_cast<long>(report.step), static_cast<long>(steps), means.loss, means.masks,
                  means.teacher, photos, 100 * means.wait, duration(left).c_str());
    say(text);
    return {};
  }

  /// Measures and writes the models that would ship now.
  Status validate() {
    DEEPLAB_ASSIGN_OR_RETURN(const tflite::ModelFile model, exported_model(options_, *trainer_));
    for (size_t i = 0; i < validation_.size(); ++i) {
      DEEPLAB_ASSIGN_OR_RETURN(
          const eval::Scores scores,
          validate_model(model, validation_[i], options_.validation[i].class_map.get(),
                         options_.threads));
      DEEPLAB_RETURN_IF_ERROR(log_validation(validation_[i], scores));
    }
    return write_models(options_, *trainer_);
  }

  Status log_validation(const eval::VocDataset& dataset, const eval::Scores& scores) {
    const std::string name = fs::path(dataset.root).filename().string() + ":" + dataset.split;
    const int64_t step = trainer_->steps_done();
    Json iou = Json::array();
    for (const eval::ClassScore& score : scores.classes) {
      iou.push_back(score.iou ? Json(*score.iou) : Json());
    }
    DEEPLAB_RETURN_IF_ERROR(log_.add({{"step", step},
                                      {"validation", name},
                                      {"miou", scores.miou},
                                      {"pixel_accuracy", scores.pixel_accuracy},
                                      {"iou", iou}},
                                     step, name));
    char text[200];
    std::snprintf(text, sizeof(text), "step %ld  %s: mIoU %.4f, pixel accuracy %.4f",
                  static_cast<long>(step), name.c_str(), scores.miou, scores.pixel_accuracy);
    say(text);
    return {};
  }

  Status finish() {
    DEEPLAB_ASSIGN_OR_RETURN(const RunLog log, read_run_log(file("metrics.jsonl")));
    RunReportOptions report;
    report.title = options_.name;
    report.links = {{"The float model", "model.tflite"}, {"The log", "metrics.jsonl"}};
    if (options_.train.quantize_photos > 0) {
      report.links.insert(report.links.begin(), {"The int8 model", "model.int8.tflite"});
    }
    const std::string page = render_run_report(log, report);
    DEEPLAB_RETURN_IF_ERROR(
        write_file_atomically(file("report.html"), std::as_bytes(std::span(page))));
    say("wrote " + file(options_.train.quantize_photos > 0 ? "model.int8.tflite" : "model.tflite") +
        " and " + file("report.html"));
    return {};
  }

  RunOptions options_;
  std::unique_ptr<ProcessGroup> group_;
  std::unique_ptr<Trainer> trainer_;
  std::vector<eval::VocDataset> validation_;
  std::vector<std::string> facts_;  // about the data
  LogWriter log_;
};

}  // namespace

Status run_training(const RunOptions& options) { return Run(options).run(); }

}  // namespace deeplab::train
