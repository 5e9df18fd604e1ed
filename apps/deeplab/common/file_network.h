// A model file as the plain graph it is, on any executor: nothing cut off its ends
// and every tensor readable. `run` writes it out, `compare` compares it, and `bench` verifies
// against.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/lite_runner.h"
#include "api/model.h"
#include "apps/deeplab/common/options.h"
#include "base/isa.h"
#include "base/parallel.h"
#include "base/status.h"
#include "exec/executor.h"
#include "graph/graph.h"
#include "kernels/requantize.h"
#include "passes/label_head.h"
#include "tflite_library/interpreter.h"
#include "vision/image_view.h"
#include "vision/labels.h"
#include "vision/placement.h"

namespace deeplab::app {

enum class ExecutorKind : uint8_t { kPlanned, kNaive };

/// "planned", "naive".
std::string_view executor_name(ExecutorKind kind);
Result<ExecutorKind> executor_from_name(std::string_view name);
/// "engine", "tflite".
std::string_view rounding_name(kernels::Rounding rounding);
Result<kernels::Rounding> rounding_from_name(std::string_view name);

struct FileNetworkOptions {
  ExecutorKind executor = ExecutorKind::kPlanned;
  kernels::Rounding rounding = kernels::Rounding::kEngine;  ///< kTfLite: naive only.
  std::optional<Isa> isa;  ///< Planned only. Nothing: selected_isa().
  int threads = 0;         ///< Planned only. 0: one per CPU.
  CanvasSize size;
  int32_t output_stride = 0;  ///< 0: the model's own.
  api::ModelOptions model;    ///< Labels are only counted: nothing here has names.
  /// Naive only: after the passes, if the float graph has what a pass rounds elsewhere: batch norms
  /// to fold, TRANSPOSE_CONV to split. The other passes change no byte, so without these they are
  /// left out, and what they do is checked, too.
  bool move_roundings = false;
  /// TensorFlow Lite runs it instead of an executor, with `threads`: it holds its outputs only.
  std::shared_ptr<const tflite_library::Options> tflite;
  /// In TensorFlow Lite: it is given a file in which the result of every op is an output, so that
  /// it holds them all.
  bool keep_all_tensors = false;
  /// Of a segmentation network in TensorFlow Lite: without its label head, so that there are scores
  /// for labels(), and no other output.
  bool scores_only = false;
};

/// One file on one executor; one thread at a time.
class FileNetwork {
 public:
  /// An empty path stands for the built-in model. Errors name the file: unreadable, not one input
  /// of [1, height, width, 3] in float32, int8 or uint8, a size that the graph cannot follow, an op
  /// that the executor cannot run.
  static Result<std::unique_ptr<FileNetwork>> load(const std::string& path,
                                                   const FileNetworkOptions& options);

  /// The photo onto the canvas, normalised as the file's metadata asks, and all ops.
  Status run(const vision::ImageView& photo, vision::Fit fit);

  const std::string& path() const { return path_; }
  /// "planned avx2, 2 threads", "naive, tflite rounding", "TensorFlow Lite 2.9.0, 2 threads".
  std::string description() const;
  const FileNetworkOptions& options() const { return options_; }
  int32_t canvas_width() const { return input_shape()[2]; }
  int32_t canvas_height() const { return input_shape()[1]; }
  /// The file's graph at the size asked for, in the file's types; its tensor ids are those below.
  const graph::Graph& file_graph() const { return file_graph_; }

  /// What runs it, if TensorFlow Lite does not; ids as above, types as the engine has them.
  exec::Executor& executor() { return *executor_; }
  /// What TensorFlow Lite's delegate took; nothing: an executor runs it.
  const std::optional<api::Delegation>& delegation() const { return delegation_; }

  /// Whether the values of `id` can be read; those of a tensor that a pass has removed cannot.
  bool holds(graph::TensorId id) { return !stored(id).empty(); }
  /// The elements of an activation in the engine's types (int8 if the file has uint8); empty
  /// if it is not held.
  std::span<const std::byte> stored(graph::TensorId id);
  /// The same in the file's own type, little-endian.
  std::vector<std::byte> values(graph::TensorId id);
  /// The same as real numbers: scale * (stored - zero point) of a quantized tensor.
  std::vector<float> real_values(graph::TensorId id);

  /// The tensor that the label map is made of. An error if this is not a segmentation network.
  Result<graph::TensorId> scores_tensor() const;
  /// The label map of the last photo at its own size, made of scores_tensor() as `segment` makes
  /// it: rows tight, class ids.
  Result<std::vector<uint8_t>> labels();
  /// The same at another size, as Segmenter::category_mask() does.
  Result<std::vector<uint8_t>> labels(int32_t width, int32_t height);

 private:
  FileNetwork() = default;
  /// `file`: what was read.
  Status make_executor(std::span<const std::byte> file);
  Status make_engine();
  Status make_tflite(std::span<const std::byte> file, bool is_as_in_file,
                     std::span<const graph::TensorId> all_outputs);
  /// The file for it, with the tensors that it then holds in lite_outputs_.
  Result<api::LiteFile> lite_file_for(std::optional<std::span<const std::byte>> file,
                                      std::span<const graph::TensorId> all_outputs);
  const tflite_library::Interpreter& interpreter() const {
    return lite_ != nullptr ? lite_->interpreter() : *whole_file_;
  }
  /// The graph whose types stored() has.
  const graph::Graph& running_graph() const {
    return executor_ != nullptr ? executor_->graph() : file_graph_;
  }
  const graph::Shape& input_shape() const {
    return file_graph_.tensor(file_graph_.inputs.front()).shape;
  }

  std::string path_;
  FileNetworkOptions options_;
  graph::Graph file_graph_;
  int32_t opaque_ops_ = 0;  ///< See tflite::ModelFile.
  vision::Normalization normalization_;
  std::optional<Result<passes::LabelHead>> head_;
  std::unique_ptr<ThreadPool> pool_;
  std::unique_ptr<exec::Executor> executor_;  // or one of the next two
  std::unique_ptr<tflite_library::Interpreter> whole_file_;
  std::unique_ptr<api::LiteRunner> lite_;
  std::vector<graph::TensorId> lite_outputs_;  // of either, by position
  std::optional<api::Delegation> delegation_;
  std::optional<vision::Placement> placement_;
};

}  // namespace deeplab::app
