// deeplab bench: how long each stage takes on this machine, after the output has been verified.
#include <charconv>
#include <chrono>
#include <memory>

#include "api/segmenter.h"
#include "bench_measure.h"
#include "bench_report.h"
#include "bench_verify.h"
#include "command.h"
#include "options.h"
#include "photos.h"
#include "run_network.h"

namespace deeplab::app {
namespace {

using Clock = std::chrono::steady_clock;

struct BenchOptions {
  std::string model;
  std::string photo;  ///< Empty: a synthetic one of the canvas' size.
  std::vector<int> threads = {0};
  int runs = 50;
  vision::Fit fit = vision::Fit::kPad;
  CanvasSize size;
  bool profile = false;
  bool json = false;
};

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

class Bench {
 public:
  explicit Bench(const BenchOptions& options) : options_(options) {}
  Status run();

 private:
  Status load();
  Status load_photo();
  Result<std::unique_ptr<api::Segmenter>> make_segmenter(int threads) const;
  Status measure_first_photo(int threads);
  Status verify();
  Status measure(Measurement& measurement);
  vision::ImageView photo() const { return view_of(photo_); }

  const BenchOptions& options_;
  BenchSubject subject_;
  std::shared_ptr<const api::Model> model_;
  imageio::Image photo_;
  std::vector<Measurement> measurements_;
};

// What a process that segments one photo needs is measured first, in all thread counts: the
// verification after it takes far more memory.
Status Bench::run() {
  DEEPLAB_RETURN_IF_ERROR(load());
  DEEPLAB_RETURN_IF_ERROR(load_photo());
  for (int threads : options_.threads) DEEPLAB_RETURN_IF_ERROR(measure_first_photo(threads));
  DEEPLAB_RETURN_IF_ERROR(verify());
  if (!options_.json) DEEPLAB_RETURN_IF_ERROR(print_output(text_head(subject_)));
  for (Measurement& measurement : measurements_) {
    DEEPLAB_RETURN_IF_ERROR(measure(measurement));
    DEEPLAB_RETURN_IF_ERROR(print_output(options_.json ? json_measurement(subject_, measurement)
                                                       : text_measurement(subject_, measurement)));
  }
  return {};
}

Status Bench::load() {
  const Clock::time_point start = Clock::now();
  DEEPLAB_ASSIGN_OR_RETURN(model_, load_model(options_.model));
  subject_.load_ms = milliseconds_since(start);
  DEEPLAB_ASSIGN_OR_RETURN(const Isa isa, selected_isa());
  subject_.isa = isa_name(isa);
  subject_.model = model_->name();
  subject_.runs = options_.runs;
  const bool own_size = options_.size.width == 0;
  subject_.canvas_width = own_size ? model_->input_width() : options_.size.width;
  subject_.canvas_height = own_size ? model_->input_height() : options_.size.height;
  return {};
}

Status Bench::load_photo() {
  if (options_.photo.empty()) {
    subject_.photo = "synthetic";
    photo_ = synthetic_photo(subject_.canvas_width, subject_.canvas_height);
  } else {
    subject_.photo = options_.photo;
    DEEPLAB_ASSIGN_OR_RETURN(DecodedPhoto decoded,
                             decode_photo({options_.photo, ""}, options_.fit, subject_.canvas_width,
                                          subject_.canvas_height, false));
    photo_ = std::move(decoded.small);
  }
  subject_.photo_width = photo_.width;
  subject_.photo_height = photo_.height;
  return {};
}

Result<std::unique_ptr<api::Segmenter>> Bench::make_segmenter(int threads) const {
  api::SegmenterOptions options;
  options.threads = threads;
  options.fit = options_.fit;
  options.width = subject_.canvas_width;
  options.height = subject_.canvas_height;
  return api::Segmenter::create(model_, options);
}

Status Bench::measure_first_photo(int threads) {
  Measurement measurement;
  const Clock::time_point start = Clock::now();
  DEEPLAB_ASSIGN_OR_RETURN(const auto segmenter, make_segmenter(threads));
  measurement.prepare_ms = milliseconds_since(start);
  measurement.threads = segmenter->threads();
  measurement.macs = graph::macs(segmenter->plan().graph());
  std::vector<uint8_t> mask(static_cast<size_t>(photo_.width) * static_cast<size_t>(photo_.height));
  DEEPLAB_RETURN_IF_ERROR(segmenter->run(photo()));
  DEEPLAB_RETURN_IF_ERROR(
      segmenter->category_mask(photo_.width, photo_.height, mask.data(), photo_.width));
  measurement.peak_rss_mib = peak_rss_mib();
  measurements_.push_back(std::move(measurement));
  return {};
}

Status Bench::verify() {
  NetworkOptions options;
  options.executor = ExecutorKind::kNaive;
  options.size = {subject_.canvas_width, subject_.canvas_height};
  DEEPLAB_ASSIGN_OR_RETURN(const auto reference, Network::load(options_.model, options));
  const Clock::time_point start = Clock::now();
  DEEPLAB_RETURN_IF_ERROR(reference->run(photo(), options_.fit));
  subject_.naive_ms = milliseconds_since(start);
  for (const Measurement& measurement : measurements_) {
    DEEPLAB_ASSIGN_OR_RETURN(const auto segmenter, make_segmenter(measurement.threads));
    DEEPLAB_RETURN_IF_ERROR(verify_scores(*segmenter, *reference, photo(), options_.fit));
  }
  return {};
}

Status Bench::measure(Measurement& measurement) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto segmenter, make_segmenter(measurement.threads));
  DEEPLAB_RETURN_IF_ERROR(time_stages(*segmenter, photo(), options_.runs, measurement));
  DEEPLAB_ASSIGN_OR_RETURN(measurement.peak_gmacs_per_s,
                           peak_gmacs_per_s(segmenter->plan().options().isa, measurement.threads));
  if (!options_.profile) return {};
  DEEPLAB_ASSIGN_OR_RETURN(measurement.steps, profile_steps(*segmenter, photo(), options_.runs));
  return {};
}

std::vector<int> parse_thread_counts(const std::string& text) {
  std::vector<int> counts;
  for (const std::string& item : split_list(text)) {
    int count = -1;
    const char* end = item.data() + item.size();
    const auto parsed = std::from_chars(item.data(), end, count);
    if (parsed.ec != std::errc() || parsed.ptr != end || count < 0 || count > 256) {
      throw CLI::ValidationError("--threads", "'" + item + "' is not in 0..256");
    }
    counts.push_back(count);
  }
  return counts;
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  const auto options = std::make_shared<BenchOptions>();
  CLI::App* command = app.add_subcommand("bench", "Verify the output, then time every stage");
  add_model_option(*command, options->model);
  command
      ->add_option_function<std::string>(
          "--threads",
          [options](const std::string& text) { options->threads = parse_thread_counts(text); },
          "Thread counts, measured one after the other; 0 is one a CPU")
      ->type_name("N[,N...]");
  command->add_option("--runs", options->runs, "Photos a thread count, after the warm-up")
      ->check(CLI::Range(1, 1000000))
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--photo", options->photo,
                   "A photo; where not given, a synthetic one of the canvas' size")
      ->type_name("PHOTO");
  add_fit_option(*command, options->fit);
  add_size_option(*command, options->size);
  command->add_flag("--profile", options->profile, "A line a step of the network");
  add_json_flag(*command, options->json);
  command->callback([options, &action] {
    action = [options] {
      const Status status = Bench(*options).run();
      if (status.ok()) return ExitCode::kDone;
      print_error(status.message());
      return ExitCode::kFailed;
    };
  });
}

}  // namespace deeplab::app
