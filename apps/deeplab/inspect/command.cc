// deeplab inspect: what a model file holds, and what the engine would make of it.
#include "apps/deeplab/common/command.h"

#include <memory>

#include "apps/deeplab/common/backend_flags.h"
#include "apps/deeplab/common/options.h"
#include "apps/deeplab/inspect/facts.h"

namespace deeplab::app {
namespace {

struct InspectOptions {
  std::string model;
  FactsOptions facts;
  BackendFlags backend;
  bool json = false;
};

ExitCode inspect(const InspectOptions& options) {
  FactsOptions asked = options.facts;
  asked.tflite = options.backend.options();
  const auto facts = find_facts(options.model, asked);
  if (!facts.ok()) {
    print_error(options.model, facts.status());
    return ExitCode::kFailed;
  }
  const Status status = print_output(options.json ? json_facts(*facts) : text_facts(*facts));
  if (!status.ok()) {
    print_error(status.message());
    return ExitCode::kFailed;
  }
  return ExitCode::kDone;
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
  const auto options = std::make_shared<InspectOptions>();
  CLI::App* command = app.add_subcommand(
      "inspect", "Show what a model file holds: graph, labels, label head, plan");
  command->add_option("model", options->model, "Model file (.tflite), or - for standard input")
      ->required()
      ->type_name("MODEL");
  command->add_flag("--plan", options->facts.with_plan,
                    "Also print the plan: kernels, packed weights and the place of each tensor");
  add_size_option(*command, options->facts.size);
  add_output_stride_option(*command, options->facts.output_stride);
  add_threads_option(*command, options->facts.threads);
  options->backend.add_to(*command);
  command->add_flag("--allow-custom-ops", options->facts.allow_custom_ops,
                    "Take a model file with code for an accelerator (Vela, Edge TPU)");
  add_json_flag(*command, options->json);
  command->footer(
      "With --backend tflite the ops of the file are listed once more, each with what runs it in\n"
      "TensorFlow Lite: a partition of the delegate, or the CPU.\n");
  command->callback([options, &action] {
    options->backend.check();
    action = [options] { return inspect(*options); };
  });
}

}  // namespace deeplab::app
