// The photos of one `segment` call: several in progress at a time, their reports in order.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "apps/deeplab/common/photos.h"
#include "apps/deeplab/segment/output.h"
#include "apps/deeplab/segment/report.h"
#include "deeplab/deeplab.hpp"

namespace deeplab::app {

/// Keeps the photos in progress at a time to a number of pixels, so that memory does not grow with
/// the number of workers times the largest photo. First come, first served.
class PixelGate {
 public:
  explicit PixelGate(int64_t limit) : limit_(limit) {}
  PixelGate(const PixelGate&) = delete;
  PixelGate& operator=(const PixelGate&) = delete;

  /// Waits until there is room; a photo above the limit waits until it is alone.
  void enter(int64_t pixels);
  void leave(int64_t pixels);

 private:
  const int64_t limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t in_work_ = 0;
  uint64_t next_ticket_ = 0;
  uint64_t served_ = 0;
};

/// A worker takes a photo from file to files: one decodes while another infers or writes, and no
/// core waits for another. A single photo gets all threads for its network instead. Neither the
/// files nor the order of the reports depend on the number of threads.
class SegmentRun {
 public:
  /// `photos` must outlive the run. `options.threads` is for the run as a whole, 0 being one per
  /// CPU. `resume`: photos whose outputs are there are skipped (OutputWriter::is_written()).
  static Result<std::unique_ptr<SegmentRun>> create(const Model& model, const Options& options,
                                                    OutputOptions output,
                                                    std::span<const Photo> photos, bool resume);

  /// Gets the result of each photo. False ends the run.
  using Report = std::function<bool(const Photo& photo, const Result<SegmentReport>& result)>;

  /// Works until all photos are done, `report` says false, or a signal asks to stop
  /// (InterruptGuard): photos in progress are then finished. `report` is called in the order of the
  /// photos, once all before it are done, by one thread at a time. Error: no memory to continue.
  Status run(const Report& report);
  /// How many photos `report` was told of.
  size_t reported() const { return reported_; }

 private:
  /// What a thread needs for itself.
  struct Worker {
    Segmenter segmenter;
    OutputWriter writer;
    std::vector<uint8_t> mask;
  };
  SegmentRun(std::string model_name, OutputOptions output, std::span<const Photo> photos, Fit fit,
             int workers, bool resume);
  Result<SegmentReport> segment(const Photo& photo, Worker& worker);
  Result<SegmentReport> segment_file(const Photo& photo, const PhotoFile& file, Worker& worker,
                                     double read_ms);

  const std::string model_name_;
  const OutputOptions output_;
  const std::span<const Photo> photos_;
  const Fit fit_;
  const bool resume_;
  OutputNames names_;
  PixelGate gate_;
  std::vector<Worker> workers_;

  std::vector<Status> claims_;  // by photo: whether its names are free
  size_t reported_ = 0;
};

}  // namespace deeplab::app
