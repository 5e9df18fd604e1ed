// deeplab evaluate: photos with masks in; how well a model does on them, out.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "eval/voc_dataset.h"
#include "evaluate_report.h"
#include "evaluate_run.h"
#include "options.h"

namespace deeplab::app {
namespace {

struct EvaluateOptions {
  std::string dataset;
  std::string split = "val";
  std::string model;
  EvaluateSetup setup;
  bool json = false;
  bool quiet = false;
};

ExitCode fail(const Status& status) {
  print_error(status.message());
  return ExitCode::kFailed;
}

ExitCode run_evaluate(const EvaluateOptions& options) {
  const auto model = load_model(options.model);
  if (!model.ok()) return fail(model.status());
  const auto dataset =
      eval::open_voc_dataset(options.dataset, options.split, eval::MaskRequirement::kRequired);
  if (!dataset.ok()) return fail(dataset.status());

  EvaluateRun run(*model, *dataset, options.setup);
  if (const Status ran = run.run(!options.quiet); !ran.ok()) return fail(ran);
  for (const Status& error : run.errors()) print_error(error.message());
  const Evaluation evaluation = run.evaluation();
  if (evaluation.images == 0) return fail(invalid_argument("no photo could be evaluated"));
  const Status printed =
      print_output(options.json ? json_line(evaluation) : text_report(evaluation));
  if (!printed.ok()) return fail(printed);
  return run.errors().empty() ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace

void add_evaluate(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("evaluate", "A dataset with masks in; scores out");
  const auto options = std::make_shared<EvaluateOptions>();
  command->add_option("DATASET", options->dataset, "Directory in the layout of PASCAL VOC")
      ->required()
      ->type_name("");
  add_model_option(*command, options->model);
  command->add_option("--split", options->split, "The list ImageSets/Segmentation/NAME.txt")
      ->type_name("NAME")
      ->capture_default_str();
  add_fit_option(*command, options->setup.fit);
  add_size_option(*command, options->setup.size);
  add_threads_option(*command, options->setup.threads)
      ->description("Photos at a time; 0 is one per CPU");
  add_json_flag(*command, options->json);
  add_quiet_flag(*command, options->quiet);
  command->callback([options, &action] { action = [options] { return run_evaluate(*options); }; });
}

}  // namespace deeplab::app
