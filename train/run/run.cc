#include "train/run/run.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/file.h"
#include "base/stopwatch.h"
#include "eval/voc_dataset.h"
#include "tflite/writer.h"
#include "train/data/check.h"
#include "train/run/event_file.h"
#include "train/run/report.h"
#include "train/run/trainer.h"
#include "train/run/validation.h"

namespace deeplab::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

void say(const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }

/// Everything that decides what the weights become. A checkpoint belongs to one such object.
Json options_json(const RunOptions& run) {
  const TrainOptions& t = run.train;
  Json sources = Json::array();
  for (const SourceOptions& s : t.data.sources) {
    sources.push_back({{"root", fs::path(s.root).filename().string()},
                       {"split", s.split},
                       {"weight", s.weight},
                       {"masks", s.masks},
                       {"class_map", s.class_map ? s.class_map->name() : ""}});
  }
  const AugmentOptions& a = t.data.augment;
  Json teachers = Json::array();
  for (const std::string& path : t.teachers) teachers.push_back(fs::path(path).filename().string());
  return {{"depth_multiplier", t.network.depth_multiplier},
          {"output_stride", t.network.output_stride},
          {"width", t.network.width},
          {"height", t.network.height},
          {"classes", t.network.classes},
          {"head", t.network.head == Head::kPooling ? "pooling" : "lraspp"},
          {"decoder", t.network.decoder == Decoder::kNone ? "none" : "refine"},
          {"aspp_rates", t.network.aspp_rates},
          {"init", fs::path(t.init).filename().string()},
          {"batch_norm", static_cast<int>(t.batch_norm)},
          {"freeze_backbone", t.freeze_backbone},
          {"data", sources},
          {"batch", t.data.batch},
          {"seed", t.data.seed},
          {"rare_classes", t.data.rare_class_power},
          {"scale", {a.scale_min, a.scale_max, a.scale_step}},
          {"flip", a.flip},
          {"jitter", {a.brightness, a.contrast, a.saturation, a.hue}},
          {"jpeg_noise", a.jpeg_noise},
          {"long_side", a.long_side},
          {"teachers", teachers},
          {"teacher_flip", t.teacher_flip},
          {"mask_weight", t.loss.mask_weight},
          {"teacher_weight", t.loss.teacher_weight},
          {"class_weights", t.loss.class_weights},
          {"hard_pixels", t.loss.hard_fraction},
          {"pixel_stride", t.loss.pixel_stride},
          {"steps", t.steps},
          {"optimizer", t.optimizer == Optimizer::kSgd ? "sgd" : "adamw"},
          {"learning_rate", t.learning_rate},
          {"fresh_factor", t.fresh_factor},
          {"momentum", t.momentum},
          {"weight_decay", t.weight_decay},
          {"power", t.power},
          {"warmup", t.warmup},
          {"clip", t.clip},
          {"average", t.average},
          {"micro_batch", t.micro_batch},
          {"quantize_photos", t.quantize_photos}};
}

/// The run's log, on rank 0.
class Log {
 public:
  Status open(const std::string& directory, const Json& first_line, int64_t first_step) {
    const bool fresh = first_step == 0;
    const std::string path = directory + "/metrics.jsonl";
    file_.open(path, fresh ? std::ios::trunc : std::ios::app);
    if (!file_) return io_error(path, ": cannot be written");
    if (!fresh) file_ << '\n';  // after a line that a killed run left torn
    if (fresh) file_ << first_line.dump() << '\n';
    DEEPLAB_ASSIGN_OR_RETURN(EventFile events, EventFile::open(directory, first_step));
    events_.emplace(std::move(events));
    return events_->add_text("options", first_step, "```json\n" + first_line.dump(2) + "\n```");
  }

  Status add(const Json& line, int64_t step, const std::string& group) {
    file_ << line.dump() << std::endl;
    for (const auto& [key, value] : line.items()) {
      if (key == "step" || !value.is_number()) continue;
      DEEPLAB_RETURN_IF_ERROR(events_->add_scalar(group + "/" + key, step, value.get<double>()));
    }
    return file_ ? Status() : io_error("metrics.jsonl cannot be written");
  }

