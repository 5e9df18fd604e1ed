#include "apps/deeplab/segment/run.h"

#include <algorithm>

#include "apps/deeplab/common/interrupt.h"
#include "base/ordered_work.h"
#include "base/parallel.h"
#include "base/stopwatch.h"

namespace deeplab::app {
namespace {

// A worker costs an arena of about 6 MB at 513x513; more threads than that go to the networks.
constexpr int kMaxWorkers = 16;
// Photos of today's cameras stay parallel. A photo takes about 2 bytes per pixel (the mask, files
// on their way) if it is decoded by rows, 5 if not: up to 84 MB per worker.
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
  // An accelerator does one picture at a time, and is slow to get ready for the first.
  const bool one_at_a_time =
      options.tflite && !options.tflite->delegate.empty() && options.tflite->delegate != "xnnpack";
  if (photos.size() > 1 && !one_at_a_time) {
    DEEPLAB_ASSIGN_OR_RETURN(const int threads, ThreadPool::count_threads(options.threads));
    workers = static_cast<int>(
        std::min({static_cast<size_t>(threads), photos.size(), static_cast<size_t>(kMaxWorkers)}));
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
      gate_(workers * kPixelsAWorker) {}

Status SegmentRun::run(const Report& report) {
  // Names are claimed in the order of the photos: of two with the same, the first one has them.
  for (const Photo& photo : photos_) claims_.push_back(names_.claim(photo));
  OrderedWorkOptions options;
  options.workers = static_cast<int>(workers_.size());
  options.should_stop = InterruptGuard::requested;
  options.item_name = "photo";  // one that does not fit into memory fails alone, not the run
  const OrderedWorkEnd end = work_in_order(
      photos_.size(), options,
      [this](int worker, size_t i) -> Result<SegmentReport> {
        DEEPLAB_RETURN_IF_ERROR(claims_[i]);
        return segment(photos_[i], workers_[static_cast<size_t>(worker)]);
      },
      [&](size_t i, const Result<SegmentReport>& result) { return report(photos_[i], result); });
  reported_ = end.handed_out;
  return end.status;
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
                                        canvas.canvas_height, output_.decode));
  report.warning = decoded.small.warning;
  report.times.decode = read_ms + watch.milliseconds();
  report.width = decoded.small.original_width;
  report.height = decoded.small.original_height;

  DEEPLAB_RETURN_IF_ERROR(segmenter.run(picture_of(decoded.small)));
  decoded.keep_complete();
  worker.mask.resize(static_cast<size_t>(report.width) * static_cast<size_t>(report.height));
  DEEPLAB_RETURN_IF_ERROR(segmenter.category_mask(report.width, report.height, worker.mask));
  const Timing timing = segmenter.timing();
  report.times.prepare = timing.prepare_ms;
  report.times.infer = timing.infer_ms;
  report.times.labels = timing.labels_ms;

  watch.restart();
  DEEPLAB_ASSIGN_OR_RETURN(report.shares, class_shares(worker.mask, report.width, report.height));
  // A byte per pixel less for a cut-out, which may need the whole photo.
  if (!output_.write.uses_mask()) worker.mask = std::vector<uint8_t>();
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

}  // namespace deeplab::app
