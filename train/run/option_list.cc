#include "train/run/option_list.h"

#include <filesystem>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace deeplab::train {
namespace {

using OptionJson = nlohmann::json;

/// A value as options.json has it.
struct RecordedValue {
  const char* name;
  std::function<OptionJson()> value;
};
using Recorded = std::vector<RecordedValue>;

struct OptionRow {
  const char* group;
  const char* flag;
  const char* help;
  Recorded recorded;
  std::function<CLI::Option*(CLI::App&)> add;
  std::function<Status()> interpret = nullptr;  ///< May be empty.
};

/// A row that is being written, and the variable that its flag sets.
template <typename T>
struct NewRow {
  OptionRow& row;
  T& value;

  /// What the row accepts, in words and as a function of the value.
  template <typename Allowed>
  void expects(const char* words, Allowed allowed) {
    row.interpret = [flag = row.flag, &number = value, words, allowed]() -> Status {
      if (allowed(number)) return {};
      return invalid_argument(flag, " ", number, ": expected ", words);
    };
  }
};

/// The names of a choice, and what they stand for.
template <typename T>
using Choices = std::vector<std::pair<const char*, T>>;

template <typename T>
Result<T> choose(const std::string& text, const char* flag, const Choices<T>& choices) {
  std::string names;
  for (const auto& [name, value] : choices) {
    if (text == name) return value;
    names += (names.empty() ? "" : ", ") + std::string(name);
  }
  return invalid_argument(flag, ": unknown value \"", text, "\"; expected one of ", names);
}

std::string name_of_file(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

OptionJson source_values(const std::vector<SourceOptions>& sources) {
  OptionJson values = OptionJson::array();
  for (const SourceOptions& s : sources) {
    values.push_back({{"root", name_of_file(s.root)},
                      {"split", s.split},
                      {"weight", s.weight},
                      {"masks", s.masks},
                      {"class_map", s.class_map ? s.class_map->name() : ""}});
  }
  return values;
}

OptionJson file_names(const std::vector<std::string>& paths) {
  OptionJson names = OptionJson::array();
  for (const std::string& path : paths) names.push_back(name_of_file(path));
  return names;
}

/// The rows, tied to the variables of `line`, which must outlive them.
class OptionList {
 public:
  explicit OptionList(CommandLine& line) : line_(line) {
    list_data();
    list_network();
    list_loss();
    list_optimization();
    list_run();
  }
  const std::vector<OptionRow>& rows() const { return rows_; }

 private:
  /// Of options that change no weight: a run may be continued with other values.
  static Recorded unrecorded() { return {}; }

  template <typename T>
  NewRow<T> add(const char* flag, T& value, Recorded recorded, const char* help) {
    rows_.push_back({group_, flag, help, std::move(recorded), [=, &value](CLI::App& app) {
                       if constexpr (std::is_same_v<T, bool>) {
                         return app.add_flag(flag, value, help);
                       } else {
                         return app.add_option(flag, value, help);
                       }
                     }});
    return {rows_.back(), value};
  }
  /// Recorded as it is.
  template <typename T>
  NewRow<T> add(const char* flag, T& value, const char* name, const char* help) {
    return add(flag, value, Recorded{{name, [&value] { return OptionJson(value); }}}, help);
  }
  /// One of some names, recorded by name.
  template <typename T>
  void add_choice(const char* flag, std::string& text, T& value, Choices<T> choices,
                  const char* name, const char* help) {
    const auto chosen = [&value, choices]() -> OptionJson {
      for (const auto& [known, meaning] : choices) {
        if (meaning == value) return known;
      }
      return {};
    };
    const NewRow<std::string> added = add(flag, text, Recorded{{name, chosen}}, help);
    added.row.interpret = [=, &text, &value]() -> Status {
      DEEPLAB_ASSIGN_OR_RETURN(value, choose(text, flag, choices));
      return {};
    };
  }

  void list_data();
  void list_network();
  void list_loss();
  void list_optimization();
  void list_run();

  CommandLine& line_;
  RunOptions& run_ = line_.run;
  TrainOptions& train_ = run_.train;
  const char* group_ = "";
  std::vector<OptionRow> rows_;
};

void OptionList::list_data() {
  group_ = "Data";
  LoaderOptions& data = train_.data;
  AugmentOptions& augment = data.augment;
  const Recorded sources = {{"data", [&data] { return source_values(data.sources); }}};
  const Recorded scale = {
      {"scale", [&augment] {
         return OptionJson{augment.scale_min, augment.scale_max, augment.scale_step};
       }}};
  const Recorded jitter = {
      {"jitter", [&augment] {
         return OptionJson{augment.brightness, augment.contrast, augment.saturation, augment.hue};
       }}};
  const Recorded classes = {{"classes", [this] { return train_.network.classes; }}};

  add("--data", line_.data, sources,
      "DIR[:SPLIT][@WEIGHT]: photos with masks in VOC layout; several are mixed by weight");
  add("--unlabeled", line_.unlabeled, sources,
      "DIR[@WEIGHT]: photos without masks, to learn from the teacher only");
  add("--validation", line_.validation, unrecorded(),
      "DIR[:SPLIT]: photos to measure on, never trained on");
  add("--class-map,--mask-map", line_.class_map, sources,
      "FILE: the class of each mask value, or CVAT's labelmap.txt; see docs/TRAINING.md");
  add("--classes", line_.classes, classes,
      "Number of classes, background included (21, or the class map's)");
  add("--allow-missing-classes", run_.allow_missing_classes, unrecorded(),
      "A class without a pixel is a warning");
  add("!--no-check", run_.check, unrecorded(), "Do not check the data first");
  add("--rare-classes", data.rare_class_power, "rare_classes",
      "Draw photos of rare classes more often: 0: no; 0.5: by the square root of rarity");
  add("--scale", line_.scale, scale, "MIN-MAX: photos are scaled at random (0.5-2)");
  add("--scale-step", augment.scale_step, scale, "Steps of the scale (0.25); 0: any");
  add("--flip", augment.flip, "flip", "Share of photos that are mirrored (0.5)");
  add("--jitter", line_.jitter, jitter, "Strength of the colour jitter, 0 to 1 (0)");
  add("--jpeg-noise", augment.jpeg_noise, "jpeg_noise",
      "Share of photos that are compressed as a poor JPEG (0)");
  add("--long-side", augment.long_side, "long_side",
      "Shrink photos with a longer side to it first, as the engine does; 0: no");
}

void OptionList::list_network() {
  group_ = "Network";
  NetworkOptions& network = train_.network;
  const Recorded init = {{"init", [this] { return name_of_file(train_.init); }}};
  const Recorded size = {{"width", [&network] { return network.width; }},
                         {"height", [&network] { return network.height; }}};

  add("--init", train_.init, init,
      "FILE.tflite to start from, float or 8-bit; layers that do not fit start at random");
  add("--depth-multiplier", network.depth_multiplier, "depth_multiplier", "(0.5)");
  add("--output-stride", network.output_stride, "output_stride", "16 or 8 (16)");
  add("--size", line_.size, size, "N or WxH: canvas and crop (513)");
  add_choice("--head", line_.head, network.head,
             {{"pooling", Head::kPooling}, {"lraspp", Head::kLiteRAspp}}, "head",
             "pooling or lraspp (pooling)");
  add_choice("--decoder", line_.decoder, network.decoder,
             {{"none", Decoder::kNone}, {"refine", Decoder::kRefine}}, "decoder",
             "none or refine (none)");
  add("--aspp-rates", network.aspp_rates, "aspp_rates", "Dilated branches, as 6,12,18 (none)");
}

void OptionList::list_loss() {
  group_ = "Loss";
  LossOptions& loss = train_.loss;
  const Recorded teachers = {{"teachers", [this] { return file_names(train_.teachers); }}};
  const Recorded class_weights = {{"class_weights", [&loss] { return loss.class_weights; }}};

  add("--mask-weight", loss.mask_weight, "mask_weight",
      "Weight of the cross-entropy with masks (1)");
  add("--teacher", train_.teachers, teachers, "FILE.tflite to learn from; several: their mean");
  add("--teacher-weight", loss.teacher_weight, "teacher_weight",
      "Weight of the teacher (0, or 1 with --teacher)");
  add("--teacher-flip", train_.teacher_flip, "teacher_flip",
      "Let the teacher average photo and mirror image");
  add("--class-weights", line_.class_weights, class_weights,
      "W,W,..., one per class, or 'balanced' for median frequency balancing");
  add("--hard-pixels", loss.hard_fraction, "hard_pixels",
      "Share of a photo's pixels in the loss, the worst first (1)")
      .expects("above 0 and at most 1", [](double share) { return share > 0 && share <= 1; });
  add("--pixel-stride", loss.pixel_stride, "pixel_stride",
      "Use every n-th pixel of every n-th row in the loss (2)")
      .expects("1 to 16", [](int32_t stride) { return stride >= 1 && stride <= 16; });
}

void OptionList::list_optimization() {
  group_ = "Optimization";
  const Recorded batch_norm = {
      {"batch_norm", [this] { return static_cast<int>(train_.batch_norm); }}};

  add("--steps", train_.steps, "steps", "(1000)").expects("at least 1", [](int64_t steps) {
    return steps >= 1;
  });
  add("--batch", train_.data.batch, "batch", "Photos per step and process (8)");
  add("--micro-batch", train_.micro_batch, "micro_batch", "Photos per thread at a time (1)")
      .expects("at least 1", [](int32_t photos) { return photos >= 1; });
  add_choice("--optimizer", line_.optimizer, train_.optimizer,
             {{"sgd", Optimizer::kSgd}, {"adamw", Optimizer::kAdamW}}, "optimizer",
             "sgd or adamw (sgd)");
  add("--learning-rate", train_.learning_rate, "learning_rate", "(0.007)")
      .expects("above 0", [](double rate) { return rate > 0; });
  add("--fresh-factor", train_.fresh_factor, "fresh_factor",
      "Factor of the learning rate of new layers (1)");
  add("--momentum", train_.momentum, "momentum", "(0.9)");
  add("--weight-decay", train_.weight_decay, "weight_decay", "(4e-5)");
  add("--power", train_.power, "power", "Exponent of the polynomial schedule (0.9)");
  add("--warmup", train_.warmup, "warmup", "Steps to the full learning rate (0)");
  add("--clip", train_.clip, "clip", "Largest norm of the gradient; 0: any (0)");
  add("--average", train_.average, "average", "Decay of the averaged weights; 0: none (0.999)")
      .expects("0 to below 1", [](double decay) { return decay >= 0 && decay < 1; });
  add("--blend", train_.blend, unrecorded(),
      "Share of the learned weights in the exported ones, the rest is --init's: 0 to 1 "
      "(1); run again after the end to export with another share")
      .expects("0 to 1", [](double share) { return share >= 0 && share <= 1; });
  add("--batch-norm", line_.batch_norm, batch_norm,
      "none, train or frozen (train at random, none with --init)")
      .row.interpret = [this]() -> Status {
    const BatchNorm automatic = train_.init.empty() ? BatchNorm::kTrain : BatchNorm::kNone;
    DEEPLAB_ASSIGN_OR_RETURN(train_.batch_norm,
                             choose<BatchNorm>(line_.batch_norm, "--batch-norm",
                                               {{"auto", automatic},
                                                {"none", BatchNorm::kNone},
                                                {"train", BatchNorm::kTrain},
                                                {"frozen", BatchNorm::kFrozen}}));
    return {};
  };
  add("--freeze-backbone", train_.freeze_backbone, "freeze_backbone", "Only the head learns");
  add("--quantize", train_.quantize_photos, "quantize_photos",
      "Quantization-aware training, with ranges from N photos (0: float)");
  add("--seed", train_.data.seed, "seed", "(1)");
}

void OptionList::list_run() {
  group_ = "Run";
  add("-o,--run", run_.directory, unrecorded(),
      "DIR for all outputs; a run with a checkpoint there resumes");
  add("--threads", run_.threads, unrecorded(), "0: one per CPU (0)");
  add("--loader-threads", train_.data.threads, unrecorded(), "Threads that prepare photos (1)");
  add("--log-every", run_.log_every, unrecorded(), "Steps (20)");
  add("--save-every", run_.save_every, unrecorded(), "Steps (100)");
  add("--validate-every", run_.validate_every, unrecorded(), "Steps; 0: at the end (0)");
  add("--name", run_.name, unrecorded(), "Name of the model, in its metadata");
  add("--description", run_.description, unrecorded(), "Likewise");
  add("--author", run_.author, unrecorded(), "Likewise");
  add("--license", run_.license, unrecorded(), "Likewise");
}

}  // namespace

void add_options(CLI::App& app, CommandLine& line) {
  app.set_help_flag("-h,--help", "Print this help and exit");
  const OptionList list(line);
  for (const OptionRow& row : list.rows()) row.add(app)->group(row.group);
  app.get_option("--aspp-rates")->delimiter(',');
  app.get_option("--run")->required();
}

Status interpret_values(CommandLine& line) {
  const OptionList list(line);
  for (const OptionRow& row : list.rows()) {
    if (row.interpret) DEEPLAB_RETURN_IF_ERROR(row.interpret());
  }
  return {};
}

nlohmann::json recorded_options(const RunOptions& run) {
  CommandLine line;
  line.run = run;
  OptionJson values;
  const OptionList list(line);
  for (const OptionRow& row : list.rows()) {
    for (const RecordedValue& recorded : row.recorded) values[recorded.name] = recorded.value();
  }
  return values;
}

}  // namespace deeplab::train
