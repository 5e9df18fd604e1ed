// A model file, read, checked and understood: what deeplab_model points to.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/isa.h"
#include "base/memory_hook.h"
#include "base/status.h"
#include "passes/label_head.h"
#include "plan/plan.h"
#include "tflite/reader.h"
#include "vision/pixel_lut.h"

namespace deeplab::api {

/// The part of a model that a segmenter runs: from input pixels to the low-resolution scores,
/// the label head cut off.
struct Network {
  graph::Graph graph;
  passes::LabelHead head;
  graph::TensorId input = graph::kNoTensor;
  /// The file takes float32 and quantizes it itself; the graph begins after that QUANTIZE.
  bool input_quantize_cut = false;
  int32_t opaque_ops = 0;  ///< See tflite::ModelFile; more than 0: not for the engine.
  /// Of file_network(): the bytes of a file whose graph this is, which `bytes_owner` keeps, or
  /// nobody has to. Nothing: it is another graph, or no constant of it lies in them.
  std::optional<std::span<const std::byte>> bytes;
  std::shared_ptr<const void> bytes_owner;
};

/// A network planned for one canvas.
struct PlannedNetwork {
  std::shared_ptr<const plan::Plan> plan;
  int32_t canvas_height = 0;
  int32_t canvas_width = 0;
  passes::LabelHead head;
  graph::TensorId input = graph::kNoTensor;
  bool input_quantize_cut = false;
};

/// What somebody says of a model file that its metadata does not say, or says wrongly.
struct ModelOptions {
  /// One name per class instead of the metadata's, whose number is then not looked at.
  std::optional<std::vector<std::string>> labels;
  std::string labels_name = "the given labels";  ///< What messages call them: their file.
  /// value = (pixel - mean) / std with pixels 0..255, in R, G, B; each instead of the metadata's.
  std::optional<std::array<float, 3>> mean;
  std::optional<std::array<float, 3>> std;
  /// Of a file with several outputs: the name of one, or its index. Empty: the one with the largest
  /// picture.
  std::string output;
  /// Of a one-class network: from which probability on a pixel belongs to the class.
  float threshold = passes::kDefaultThreshold;
  /// A file with custom ops is read as far as that goes: only TensorFlow Lite with a delegate that
  /// knows them runs it, at its own canvas.
  bool allow_custom_ops = false;
};

/// The metadata's normalization, else the default, with what the options say instead. Error:
/// values that are none, see vision::make_normalization().
Result<vision::Normalization> choose_normalization(const tflite::Metadata& metadata,
                                                   const ModelOptions& options);
/// Error: labels that are not one per class. `name`: whose they are.
Status check_labels(size_t labels, int32_t classes, const std::string& name);

/// Immutable after load; share it between threads.
class Model {
 public:
  /// Reads a .tflite file of a segmentation network: one input [1, height, width, 3], scores or
  /// labels out. The file stays open, see release_weights(). Errors name the file; one of them is
  /// metadata with another number of labels than classes.
  static Result<std::shared_ptr<const Model>> load(const std::string& path,
                                                   const ModelOptions& options = {});
  /// The same from memory; `name` stands for the file in messages.
  static Result<std::shared_ptr<const Model>> parse(std::span<const std::byte> bytes,
                                                    const std::string& name,
                                                    const ModelOptions& options = {});
  /// The same without a copy: `owner` keeps the bytes alive.
  static Result<std::shared_ptr<const Model>> parse_in_place(std::shared_ptr<const void> owner,
                                                             std::span<const std::byte> bytes,
                                                             const std::string& name);
  /// From memory that lives as long as the program: the weights are used in place.
  static Result<std::shared_ptr<const Model>> parse_static(std::span<const std::byte> bytes,
                                                           const std::string& name,
                                                           const ModelOptions& options = {});

  const std::string& name() const { return name_; }
  /// As the file has it; its constants may have no bytes (ConstantBytes::drop()).
  const graph::Graph& graph() const { return file_ ? outline_ : contents_->file; }
  /// The same with all its constants. Error: the file has to be read again and cannot be.
  Result<std::shared_ptr<const graph::Graph>> graph_with_weights() const;
  const tflite::Metadata& metadata() const { return metadata_; }
  int32_t input_height() const { return input_height_; }
  int32_t input_width() const { return input_width_; }
  int32_t class_count() const { return static_cast<int32_t>(labels_.size()); }
  /// One per class: the options', else the metadata's, else VOC's if there are 21, else "class N".
  const std::vector<std::string>& labels() const { return labels_; }
  /// Whether these are names that somebody gave, and not "class N".
  bool has_label_names() const { return has_label_names_; }
  /// The options', else the metadata's, else the default.
  const vision::Normalization& normalization() const { return normalization_; }
  /// Whether it is not the default for want of anything better.
  bool is_normalization_known() const { return is_normalization_known_; }

  /// Of a file with custom ops graph() is its end alone, and nothing is known of its work.
  bool has_custom_ops() const { return opaque_ops_ > 0; }

