#include "apps/deeplab/bench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace deeplab::app {
namespace {

using Json = nlohmann::ordered_json;

std::string spread_line(const char* stage, const Spread& spread, const char* what) {
  return fmt::format("  {:<9}{:>9.3f} {:>8.3f} {:>8.3f} {:>8.3f} {:>8.3f} {:>8.3f}  {}\n", stage,
                     spread.median, spread.min, spread.p95, spread.max, spread.average,
                     spread.deviation, what);
}

std::string once_line(const char* stage, double ms, const char* what) {
  return fmt::format("  {:<9}{:>9.3f}{:>45}  {}\n", stage, ms, "", what);
}

/// The names and the order of TensorFlow Lite's benchmark_model, so that a script that reads its
/// lines finds the numbers in ours.
std::string benchmark_model_lines(const BenchSubject& subject, const Measurement& m) {
  const auto us = [](double ms) { return 1e3 * ms; };
  return fmt::format(
      "  in us: Init: {:.0f}, First inference: {:.0f}, Warmup (avg): {:.1f}, Inference (avg): "
      "{:.1f}; count={} min={:.0f} max={:.0f} std={:.0f} p5={:.0f} median={:.0f} p95={:.0f}\n"
      "  memory in MB, growth from the start: init={:.2f} overall={:.2f}; in all {:.1f}\n",
      us(m.first.init_ms()), us(m.first.first_ms), us(m.warmup.average_ms), us(m.total.average),
      subject.runs, us(m.total.min), us(m.total.max), us(m.total.deviation), us(m.total.p5),
      us(m.total.median), us(m.total.p95), m.first.init_rss_mib - m.first.start_rss_mib,
      m.first.peak_rss_mib - m.first.start_rss_mib, m.first.peak_rss_mib);
}

std::string profile_table(const Measurement& m) {
  double total = 0;
  size_t kernel_width = 6;  // a step of several kernels names them all
  for (const StepProfile& step : m.steps) {
    total += step.ms;
    kernel_width = std::max(kernel_width, step.kernel.size());
  }
  std::string table = fmt::format("  {:>4}  {:<24}{:<{}}  {:<18}{:>9}{:>8}{:>9}{:>9}{:>8}\n", "op",
                                  "type", "kernel", kernel_width, "output", "ms", "share", "MMAC",
                                  "GMAC/s", m.peak_gmacs_per_s ? "of peak" : "");
  for (const StepProfile& step : m.steps) {
    table += fmt::format("  {:>4}  {:<24}{:<{}}  {:<18}{:>9.3f}{:>7.1f}%", step.op, step.type,
                         step.kernel, kernel_width, graph::shape_text(step.shape), step.ms,
                         100 * step.ms / total);
    if (step.macs > 0) {
      table += fmt::format("{:>9.2f}{:>9.1f}", static_cast<double>(step.macs) * 1e-6,
                           step.gmacs_per_s());
      if (const auto share = m.share_of_peak(step.gmacs_per_s())) {
        table += fmt::format("{:>7.1f}%", 100 * *share);
      }
    }
    table += '\n';
  }
  return table + fmt::format("  {:>4}  {:<{}}{:>9.3f}\n", "", "all steps",
                             24 + kernel_width + 2 + 18, total);
}

Json spread_json(const Spread& spread) {
  return {{"median", spread.median}, {"min", spread.min}, {"p5", spread.p5},
          {"p95", spread.p95},       {"max", spread.max}, {"average", spread.average},
          {"std", spread.deviation}};
}

Json number_json(const std::optional<double>& number) { return number ? Json(*number) : Json(); }

Json steps_json(const Measurement& m) {
  Json json = Json::array();
  for (const StepProfile& step : m.steps) {
    json.push_back({{"op", step.op},
                    {"type", step.type},
                    {"kernel", step.kernel},
                    {"shape", step.shape},
                    {"ms", step.ms},
                    {"macs", step.macs},
                    {"gmacs_per_s", step.gmacs_per_s()},
                    {"share_of_peak", number_json(m.share_of_peak(step.gmacs_per_s()))}});
  }
  return json;
}

Json lite_json(const LiteFacts& lite) {
  return {{"version", lite.version},
          {"library", lite.library},
          {"delegate", lite.delegate.empty() ? Json() : Json(lite.delegate)},
          {"partitions", lite.delegation.partitions},
          {"ops", lite.delegation.ops},
          {"delegated_ops", lite.delegation.delegated_ops},
          {"delegated_macs", lite.delegation.delegated_macs},
          {"delegated", lite.delegation.share()},
          {"label_agreement", number_json(lite.label_agreement)}};
}

std::string lite_head(const LiteFacts& lite) {
  std::string text = fmt::format("TensorFlow Lite {} ({})", lite.version, lite.library);
  const api::Delegation& taken = lite.delegation;
  if (!lite.delegate.empty()) {
    text += fmt::format(" with {}\n{} of {} ops delegated in {} partition{}, {:.1f} % of the {}",
                        lite.delegate, taken.delegated_ops, taken.ops, taken.partitions,
                        taken.partitions == 1 ? "" : "s", 100 * taken.share(),
                        taken.macs > 0 ? "multiply-accumulates" : "ops");
  }
  if (lite.label_agreement) {
    text += fmt::format("; {:.2f} % of the labels are the engine's", 100 * *lite.label_agreement);
  }
  return text + "\n";
}

}  // namespace

