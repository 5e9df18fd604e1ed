// A float graph as a torch network: runs its ops forward and backward, and gives the graph back
// with the weights it has learned.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "graph/graph.h"
#include "quantize/parameters.h"
#include "train/network/ops.h"
#include "train/network/options.h"

namespace deeplab::train {

/// A tensor that the optimizer changes.
struct Parameter {
  std::string name;
  torch::Tensor value;  ///< Shared by all threads; requires_grad unless it is frozen.
  bool decays = false;  ///< Filters decay, biases and batch norm do not.
  bool fresh = false;   ///< Did not come from a file: may learn faster.
};

/// Simulated 8-bit arithmetic (quantization-aware training): every activation that has a scale in
/// the quantized graph is rounded to it, filters and biases as quantize::quantize_graph() will.
struct FakeQuantization {
  /// By tensor id, from the int8 graph of the same network. Empty: none.
  std::vector<std::optional<quantize::ActivationQuantization>> activations;
  quantize::Granularity granularity = quantize::Granularity::kPerChannel;
  bool on() const { return !activations.empty(); }
};

/// That of an int8 graph, for the `activations` tensors of the float graph it was made from.
FakeQuantization fake_quantization(const graph::Graph& quantized, size_t activations);

/// Batch statistics that one forward pass measured, by batch norm.
struct BatchStatistics {
  std::vector<torch::Tensor> means;
  std::vector<torch::Tensor> variances;  ///< Unbiased.
};

class GraphNetwork {
 public:
  /// `graph` is a validated float32 segmentation network as a file has it, `crop` the canvas that
  /// is trained on. Errors: an op that has no gradient here, or a canvas it cannot take.
  static Result<GraphNetwork> create(const graph::Graph& graph, int32_t crop_height,
                                     int32_t crop_width, BatchNorm batch_norm);

  /// images [N,crop_height,crop_width,3] float32, normalized -> scores [N,h,w,classes] before the
  /// network's last resize. In training mode batch norm (kTrain) uses and reports the batch's own
  /// statistics. Safe from several threads at once, each with photos of its own.
  torch::Tensor forward(const torch::Tensor& images, bool training,
                        BatchStatistics* statistics = nullptr) const;

  /// After a step: running = (1 - momentum) * running + momentum * mean of `batch`.
  void update_running(const std::vector<BatchStatistics>& batch, double momentum);

  std::vector<Parameter>& parameters() { return parameters_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  /// Running means and variances: state that no gradient changes.
  std::vector<torch::Tensor>& buffers() { return buffers_; }

  /// Marks as fresh the parameters of the named layers.
  void mark_fresh(const std::vector<std::string>& layers);
  /// Freezes the convolutions before op `op` of the graph, or none for 0.
  void freeze_before(int op);
  /// The op after the last one of the backbone: where the first pooling stands.
  int backbone_end() const;

  void set_fake_quantization(FakeQuantization quantization);

  /// The graph at its own size with these values in place of parameters() (averaged ones, for
  /// instance), batch norm folded.
  graph::Graph export_graph(const std::vector<torch::Tensor>& values) const;
  std::vector<torch::Tensor> values() const;

  /// Whether the corners of the score map lie on the canvas' corners.
  bool align_corners() const { return align_corners_; }

 private:
  /// A convolution's parameters by position in parameters_; -1: none.
  struct Layer {
    int filter = -1;
    int bias = -1;
    int scale = -1;    // batch norm's gamma
    int offset = -1;   // and beta
    int running = -1;  // in buffers_: mean, then variance
  };
  GraphNetwork() = default;
  Status add_layers();
  int add_parameter(std::string name, torch::Tensor value, bool decays);
  torch::Tensor run(const graph::Op& op, size_t position, const std::vector<torch::Tensor>& tensors,
                    bool training, BatchStatistics* statistics) const;
  torch::Tensor convolution(const graph::Op& op, const Layer& layer, const torch::Tensor& x,
                            bool training, BatchStatistics* statistics) const;
  torch::Tensor linear_convolution(const graph::Op& op, const torch::Tensor& x,
                                   const torch::Tensor& filter, const torch::Tensor& bias,
                                   Activation activation) const;
  torch::Tensor quantized(const torch::Tensor& x, graph::TensorId id) const;

  graph::Graph original_;
  graph::Graph graph_;  ///< At the crop's size, cut after the scores.
  graph::TensorId scores_ = graph::kNoTensor;
  BatchNorm batch_norm_ = BatchNorm::kNone;
  std::vector<Layer> layers_;  ///< By op of graph_; the same ops as original_ begins with.
  std::vector<Parameter> parameters_;
  std::vector<torch::Tensor> buffers_;
  FakeQuantization fake_;
  bool align_corners_ = true;
};

}  // namespace deeplab::train
