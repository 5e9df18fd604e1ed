// deeplab run: one photo through a file's own graph, its tensors as .npy.
#include "apps/deeplab/common/command.h"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <system_error>

#include "apps/deeplab/common/backend_flags.h"
#include "apps/deeplab/common/executor_options.h"
#include "apps/deeplab/common/file_network.h"
#include "apps/deeplab/common/model_flags.h"
#include "apps/deeplab/common/npy.h"
#include "apps/deeplab/common/options.h"
#include "apps/deeplab/common/photos.h"
#include "base/file.h"

namespace deeplab::app {
namespace {

struct RunOptions {
  std::string photo;
  std::string model;
  std::string directory;
  vision::Fit fit = vision::Fit::kPad;
  ModelFlags model_flags;
  BackendFlags backend;
  photos::DecodeOptions decode;
  bool all_tensors = false;
  FileNetworkOptions network;
};

struct Written {
  int tensors = 0;
  int removed = 0;  ///< Asked for, but not there.
};

/// "012_CONV_2D.npy", after the op that writes the tensor.
std::string tensor_file_name(const graph::Graph& graph, graph::TensorId id) {
  const int producer = graph.producer(id);
  if (producer < 0) return fmt::format("tensor_{}.npy", id);
  const graph::Op& op = graph.ops[static_cast<size_t>(producer)];
  return fmt::format("{:03}_{}.npy", op.index, graph::op_name(op.attributes));
}

Result<Written> write_tensors(FileNetwork& network, const RunOptions& options) {
  const graph::Graph& graph = network.file_graph();
  std::vector<graph::TensorId> ids = graph.outputs;
  if (options.all_tensors) {
    ids.clear();
    for (const graph::Op& op : graph.ops) ids.push_back(op.output());
  }
  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  if (error) return io_error("cannot make '", options.directory, "': ", error.message());
  Written written;
  for (graph::TensorId id : ids) {
    if (!network.holds(id)) {
      ++written.removed;
      continue;
    }
    const graph::Tensor& tensor = graph.tensor(id);
    const std::filesystem::path path =
        std::filesystem::path(options.directory) / tensor_file_name(graph, id);
    DEEPLAB_RETURN_IF_ERROR(write_file_atomically(
        path.string(), encode_npy(tensor.type, tensor.shape, network.values(id))));
    ++written.tensors;
  }
  return written;
}

ExitCode run(const RunOptions& options) {
  const auto model_options = options.model_flags.options();
  if (!model_options.ok()) {
    print_error(model_options.status().message());
    return ExitCode::kFailed;
  }
  FileNetworkOptions network_options = options.network;
  network_options.model = *model_options;
  network_options.tflite = options.backend.options();
  network_options.keep_all_tensors = options.all_tensors;
  const auto network = FileNetwork::load(options.model, network_options);
  if (!network.ok()) {
    print_error(options.model, network.status());
    return ExitCode::kFailed;
  }
  const Photo photo{options.photo, ""};
  const auto image = decode_photo(photo, options.fit, (*network)->canvas_width(),
                                  (*network)->canvas_height(), options.decode);
  if (!image.ok()) {
    print_error(photo.name(), image.status());
    return ExitCode::kFailed;
  }
  if (!image->small.warning.empty()) print_warning(photo, image->small.warning);
  if (const Status status = (*network)->run(view_of(image->small), options.fit); !status.ok()) {
    print_error(photo.name(), status);
    return ExitCode::kFailed;
  }
  const auto written = write_tensors(**network, options);
  if (!written.ok()) {
    print_error(options.directory, written.status());
    return ExitCode::kFailed;
  }
  std::string line =
      fmt::format("{}: {} tensor{} of {} ({})\n", options.directory, written->tensors,
                  written->tensors == 1 ? "" : "s", options.model, (*network)->description());
  if (written->removed > 0) {
    line += fmt::format("{} more are not {}\n", written->removed,
                        options.backend.is_tflite()
                            ? "there: TensorFlow Lite gives them another shape"
                            : "computed: passes of the planned executor removed them");
  }
  if (const Status status = print_output(line); !status.ok()) {
    print_error(status.message());
    return ExitCode::kFailed;
  }
  return ExitCode::kDone;
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  const auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand(
      "run", "Run a model file's own graph on one photo; write its tensors as .npy");
  command->add_option("photo", options->photo, "Photo file, or - for standard input")
      ->required()
      ->type_name("PHOTO");
  add_model_option(*command, options->model)->required();
  command->add_option("-o,--output", options->directory, "Directory of the .npy files")
      ->required()
      ->type_name("DIR");
  add_fit_option(*command, options->fit);
  add_size_option(*command, options->network.size);
  add_decode_options(*command, options->decode);
  add_output_stride_option(*command, options->network.output_stride);
  options->model_flags.add_to(*command);
  options->backend.add_to(*command);
  add_executor_option(*command, options->network.executor);
  add_rounding_option(*command, options->network.rounding);
  command->add_flag("--all-tensors", options->all_tensors,
                    "Write the result of every op, not only of the last ones");
  add_threads_option(*command, options->network.threads);
  command->callback([options, &action] {
    check_rounding(options->network);
    options->backend.check();
    if (options->backend.is_tflite() && options->network.executor != ExecutorKind::kPlanned) {
      throw CLI::ValidationError("--executor", "is the engine's; --backend tflite has none");
    }
    action = [options] { return run(*options); };
  });
}

}  // namespace deeplab::app
