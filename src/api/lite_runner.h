// A segmentation network in TensorFlow Lite, without its label head, as the engine runs it: the
// masks are made of its scores by the same code.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "api/model.h"
#include "api/runner.h"
#include "tflite/file_copy.h"
#include "tflite_library/interpreter.h"

namespace deeplab::api {

/// What a delegate took of a model.
struct Delegation {
  int64_t macs = 0;  ///< Multiply-accumulates of the model; 0: not known.
  int64_t delegated_macs = 0;
  int ops = 0;
  int delegated_ops = 0;
  int partitions = 0;

  /// Of the multiply-accumulates, or of the ops if those are not known; 0..1.
  double share() const;
};

/// What the delegate of an interpreter took, whose op i has macs[i]. Errors: less than
/// `options.required_percent`; that much is required and the library does not say what it took.
Result<Delegation> find_delegation(const tflite_library::Interpreter& interpreter,
                                   std::span<const int64_t> macs,
                                   const tflite_library::Options& options);

/// What the library gets.
struct LiteFile {
  std::shared_ptr<const tflite::FileCopy> file;
  std::vector<int64_t> macs;  ///< By op of the file; all 0 with custom ops.
};
/// A whole model: the bytes of its file, or, if there are none that are `graph`, a file made of it.
/// `opaque_ops`: see tflite::ModelFile. Error: a graph that cannot be written as one.
Result<LiteFile> lite_file(std::optional<std::span<const std::byte>> file,
                           const graph::Graph& graph, int32_t opaque_ops = 0);

/// What TensorFlow Lite takes at least to run `graph`, in bytes: its constants, and the activations
/// that are alive at the same time. What its kernels pack and unfold comes on top of that; how
/// much, the library does not say.
int64_t least_bytes(const graph::Graph& graph);

class LiteRunner final : public Runner {
 public:
  /// `network`: the graph for the canvas, as the file has its types, with its label head cut off.
  /// `file`: the bytes of the file if `network` is its beginning; the library then gets these up to
  /// the scores, else a file made of `network`. Errors: those of
  /// tflite_library::Interpreter::create() and find_delegation(); a network that cannot be written
  /// as a file.
  static Result<std::unique_ptr<LiteRunner>> create(std::optional<std::span<const std::byte>> file,
                                                    const Network& network,
                                                    const tflite_library::Options& options,
                                                    int threads);

  std::span<std::byte> input() override { return interpreter_->input(0).bytes; }
  /// Looks at `control` before and after the network, which nothing can stop in between.
  Status run(const RunControl& control) override;
  vision::ScoreView scores() override { return scores_; }

  const tflite_library::Interpreter& interpreter() const { return *interpreter_; }
  const Delegation& delegation() const { return delegation_; }

 private:
  LiteRunner() = default;
  void add_background();

  std::unique_ptr<tflite_library::Interpreter> interpreter_;
  Delegation delegation_;
  vision::ScoreView scores_;
  float background_ = 0;            // of a one-class network: its other class' score
  std::vector<float> two_classes_;  // of a one-class network: [height][width][2]
};

}  // namespace deeplab::api
