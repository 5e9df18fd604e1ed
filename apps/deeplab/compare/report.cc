#include "apps/deeplab/compare/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace deeplab::app {
namespace {

using Json = nlohmann::ordered_json;

/// "2 steps (0.047)", "1.2e-05".
std::string amount_text(const OpDifference& op) {
  std::string real = fmt::format("{:.4g}", op.max_difference);
  if (!op.max_steps) return real;
  return fmt::format("{:.4g} step{} ({})", *op.max_steps, *op.max_steps == 1 ? "" : "s", real);
}

std::string ops_text(const CompareReport& report) {
  if (report.op_mismatch) return "not comparable: " + *report.op_mismatch;
  const int64_t compared = report.compared();
  std::string text = fmt::format("{} compared", compared);
  const auto missing = static_cast<int64_t>(report.ops.size()) - compared;
  if (missing > 0) text += fmt::format(" ({} not held by both)", missing);
  const OpDifference* first = first_difference(report.ops);
  if (first == nullptr) return text + ", no difference";
  return text + fmt::format(", {} differ; first: {} {}, {:.4f} % equal, at most {} apart",
                            report.differing(), op_label(*first), graph::shape_text(first->shape),
                            100 * first->equal_share(), amount_text(*first));
}

std::string op_table(const std::vector<OpDifference>& ops) {
  std::string table = fmt::format("  {:>4}  {:<24}{:<18}{:>12}{:>12}{:>14}\n", "op", "type",
                                  "shape", "equal %", "max steps", "max apart");
  for (const OpDifference& op : ops) {
    table += fmt::format("  {:>4}  {:<24}{:<18}", op.index, op.name, graph::shape_text(op.shape));
    if (op.compared) {
      table +=
          fmt::format("{:>12.4f}{:>12}{:>14.5g}\n", 100 * op.equal_share(),
                      op.max_steps ? fmt::format("{:.4g}", *op.max_steps) : "-", op.max_difference);
    } else {
      table += fmt::format("{:>12}\n", "not held");
    }
  }
  return table;
}

Json op_json(const OpDifference& op) {
  Json json = {{"op", op.index}, {"type", op.name}, {"shape", op.shape}, {"compared", op.compared}};
  if (!op.compared) return json;
  json["elements"] = op.elements;
  json["equal"] = op.equal;
  json["equal_fraction"] = op.equal_share();
  json["max_steps"] = op.max_steps ? Json(*op.max_steps) : Json();
  json["max_difference"] = op.max_difference;
  return json;
}

Json network_json(const FileNetwork& network) {
  const FileNetworkOptions& options = network.options();
  if (options.tflite != nullptr) {
    return {{"model", network.path()},
            {"backend", "tflite"},
            {"description", network.description()},
            {"delegate", options.tflite->delegate},
            {"delegated", network.delegation()->share()}};
  }
  Json json = {{"model", network.path()}, {"executor", executor_name(options.executor)}};
  json["rounding"] = rounding_name(options.rounding);
  json["isa"] = options.isa ? Json(isa_name(*options.isa)) : Json();
  return json;
}

}  // namespace

int64_t CompareReport::compared() const {
  return std::ranges::count_if(ops, [](const OpDifference& op) { return op.compared; });
}

int64_t CompareReport::differing() const {
  return std::ranges::count_if(ops, &OpDifference::differs);
}

std::string text_report(const CompareReport& report, bool all_ops) {
  std::string text = fmt::format("{} ({}x{})\n  ops: {}\n", report.image, report.width,
                                 report.height, ops_text(report));
  if (report.labels) {
    text += fmt::format("  labels: {:.4f} % of {} pixels agree\n", 100 * report.labels->share(),
                        report.labels->pixels);
  } else {
    text += fmt::format("  labels: {}\n", report.no_labels);
  }
  if (all_ops && !report.op_mismatch) text += op_table(report.ops);
  return text;
}

std::string json_report(const CompareReport& report, const FileNetwork& a, const FileNetwork& b,
                        bool all_ops) {
  Json json = {{"image", report.image}, {"width", report.width}, {"height", report.height}};
  json["a"] = network_json(a);
  json["b"] = network_json(b);
  json["op_mismatch"] = report.op_mismatch ? Json(*report.op_mismatch) : Json();
  json["ops_compared"] = report.compared();
  json["ops_differing"] = report.differing();
  const OpDifference* first = first_difference(report.ops);
  json["first_difference"] = first != nullptr ? op_json(*first) : Json();
  json["label_pixels"] = report.labels ? Json(report.labels->pixels) : Json();
  json["label_agreement"] = report.labels ? Json(report.labels->share()) : Json();
  if (all_ops) {
    json["ops"] = Json::array();
    for (const OpDifference& op : report.ops) json["ops"].push_back(op_json(op));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace deeplab::app
