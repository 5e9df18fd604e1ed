#include "apps/deeplab/common/model_flags.h"

#include <cmath>

#include "apps/deeplab/common/builtin_model.h"
#include "apps/deeplab/common/options.h"
#include "tflite/label_file.h"

namespace deeplab::app {
namespace {

/// The numbers of a list; throws CLI::ValidationError in the flag's name.
std::vector<float> parse_numbers(const std::string& flag, const std::string& text,
                                 const char* expected) {
  std::vector<float> values;
  for (const std::string& item : split_list(text)) {
    float value = 0;
    if (!CLI::detail::lexical_cast(item, value) || !std::isfinite(value)) {
      throw CLI::ValidationError(flag, "invalid value '" + text + "'; expected " + expected);
    }
    values.push_back(value);
  }
  return values;
}

/// "127.5" or "123.7,116.3,103.5".
std::array<float, 3> parse_channels(const std::string& flag, const std::string& text) {
  constexpr const char* kExpected = "one number or R,G,B";
  const std::vector<float> values = parse_numbers(flag, text, kExpected);
  if (values.size() != 1 && values.size() != 3) {
    throw CLI::ValidationError(flag, "invalid value '" + text + "'; expected " + kExpected);
  }
  return {values.front(), values[values.size() / 2], values.back()};
}

}  // namespace

void ModelFlags::add_to(CLI::App& app) {
  app.add_option_function<std::string>(
         "--mean", [this](const std::string& text) { mean_ = parse_channels("--mean", text); },
         "Mean subtracted from each pixel of 0 to 255 [the model's own]")
      ->type_name("X|R,G,B");
  app.add_option_function<std::string>(
         "--std",
         [this](const std::string& text) {
           std_ = parse_channels("--std", text);
           for (const float value : *std_) {
             if (value > 0) continue;
             throw CLI::ValidationError("--std", "invalid value '" + text + "'; expected above 0");
           }
         },
         "Each pixel is divided by this after that [the model's own]")
      ->type_name("X|R,G,B");
  app.add_option_function<std::string>(
         "--input-range",
         [this](const std::string& text) {
           constexpr const char* kExpected = "LOW,HIGH, for instance -1,1 or 0,1 or 0,255";
           const auto values = parse_numbers("--input-range", text, kExpected);
           if (values.size() != 2 || !(values[0] < values[1])) {
             throw CLI::ValidationError("--input-range",
                                        "invalid range '" + text + "'; expected " + kExpected);
           }
           range_ = Range{values[0], values[1]};
         },
         "What pixels of 0 and 255 become for the network; --mean and --std are then in these "
         "units, 0 and 1 if not given")
      ->type_name("-1,1|0,1|0,255");
  app.add_option("--labels", labels_file_, "Names of the classes, one per line [the model's own]")
      ->type_name("FILE");
  app.add_option("--output-tensor", output_,
                 "Of a model with several outputs: the one with the masks, by name or by index "
                 "from 0 [the largest]")
      ->type_name("NAME|INDEX");
  app.add_option_function<float>(
         "--threshold",
         [this](float value) {
           if (!(value > 0 && value < 1)) {
             throw CLI::ValidationError("--threshold", "expected a probability between 0 and 1");
           }
           threshold_ = value;
         },
         "Of a model with one class: the probability that a pixel of the class exceeds [0.5]")
      ->type_name("P");
  app.add_flag("--allow-custom-ops", allow_custom_ops_,
               "Take a model file with code for an accelerator (Vela, Edge TPU); needs --backend "
               "tflite and the delegate");
}

std::optional<std::array<float, 3>> ModelFlags::mean() const {
  if (!range_) return mean_;
  // (low + p * unit - mean) / std = (p - (mean - low) / unit) / (std / unit)
  const double unit = (range_->high - range_->low) / 255;
  Channels result = mean_.value_or(Channels{});
  for (float& value : result) value = static_cast<float>((value - range_->low) / unit);
  return result;
}

std::optional<std::array<float, 3>> ModelFlags::std() const {
  if (!range_) return std_;
  const double unit = (range_->high - range_->low) / 255;
  Channels result = std_.value_or(Channels{1, 1, 1});
  for (float& value : result) value = static_cast<float>(value / unit);
  return result;
}

Result<api::ModelOptions> ModelFlags::options() const {
  api::ModelOptions options;
  options.mean = mean();
  options.std = std();
  options.output = output_;
  options.threshold = threshold_;
  options.allow_custom_ops = allow_custom_ops_;
  if (labels_file_.empty()) return options;
  DEEPLAB_ASSIGN_OR_RETURN(options.labels, tflite::read_label_file(labels_file_));
  options.labels_name = labels_file_;
  return options;
}

Result<std::shared_ptr<const api::Model>> load_model(const std::string& path,
                                                     const ModelFlags& flags) {
  DEEPLAB_ASSIGN_OR_RETURN(const api::ModelOptions options, flags.options());
  return path.empty() ? api::Model::parse_static(builtin_model(), kBuiltinModelName, options)
                      : api::Model::load(path, options);
}

std::string normalization_warning(const std::string& model, const std::string& label) {
  return str_cat(
      "warning: every photo is '", label, "' as a whole, and ", model,
      " does not say how it wants its pixels; (pixel - 127.5) / 127.5 was assumed. If the "
      "masks are wrong, try --input-range 0,1 or --input-range 0,255, or the --mean and "
      "--std it was trained with");
}

}  // namespace deeplab::app
