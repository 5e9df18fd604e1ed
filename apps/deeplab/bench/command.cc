// deeplab bench: how long each stage takes on this machine, after the output has been verified.
#include "apps/deeplab/common/command.h"

#include <charconv>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "api/segmenter.h"
#include "apps/deeplab/bench/first.h"
#include "apps/deeplab/bench/measure.h"
#include "apps/deeplab/bench/report.h"
#include "apps/deeplab/bench/verify.h"
#include "apps/deeplab/common/backend_flags.h"
#include "apps/deeplab/common/builtin_model.h"
#include "apps/deeplab/common/file_network.h"
#include "apps/deeplab/common/model_flags.h"
#include "apps/deeplab/common/npy.h"
#include "apps/deeplab/common/options.h"
#include "apps/deeplab/common/photos.h"
#include "base/file.h"
#include "base/isa.h"
#include "base/stopwatch.h"

namespace deeplab::app {
namespace {

using ModelPointer = std::shared_ptr<const api::Model>;

struct BenchOptions {
  std::string model;
  std::string photo;  ///< Empty: a synthetic one of the canvas' size.
  std::vector<CanvasSize> sizes = {{}};
  int32_t output_stride = 0;
  ModelFlags model_flags;
  BackendFlags backend;
  std::vector<Isa> isas;  ///< Empty: the one that selected_isa() gives.
  std::vector<int> threads = {0};
  int runs = 50;
  vision::Fit fit = vision::Fit::kPad;
  std::string label_map;  ///< Empty: none.
  bool profile = false;
  bool json = false;
};

/// One canvas: its photo, and what was found.
struct Canvas {
  BenchSubject subject;
  PhotoFile file;
  /// One per kernel family and thread count; two of them if TensorFlow Lite is measured: it, and
  /// the engine beside it.
  std::vector<Measurement> measurements;
};

class Bench {
 public:
  explicit Bench(const BenchOptions& options) : options_(options) {}
  Status run();

 private:
  Result<std::vector<Canvas>> make_canvases() const;
  Result<Canvas> make_canvas(const api::Model& model, const CanvasSize& size) const;
  Result<std::unique_ptr<api::Segmenter>> make_segmenter(const ModelPointer& model,
                                                         const Canvas& canvas,
                                                         const Measurement& measurement,
                                                         int threads) const;
  Result<DecodedPhoto> decode(const Canvas& canvas) const;
  Status measure_first(Canvas& canvas, Measurement measurement, int threads) const;
  Status segment_first_photo(const Canvas& canvas, const Measurement& measurement, int threads,
                             FirstPhoto& first) const;
  Status verify(Canvas& canvas, const vision::ImageView& photo, LabelMap& labels) const;
  Status measure(const Canvas& canvas, const vision::ImageView& photo, LabelMap& labels,
                 Measurement& measurement) const;
  Status measure_and_print(Canvas& canvas) const;