std::string text_head(const BenchSubject& subject) {
  std::string text = fmt::format("{} ({} bytes), canvas {}x{}, photo {} {}x{}\n", subject.model,
                                 subject.file_bytes, subject.canvas_width, subject.canvas_height,
                                 subject.photo, subject.photo_width, subject.photo_height);
  if (subject.has_custom_ops) {
    return text + "not verified: the engine cannot run a file with custom ops\n";
  }
  return text +
         fmt::format("verified against the naive executor, which took {:.1f} ms for its one run\n",
                     subject.naive_ms);
}

std::string text_measurement(const BenchSubject& subject, const Measurement& m,
                             const Measurement* engine) {
  const char* plural = m.first.threads == 1 ? "" : "s";
  std::string text;
  if (m.lite) {
    text = "\n" + lite_head(*m.lite) +
           fmt::format("{} thread{}, {} warm-up runs and {} timed\n", m.first.threads, plural,
                       m.warmup.runs, subject.runs);
  } else {
    text = fmt::format(
        "\n{}, {} thread{}, {} warm-up runs and {} timed, scores and label map verified\n",
        isa_name(m.isa), m.first.threads, plural, m.warmup.runs, subject.runs);
  }
  text += fmt::format("  {:<9}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}\n", "ms", "median", "min", "p95",
                      "max", "average", "std");
  text += once_line("load", m.first.load_ms, "read and check the model file; once");
  text += once_line("prepare", m.first.prepare_ms, "plan, pack the weights, take memory; once");
  text += once_line("init", m.first.init_ms(), "load and prepare");
  text +=
      once_line("first", m.first.first_ms, "the first inference after that, pixels to label map");
  text += fmt::format("  {:<9}{:>45.3f}{:>9}  {}\n", "warmup", m.warmup.average_ms, "",
                      "the runs before the timed ones, pixels to label map");
  if (m.lite) {
    text += once_line("", m.warmup.first_ms, "the first of these, apart: what is compiled once");
  }
  text += spread_line("decode", subject.decode, "photo file to pixels, one thread");
  text += spread_line("input", m.input, "pixels onto the canvas");
  text += spread_line("infer", m.infer, "canvas to scores");
  text += spread_line("labels", m.labels, "scores to the label map at the photo's size");
  text += spread_line("total", m.total, "input, infer and labels: pixels to label map");
  text += spread_line("write", subject.write, "label map to PNG, one thread");
  text += fmt::format("  {:.1f} M multiply-accumulates, {:.1f} G a second",
                      static_cast<double>(m.macs) * 1e-6, m.gmacs_per_s());
  if (const auto share = m.share_of_peak(m.gmacs_per_s())) {
    text += fmt::format("; {:.1f} % of this machine's {} peak of {:.0f} G", 100 * *share,
                        m.operands == peak::Operands::kFloat32 ? "float32" : "8-bit",
                        *m.peak_gmacs_per_s);
  }
  text += "\n" + benchmark_model_lines(subject, m);
  if (!m.steps.empty()) text += profile_table(m);
  if (engine != nullptr) {
    text += text_measurement(subject, *engine) +
            fmt::format("beside each other: infer {:.3f} ms in TensorFlow Lite, {:.3f} ms here\n",
                        m.infer.median, engine->infer.median);
  }
  return text;
}

namespace {

Json measurement_json(const BenchSubject& subject, const Measurement& m) {
  Json json = {{"model", subject.model},
               {"file_bytes", subject.file_bytes},
               {"backend", m.lite ? "tflite" : "engine"},
               {"isa", isa_name(m.isa)},
               {"threads", m.first.threads},
               {"size", fmt::format("{}x{}", subject.canvas_width, subject.canvas_height)},
               {"photo", subject.photo},
               {"photo_size", fmt::format("{}x{}", subject.photo_width, subject.photo_height)},
               {"runs", subject.runs},
               {"warmup_runs", m.warmup.runs},
               {"load_ms", m.first.load_ms},
               {"naive_ms", subject.naive_ms},
               {"prepare_ms", m.first.prepare_ms},
               {"init_ms", m.first.init_ms()},
               {"first_ms", m.first.first_ms},
               {"warmup_ms", m.warmup.average_ms},
               {"warmup_first_ms", m.warmup.first_ms},
               {"decode_ms", spread_json(subject.decode)},
               {"input_ms", spread_json(m.input)},
               {"infer_ms", spread_json(m.infer)},
               {"labels_ms", spread_json(m.labels)},
               {"total_ms", spread_json(m.total)},
               {"write_ms", spread_json(subject.write)},
               {"macs", m.macs},
               {"gmacs_per_s", m.gmacs_per_s()},
               {"peak_operands", m.operands == peak::Operands::kFloat32 ? "float32" : "int8"},
               {"peak_gmacs_per_s", number_json(m.peak_gmacs_per_s)},
               {"share_of_peak", number_json(m.share_of_peak(m.gmacs_per_s()))},
               {"memory_mib",
                {{"init", m.first.init_rss_mib - m.first.start_rss_mib},
                 {"overall", m.first.peak_rss_mib - m.first.start_rss_mib}}},
               {"peak_rss_mib", m.first.peak_rss_mib}};
  if (!m.steps.empty()) json["steps"] = steps_json(m);
  if (m.lite) json["tflite"] = lite_json(*m.lite);
  return json;
}

}  // namespace

std::string json_measurement(const BenchSubject& subject, const Measurement& m,
                             const Measurement* engine) {
  Json json = measurement_json(subject, m);
  if (engine != nullptr) json["engine"] = measurement_json(subject, *engine);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace deeplab::app