  /// The head of the network at the file's own size.
  const passes::LabelHead& head() const { return head_; }

  /// The network planned for a canvas. Segmenters of the same canvas, threads, ISA, limits,
  /// output stride and current_memory_hook() share one plan and its packed weights for as long as
  /// any of them lives, or longer: see keep_plans(). While one thread plans, others may plan other
  /// canvases; those that want the same one wait for it. Only planning checks `limits` of memory
  /// and work: reading allocates no activations. `output_stride` 0 is the file's own; see
  /// passes::set_output_stride(). After release_weights() a new plan reads the file again.
  /// Thread-safe.
  Result<PlannedNetwork> plan(int32_t height, int32_t width, Isa isa, int threads,
                              const graph::Limits& limits, int32_t output_stride = 0) const;

  /// The file's own graph for a canvas, in the file's types, with its label head cut off and
  /// nothing else done to it: for a runtime that is not the engine. `head` is that of this graph.
  /// With the bytes of the file if it is its own canvas. Thread-safe.
  Result<Network> file_network(int32_t height, int32_t width, const graph::Limits& limits,
                               int32_t output_stride = 0) const;

  /// How many plans, those asked for last, live as long as the model. 0 in the beginning.
  /// Thread-safe.
  void keep_plans(size_t count) const;

  /// Frees the weights of a model that load() has read from a regular file: plans have packed
  /// theirs, and whoever needs them again reads the file again, and keeps them only as long.
  /// Nothing is done for other models, since nobody could read those again. Thread-safe.
  void release_weights() const;

 private:
  /// What plans are made of.
  struct Contents {
    graph::Graph file;  ///< As the file has it.
    Network network;    ///< At the file's own size.
    std::span<const std::byte> bytes;
    std::weak_ptr<const void> bytes_owner;  // the graph's constants keep it
    bool bytes_are_static = false;
    std::shared_ptr<const void> kept_bytes;  // of a file with custom ops: only they are the network
  };

  Model() = default;
  static Result<std::shared_ptr<const Model>> make(const std::shared_ptr<const void>& owner,
                                                   std::span<const std::byte> bytes,
                                                   const std::string& name,
                                                   const ModelOptions& options,
                                                   std::optional<InputFile> file = {});
  /// What plans need, and the rest of the file in `file`.
  Result<std::shared_ptr<const Contents>> read(const std::shared_ptr<const void>& owner,
                                               std::span<const std::byte> bytes,
                                               tflite::CustomOps custom,
                                               tflite::ModelFile& file) const;
  Result<std::shared_ptr<const Contents>> contents() const;
  Result<std::shared_ptr<const Contents>> read_again() const;
  Status understand(const ModelOptions& options);
  Result<graph::Graph> file_graph(const Contents& contents, int32_t height, int32_t width,
                                  const graph::Limits& limits, int32_t output_stride) const;
  Status check_classes(const passes::LabelHead& head, int32_t height, int32_t width) const;

  std::string name_;
  std::optional<InputFile> file_;  // to be read again; nothing: contents_ stays
  uint64_t file_hash_ = 0;         // of its bytes as they were loaded
  graph::Graph outline_;           // with file_: its graph, without the bytes of constants
  tflite::Metadata metadata_;
  int32_t opaque_ops_ = 0;
  int32_t input_height_ = 0;
  int32_t input_width_ = 0;
  std::vector<std::string> labels_;
  bool has_label_names_ = false;
  vision::Normalization normalization_;
  bool is_normalization_known_ = false;
  std::string output_;  ///< ModelOptions::output.
  float threshold_ = passes::kDefaultThreshold;
  passes::LabelHead head_;

  mutable std::mutex contents_mutex_;
  mutable std::shared_ptr<const Contents> contents_;  // null: released
  mutable std::weak_ptr<const Contents> read_again_;  // since then, while somebody needs them

  struct PlanKey {
    int32_t height = 0;
    int32_t width = 0;
    Isa isa = Isa::kScalar;
    int threads = 1;
    graph::Limits limits;
    int32_t output_stride = 0;
    MemoryHook allocator;
    bool operator==(const PlanKey&) const = default;
  };
  /// The plan for as long as somebody uses it.
  struct CachedPlan {
    PlanKey key;
    bool is_planning = false;  ///< A thread makes it: wait for planned_.
    std::weak_ptr<const plan::Plan> plan;
    PlannedNetwork network;  ///< Without it.
  };
  Result<PlannedNetwork> make_plan(const PlanKey& key) const;
  void keep(const std::shared_ptr<const plan::Plan>& plan) const;

  mutable std::mutex cache_mutex_;  // for all below; not held while a plan is made
  mutable std::condition_variable planned_;
  mutable std::vector<CachedPlan> cache_;
  mutable std::vector<std::shared_ptr<const plan::Plan>> kept_;  // the last one used first
  mutable size_t keep_count_ = 0;
};

}  // namespace deeplab::api
