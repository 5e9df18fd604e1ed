#include "apps/deeplab/inspect/facts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <utility>

#include "base/file.h"
#include "base/isa.h"
#include "base/parallel.h"
#include "passes/fold_input_quantize.h"
#include "passes/output_stride.h"
#include "passes/pipeline.h"

namespace deeplab::app {
namespace {

Status analyse(ModelFacts& facts, const FactsOptions& options) {
  graph::Graph& graph = facts.file.graph;
  if (facts.file.opaque_ops > 0) {
    graph::Graph end = graph;
    facts.label_head = passes::cut_label_head(end);
    return {};
  }
  if (options.size.width > 0) {
    DEEPLAB_RETURN_IF_ERROR(graph::resize_input(graph, options.size.height, options.size.width));
  }
  if (options.output_stride != 0) {
    DEEPLAB_RETURN_IF_ERROR(passes::set_output_stride(graph, options.output_stride));
  }
  graph::Graph network = graph;
  DEEPLAB_RETURN_IF_ERROR(passes::optimize(network));
  facts.label_head = passes::cut_label_head(network);
  if (!options.with_plan) return {};
  passes::fold_input_quantize(network);
  plan::PlanOptions plan_options;
  DEEPLAB_ASSIGN_OR_RETURN(plan_options.isa, selected_isa());
  DEEPLAB_ASSIGN_OR_RETURN(const auto pool, ThreadPool::create(options.threads));
  plan_options.threads = pool->threads();
  plan_options.pixel_input = true;  // as a segmenter has it
  DEEPLAB_ASSIGN_OR_RETURN(facts.plan, plan::Plan::build(std::move(network), plan_options));
  return {};
}

std::string metadata_text(const tflite::Metadata& metadata) {
  std::string text;
  const auto add = [&text](const char* name, const std::string& value) {
    if (!value.empty()) text += fmt::format("{:<14}{}\n", name, value);
  };
  add("name", metadata.name);
  add("about", metadata.description);
  add("author", metadata.author);
  add("license", metadata.license);
  add("version", metadata.version);
  if (const auto& n = metadata.normalization) {
    text += fmt::format("{:<14}(pixel - {}) / {}\n", "normalisation", fmt::join(n->mean, ", "),
                        fmt::join(n->stddev, ", "));
  } else {
    add("normalisation", "not stated; (pixel - 127.5) / 127.5 is assumed");
  }
  add("labels", metadata.labels.empty() ? "not stated; the VOC names where there are 21 classes"
                                        : fmt::format("{}", fmt::join(metadata.labels, ", ")));
  return text;
}

std::string label_head_text(const Result<passes::LabelHead>& found) {
  if (!found.ok()) return "none: " + found.status().message();
  const passes::LabelHead& head = *found;
  std::string text =
      fmt::format("scores {}x{} of {} classes", head.width, head.height, head.classes);
  if (head.has_resize) {
    text += fmt::format(", resized to {}x{}{}{}", head.canvas_width, head.canvas_height,
                        head.align_corners ? ", align_corners" : "",
                        head.half_pixel_centers ? ", half_pixel_centers" : "");
  }
  if (head.softmax_in_graph) text += ", softmax";
  text += head.argmax_in_graph ? ", arg-max: the file gives labels" : ": the file gives scores";
  return text;
}

/// In millions, as the graph's own summary has them.
std::string work_text(const graph::Graph& graph) {
  return fmt::format(
      "{:.1f} M multiply-accumulates, {:.1f} M FLOPs (2 per multiply-accumulate); {} parameters",
      static_cast<double>(graph::macs(graph)) * 1e-6, static_cast<double>(flops(graph)) * 1e-6,
      parameter_count(graph));
}

}  // namespace

Result<ModelFacts> find_facts(const std::string& path, const FactsOptions& options) {
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes,
                           read_file(path, tflite::kMaxFileBytes));
  ModelFacts facts;
  facts.path = path;
  facts.bytes = static_cast<int64_t>(bytes.size());
  DEEPLAB_ASSIGN_OR_RETURN(
      facts.file, tflite::read_model(bytes, path, {},
                                     options.allow_custom_ops ? tflite::CustomOps::kAllow
                                                              : tflite::CustomOps::kRefuse));
  DEEPLAB_RETURN_IF_ERROR(annotate(analyse(facts, options), path));
  if (options.tflite == nullptr) return facts;
  std::optional<std::span<const std::byte>> as_in_file;
  const bool is_changed = options.size.width != 0 || options.output_stride != 0;
  if (!is_changed || facts.file.opaque_ops > 0) as_in_file = bytes;
  auto placement = place_model(as_in_file, facts.file.graph, facts.file.opaque_ops, *options.tflite,
                               options.threads);
  if (!placement.ok()) return annotate(placement.status(), path);
  facts.placement = std::move(*placement);
  return facts;
}

int64_t parameter_count(const graph::Graph& graph) {
  std::set<graph::TensorId> constants;
  for (const graph::Op& op : graph.ops) {
    for (graph::TensorId id : op.inputs) {
      if (id != graph::kNoTensor && graph.tensor(id).is_constant()) constants.insert(id);
    }
  }
  int64_t count = 0;
  for (graph::TensorId id : constants) count += graph.tensor(id).elements();
  return count;
}

int64_t flops(const graph::Graph& graph) { return 2 * graph::macs(graph); }

std::string text_facts(const ModelFacts& facts) {
  std::string text = fmt::format("{:<14}{} ({} bytes)\n", "file", facts.path, facts.bytes);
  if (!facts.file.description.empty()) {
    text += fmt::format("{:<14}{}\n", "description", facts.file.description);
  }
  text += metadata_text(facts.file.metadata);
  text += fmt::format("{:<14}{}\n", "label head", label_head_text(facts.label_head));
  text += fmt::format("{:<14}{}\n\n", "work", work_text(facts.file.graph));
  if (facts.file.opaque_ops > 0) {
    text +=
        fmt::format("custom ops: only what comes after the first {} ops of the file is known\n\n",
                    facts.file.opaque_ops);
  }
  text += graph::dump(facts.file.graph);
  if (facts.plan) text += "\n" + plan::dump(*facts.plan);
  if (facts.placement) text += "\n" + placement_text(*facts.placement);
  return text;
}

}  // namespace deeplab::app
