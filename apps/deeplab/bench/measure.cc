#include "apps/deeplab/bench/measure.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <numeric>

#include "base/parallel.h"
#include "base/stopwatch.h"
#include "imageio/reader.h"
#include "imageio/writer.h"
#include "vision/palette.h"

namespace deeplab::app {
namespace {

/// Calls body() until caches, page tables and clock have had time to settle, at least twice.
template <typename Body>
Result<WarmUp> warm_up(const Body& body) {
  constexpr double kSeconds = 0.2;
  const Stopwatch watch;
  WarmUp warmup;
  double seconds = 0;
  while (warmup.runs < 2 || seconds < kSeconds) {
    DEEPLAB_RETURN_IF_ERROR(body());
    seconds = watch.seconds();
    if (warmup.runs++ == 0) warmup.first_ms = seconds * 1e3;
  }
  warmup.average_ms = seconds * 1e3 / warmup.runs;
  return warmup;
}

/// Warms up, then times `runs` calls.
template <typename Body>
Result<Spread> time_calls(int runs, const Body& body) {
  DEEPLAB_RETURN_IF_ERROR(warm_up(body).status());
  std::vector<double> samples;
  for (int run = 0; run < runs; ++run) {
    const Stopwatch watch;
    DEEPLAB_RETURN_IF_ERROR(body());
    samples.push_back(watch.seconds() * 1e3);
  }
  return spread_of(std::move(samples));
}

}  // namespace

Spread spread_of(std::vector<double> samples) {
  if (samples.empty()) return {};
  std::ranges::sort(samples);
  const size_t n = samples.size();
  const auto count = static_cast<double>(n);
  const auto nearest_rank = [&](double share) {
    return samples[static_cast<size_t>(std::ceil(share * count)) - 1];
  };
  Spread spread;
  spread.median = (samples[(n - 1) / 2] + samples[n / 2]) / 2;
  spread.min = samples.front();
  spread.max = samples.back();
  spread.average = std::accumulate(samples.begin(), samples.end(), 0.0) / count;
  double squares = 0;
  for (double sample : samples) squares += (sample - spread.average) * (sample - spread.average);
  spread.deviation = std::sqrt(squares / count);
  spread.p5 = nearest_rank(0.05);
  spread.p95 = nearest_rank(0.95);
  return spread;
}

imageio::Image synthetic_photo(int32_t width, int32_t height) {
  imageio::Image image;
  image.width = image.original_width = width;
  image.height = image.original_height = height;
  image.channels = 3;
  image.pixels.resize(static_cast<size_t>(width) * static_cast<size_t>(height) * 3);
  uint32_t random = 2463534242u;  // Marsaglia's xorshift32 and its seed
  size_t at = 0;
  for (int32_t y = 0; y < height; ++y) {
    for (int32_t x = 0; x < width; ++x) {
      random ^= random << 13;
      random ^= random >> 17;
      random ^= random << 5;
      const double u = (x + 0.5) / width;
      const double v = (y + 0.5) / height;
      const auto noise = static_cast<double>(random % 32);
      const bool in_disc =
          std::hypot(std::fmod(u * 3, 1.0) - 0.5, std::fmod(v * 3, 1.0) - 0.5) < 0.3;
      for (const double base : {190 * u, 190 * v, 190 * (1 - u)}) {
        image.pixels[at++] = static_cast<uint8_t>((in_disc ? 220 - base : base) + noise);
      }
    }
  }
  return image;
}

Result<PhotoFile> synthetic_file(int32_t width, int32_t height) {
  constexpr int kQuality = 90;
  PhotoFile file;
  file.name = "synthetic";
  const imageio::Image photo = synthetic_photo(width, height);
  DEEPLAB_ASSIGN_OR_RETURN(file.bytes, imageio::encode_jpeg(width, height, photo.pixels, kQuality));
  DEEPLAB_ASSIGN_OR_RETURN(file.info, imageio::probe_image(file.bytes, file.name));
  return file;
}

Status run_once(api::Segmenter& segmenter, const vision::ImageView& photo, LabelMap& labels) {
  DEEPLAB_RETURN_IF_ERROR(segmenter.run(photo));
  return segmenter.category_mask(labels.width, labels.height, labels.ids.data(), labels.width);
}

Status time_network(api::Segmenter& segmenter, const vision::ImageView& photo, LabelMap& labels,
                    int runs, Measurement& measurement) {
  const auto once = [&] { return run_once(segmenter, photo, labels); };
  DEEPLAB_ASSIGN_OR_RETURN(measurement.warmup, warm_up(once));
  std::vector<double> input, infer, label, total;
  for (int run = 0; run < runs; ++run) {
    const Stopwatch watch;
    DEEPLAB_RETURN_IF_ERROR(once());
    total.push_back(watch.seconds() * 1e3);
    input.push_back(segmenter.timing().prepare_ms);
    infer.push_back(segmenter.timing().infer_ms);
    label.push_back(segmenter.timing().labels_ms);
  }
  measurement.input = spread_of(std::move(input));
  measurement.infer = spread_of(std::move(infer));
  measurement.labels = spread_of(std::move(label));
  measurement.total = spread_of(std::move(total));
  return {};
}

Result<Spread> time_decode(const PhotoFile& file, vision::Fit fit, int32_t canvas_width,
                           int32_t canvas_height, int runs) {
  return time_calls(runs,
                    [&] { return decode_photo(file, fit, canvas_width, canvas_height).status(); });
}

Result<Spread> time_write(const LabelMap& labels, int runs) {
  return time_calls(runs, [&] {
    return imageio::encode_png_indexed(labels.width, labels.height, labels.ids, vision::kVocPalette)
        .status();
  });
}

Result<std::vector<StepProfile>> profile_steps(api::Segmenter& segmenter,
                                               const vision::ImageView& photo, int runs) {
  exec::PlannedExecutor& executor = segmenter.executor();
  std::vector<std::vector<double>> samples(static_cast<size_t>(executor.step_count()));
  executor.set_profiling(true);
  for (int run = 0; run < runs; ++run) {
    executor.reset_profile();
    DEEPLAB_RETURN_IF_ERROR(segmenter.run(photo));
    for (size_t i = 0; i < samples.size(); ++i) {
      samples[i].push_back(static_cast<double>(executor.step_nanoseconds()[i]) * 1e-6);
    }
  }
  executor.set_profiling(false);
  const graph::Graph& graph = executor.graph();
  std::vector<StepProfile> steps;
  for (int i = 0; i < executor.step_count(); ++i) {
    const graph::Op& op = graph.ops[static_cast<size_t>(executor.step_op(i))];
    int64_t macs = 0;
    for (int at : executor.step_ops(i)) {
      macs += graph::macs(graph, graph.ops[static_cast<size_t>(at)]);
    }
    steps.push_back({op.index, std::string(graph::op_name(op.attributes)), executor.step_kernel(i),
                     graph.tensor(executor.step_output(i)).shape, macs,
                     spread_of(std::move(samples[static_cast<size_t>(i)])).median});
  }
  return steps;
}

peak::Operands operands_of(const graph::Graph& graph) {
  int64_t of_floats = 0;
  for (const graph::Op& op : graph.ops) {
    if (graph.tensor(op.output()).type == graph::DataType::kFloat32) {
      of_floats += graph::macs(graph, op);
    }
  }
  return 2 * of_floats > graph::macs(graph) ? peak::Operands::kFloat32 : peak::Operands::kInt8;
}

Result<double> peak_gmacs_per_s(Isa isa, peak::Operands operands, int threads) {
  const peak::Loop& loop = peak::best_loop(isa, operands);
  DEEPLAB_ASSIGN_OR_RETURN(const auto pool, ThreadPool::create(threads));
  // Slices short enough that some of them are not interrupted: a thread's peak is the best of
  // them, and nothing waits for another thread in between.
  constexpr int64_t kSliceMacs = int64_t{1} << 25;
  constexpr int kSlices = 64;
  const int64_t iterations = kSliceMacs / loop.macs_per_iteration;
  const auto macs = static_cast<double>(iterations * loop.macs_per_iteration);
  std::vector<double> best(static_cast<size_t>(pool->threads()));
  std::atomic<int32_t> sink{0};  // somebody must want the results
  pool->parallel_for(best.size(), 1, [&](size_t begin, size_t end) {
    for (size_t thread = begin; thread < end; ++thread) {
      for (int slice = 0; slice < kSlices; ++slice) {
        const Stopwatch watch;
        sink += loop.run(iterations);
        best[thread] = std::max(best[thread], macs / watch.seconds() * 1e-9);
      }
    }
  });
  return std::accumulate(best.begin(), best.end(), 0.0);
}

}  // namespace deeplab::app
