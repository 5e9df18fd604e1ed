// deeplab quantize: a float model and photos in, an int8 model out.
#include "apps/deeplab/common/command.h"

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/deeplab/common/model_flags.h"
#include "apps/deeplab/common/options.h"
#include "apps/deeplab/common/photos.h"
#include "apps/deeplab/common/progress.h"
#include "apps/deeplab/quantize/report.h"
#include "apps/deeplab/quantize/validate.h"
#include "base/file.h"
#include "quantize_file/pipeline.h"

namespace deeplab::app {
namespace {

struct QuantizeCommand {
  quantize::QuantizeSetup setup;
  std::string output;
  std::string validate;
  std::string mask_map;
  ModelFlags model_flags;
  bool json = false;
  bool quiet = false;
};

ExitCode fail(const std::string& subject, const Status& status) {
  print_error(subject, status);
  return ExitCode::kFailed;
}

ExitCode run_quantize(const QuantizeCommand& command) {
  quantize::QuantizeSetup setup = command.setup;
  auto model_options = command.model_flags.options();
  if (!model_options.ok()) return fail(command.model_flags.labels_file(), model_options.status());
  setup.model_options = std::move(*model_options);
  const auto start_progress = [&command](size_t photos) -> std::function<void()> {
    const auto progress = std::make_shared<Progress>(photos, !command.quiet);
    return [progress] { progress->advance(); };
  };
  const auto result = quantize::quantize_model(setup, start_progress);
  if (!result.ok()) return fail(setup.model, result.status());
  for (const quantize::PhotoWarning& warning : result->warnings) {
    print_warning(warning.photo, warning.text);
  }
  for (const Status& error : result->errors) print_error(error.message());
  const ExitCode passed_over =
      report_passed_over(result->passed_over, setup.decode.strict, command.quiet);
  if (const Status written = write_file_atomically(command.output, result->bytes); !written.ok()) {
    return fail(command.output, written);
  }
  std::optional<Validation> validation;
  if (!command.validate.empty()) {
    auto scores = validate_models(command.validate, command.mask_map, result->float_model,
                                  result->int8_model, setup.fit, setup.decode, setup.output_stride,
                                  setup.threads, !command.quiet);
    if (!scores.ok()) return fail(command.validate, scores.status());
    validation = std::move(*scores);
  }
  std::string report;
  if (command.json) {
    report = quantize_json(setup, *result, command.output, validation);
  } else if (!command.quiet) {
    report = quantize_text(setup, *result, command.output, validation);
  }
  if (const Status printed = print_output(report); !printed.ok()) {
    print_error(printed.message());
    return ExitCode::kFailed;
  }
  return result->errors.empty() ? passed_over : ExitCode::kFailed;
}

/// A flag that takes one of a few names.
template <typename T>
CLI::Option* add_choice(CLI::App& app, const std::string& flag, T& value,
                        std::vector<std::pair<std::string, T>> choices,
                        const std::string& description) {
  std::string names;
  for (const auto& [name, unused] : choices) names += (names.empty() ? "" : "|") + name;
  return app
      .add_option_function<std::string>(
          flag,
          [flag, &value, choices, names](const std::string& given) {
            for (const auto& [name, choice] : choices) {
              if (name != given) continue;
              value = choice;
              return;
            }
            throw CLI::ValidationError(flag, fmt::format("'{}' is none of {}", given, names));
          },
          description)
      ->type_name(names);
}

void add_graph_options(CLI::App& command, quantize::QuantizeSetup& setup) {
  using quantize::Border;
  using quantize::CalibrationMethod;
  using quantize::Granularity;
  using quantize::Output;
  const std::vector<std::pair<std::string, bool>> on_off = {{"on", true}, {"off", false}};
  add_choice<Granularity>(
      command, "--granularity", setup.graph.granularity,
      {{"per-channel", Granularity::kPerChannel}, {"per-tensor", Granularity::kPerTensor}},
      "One scale of the weights per channel, or per tensor [per-channel]");
  add_choice<Border>(
      command, "--io", setup.graph.border,
      {{"float32", Border::kFloat32}, {"int8", Border::kInt8}, {"uint8", Border::kUInt8}},
      "Type of the input picture and of the output scores [float32]");
  add_choice<Output>(command, "--output", setup.graph.output,
                     {{"scores", Output::kScores}, {"labels", Output::kLabels}},
                     "Class scores, or the int64 label map of an ARG_MAX [scores]");
  add_choice<CalibrationMethod>(command, "--calibration-method", setup.ranges.method,
                                {{"minmax", CalibrationMethod::kMinMax},
                                 {"percentile", CalibrationMethod::kPercentile},
                                 {"mse", CalibrationMethod::kMse}},
                                "How ranges are chosen from the values on the photos [minmax]");
  command
      .add_option("--percentile", setup.ranges.percentile,
                  "For percentile: leave out (100 - N) % at each end [99.99]")
      ->check(number_from(50, 100))
      ->type_name("N");
  add_choice<bool>(command, "--equalize", setup.equalize, on_off, "Cross-layer equalization [on]");
  add_choice<bool>(command, "--bias-correction", setup.bias_correction, on_off,
                   "Correct the biases for the mean error of rounding, if that makes the network "
                   "better on the photos [on]");
}

void add_metadata_options(CLI::App& command, quantize::QuantizeSetup& setup) {
  const auto text = [&](const char* flag, std::string& value, const char* description) {
    command.add_option(flag, value, description)->type_name("TEXT");
  };
  text("--name", setup.name, "The model's name in the metadata [the float file's]");
  text("--description", setup.description, "What the model is; the provenance is always added");
  text("--license", setup.license, "Its licence");
  text("--author", setup.author, "Its author");
}

}  // namespace

void add_quantize(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("quantize", "Convert a float model to int8, calibrated on photos");
  const auto options = std::make_shared<QuantizeCommand>();
  quantize::QuantizeSetup& setup = options->setup;
  command->add_option("model", setup.model, "Float model file (.tflite)")
      ->required()
      ->type_name("FLOAT.tflite");
  command
      ->add_option(
          "--calibration", setup.calibration,
          "Photos representative of your data: a directory, DATASET:SPLIT in VOC layout, or a .txt "
          "list of paths")
      ->required()
      ->type_name("DIR");
  command->add_option("-o,--out", options->output, "The int8 model file to write")
      ->required()
      ->type_name("OUT.tflite");
  command->add_option("--photos", setup.photos, "Calibrate on N photos, evenly spread [128]")
      ->check(CLI::Range(size_t{1}, size_t{1} << 20).description(""))
      ->type_name("N");
  add_fit_option(*command, setup.fit);
  add_output_stride_option(*command, setup.output_stride);
  add_graph_options(*command, setup);
  command
      ->add_option("--validate", options->validate,
                   "Also print the mean IoU of both models on a dataset in VOC layout [:val]")
      ->type_name("DATASET[:SPLIT]");
  add_mask_map_option(*command, options->mask_map)->needs("--validate");
  options->model_flags.add_to(*command);
  add_decode_options(*command, setup.decode);
  add_metadata_options(*command, setup);
  add_threads_option(*command, setup.threads)->description("Threads; 0 is one per CPU");
  add_json_flag(*command, options->json);
  add_quiet_flag(*command, options->quiet);
  command->callback([options, &action] { action = [options] { return run_quantize(*options); }; });
}

}  // namespace deeplab::app
