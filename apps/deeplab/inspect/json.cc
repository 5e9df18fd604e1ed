#include <nlohmann/json.hpp>
#include <set>
#include <variant>

#include "apps/deeplab/inspect/facts.h"
#include "base/isa.h"
#include "graph/graph.h"

namespace deeplab::app {
namespace {

using Json = nlohmann::ordered_json;

// ---- Attributes, named as in graph/ops/ ------------------------------------------------------

struct AttributeJson {
  Json json = Json::object();

  void operator()(const graph::FieldName& /*name*/, const graph::Window& w) {
    json["padding"] = graph::padding_name(w.padding);
    json["stride"] = {w.stride_h, w.stride_w};
    json["dilation"] = {w.dilation_h, w.dilation_w};
    if (w.padding == graph::Padding::kExplicit) {
      json["pad"] = {w.pad_top, w.pad_bottom, w.pad_left, w.pad_right};
    }
  }
  void operator()(const graph::FieldName& name, graph::Activation activation) {
    json[std::string(name.json)] = graph::activation_name(activation);
  }
  template <typename T>
  void operator()(const graph::FieldName& name, const T& value) {
    json[std::string(name.json)] = value;
  }
  template <typename T>
  void operator()(const graph::FieldName& name, const graph::FieldPair<T>& pair) {
    if (name.json_w.empty()) {
      json[std::string(name.json)] = {pair.h, pair.w};
    } else {
      json[std::string(name.json)] = pair.h;
      json[std::string(name.json_w)] = pair.w;
    }
  }
};

Json attributes_json(const graph::Attributes& attributes) {
  AttributeJson visitor;
  graph::visit_fields(attributes, visitor);
  return visitor.json;
}

// ---- The graph -------------------------------------------------------------------------------

Json tensor_json(const graph::Graph& graph, graph::TensorId id) {
  const graph::Tensor& tensor = graph.tensor(id);
  Json json = {{"id", id},
               {"name", tensor.name},
               {"type", graph::type_name(tensor.type)},
               {"shape", tensor.shape},
               {"constant", tensor.is_constant()}};
  const graph::Quantization& q = tensor.quantization;
  json["quantization"] = Json();
  if (q.present()) {
    json["quantization"] = {{"scales", q.scales}, {"zero_points", q.zero_points}};
    if (q.per_channel()) json["quantization"]["axis"] = q.axis;
  }
  return json;
}

Json tensors_json(const graph::Graph& graph, const std::vector<graph::TensorId>& ids) {
  Json json = Json::array();
  for (graph::TensorId id : ids) json.push_back(tensor_json(graph, id));
  return json;
}

/// Every tensor that an op touches, by id.
Json used_tensors_json(const graph::Graph& graph) {
  std::set<graph::TensorId> used;
  for (const graph::Op& op : graph.ops) {
    used.insert(op.inputs.begin(), op.inputs.end());
    used.insert(op.output());
  }
  used.erase(graph::kNoTensor);
  return tensors_json(graph, {used.begin(), used.end()});
}

Json ops_json(const graph::Graph& graph) {
  Json json = Json::array();
  for (const graph::Op& op : graph.ops) {
    json.push_back({{"index", op.index},
                    {"type", graph::op_name(op.attributes)},
                    {"attributes", attributes_json(op.attributes)},
                    {"inputs", op.inputs},
                    {"output", op.output()},
                    {"macs", graph::macs(graph, op)}});
  }
  return json;
}

Json metadata_json(const tflite::Metadata& metadata) {
  return {{"name", metadata.name},
          {"description", metadata.description},
          {"author", metadata.author},
          {"license", metadata.license},
          {"version", metadata.version}};
}

Json normalization_json(const tflite::Metadata& metadata) {
  const auto& n = metadata.normalization;
  return n ? Json{{"mean", n->mean}, {"stddev", n->stddev}} : Json();
}

Json label_head_json(const passes::LabelHead& head) {
  return {{"scores", head.scores},
          {"width", head.width},
          {"height", head.height},
          {"classes", head.classes},
          {"canvas_width", head.canvas_width},
          {"canvas_height", head.canvas_height},
          {"resize", head.has_resize},
          {"align_corners", head.align_corners},
          {"half_pixel_centers", head.half_pixel_centers},
          {"softmax", head.softmax_in_graph},
          {"argmax", head.argmax_in_graph}};
}

Json plan_json(const plan::Plan& plan) {
  Json steps = Json::array();
  for (const plan::PlannedStep& step : plan.steps()) {
    const graph::Op& op = plan.graph().ops[static_cast<size_t>(step.ops.back())];
    int64_t macs = 0;
    Json fused = Json::array();
    for (int at : step.ops) {
      macs += graph::macs(plan.graph(), plan.graph().ops[static_cast<size_t>(at)]);
      fused.push_back(plan.graph().ops[static_cast<size_t>(at)].index);
    }
    const plan::ArenaPlace& place = plan.place(step.output);
    steps.push_back({{"op", op.index},
                     {"type", graph::op_name(op.attributes)},
                     {"kernel", step.kernel},
                     {"ops", fused},
                     {"macs", macs},
                     {"output", step.output},
                     {"offset", place.offset},
                     {"bytes", place.bytes},
                     {"last_step", place.last_step}});
  }
  return {{"isa", isa_name(plan.options().isa)},
          {"threads", plan.options().threads},
          {"arena_bytes", plan.arena_bytes()},
          {"scratch_bytes", plan.scratch_bytes()},
          {"packed_weight_bytes", plan.packed_weight_bytes()},
          {"steps", steps}};
}

Json placement_json(const ModelPlacement& placement) {
  Json ops = Json::array();
  for (const OpPlace& op : placement.ops) {
    const bool on_cpu = op.partition == tflite_library::kOnCpu;
    ops.push_back({{"op", op.index},
                   {"type", op.type},
                   {"macs", op.macs},
                   {"partition", on_cpu ? Json() : Json(op.partition)}});
  }
  return {{"library", placement.library},
          {"version", placement.version},
          {"delegate", placement.delegate.empty() ? Json() : Json(placement.delegate)},
          {"partitions", placement.delegation.partitions},
          {"delegated_ops", placement.delegation.delegated_ops},
          {"delegated_macs", placement.delegation.delegated_macs},
          {"delegated", placement.delegation.share()},
          {"ops", ops}};
}

}  // namespace

std::string json_facts(const ModelFacts& facts) {
  const graph::Graph& graph = facts.file.graph;
  Json json = {{"file", facts.path},
               {"bytes", facts.bytes},
               {"description", facts.file.description},
               {"metadata", metadata_json(facts.file.metadata)},
               {"labels", facts.file.metadata.labels},
               {"normalization", normalization_json(facts.file.metadata)},
               {"inputs", tensors_json(graph, graph.inputs)},
               {"outputs", tensors_json(graph, graph.outputs)},
               {"parameters", parameter_count(graph)},
               {"macs", graph::macs(graph)},
               {"flops", flops(graph)},
               {"label_head", facts.label_head.ok() ? label_head_json(*facts.label_head) : Json()},
               {"ops", ops_json(graph)},
               {"tensors", used_tensors_json(graph)}};
  if (facts.plan) json["plan"] = plan_json(*facts.plan);
  if (facts.placement) json["tflite"] = placement_json(*facts.placement);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace deeplab::app
