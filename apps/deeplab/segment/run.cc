#include "apps/deeplab/segment/run.h"

#include <algorithm>
#include <new>
#include <system_error>
#include <thread>

#include "apps/deeplab/common/interrupt.h"
#include "base/stopwatch.h"

namespace deeplab::app {
namespace {

// A worker costs an arena of about 6 MB at 513x513; more threads than that go to the networks.
constexpr int kMaxWorkers = 16;
// Photos of today's cameras stay parallel. Mask and overlay take about 2 bytes a pixel (the mask,
// files on their way), a cut-out 16 (the photo, RGBA, two planes of probabilities): up to 270 MB a
// worker.
constexpr int64_t kPixelsAWorker = int64_t{1} << 24;

/// Room in the gate, as long as this lives.
class GatePass {
 public:
  GatePass(PixelGate& gate, int64_t pixels) : gate_(gate), pixels_(pixels) { gate.enter(pixels); }
  ~GatePass() { gate_.leave(pixels_); }
  GatePass(const GatePass&) = delete;
  GatePass& operator=(const GatePass&) = delete;

 private:
  PixelGate& gate_;
  int64_t pixels_;
};

}  // namespace

void PixelGate::enter(int64_t pixels) {
  std::unique_lock lock(mutex_);
  const uint64_t ticket = next_ticket_++;
  changed_.wait(
      lock, [&] { return ticket == served_ && (in_work_ == 0 || in_work_ + pixels <= limit_); });
  ++served_;
  in_work_ += pixels;
  changed_.notify_all();
}

void PixelGate::leave(int64_t pixels) {
  const std::lock_guard lock(mutex_);
  in_work_ -= pixels;
  changed_.notify_all();
}

Result<std::unique_ptr<SegmentRun>> SegmentRun::create(const Model& model, const Options& options,
                                                       OutputOptions output,
                                                       std::span<const Photo> photos, bool resume) {
  Options each = options;
  int workers = 1;
  if (photos.size() > 1) {
    const int cpus = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    const int threads = options.threads == 0 ? cpus : options.threads;
    workers = static_cast<int>(std::min({static_cast<size_t>(std::max(threads, 1)), photos.size(),
                                         static_cast<size_t>(kMaxWorkers)}));
    each.threads = threads / workers;
  }
  std::unique_ptr<SegmentRun> self(
      new SegmentRun(model.info().source, std::move(output), photos, options.fit, workers, resume));
  for (int i = 0; i < workers; ++i) {
    DEEPLAB_ASSIGN_OR_RETURN(Segmenter segmenter, Segmenter::create(model, each));
    self->workers_.push_back({std::move(segmenter), OutputWriter(self->output_, self->names_), {}});
  }
  return self;
}

SegmentRun::SegmentRun(std::string model_name, OutputOptions output, std::span<const Photo> photos,
                       Fit fit, int workers, bool resume)
    : model_name_(std::move(model_name)),
      output_(std::move(output)),
      photos_(photos),
      fit_(fit),
      resume_(resume),
      names_(output_.directory, photos),
      gate_(workers * kPixelsAWorker),
      results_(photos.size()) {}

Status SegmentRun::run(const Report& report) {
  {
    std::vector<std::jthread> threads;
    threads.reserve(workers_.size());
    try {
      for (size_t i = 1; i < workers_.size(); ++i) {
        threads.emplace_back([this, i, &report] { work(workers_[i], report); });
      }
    } catch (const std::system_error&) {  // the system gives no more threads: fewer will do
    } catch (const std::bad_alloc&) {
    }
    work(workers_[0], report);
  }
  return failed_;
}

/// noexcept: nobody could catch it on a thread of its own.
void SegmentRun::work(Worker& worker, const Report& report) noexcept {
  try {
    work_on_photos(worker, report);
  } catch (const std::bad_alloc&) {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    failed_ = out_of_memory();
  }
}

void SegmentRun::work_on_photos(Worker& worker, const Report& report) {
  while (std::optional<Task> task = next_task()) {
    if (!task->claimed.ok()) {
      keep(task->index, std::move(task->claimed), report);
      continue;
    }
    // A photo that does not fit into memory is that photo's failure, not the run's.
    try {
      keep(task->index, segment(photos_[task->index], worker), report);
    } catch (const std::bad_alloc&) {
      keep(task->index, resource_exhausted("not enough memory for this photo"), report);
    }
  }
}

/// Names are claimed in the order of the photos: of two with the same, the first one has them.
std::optional<SegmentRun::Task> SegmentRun::next_task() {
  const std::lock_guard lock(mutex_);
  if (stop_ || next_ == photos_.size() || InterruptGuard::requested()) return std::nullopt;
  const size_t index = next_++;
  return Task{index, names_.claim(photos_[index])};
}

Result<SegmentReport> SegmentRun::segment(const Photo& photo, Worker& worker) {
  const Stopwatch watch;
  DEEPLAB_ASSIGN_OR_RETURN(const PhotoFile file, read_photo(photo));
  const double read_ms = watch.milliseconds();
  if (resume_ && worker.writer.is_written(photo, file.info)) {
    SegmentReport report;
    report.was_there = true;
    return report;
  }
  const GatePass pass(gate_, int64_t{file.info.width} * file.info.height);
  return segment_file(photo, file, worker, read_ms);
}

Result<SegmentReport> SegmentRun::segment_file(const Photo& photo, const PhotoFile& file,
                                               Worker& worker, double read_ms) {
  Segmenter& segmenter = worker.segmenter;
  SegmentReport report;
  report.image = photo.path;
  report.model = model_name_;
  report.fit = fit_;
  report.labels = output_.labels;

  Stopwatch watch;
  const SegmenterInfo canvas = segmenter.info();
  DEEPLAB_ASSIGN_OR_RETURN(DecodedPhoto decoded,
                           decode_photo(file, static_cast<vision::Fit>(fit_), canvas.canvas_width,
                                        canvas.canvas_height, output_.write.uses_pixels()));
  report.times.decode = read_ms + watch.milliseconds();
  report.width = decoded.small.original_width;
  report.height = decoded.small.original_height;

  DEEPLAB_RETURN_IF_ERROR(segmenter.run(picture_of(decoded.small)));
  decoded.keep_own_size();
  worker.mask.resize(static_cast<size_t>(report.width) * static_cast<size_t>(report.height));
  DEEPLAB_RETURN_IF_ERROR(segmenter.category_mask(report.width, report.height, worker.mask));
  const Timing timing = segmenter.timing();
  report.times.prepare = timing.prepare_ms;
  report.times.infer = timing.infer_ms;
  report.times.labels = timing.labels_ms;

  watch.restart();
  DEEPLAB_ASSIGN_OR_RETURN(report.shares, class_shares(worker.mask, report.width, report.height));
  SegmentedPhoto segmented;
  segmented.photo = &photo;
  segmented.file = &file;
  segmented.decoded = &decoded;
  segmented.mask = {worker.mask, report.width, report.height};
  segmented.shares = report.shares;
  DEEPLAB_RETURN_IF_ERROR(worker.writer.write(segmented, segmenter));
  report.times.write = watch.milliseconds();
  return report;
}

void SegmentRun::keep(size_t index, Result<SegmentReport> result, const Report& report) {
  const std::lock_guard lock(mutex_);
  results_[index] = std::move(result);
  for (; !stop_ && reported_ < results_.size() && results_[reported_]; ++reported_) {
    if (!report(photos_[reported_], *results_[reported_])) stop_ = true;
    results_[reported_].reset();
  }
}

}  // namespace deeplab::app
