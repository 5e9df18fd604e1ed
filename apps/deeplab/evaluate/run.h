// The work of `evaluate`: all photos of a dataset through the network, and what is kept of them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/model.h"
#include "apps/deeplab/common/progress.h"
#include "apps/deeplab/evaluate/state.h"
#include "base/stopwatch.h"
#include "eval/evaluation.h"
#include "eval/evaluator.h"
#include "eval/voc_dataset.h"

namespace deeplab::app {

struct EvaluateSetup {
  eval::Protocol protocol;                        ///< A canvas of 0x0 is the model's own.
  int threads = 0;                                ///< Photos at a time; 0: one per CPU.
  std::shared_ptr<const eval::ClassMap> classes;  ///< Of the masks; null: they hold class ids.
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

  bool is_complete() const { return begun_ == todo_.size(); }
  /// Photos that the state does not have, or did not have before.
  size_t todo() const { return todo_.size(); }
  size_t begun() const { return begun_; }

  /// By the order of the photos; then the state's, if it could not be written on the way.
  std::vector<Status> errors() const;
  const std::vector<std::optional<eval::PhotoScore>>& photos() const { return photos_; }
  eval::Evaluation evaluation() const;
  /// The class that the model found in every pixel of every photo, if there is such a class.
  static std::optional<size_t> only_class(const eval::Evaluation& evaluation);
  /// For a look at single photos after run().
  eval::Predictor& predictor() { return evaluator_->predictor(0); }

 private:
  EvaluateRun(std::shared_ptr<const api::Model> model, const eval::VocDataset& dataset,
              EvaluateSetup setup);
  Status read_state();
  Status write_prediction(const eval::VocItem& item, const vision::MaskView& mask) const;
  bool keep(size_t photo, eval::EvaluatedPhoto result);
  void save_now_and_then();
  std::string prediction_path(const eval::VocItem& item) const;

  std::shared_ptr<const api::Model> model_;
  const eval::VocDataset& dataset_;
  EvaluateSetup setup_;
  std::optional<EvaluateState> state_;  // if one is wanted
  std::unique_ptr<eval::Evaluator> evaluator_;
  std::vector<size_t> todo_;  // photos, in order
  size_t begun_ = 0;          // of todo_
  std::vector<std::optional<eval::PhotoScore>> photos_;
  std::vector<Status> photo_errors_;  // by photo
  Status fatal_;                      // of the first photo that has one
  Status state_error_;
  std::unique_ptr<Progress> progress_;
  Stopwatch since_saved_;
  Stopwatch::Clock::duration saving_took_{};
};

}  // namespace deeplab::app
