#include "train/run/command_line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "train/run/option_list.h"
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

Status read_sources(const CommandLine& line, const std::shared_ptr<const ClassMap>& map,
                    RunOptions& run) {
  TrainOptions& train = run.train;
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
  return {};
}

/// The canvas, and how photos are varied.
Status set_pictures(const CommandLine& line, TrainOptions& train) {
  AugmentOptions& augment = train.data.augment;
  DEEPLAB_RETURN_IF_ERROR(parse_size(line.size, train.network.width, train.network.height));
  augment.crop_width = train.network.width;
  augment.crop_height = train.network.height;
  DEEPLAB_RETURN_IF_ERROR(parse_scale(line.scale, augment));
  augment.brightness = augment.contrast = augment.saturation = line.jitter;
  augment.hue = line.jitter / 10;
  return {};
}

Status set_class_weights(const CommandLine& line, RunOptions& run) {
  run.balanced_loss = line.class_weights == "balanced";
  if (run.balanced_loss || line.class_weights.empty()) return {};
  std::vector<float>& weights = run.train.loss.class_weights;
  for (const std::string& text : split(line.class_weights, ',')) {
    DEEPLAB_ASSIGN_OR_RETURN(const double weight, parse_number(text, "--class-weights"));
    weights.push_back(static_cast<float>(weight));
  }
  if (std::ssize(weights) != run.train.network.classes) {
    return invalid_argument("--class-weights: ", weights.size(), " for ", run.train.network.classes,
                            " classes");
  }
  return {};
}

/// Options that need or exclude each other.
Status check_together(const TrainOptions& train) {
  if (train.quantize_photos > 0 && train.batch_norm != BatchNorm::kNone) {
    return invalid_argument(
        "--quantize: batch norm must be folded first: export a float model, then start from it "
        "with --init");
  }
  if (train.blend < 1 && (train.init.empty() || train.batch_norm != BatchNorm::kNone)) {
    return invalid_argument(
        "--blend: needs --init, whose weights it blends with, and --batch-norm none");
  }
  return {};
}

}  // namespace

Result<RunOptions> run_options(const CommandLine& given) {
  CommandLine line = given;
  RunOptions& run = line.run;
  TrainOptions& train = run.train;
  std::shared_ptr<const ClassMap> map;
  if (!line.class_map.empty()) {
    DEEPLAB_ASSIGN_OR_RETURN(ClassMap parsed, ClassMap::read(line.class_map));
    DEEPLAB_RETURN_IF_ERROR(parsed.expect_no_gap());
    map = std::make_shared<const ClassMap>(std::move(parsed));
  }
  DEEPLAB_RETURN_IF_ERROR(read_sources(line, map, run));
  if (!train.teachers.empty() && train.loss.teacher_weight == 0) train.loss.teacher_weight = 1;
  DEEPLAB_RETURN_IF_ERROR(set_classes(line, map, run));
  DEEPLAB_RETURN_IF_ERROR(set_pictures(line, train));
  DEEPLAB_RETURN_IF_ERROR(interpret_values(line));
  DEEPLAB_RETURN_IF_ERROR(set_class_weights(line, run));
  DEEPLAB_RETURN_IF_ERROR(check_together(train));
  DEEPLAB_RETURN_IF_ERROR(validate(train.data));
  return std::move(run);
}

}  // namespace deeplab::train
