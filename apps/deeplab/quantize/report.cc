#include "apps/deeplab/quantize/report.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace deeplab::app {
namespace {

std::string range_text(const graph::Quantization& q) {
  if (!q.present()) return "";
  const auto real = [&](int32_t stored) {
    return static_cast<double>(q.scale()) * (stored - q.zero_point());
  };
  return fmt::format("{:.4g} .. {:.4g}", real(-128), real(127));
}

std::string spread_text(const quantize::QuantizedOp& op) {
  if (op.spread_before == 1 && op.spread_after == 1) return "";
  if (op.spread_before == op.spread_after) return fmt::format("{:.3g}x", op.spread_before);
  return fmt::format("{:.3g}x -> {:.3g}x", op.spread_before, op.spread_after);
}

std::string validation_text(const Validation& v) {
  const auto line = [](const char* name, const eval::Scores& scores) {
    return fmt::format("  {:<8} mIoU {:.4f} over {} classes, pixel accuracy {:.4f}\n", name,
                       scores.miou, scores.counted_classes, scores.pixel_accuracy);
  };
  return fmt::format("{} {} ({} photos)\n", v.dataset, v.split, v.images) +
         line("float32", v.float_scores) + line("int8", v.int8_scores) +
         fmt::format("  {:<8} {:+.4f}\n", "drop", v.int8_scores.miou - v.float_scores.miou);
}

nlohmann::json scores_json(const eval::Scores& scores) {
  return {{"miou", scores.miou}, {"pixel_accuracy", scores.pixel_accuracy}};
}

}  // namespace

std::string quantize_text(const quantize::QuantizeSetup& setup,
                          const quantize::QuantizeResult& result, const std::string& output,
                          const std::optional<Validation>& validation) {
  std::string text = fmt::format("{:>4}  {:<18} {:<14} {:<21} {:<18} {:>8}\n", "op", "type",
                                 "result", "int8 holds", "filter spread", "SQNR dB");
  const quantize::QuantizedOp* worst = nullptr;
  for (const quantize::QuantizedOp& op : result.ops) {
    text += fmt::format("{:>4}  {:<18} {:<14} {:<21} {:<18} {:>8.1f}\n", op.drop.index,
                        op.drop.name, graph::shape_text(op.drop.shape), range_text(op.quantization),
                        spread_text(op), op.drop.sqnr_db);
    if (worst == nullptr || op.drop.sqnr_db < worst->drop.sqnr_db) worst = &op;
  }
  if (worst != nullptr) {
    text += fmt::format("lowest: op {} ({}) at {:.1f} dB\n", worst->drop.index, worst->drop.name,
                        worst->drop.sqnr_db);
  }
  if (setup.equalize) {
    text += fmt::format("equalization scaled {} channels\n", result.equalized_channels);
  }
  if (setup.bias_correction && !result.bias_correction) {
    text += fmt::format(
        "bias correction left out: the last op has {:.1f} dB with it, {:.1f} dB without\n",
        result.sqnr_corrected_db, result.sqnr_uncorrected_db);
  }
  text += fmt::format(
      "label maps agree with float on {:.2f} % of the pixels on average, {:.2f} % at least "
      "({} calibration photos)\n",
      100 * result.mean_agreement, 100 * result.least_agreement, result.compared_photos);
  if (validation) text += validation_text(*validation);
  text += fmt::format("{}: {} bytes, {} weights, {} border, {} out, {} on {} photos\n", output,
                      result.bytes.size(), granularity_name(setup.graph.granularity),
                      border_name(setup.graph.border), output_name(setup.graph.output),
                      method_name(setup.ranges.method), result.photos);
  return text;
}

std::string quantize_json(const quantize::QuantizeSetup& setup,
                          const quantize::QuantizeResult& result, const std::string& output,
                          const std::optional<Validation>& validation) {
  nlohmann::json ops = nlohmann::json::array();
  for (const quantize::QuantizedOp& op : result.ops) {
    nlohmann::json entry = {{"op", op.drop.index},
                            {"type", op.drop.name},
                            {"shape", op.drop.shape},
                            {"spread", op.spread_before},
                            {"spread_equalized", op.spread_after}};
    if (op.quantization.present()) {
      entry["scale"] = op.quantization.scale();
      entry["zero_point"] = op.quantization.zero_point();
    }
    // JSON has no infinity: a result that is exact has no figure.
    if (std::isfinite(op.drop.sqnr_db)) entry["sqnr_db"] = op.drop.sqnr_db;
    ops.push_back(std::move(entry));
  }
  nlohmann::json object = {{"model", setup.model},
                           {"output", output},
                           {"bytes", result.bytes.size()},
                           {"granularity", granularity_name(setup.graph.granularity)},
                           {"io", border_name(setup.graph.border)},
                           {"gives", output_name(setup.graph.output)},
                           {"calibration",
                            {{"method", method_name(setup.ranges.method)},
                             {"photos", result.photos},
                             {"failed", result.errors.size()},
                             {"fit", vision::fit_name(setup.fit)}}},
                           {"equalize", setup.equalize},
                           {"equalized_channels", result.equalized_channels},
                           {"bias_correction", result.bias_correction},
                           {"ops", std::move(ops)},
                           {"label_agreement",
                            {{"mean", result.mean_agreement},
                             {"least", result.least_agreement},
                             {"photos", result.compared_photos}}}};
  if (validation) {
    object["validation"] = {{"dataset", validation->dataset},
                            {"split", validation->split},
                            {"images", validation->images},
                            {"float32", scores_json(validation->float_scores)},
                            {"int8", scores_json(validation->int8_scores)}};
  }
  return object.dump() + "\n";
}

}  // namespace deeplab::app
