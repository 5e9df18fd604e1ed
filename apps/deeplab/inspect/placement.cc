#include "apps/deeplab/inspect/placement.h"

#include <fmt/format.h>

#include "base/parallel.h"

namespace deeplab::app {

Result<ModelPlacement> place_model(std::optional<std::span<const std::byte>> file,
                                   const graph::Graph& graph, int32_t opaque_ops,
                                   const tflite_library::Options& options, int threads) {
  DEEPLAB_ASSIGN_OR_RETURN(const api::LiteFile made, api::lite_file(file, graph, opaque_ops));
  DEEPLAB_ASSIGN_OR_RETURN(const int count, ThreadPool::count_threads(threads));
  DEEPLAB_ASSIGN_OR_RETURN(const auto interpreter,
                           tflite_library::Interpreter::create(
                               made.file, made.file->bytes(), made.file->op_count(),
                               graph.tensor(graph.inputs.front()).shape, options, count));
  ModelPlacement placement;
  placement.library = interpreter->library().path();
  placement.version = interpreter->library().version();
  placement.delegate = options.delegate;
  DEEPLAB_ASSIGN_OR_RETURN(placement.delegation,
                           api::find_delegation(*interpreter, made.macs, options));
  const auto* delegate = interpreter->delegate();
  for (int i = 0; i < made.file->op_count(); ++i) {
    const auto at = static_cast<size_t>(i);
    OpPlace& op = placement.ops.emplace_back();
    op.index = i;
    op.type = made.file->op_name(i);
    op.macs = made.macs[at];
    if (delegate != nullptr && at < delegate->placement().ops.size()) {
      op.partition = delegate->placement().ops[at].partition;
    }
  }
  return placement;
}

std::string placement_text(const ModelPlacement& placement) {
  const api::Delegation& delegation = placement.delegation;
  std::string text = fmt::format("TensorFlow Lite {} ({})", placement.version, placement.library);
  if (placement.delegate.empty()) {
    text += ", no delegate: every op on the CPU\n";
  } else {
    text +=
        fmt::format("\ndelegate {}: {} of {} ops in {} partition{}, {:.1f} % of the {}\n",
                    placement.delegate, delegation.delegated_ops, delegation.ops,
                    delegation.partitions, delegation.partitions == 1 ? "" : "s",
                    100 * delegation.share(), delegation.macs > 0 ? "multiply-accumulates" : "ops");
  }
  text += fmt::format("  {:>4}  {:<24}{:>9}  {}\n", "op", "type", "MMAC", "runs on");
  for (const OpPlace& op : placement.ops) {
    const bool on_cpu = op.partition == tflite_library::kOnCpu;
    text += fmt::format("  {:>4}  {:<24}{:>9.2f}  {}\n", op.index, op.type,
                        static_cast<double>(op.macs) * 1e-6,
                        on_cpu ? std::string("CPU") : fmt::format("partition {}", op.partition));
  }
  return text;
}

}  // namespace deeplab::app
