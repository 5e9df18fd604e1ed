#include "train/run/command_line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "vision/palette.h"

namespace deeplab::train {
namespace {

Result<double> parse_number(std::string_view text, const char* flag) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return invalid_argument(flag, ": \"", std::string(text), "\" is not a number");
  }
  return value;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

/// ROOT[:SPLIT][@WEIGHT].
Result<SourceOptions> parse_source(std::string text, const char* flag, const char* split_name) {
  SourceOptions source;
  source.split = split_name;
  if (const size_t at = text.rfind('@');
      at != std::string::npos && text.find('/', at) == std::string::npos) {
    DEEPLAB_ASSIGN_OR_RETURN(source.weight, parse_number(text.substr(at + 1), flag));
    text.resize(at);
  }
  if (const size_t colon = text.rfind(':');
      colon != std::string::npos && text.find('/', colon) == std::string::npos) {
    source.split = text.substr(colon + 1);
    text.resize(colon);
  }
  source.root = text;
  if (source.root.empty()) return invalid_argument(flag, ": a folder is missing");
  return source;
}

template <typename T>
Result<T> choose(const std::string& text, const char* flag,
                 const std::vector<std::pair<std::string, T>>& choices) {
  std::string names;
  for (const auto& [name, value] : choices) {
    if (text == name) return value;
    names += (names.empty() ? "" : ", ") + name;
  }
  return invalid_argument(flag, ": unknown value \"", text, "\"; expected one of ", names);
}

Status parse_size(const std::string& text, int32_t& width, int32_t& height) {
  const auto sides = split(text, 'x');
  DEEPLAB_ASSIGN_OR_RETURN(const double first, parse_number(sides[0], "--size"));
  double second = first;
  if (sides.size() == 2) {
    DEEPLAB_ASSIGN_OR_RETURN(second, parse_number(sides[1], "--size"));
  }
  if (sides.size() > 2 || first < 33 || second < 33 || first > 4097 || second > 4097 ||
      first != std::floor(first) || second != std::floor(second)) {
    return invalid_argument("--size: \"", text, "\": expected N or WxH, 33 to 4097 per side");
  }
  width = static_cast<int32_t>(first);
  height = static_cast<int32_t>(second);
  return {};
}

Status parse_scale(const std::string& text, AugmentOptions& augment) {
  const auto ends = split(text, '-');
  DEEPLAB_ASSIGN_OR_RETURN(augment.scale_min, parse_number(ends[0], "--scale"));
  augment.scale_max = augment.scale_min;
  if (ends.size() == 2) {
    DEEPLAB_ASSIGN_OR_RETURN(augment.scale_max, parse_number(ends[1], "--scale"));
  }
  if (ends.size() > 2) return invalid_argument("--scale: \"", text, "\": expected MIN-MAX");
  return {};
}

Status set_classes(const CommandLine& line, const std::shared_ptr<const ClassMap>& map,
                   RunOptions& run) {
  if (map) run.class_names = map->class_names();
  int32_t classes = line.classes;
  if (classes == 0) classes = map ? map->class_count() : 21;
  if (run.class_names.empty() && classes == std::ssize(vision::kVocClassNames)) {
    run.class_names.assign(vision::kVocClassNames.begin(), vision::kVocClassNames.end());
  }
  for (auto i = std::ssize(run.class_names); i < classes; ++i) {
    run.class_names.push_back("class " + std::to_string(i));
  }
  if (std::ssize(run.class_names) > classes) {
    return invalid_argument("--classes ", classes, ": the class map names ",
                            run.class_names.size());
  }
  run.train.network.classes = classes;
  return {};
}

}  // namespace

