// deeplab compare: two model files, or one file under two executors or instruction sets, on the
// same photos: op by op if the graphs match, label maps if they do not.
#include "apps/deeplab/common/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "apps/deeplab/common/backend_flags.h"
#include "apps/deeplab/common/executor_options.h"
#include "apps/deeplab/common/file_network.h"
#include "apps/deeplab/common/model_flags.h"
#include "apps/deeplab/common/options.h"
#include "apps/deeplab/common/photos.h"
#include "apps/deeplab/compare/ops.h"
#include "apps/deeplab/compare/report.h"

namespace deeplab::app {
namespace {

struct CompareOptions {
  std::array<std::string, 2> models;
  std::array<FileNetworkOptions, 2> networks;
  std::vector<std::string> photos;
  vision::Fit fit = vision::Fit::kPad;
  CanvasSize size;
  int32_t output_stride = 0;
  ModelFlags model_flags;           ///< Of both.
  std::array<bool, 2> tflite = {};  ///< Which of them TensorFlow Lite runs.
  BackendFlags backend;             ///< Of those.
  int threads = 0;
  photos::DecodeOptions decode;
  bool all_ops = false;
  bool same_input = false;
  bool json = false;
};

using Networks = std::array<std::unique_ptr<FileNetwork>, 2>;

LabelAgreement agreement(const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  LabelAgreement result;
  result.pixels = static_cast<int64_t>(a.size());
  for (size_t i = 0; i < a.size(); ++i) result.equal += a[i] == b[i];
  return result;
}

Result<CompareReport> compare_photo(const Photo& photo, const CompareOptions& options,
                                    const Networks& networks) {
  FileNetwork& a = *networks[0];
  FileNetwork& b = *networks[1];
  DEEPLAB_ASSIGN_OR_RETURN(
      const DecodedPhoto decoded,
      decode_photo(photo, options.fit, std::max(a.canvas_width(), b.canvas_width()),
                   std::max(a.canvas_height(), b.canvas_height()), options.decode));
  if (!decoded.small.warning.empty()) print_warning(photo, decoded.small.warning);
  DEEPLAB_RETURN_IF_ERROR(a.run(view_of(decoded.small), options.fit));
  DEEPLAB_RETURN_IF_ERROR(b.run(view_of(decoded.small), options.fit));
  CompareReport report;
  report.image = photo.path;
  report.width = decoded.small.width;
  report.height = decoded.small.height;
  const auto labels_a = a.labels();
  const auto labels_b = b.labels();
  if (labels_a.ok() && labels_b.ok()) {
    report.labels = agreement(*labels_a, *labels_b);
  } else {
    report.no_labels = (labels_a.ok() ? labels_b : labels_a).status().message();
  }
  report.op_mismatch = op_mismatch(a.file_graph(), b.file_graph());
  if (report.op_mismatch) return report;
  if (options.same_input) {
    DEEPLAB_ASSIGN_OR_RETURN(report.ops, compare_ops_on_same_inputs(a, b));
  } else {
    report.ops = compare_ops(a, b);
  }
  return report;
}

ExitCode compare(const CompareOptions& options) {
  Networks networks;
  const auto model_options = options.model_flags.options();
  if (!model_options.ok()) {
    print_error(model_options.status().message());
    return ExitCode::kFailed;
  }
  for (size_t i = 0; i < networks.size(); ++i) {
    FileNetworkOptions network_options = options.networks[i];
    network_options.model = *model_options;
    if (options.tflite[i]) {
      network_options.tflite =
          std::make_shared<const tflite_library::Options>(options.backend.library_options());
      network_options.scores_only = true;
    }
    auto network = FileNetwork::load(options.models[i], network_options);
    if (!network.ok()) {
      print_error(options.models[i], network.status());
      return ExitCode::kFailed;
    }
    networks[i] = std::move(*network);
  }
  std::string head;
  for (size_t i = 0; i < networks.size() && !options.json; ++i) {
    head +=
        fmt::format("{}: {} ({})\n", "AB"[i], networks[i] -> path(), networks[i] -> description());
  }
  Status output = print_output(head);
  PhotoList list = find_photos(options.photos);
  ExitCode code = list.errors.empty() ? ExitCode::kDone : ExitCode::kFailed;
  for (const Status& error : list.errors) print_error(error.message());
  for (const Photo& photo : list.photos) {
    if (!output.ok()) break;
    const auto report = compare_photo(photo, options, networks);
    if (!report.ok()) {
      print_error(photo.name(), report.status());
      code = ExitCode::kFailed;
      continue;
    }
    output = print_output(options.json
                              ? json_report(*report, *networks[0], *networks[1], options.all_ops)
                              : text_report(*report, options.all_ops));
  }
  if (!output.ok()) {
    print_error(output.message());
    return ExitCode::kFailed;
  }
  return std::max(code, report_passed_over(list.passed_over, options.decode.strict, false));
}

/// A flag that takes A[,B]: `set` gets one side's text and may throw CLI::ValidationError.
void add_pair_option(CLI::App& app, const std::shared_ptr<CompareOptions>& options,
                     const char* name, const char* help, const char* type,
                     void (*set)(FileNetworkOptions& side, const std::string& text)) {
  app.add_option_function<std::string>(
         name,
         [options, name, set](const std::string& text) {
           const std::vector<std::string> sides = split_list(text);
           if (sides.size() > 2) throw CLI::ValidationError(name, "expected A or A,B");
           set(options->networks[0], sides.front());
           set(options->networks[1], sides.back());
         },
         help)
      ->type_name(type);
}

/// The value, or a usage error.
template <typename T>
T value_of(const char* name, const Result<T>& parsed) {
  if (!parsed.ok()) throw CLI::ValidationError(name, parsed.status().message());
  return *parsed;
}

}  // namespace

void add_compare(CLI::App& app, Action& action) {
  const auto options = std::make_shared<CompareOptions>();
  CLI::App* command = app.add_subcommand(
      "compare",
      "Compare two model files op by op, or one under two executors or instruction sets");
  command->footer(
      "One file under two instruction sets: deeplab compare M M PHOTO --isa scalar,avx2\n"
      "The exit status is 0 whether the two differ or not; 1 if a model or a photo failed.");
  command->add_option("model_a", options->models[0], "Model file (.tflite)")
      ->required()
      ->type_name("MODEL_A");
  command->add_option("model_b", options->models[1], "Model file; the same one twice is fine")
      ->required()
      ->type_name("MODEL_B");
  command->add_option("photos", options->photos, "Photos, directories of photos, or -")
      ->required()
      ->type_name("PHOTO...");
  add_pair_option(*command, options, "--executor", "For both, or one for each",
                  "planned|naive[,...]", [](FileNetworkOptions& side, const std::string& text) {
                    side.executor = value_of("--executor", executor_from_name(text));
                  });
  add_pair_option(*command, options, "--rounding",
                  "For both, or one for each; tflite needs the naive executor",
                  "engine|tflite[,...]", [](FileNetworkOptions& side, const std::string& text) {
                    side.rounding = value_of("--rounding", rounding_from_name(text));
                  });
  add_pair_option(*command, options, "--isa",
                  "Kernels of the planned executor, for both or one for each", "ISA[,ISA]",
                  [](FileNetworkOptions& side, const std::string& text) {
                    side.isa = value_of("--isa", isa_from_name(text));
                  });
  command
      ->add_option_function<std::string>(
          "--backend",
          [options](const std::string& text) {
            const std::vector<std::string> sides = split_list(text);
            if (sides.size() > 2) throw CLI::ValidationError("--backend", "expected A or A,B");
            options->tflite[1] = parse_backend(sides.back());
            // One name alone: B beside A in the engine.
            options->tflite[0] = sides.size() == 2 && parse_backend(sides.front());
          },
          "tflite: B in TensorFlow Lite, A in the engine; or one for each")
      ->type_name("engine|tflite[,...]");
  options->backend.add_library_to(*command);
  add_fit_option(*command, options->fit);
  add_size_option(*command, options->size);
  add_decode_options(*command, options->decode);
  add_output_stride_option(*command, options->output_stride);
  options->model_flags.add_to(*command);
  add_threads_option(*command, options->threads);
  command->add_flag("--all-ops", options->all_ops,
                    "Print one line per op, not only the first difference");
  command->add_flag("--same-input", options->same_input,
                    "Run each op of B on A's inputs, to see its own difference alone");
  add_json_flag(*command, options->json);
  command->callback([options, &action] {
    for (FileNetworkOptions& side : options->networks) {
      side.size = options->size;
      side.output_stride = options->output_stride;
      side.threads = options->threads;
      check_rounding(side);
    }
    const bool any_tflite = options->tflite[0] || options->tflite[1];
    options->backend.check(any_tflite);
    if (any_tflite && options->same_input) {
      throw CLI::ValidationError("--same-input", "needs the engine on both sides");
    }
    action = [options] { return compare(*options); };
  });
}

}  // namespace deeplab::app