  const BenchOptions& options_;
  ModelPointer model_;  ///< Null until all first photos are measured.
};

// What a process that segments one photo needs is measured first, before this one has grown: each
// loads the model by itself, and its first inference is the first that anybody runs.
Status Bench::run() {
  DEEPLAB_ASSIGN_OR_RETURN(std::vector<Canvas> canvases, make_canvases());
  std::vector<Isa> isas = options_.isas;
  if (isas.empty()) {
    DEEPLAB_ASSIGN_OR_RETURN(isas.emplace_back(), selected_isa());
  }
  for (Canvas& canvas : canvases) {
    for (const Isa isa : isas) {
      for (const int threads : options_.threads) {
        Measurement measurement;
        measurement.isa = isa;
        if (options_.backend.is_tflite()) {
          measurement.lite.emplace();
          DEEPLAB_RETURN_IF_ERROR(measure_first(canvas, measurement, threads));
          measurement.lite.reset();
        }
        if (canvas.subject.has_custom_ops) continue;
        DEEPLAB_RETURN_IF_ERROR(measure_first(canvas, measurement, threads));
      }
    }
  }
  DEEPLAB_ASSIGN_OR_RETURN(model_, load_model(options_.model, options_.model_flags));
  for (Canvas& canvas : canvases) DEEPLAB_RETURN_IF_ERROR(measure_and_print(canvas));
  return {};
}

Status Bench::measure_first(Canvas& canvas, Measurement measurement, int threads) const {
  DEEPLAB_ASSIGN_OR_RETURN(measurement.first, measure_first_photo([&](FirstPhoto& first) {
                             return segment_first_photo(canvas, measurement, threads, first);
                           }));
  canvas.measurements.push_back(std::move(measurement));
  return {};
}

/// The model is loaded for its size and its name only, and let go again.
Result<std::vector<Canvas>> Bench::make_canvases() const {
  DEEPLAB_ASSIGN_OR_RETURN(const ModelPointer model,
                           load_model(options_.model, options_.model_flags));
  std::vector<Canvas> canvases;
  for (const CanvasSize& size : options_.sizes) {
    DEEPLAB_ASSIGN_OR_RETURN(canvases.emplace_back(), make_canvas(*model, size));
  }
  return canvases;
}

int64_t file_bytes(const std::string& model) {
  if (model.empty()) return std::ssize(builtin_model());
  std::error_code failed;  // of a file that was read a moment ago
  const auto bytes = std::filesystem::file_size(model, failed);
  return failed ? 0 : static_cast<int64_t>(bytes);
}

Result<Canvas> Bench::make_canvas(const api::Model& model, const CanvasSize& size) const {
  Canvas canvas;
  BenchSubject& subject = canvas.subject;
  subject.model = model.name();
  subject.has_custom_ops = model.has_custom_ops() && options_.backend.is_tflite();
  subject.file_bytes = file_bytes(options_.model);
  subject.runs = options_.runs;
  subject.canvas_width = size.width == 0 ? model.input_width() : size.width;
  subject.canvas_height = size.width == 0 ? model.input_height() : size.height;
  if (options_.photo.empty()) {
    subject.photo = "synthetic";
    DEEPLAB_ASSIGN_OR_RETURN(canvas.file,
                             synthetic_file(subject.canvas_width, subject.canvas_height));
  } else {
    subject.photo = options_.photo;
    DEEPLAB_ASSIGN_OR_RETURN(canvas.file, read_photo({options_.photo, ""}));
  }
  subject.photo_width = canvas.file.info.width;
  subject.photo_height = canvas.file.info.height;
  return canvas;
}

Result<std::unique_ptr<api::Segmenter>> Bench::make_segmenter(const ModelPointer& model,
                                                              const Canvas& canvas,
                                                              const Measurement& measurement,
                                                              int threads) const {
  api::SegmenterOptions options;
  options.isa = measurement.isa;
  if (measurement.lite) options.tflite = options_.backend.options();
  options.threads = threads;
  options.fit = options_.fit;
  options.width = canvas.subject.canvas_width;
  options.height = canvas.subject.canvas_height;
  options.output_stride = options_.output_stride;
  return api::Segmenter::create(model, options);
}

Result<DecodedPhoto> Bench::decode(const Canvas& canvas) const {
  return decode_photo(canvas.file, options_.fit, canvas.subject.canvas_width,
                      canvas.subject.canvas_height);
}

Status Bench::segment_first_photo(const Canvas& canvas, const Measurement& measurement, int threads,
                                  FirstPhoto& first) const {
  Stopwatch watch;
  DEEPLAB_ASSIGN_OR_RETURN(const ModelPointer model,
                           load_model(options_.model, options_.model_flags));
  first.load_ms = watch.milliseconds();
  watch.restart();
  DEEPLAB_ASSIGN_OR_RETURN(const auto segmenter,
                           make_segmenter(model, canvas, measurement, threads));
  first.prepare_ms = watch.milliseconds();
  first.init_rss_mib = peak_rss_mib();
  if (options_.model.empty()) release_builtin_model();  // as `segment` does
  first.threads = segmenter->threads();
  DEEPLAB_ASSIGN_OR_RETURN(const DecodedPhoto photo, decode(canvas));
  LabelMap labels(canvas.subject.photo_width, canvas.subject.photo_height);
  watch.restart();
  DEEPLAB_RETURN_IF_ERROR(run_once(*segmenter, view_of(photo.small), labels));
  first.first_ms = watch.milliseconds();
  return {};
}

double label_agreement(std::span<const uint8_t> found, std::span<const uint8_t> expected) {
  size_t equal = 0;
  for (size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
    equal += found[i] == expected[i];
  }
  return static_cast<double>(equal) / static_cast<double>(std::max<size_t>(expected.size(), 1));
}

/// Leaves in `labels` the map that the engine gives, whatever the kernels.
Status Bench::verify(Canvas& canvas, const vision::ImageView& photo, LabelMap& labels) const {
  BenchSubject& subject = canvas.subject;
  if (subject.has_custom_ops) {
    const Measurement& only = canvas.measurements.front();
    DEEPLAB_ASSIGN_OR_RETURN(const auto segmenter,
                             make_segmenter(model_, canvas, only, only.first.threads));
    return run_once(*segmenter, photo, labels);
  }
  FileNetworkOptions options;
  options.executor = ExecutorKind::kNaive;
  options.move_roundings = true;
  options.size = {subject.canvas_width, subject.canvas_height};
  options.output_stride = options_.output_stride;
  DEEPLAB_ASSIGN_OR_RETURN(options.model, options_.model_flags.options());
  DEEPLAB_ASSIGN_OR_RETURN(const auto reference, FileNetwork::load(options_.model, options));
  const Stopwatch watch;
  DEEPLAB_RETURN_IF_ERROR(reference->run(photo, options_.fit));
  subject.naive_ms = watch.milliseconds();
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<uint8_t> expected,
                           reference->labels(labels.width, labels.height));
  for (Measurement& m : canvas.measurements) {
    DEEPLAB_ASSIGN_OR_RETURN(const auto segmenter,
                             make_segmenter(model_, canvas, m, m.first.threads));
    if (m.lite) {  // of other kernels: nobody expects the same bytes
      DEEPLAB_RETURN_IF_ERROR(run_once(*segmenter, photo, labels));
      m.lite->label_agreement = label_agreement(labels.ids, expected);
      continue;
    }
    DEEPLAB_RETURN_IF_ERROR(verify_scores(*segmenter, *reference, photo, options_.fit));
    DEEPLAB_RETURN_IF_ERROR(
        segmenter->category_mask(labels.width, labels.height, labels.ids.data(), labels.width));
    DEEPLAB_RETURN_IF_ERROR(verify_labels(*segmenter, labels, expected));
  }
  return {};
}

Status Bench::measure(const Canvas& canvas, const vision::ImageView& photo, LabelMap& labels,
                      Measurement& measurement) const {
  const int threads = measurement.first.threads;
  DEEPLAB_ASSIGN_OR_RETURN(const auto segmenter,
                           make_segmenter(model_, canvas, measurement, threads));
  measurement.macs = segmenter->facts().macs;
  DEEPLAB_RETURN_IF_ERROR(time_network(*segmenter, photo, labels, options_.runs, measurement));
  if (const api::LiteRunner* lite = segmenter->lite()) {
    const tflite_library::Library& library = lite->interpreter().library();
    measurement.lite->version = library.version();
    measurement.lite->library = library.path();
    measurement.lite->delegate = options_.backend.library_options().delegate;
    measurement.lite->delegation = lite->delegation();
    return {};
  }
  measurement.operands = operands_of(segmenter->plan().graph());
  DEEPLAB_ASSIGN_OR_RETURN(measurement.peak_gmacs_per_s,
                           peak_gmacs_per_s(measurement.isa, measurement.operands, threads));
  if (!options_.profile) return {};
  DEEPLAB_ASSIGN_OR_RETURN(measurement.steps, profile_steps(*segmenter, photo, options_.runs));
  return {};
}

Status Bench::measure_and_print(Canvas& canvas) const {
  BenchSubject& subject = canvas.subject;
  DEEPLAB_ASSIGN_OR_RETURN(const DecodedPhoto decoded, decode(canvas));
  const vision::ImageView photo = view_of(decoded.small);
  LabelMap labels(subject.photo_width, subject.photo_height);
  DEEPLAB_RETURN_IF_ERROR(verify(canvas, photo, labels));
  if (!options_.label_map.empty()) {
    DEEPLAB_RETURN_IF_ERROR(write_file_atomically(
        options_.label_map, encode_npy(graph::DataType::kUInt8, {labels.height, labels.width},
                                       std::as_bytes(std::span(labels.ids)))));
  }
  DEEPLAB_ASSIGN_OR_RETURN(subject.decode,
                           time_decode(canvas.file, options_.fit, subject.canvas_width,
                                       subject.canvas_height, options_.runs));
  DEEPLAB_ASSIGN_OR_RETURN(subject.write, time_write(labels, options_.runs));
  if (!options_.json) DEEPLAB_RETURN_IF_ERROR(print_output(text_head(subject)));
  for (size_t i = 0; i < canvas.measurements.size(); ++i) {
    const Measurement& measurement = canvas.measurements[i];
    DEEPLAB_RETURN_IF_ERROR(measure(canvas, photo, labels, canvas.measurements[i]));
    const Measurement* engine = nullptr;
    if (measurement.lite && !subject.has_custom_ops) {  // the engine comes next, beside it
      engine = &canvas.measurements[++i];
      DEEPLAB_RETURN_IF_ERROR(measure(canvas, photo, labels, canvas.measurements[i]));
    }
    DEEPLAB_RETURN_IF_ERROR(print_output(options_.json
                                             ? json_measurement(subject, measurement, engine)
                                             : text_measurement(subject, measurement, engine)));
  }
  return {};
}

constexpr const char* kBenchFooter =
    R"(Each combination of size, kernel family and thread count is measured in this order:
  1. A new process loads the model (load), gets it ready to run (prepare; both together are
     init) and runs it once (first). Its memory is measured, too.
  2. Scores and label map are compared with those of the reference kernels, byte for byte.
     If anything differs, the command stops here with exit status 1.
  3. Warm-up runs: at least 2, for at least 0.2 seconds. They are not in the numbers of 4.
  4. The timed runs (--runs).
With --backend tflite TensorFlow Lite goes through the same steps, and the engine after it. Its
scores need not be the same bytes: the share of pixels with the same class is printed instead.

One inference, in first, warmup and total, is: pixels in memory to label map at the photo's
size. total is input + infer + labels, without decoding the photo and writing a file.

The last two lines of a measurement use the names of TensorFlow Lite's benchmark_model, so that
you can compare: times in us (1000 us are 1 ms), memory in MB of 2^20 bytes. init and overall
are the peak memory of the process in step 1, less what it had at its start: until the model
was ready, and until the first inference was done. Later inferences take no more.)";

