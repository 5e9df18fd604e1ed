// The work of `evaluate`: all photos of a dataset through the network, a thread a photo, and what
// is counted on the way.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/model.h"
#include "api/segmenter.h"
#include "eval/scores.h"
#include "eval/voc_dataset.h"
#include "options.h"
#include "progress.h"

namespace deeplab::app {

/// How photos get through the network; all of it changes the scores but `threads`.
struct EvaluateSetup {
  vision::Fit fit = vision::Fit::kPad;
  CanvasSize size;
  int threads = 0;
};

/// What was measured, and how.
struct Evaluation {
  std::string dataset;
  std::string split;
  std::string model;
  std::vector<std::string> labels;
  EvaluateSetup setup;  ///< With the sizes that were used.
  int64_t images = 0;   ///< Photos that count.
  int64_t failed = 0;   ///< Photos that do not, since they or their masks could not be read.
  eval::Confusion confusion{1};
  eval::Scores scores;
};

class EvaluateRun {
 public:
  EvaluateRun(std::shared_ptr<const api::Model> model, const eval::VocDataset& dataset,
              const EvaluateSetup& setup);

  /// All photos. An error ends the run: the model cannot be planned, or a mask does not go with
  /// the model. Photos that cannot be read are errors() instead.
  Status run(bool show_progress);

  /// By the order of the photos.
  std::vector<Status> errors() const;
  Evaluation evaluation() const;

 private:
  struct PhotoResult {
    std::optional<eval::Confusion> confusion;
    Status error;
    bool fatal = false;
  };

  /// A thread's share of the photos.
  void work(api::Segmenter& segmenter);
  std::optional<size_t> next_photo();
  PhotoResult evaluate_photo(const eval::VocItem& item, api::Segmenter& segmenter) const;
  void keep(size_t index, PhotoResult result);

  std::shared_ptr<const api::Model> model_;
  const eval::VocDataset& dataset_;
  EvaluateSetup setup_;

  std::mutex mutex_;  // guards what follows
  size_t next_ = 0;
  bool stop_ = false;
  std::vector<PhotoResult> results_;  // by photo
  std::unique_ptr<Progress> progress_;
};

}  // namespace deeplab::app
