// Models at work on a dataset: each photo decoded, segmented and held against its mask, by one rule
// for `deeplab evaluate`, `quantize --validate` and the validation of a training run.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/model.h"
#include "base/ordered_work.h"
#include "eval/evaluation.h"
#include "eval/predictor.h"
#include "eval/voc_dataset.h"

namespace deeplab::eval {

/// A model and how it turns photos into masks.
struct Candidate {
  std::shared_ptr<const api::Model> model;
  Protocol protocol;  ///< A canvas of 0x0 is the model's own.
};

struct EvaluatorOptions {
  int threads = 0;         ///< Photos at a time; 0: one per CPU.
  bool boundaries = true;  ///< Boundary scores, too.
  /// What the masks' values stand for; null: they are class ids.
  std::shared_ptr<const ClassMap> classes = nullptr;
  /// Reads a photo's mask as class ids; empty: read_mask() with `classes`.
  std::function<Result<imageio::Image>(const VocItem& item)> read_mask = nullptr;
  /// Told of each mask that a candidate made, by several threads at a time; may be empty. An error
  /// is fatal.
  std::function<Status(const VocItem& item, size_t candidate, const vision::MaskView& mask)>
      keep_mask = nullptr;
};

/// The class map in a file, with the ids of the model's classes; null for an empty path. A model
/// without names for its classes has them in the file's order.
Result<std::shared_ptr<const ClassMap>> read_class_map(const std::string& path,
                                                       const api::Model& model);

/// What became of a photo.
struct EvaluatedPhoto {
  std::vector<PhotoScore> scores;  ///< By candidate; empty if there is an error.
  Status error;                    ///< Names the file.
  std::string warning;             ///< Of a damaged photo that was read nevertheless; or empty.
  bool is_fatal = false;           ///< It would hit other photos, too: a mask of other classes.
};

/// Results do not depend on the number of threads.
class Evaluator {
 public:
  /// Plans the networks, for at most `photos` photos. At least one candidate; the photo is decoded
  /// once, for the largest canvas of all. Errors: a canvas or an output stride that a model cannot
  /// have.
  static Result<std::unique_ptr<Evaluator>> create(std::vector<Candidate> candidates, size_t photos,
                                                   EvaluatorOptions options);

  /// The photos `which` of the dataset. `hand_out` is told in their order, one at a time; false
  /// ends the run, as should_stop does (see work_in_order()).
  OrderedWorkEnd run(const VocDataset& dataset, std::span<const size_t> which,
                     const std::function<bool()>& should_stop,
                     const std::function<bool(size_t photo, EvaluatedPhoto result)>& hand_out);

  /// The scores of each candidate on the whole dataset. `advance` (may be empty) is told after each
  /// photo what is wrong with one that was read nevertheless, or nothing. Error: the first photo's
  /// that has one.
  Result<std::vector<Scores>> scores(
      const VocDataset& dataset,
      const std::function<void(const VocItem& item, const std::string& warning)>& advance =
          nullptr);

  /// With the canvas that was planned.
  const Protocol& protocol(size_t candidate) const { return candidates_[candidate].protocol; }
  /// For a look at single photos after a run.
  Predictor& predictor(size_t candidate) { return *workers_.front()[candidate]; }

 private:
  using Worker = std::vector<std::unique_ptr<Predictor>>;  // by candidate

  Evaluator(std::vector<Candidate> candidates, EvaluatorOptions options)
      : candidates_(std::move(candidates)), options_(std::move(options)) {}
  EvaluatedPhoto evaluate(const VocItem& item, Worker& worker) const;
  Result<imageio::Image> read_mask(const VocItem& item, const imageio::Image& photo) const;
  Result<PhotoScore> score(const VocItem& item, const imageio::Image& photo,
                           const imageio::Image& truth, size_t candidate, Worker& worker,
                           bool& is_fatal) const;

  std::vector<Candidate> candidates_;
  EvaluatorOptions options_;
  std::vector<Worker> workers_;
};

}  // namespace deeplab::eval