void add_options(CLI::App& app, CommandLine& line) {
  RunOptions& run = line.run;
  TrainOptions& train = run.train;
  app.set_help_flag("-h,--help", "Print this help and exit");

  const auto data = "Data";
  app.add_option(
         "--data", line.data,
         "DIR[:SPLIT][@WEIGHT]: photos with masks in VOC layout; several are mixed by weight")
      ->group(data);
  app.add_option("--unlabeled", line.unlabeled,
                 "DIR[@WEIGHT]: photos without masks, to learn from the teacher only")
      ->group(data);
  app.add_option("--validation", line.validation,
                 "DIR[:SPLIT]: photos to measure on, never trained on")
      ->group(data);
  app.add_option("--class-map,--mask-map", line.class_map,
                 "FILE: the class of each mask value, or CVAT's labelmap.txt; see docs/TRAINING.md")
      ->group(data);
  app.add_option("--classes", line.classes,
                 "Number of classes, background included (21, or the class map's)")
      ->group(data);
  app.add_flag("--allow-missing-classes", run.allow_missing_classes,
               "A class without a pixel is a warning")
      ->group(data);
  app.add_flag("!--no-check", run.check, "Do not check the data first")->group(data);
  app.add_option("--rare-classes", train.data.rare_class_power,
                 "Draw photos of rare classes more often: 0: no; 0.5: by the square root of rarity")
      ->group(data);
  app.add_option("--scale", line.scale, "MIN-MAX: photos are scaled at random (0.5-2)")
      ->group(data);
  app.add_option("--scale-step", train.data.augment.scale_step, "Steps of the scale (0.25); 0: any")
      ->group(data);
  app.add_option("--flip", train.data.augment.flip, "Share of photos that are mirrored (0.5)")
      ->group(data);
  app.add_option("--jitter", line.jitter, "Strength of the colour jitter, 0 to 1 (0)")->group(data);
  app.add_option("--jpeg-noise", train.data.augment.jpeg_noise,
                 "Share of photos that are compressed as a poor JPEG (0)")
      ->group(data);
  app.add_option("--long-side", train.data.augment.long_side,
                 "Shrink photos with a longer side to it first, as the engine does; 0: no")
      ->group(data);

  const auto network = "Network";
  app.add_option(
         "--init", train.init,
         "FILE.tflite to start from, float or 8-bit; layers that do not fit start at random")
      ->group(network);
  app.add_option("--depth-multiplier", train.network.depth_multiplier, "(0.5)")->group(network);
  app.add_option("--output-stride", train.network.output_stride, "16 or 8 (16)")->group(network);
  app.add_option("--size", line.size, "N or WxH: canvas and crop (513)")->group(network);
  app.add_option("--head", line.head, "pooling or lraspp (pooling)")->group(network);
  app.add_option("--decoder", line.decoder, "none or refine (none)")->group(network);
  app.add_option("--aspp-rates", train.network.aspp_rates, "Dilated branches, as 6,12,18 (none)")
      ->delimiter(',')
      ->group(network);

  const auto loss = "Loss";
  app.add_option("--mask-weight", train.loss.mask_weight,
                 "Weight of the cross-entropy with masks (1)")
      ->group(loss);
  app.add_option("--teacher", train.teachers, "FILE.tflite to learn from; several: their mean")
      ->group(loss);
  app.add_option("--teacher-weight", train.loss.teacher_weight,
                 "Weight of the teacher (0, or 1 with --teacher)")
      ->group(loss);
  app.add_flag("--teacher-flip", train.teacher_flip,
               "Let the teacher average photo and mirror image")
      ->group(loss);
  app.add_option("--class-weights", line.class_weights,
                 "W,W,..., one per class, or 'balanced' for median frequency balancing")
      ->group(loss);
  app.add_option("--hard-pixels", train.loss.hard_fraction,
                 "Share of a photo's pixels in the loss, the worst first (1)")
      ->group(loss);
  app.add_option("--pixel-stride", train.loss.pixel_stride,
                 "Use every n-th pixel of every n-th row in the loss (2)")
      ->group(loss);

  const auto how = "Optimization";
  app.add_option("--steps", train.steps, "(1000)")->group(how);
  app.add_option("--batch", train.data.batch, "Photos per step and process (8)")->group(how);
  app.add_option("--micro-batch", train.micro_batch, "Photos per thread at a time (1)")->group(how);
  app.add_option("--optimizer", line.optimizer, "sgd or adamw (sgd)")->group(how);
  app.add_option("--learning-rate", train.learning_rate, "(0.007)")->group(how);
  app.add_option("--fresh-factor", train.fresh_factor,
                 "Factor of the learning rate of new layers (1)")
      ->group(how);
  app.add_option("--momentum", train.momentum, "(0.9)")->group(how);
  app.add_option("--weight-decay", train.weight_decay, "(4e-5)")->group(how);
  app.add_option("--power", train.power, "Exponent of the polynomial schedule (0.9)")->group(how);
  app.add_option("--warmup", train.warmup, "Steps to the full learning rate (0)")->group(how);
  app.add_option("--clip", train.clip, "Largest norm of the gradient; 0: any (0)")->group(how);
  app.add_option("--average", train.average, "Decay of the averaged weights; 0: none (0.999)")
      ->group(how);
  app.add_option("--blend", train.blend,
                 "Share of the learned weights in the exported ones, the rest is --init's: 0 to 1 "
                 "(1); run again after the end to export with another share")
      ->group(how);
  app.add_option("--batch-norm", line.batch_norm,
                 "none, train or frozen (train at random, none with --init)")
      ->group(how);
  app.add_flag("--freeze-backbone", train.freeze_backbone, "Only the head learns")->group(how);
  app.add_option("--quantize", train.quantize_photos,
                 "Quantization-aware training, with ranges from N photos (0: float)")
      ->group(how);
  app.add_option("--seed", train.data.seed, "(1)")->group(how);

  const auto output = "Run";
  app.add_option("-o,--run", run.directory,
                 "DIR for all outputs; a run with a checkpoint there resumes")
      ->required()
      ->group(output);
  app.add_option("--threads", run.threads, "0: one per CPU (0)")->group(output);
  app.add_option("--loader-threads", train.data.threads, "Threads that prepare photos (1)")
      ->group(output);
  app.add_option("--log-every", run.log_every, "Steps (20)")->group(output);
  app.add_option("--save-every", run.save_every, "Steps (100)")->group(output);
  app.add_option("--validate-every", run.validate_every, "Steps; 0: at the end (0)")->group(output);
  app.add_option("--name", run.name, "Name of the model, in its metadata")->group(output);
  app.add_option("--description", run.description, "Likewise")->group(output);
  app.add_option("--author", run.author, "Likewise")->group(output);
  app.add_option("--license", run.license, "Likewise")->group(output);
}

