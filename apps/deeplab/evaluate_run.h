// The work of `evaluate`: all photos of a dataset through the network, one thread per photo, and
// what is kept of them.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/model.h"
#include "eval/evaluation.h"
#include "eval/voc_dataset.h"
#include "evaluate_predict.h"
#include "evaluate_state.h"
#include "progress.h"

namespace deeplab::app {

struct EvaluateSetup {
  eval::Protocol protocol;  ///< A canvas of 0x0 is the model's own.
  int threads = 0;          ///< Photos at a time; 0: one per CPU.
  std::string predictions;  ///< Directory for the label maps, ID.png; empty: none.
  std::string state;        ///< File to resume from, and to keep up to date; empty: none.
};

/// Results do not depend on the number of threads, nor on how often a run with a state was stopped
/// and started again.
class EvaluateRun {
 public:
  /// Plans the network. Errors: a canvas that it cannot have.
  static Result<std::unique_ptr<EvaluateRun>> create(std::shared_ptr<const api::Model> model,
                                                     const eval::VocDataset& dataset,
                                                     EvaluateSetup setup);

  /// All photos that the state does not have yet. An error ends the run: a mask that does not fit
  /// the model, a file that cannot be written, a state of another run. A photo that cannot be
  /// read is not an error here, but one of errors(). A signal that asks to stop (InterruptGuard) is
  /// not one either: photos in progress are finished, and is_complete() is false.
  Status run(bool show_progress);

  bool is_complete() const { return next_ == todo_.size(); }
  /// Photos that the state does not have, or did not have before.
  size_t todo() const { return todo_.size(); }
  size_t begun() const { return next_; }

  /// By the order of the photos; then the state's, if it could not be written on the way.
  std::vector<Status> errors() const;
  const std::vector<std::optional<eval::PhotoScore>>& photos() const { return photos_; }
  eval::Evaluation evaluation() const;
  /// For a look at single photos after run().
  Predictor& predictor() { return *predictors_.front(); }

 private:
  struct PhotoResult {
    std::optional<eval::PhotoScore> score;
    Status error;
    bool fatal = false;
  };

  EvaluateRun(std::shared_ptr<const api::Model> model, const eval::VocDataset& dataset,
              EvaluateSetup setup);
  Status read_state();
  /// A thread's share of the photos.
  void work(Predictor& predictor) noexcept;
  void work_on_photos(Predictor& predictor);
  std::optional<size_t> next_photo();
  PhotoResult evaluate_photo(const eval::VocItem& item, Predictor& predictor) const;
  Status write_prediction(const eval::VocItem& item, const vision::MaskView& mask) const;
  void keep(size_t index, PhotoResult result);
  void save_now_and_then();
  std::string prediction_path(const eval::VocItem& item) const;

  using Clock = std::chrono::steady_clock;

  std::shared_ptr<const api::Model> model_;
  const eval::VocDataset& dataset_;
  EvaluateSetup setup_;
  std::optional<EvaluateState> state_;                  // if one is wanted
  std::vector<std::unique_ptr<Predictor>> predictors_;  // one per thread
  std::vector<size_t> todo_;                            // photos, in order

  std::mutex mutex_;  // guards what follows while threads run
  size_t next_ = 0;   // of todo_
  bool stop_ = false;
  std::vector<std::optional<eval::PhotoScore>> photos_;
  std::vector<Status> photo_errors_;                // by photo
  std::optional<std::pair<size_t, Status>> fatal_;  // of the first photo that has one
  Status state_error_;
  bool out_of_memory_ = false;  // even to keep a result, so that the run stopped
  std::unique_ptr<Progress> progress_;
  Clock::time_point saved_;
  Clock::duration saving_took_{};
};

}  // namespace deeplab::app
