// Batches of training samples, prepared ahead by worker threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "train/data/options.h"

namespace deeplab::train {

struct Batch {
  int32_t count = 0;   ///< n
  int32_t height = 0;  ///< Of the crop.
  int32_t width = 0;
  std::vector<uint8_t> pixels;    ///< [n][height][width][3] RGB
  std::vector<uint8_t> labels;    ///< [n][height][width]; 255 = ignore, everywhere without mask
  std::vector<uint8_t> has_mask;  ///< [n] 0 or 1
  std::vector<int32_t> content_height;  ///< [n] rows from the top that show the photo...
  std::vector<int32_t> content_width;   ///< ...and columns from the left; the rest is padding.
  std::vector<int64_t> sample_index;    ///< [n] the sample's number k in the run
  std::vector<int64_t> item;            ///< [n] its photo, by place in list_photos()
};

/// Sample number k of a run is a function of (seed, k, the options that describe the data): which
/// photo, and how it is varied. Step t of process `rank` has the samples
/// k = (t * world + rank) * batch ..., so a run may be resumed at any step, and two processes of
/// batch b see together what one process of batch 2b sees.
class Loader {
 public:
  /// Lists the photos and starts the workers. With rare_class_power it reads every mask first.
  /// Errors: validate()'s, list_photos()'s, and what reading masks gives.
  static Result<std::unique_ptr<Loader>> create(const LoaderOptions& options);
  /// Stops the workers; none waits for the consumer.
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The next step's batch, in order; waits until it is ready. A photo or mask that cannot be read
  /// is an error that names the file, given when its batch is due, and again from then on.
  /// One consumer thread.
  Result<Batch> next();

  /// Returns a batch's memory, to be used again. Optional: it saves the system clearing pages.
  void recycle(Batch batch);

  /// Seconds that next() waited for workers, all in all.
  double seconds_waited() const;

 private:
  struct Impl;
  explicit Loader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace deeplab::train