std::vector<CanvasSize> parse_sizes(const std::string& text) {
  std::vector<CanvasSize> sizes;
  for (const std::string& item : split_list(text)) {
    const auto size = parse_size(item);
    if (!size.ok()) throw CLI::ValidationError("--size", size.status().message());
    sizes.push_back(*size);
  }
  return sizes;
}

std::vector<Isa> parse_isas(const std::string& text) {
  if (text == "all") return available_isas();
  std::vector<Isa> isas;
  for (const std::string& item : split_list(text)) {
    const auto isa = isa_from_name(item);
    if (!isa.ok()) throw CLI::ValidationError("--isa", isa.status().message());
    isas.push_back(*isa);
  }
  return isas;
}

std::vector<int> parse_thread_counts(const std::string& text) {
  std::vector<int> counts;
  for (const std::string& item : split_list(text)) {
    int count = -1;
    const char* end = item.data() + item.size();
    const auto parsed = std::from_chars(item.data(), end, count);
    if (parsed.ec != std::errc() || parsed.ptr != end || count < 0 || count > 256) {
      throw CLI::ValidationError("--threads",
                                 "invalid thread count '" + item + "'; expected 0 to 256");
    }
    counts.push_back(count);
  }
  return counts;
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  const auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand("bench", "Verify the output, then time each stage");
  add_model_option(*command, options->model);
  command
      ->add_option_function<std::string>(
          "--threads",
          [options](const std::string& text) { options->threads = parse_thread_counts(text); },
          "Thread counts, one or several; 0 is one per CPU [0]")
      ->type_name("N[,N...]");
  command->add_option("--runs", options->runs, "Timed runs, after the warm-up")
      ->check(CLI::Range(1, 1000000))
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--photo", options->photo,
                   "The photo to run on [a synthetic one of the canvas size]")
      ->type_name("PHOTO");
  add_fit_option(*command, options->fit);
  command
      ->add_option_function<std::string>(
          "--size", [options](const std::string& text) { options->sizes = parse_sizes(text); },
          "The network's canvas in pixels, one or several [the model's own]")
      ->type_name("N|WxH[,...]");
  add_output_stride_option(*command, options->output_stride);
  options->model_flags.add_to(*command);
  options->backend.add_to(*command);
  command
      ->add_option_function<std::string>(
          "--isa", [options](const std::string& text) { options->isas = parse_isas(text); },
          "Kernel families, or all that this machine runs [the best one]")
      ->type_name("NAME[,...]|all");
  command
      ->add_option("--label-map", options->label_map,
                   "Also write the verified label map to FILE, as .npy of uint8")
      ->type_name("FILE");
  command->add_flag("--profile", options->profile, "Also print one line per step of the network");
  add_json_flag(*command, options->json);
  command->footer(kBenchFooter);
  command->callback([options, &action] {
    options->backend.check();
    if (!options->label_map.empty() && options->sizes.size() > 1) {
      throw CLI::ValidationError("--label-map", "holds one map; give one --size only");
    }
    action = [options] {
      const Status status = Bench(*options).run();
      if (status.ok()) return ExitCode::kDone;
      print_error(status.message());
      return ExitCode::kFailed;
    };
  });
}

}  // namespace deeplab::app