 private:
  std::ofstream file_;
  std::optional<EventFile> events_;
};

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
    if (options_.threads == 0) {
      options_.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    }
    // Rank 0 alone validates, which may take long.
    DEEPLAB_ASSIGN_OR_RETURN(group_, ProcessGroup::from_environment(std::chrono::hours(1)));
    DEEPLAB_RETURN_IF_ERROR(group_->check_same("the options", options_json(options_).dump()));
    std::error_code error;
    fs::create_directories(options_.directory, error);
    if (error) return io_error(options_.directory, ": ", error.message());
    DEEPLAB_RETURN_IF_ERROR(check_data());
    for (const SourceOptions& source : options_.validation) {
      DEEPLAB_ASSIGN_OR_RETURN(
          auto dataset,
          eval::open_voc_dataset(source.root, source.split, eval::MaskRequirement::kRequired));
      validation_.push_back(std::move(dataset));
    }
    DEEPLAB_ASSIGN_OR_RETURN(trainer_,
                             Trainer::create(options_.train, options_.threads, group_.get()));
    if (leads() && !trainer_->fresh_layers().empty()) {
      std::string names;
      for (const std::string& name : trainer_->fresh_layers()) names += " " + name;
      say("start at random:" + names);
    }
    DEEPLAB_RETURN_IF_ERROR(resume());
    if (leads()) {
      const Json first = {{"options", options_json(options_)},
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

  /// The checkpoint's options are kept beside it, so that a run is not continued with others.
  Status resume() {
    std::error_code ignored;
    if (!fs::exists(file("checkpoint.pt"), ignored)) return save_options();
    std::ifstream stored(file("options.json"));
    const Json before = Json::parse(stored, nullptr, false);
    const Json now = options_json(options_);
    if (before.is_discarded()) {
      return io_error(file("options.json"), ": missing or damaged, beside a checkpoint");
    }
    for (const auto& [key, value] : now.items()) {
      if (!before.contains(key) || before[key] != value) {
        return invalid_argument(options_.directory, " holds a run with ", key, " = ",
                                before.value(key, Json()).dump(), ", not ", value.dump(),
                                ": name another directory");
      }
    }
    DEEPLAB_RETURN_IF_ERROR(trainer_->load(file("checkpoint.pt")));
    if (leads()) say("continues after step " + std::to_string(trainer_->steps_done()));
    return {};
  }

  Status save_options() {
    if (!leads()) return {};
    const std::string text = options_json(options_).dump(2) + "\n";
    return write_file_atomically(file("options.json"), std::as_bytes(std::span(text)));
  }

  Status train() {
    const int64_t steps = options_.train.steps;
    // A run that had ended: its files once more, with the names and texts of now.
    if (trainer_->steps_done() == steps) return leads() ? validate() : Status();
    Stopwatch window;
    double waited = trainer_->seconds_waited();
    StepReport sum;
    int64_t summed = 0;
    while (trainer_->steps_done() < steps) {
      DEEPLAB_ASSIGN_OR_RETURN(const StepReport report, trainer_->step());
      sum.loss += report.loss;
      sum.masks += report.masks;
      sum.teacher += report.teacher;
      ++summed;
      const bool last = report.step == steps;
      if (leads() && (report.step % options_.log_every == 0 || last)) {
        const double elapsed = window.seconds();
        const double count = static_cast<double>(summed);
        const double photos = count * options_.train.data.batch * group_->world() / elapsed;
        const double wait = (trainer_->seconds_waited() - waited) / elapsed;
        Json line = {{"step", report.step},
                     {"loss", sum.loss / count},
                     {"loss_masks", sum.masks / count},
                     {"lr", report.learning_rate},
                     {"photos_per_s", photos},
                     {"data_wait", wait}};
        if (!options_.train.teachers.empty()) line["loss_teacher"] = sum.teacher / count;
        DEEPLAB_RETURN_IF_ERROR(log_.add(line, report.step, "train"));
        const double left = static_cast<double>(steps - report.step) * elapsed / count;
        char text[200];
        std::snprintf(text, sizeof(text),
                      "step %ld/%ld  loss %.4f (masks %.4f, teacher %.4f)  %.1f photos/s  "
                      "data wait %.1f %%  %s left",
                      static_cast<long>(report.step), static_cast<long>(steps), sum.loss / count,
                      sum.masks / count, sum.teacher / count, photos, 100 * wait,
                      duration(left).c_str());
        say(text);
        sum = {};
        summed = 0;
        window.restart();
        waited = trainer_->seconds_waited();
      }
      const bool validates =
          options_.validate_every > 0 && report.step % options_.validate_every == 0;
      if (leads() && (report.step % options_.save_every == 0 || validates || last)) {
        DEEPLAB_RETURN_IF_ERROR(trainer_->save(file("checkpoint.pt")));
      }
      if (leads() && (validates || last)) DEEPLAB_RETURN_IF_ERROR(validate());
      if (validates || last) DEEPLAB_RETURN_IF_ERROR(group_->barrier());
      if (validates) {
        window.restart();
        sum = {};
        summed = 0;
        waited = trainer_->seconds_waited();
      }
    }
    return {};
  }

  tflite::ModelFile model_file(graph::Graph graph) const {
    tflite::ModelFile model;
    model.graph = std::move(graph);
    model.description = "Trained by deeplab-train";
    model.metadata.name = options_.name;
    model.metadata.description = options_.description;
    model.metadata.author = options_.author;
    model.metadata.license = options_.license;
    model.metadata.labels = options_.class_names;
    model.metadata.normalization = tflite::Metadata::Normalization{{127.5f}, {127.5f}};
    return model;
  }

  /// The model that would ship now.
  Result<tflite::ModelFile> current_model() const {
    if (options_.train.quantize_photos == 0) return model_file(trainer_->float_graph());
    DEEPLAB_ASSIGN_OR_RETURN(graph::Graph graph, trainer_->int8_graph());
    return model_file(std::move(graph));
  }

  Status validate() {
    DEEPLAB_ASSIGN_OR_RETURN(const tflite::ModelFile model, current_model());
    for (size_t i = 0; i < validation_.size(); ++i) {
      const eval::VocDataset& dataset = validation_[i];
      DEEPLAB_ASSIGN_OR_RETURN(
          const eval::Scores scores,
          validate_model(model, dataset, options_.validation[i].class_map.get(), options_.threads));
      const std::string name = fs::path(dataset.root).filename().string() + ":" + dataset.split;
      Json iou = Json::array();
      for (const eval::ClassScore& score : scores.classes) {
        iou.push_back(score.iou ? Json(*score.iou) : Json());
      }
      DEEPLAB_RETURN_IF_ERROR(log_.add({{"step", trainer_->steps_done()},
                                        {"validation", name},
                                        {"miou", scores.miou},
                                        {"pixel_accuracy", scores.pixel_accuracy},
                                        {"iou", iou}},
                                       trainer_->steps_done(), name));
      char text[200];
      std::snprintf(text, sizeof(text), "step %ld  %s: mIoU %.4f, pixel accuracy %.4f",
                    static_cast<long>(trainer_->steps_done()), name.c_str(), scores.miou,
                    scores.pixel_accuracy);
      say(text);
    }
    return write_models();
  }

  Status write_models() {
    DEEPLAB_ASSIGN_OR_RETURN(const auto bytes,
                             tflite::write_model(model_file(trainer_->float_graph())));
    DEEPLAB_RETURN_IF_ERROR(write_file_atomically(file("model.tflite"), bytes));
    if (options_.train.quantize_photos == 0) return {};
    DEEPLAB_ASSIGN_OR_RETURN(const tflite::ModelFile quantized, current_model());
    DEEPLAB_ASSIGN_OR_RETURN(const auto int8, tflite::write_model(quantized));
    return write_file_atomically(file("model.int8.tflite"), int8);
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
  Log log_;
};

}  // namespace

Status run_training(const RunOptions& options) { return Run(options).run(); }

}  // namespace deeplab::train