Result<RunOptions> run_options(const CommandLine& line) {
  RunOptions run = line.run;
  TrainOptions& train = run.train;
  std::shared_ptr<const ClassMap> map;
  if (!line.class_map.empty()) {
    DEEPLAB_ASSIGN_OR_RETURN(ClassMap parsed, ClassMap::read(line.class_map));
    DEEPLAB_RETURN_IF_ERROR(parsed.expect_no_gap());
    map = std::make_shared<const ClassMap>(std::move(parsed));
  }
  for (const std::string& text : line.data) {
    DEEPLAB_ASSIGN_OR_RETURN(SourceOptions source, parse_source(text, "--data", "train"));
    source.class_map = map;
    train.data.sources.push_back(std::move(source));
  }
  for (const std::string& text : line.unlabeled) {
    DEEPLAB_ASSIGN_OR_RETURN(SourceOptions source, parse_source(text, "--unlabeled", ""));
    source.masks = false;
    train.data.sources.push_back(std::move(source));
  }
  for (const std::string& text : line.validation) {
    DEEPLAB_ASSIGN_OR_RETURN(SourceOptions source, parse_source(text, "--validation", "val"));
    source.class_map = map;
    run.validation.push_back(std::move(source));
  }
  if (train.data.sources.empty()) return invalid_argument("--data: expected at least one dataset");
  if (!line.unlabeled.empty() && train.teachers.empty()) {
    return invalid_argument("--unlabeled: photos without masks need a --teacher");
  }
  if (!train.teachers.empty() && train.loss.teacher_weight == 0) train.loss.teacher_weight = 1;

  DEEPLAB_RETURN_IF_ERROR(set_classes(line, map, run));
  DEEPLAB_RETURN_IF_ERROR(parse_size(line.size, train.network.width, train.network.height));
  train.data.augment.crop_width = train.network.width;
  train.data.augment.crop_height = train.network.height;
  DEEPLAB_RETURN_IF_ERROR(parse_scale(line.scale, train.data.augment));
  train.data.augment.brightness = train.data.augment.contrast = line.jitter;
  train.data.augment.saturation = line.jitter;
  train.data.augment.hue = line.jitter / 10;

  DEEPLAB_ASSIGN_OR_RETURN(train.network.head, choose<Head>(line.head, "--head",
                                                            {{"pooling", Head::kPooling},
                                                             {"lraspp", Head::kLiteRAspp}}));
  DEEPLAB_ASSIGN_OR_RETURN(train.network.decoder, choose<Decoder>(line.decoder, "--decoder",
                                                                  {{"none", Decoder::kNone},
                                                                   {"refine", Decoder::kRefine}}));
  DEEPLAB_ASSIGN_OR_RETURN(
      train.optimizer, choose<Optimizer>(line.optimizer, "--optimizer",
                                         {{"sgd", Optimizer::kSgd}, {"adamw", Optimizer::kAdamW}}));
  const BatchNorm automatic = train.init.empty() ? BatchNorm::kTrain : BatchNorm::kNone;
  DEEPLAB_ASSIGN_OR_RETURN(train.batch_norm, choose<BatchNorm>(line.batch_norm, "--batch-norm",
                                                               {{"auto", automatic},
                                                                {"none", BatchNorm::kNone},
                                                                {"train", BatchNorm::kTrain},
                                                                {"frozen", BatchNorm::kFrozen}}));
  if (train.quantize_photos > 0 && train.batch_norm != BatchNorm::kNone) {
    return invalid_argument(
        "--quantize: batch norm must be folded first: export a float model, then start from it "
        "with --init");
  }
  if (line.class_weights == "balanced") {
    run.balanced_loss = true;
  } else if (!line.class_weights.empty()) {
    for (const std::string& text : split(line.class_weights, ',')) {
      DEEPLAB_ASSIGN_OR_RETURN(const double weight, parse_number(text, "--class-weights"));
      train.loss.class_weights.push_back(static_cast<float>(weight));
    }
    if (std::ssize(train.loss.class_weights) != train.network.classes) {
      return invalid_argument("--class-weights: ", train.loss.class_weights.size(), " for ",
                              train.network.classes, " classes");
    }
  }
  if (train.steps < 1) return invalid_argument("--steps ", train.steps, ": expected at least 1");
  if (train.micro_batch < 1) {
    return invalid_argument("--micro-batch ", train.micro_batch, ": expected at least 1");
  }
  if (train.loss.pixel_stride < 1 || train.loss.pixel_stride > 16) {
    return invalid_argument("--pixel-stride ", train.loss.pixel_stride, ": expected 1 to 16");
  }
  if (!(train.loss.hard_fraction > 0 && train.loss.hard_fraction <= 1)) {
    return invalid_argument("--hard-pixels ", train.loss.hard_fraction,
                            ": expected above 0 and at most 1");
  }
  if (!(train.learning_rate > 0)) {
    return invalid_argument("--learning-rate ", train.learning_rate, ": expected above 0");
  }
  if (!(train.average >= 0 && train.average < 1)) {
    return invalid_argument("--average ", train.average, ": expected 0 to below 1");
  }
  if (!(train.blend >= 0 && train.blend <= 1)) {
    return invalid_argument("--blend ", train.blend, ": expected 0 to 1");
  }
  if (train.blend < 1 && (train.init.empty() || train.batch_norm != BatchNorm::kNone)) {
    return invalid_argument(
        "--blend: needs --init, whose weights it blends with, and --batch-norm none");
  }
  DEEPLAB_RETURN_IF_ERROR(validate(train.data));
  return run;
}

}  // namespace deeplab::train
