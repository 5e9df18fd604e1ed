#include "apps/deeplab/common/file_network.h"

#include <algorithm>
#include <cstring>

#include "api/vision_terms.h"
#include "apps/deeplab/common/builtin_model.h"
#include "base/file.h"
#include "exec/naive_executor.h"
#include "exec/planned_executor.h"
#include "passes/output_stride.h"
#include "passes/pipeline.h"
#include "passes/shift_uint8.h"
#include "plan/plan.h"
#include "tflite/reader.h"
#include "vision/pixel_lut.h"
#include "vision/prepare.h"

namespace deeplab::app {
namespace {

using graph::DataType;

template <typename T>
std::vector<float> to_float(std::span<const std::byte> bytes, vision::Quantization q) {
  std::vector<float> real(bytes.size() / sizeof(T));
  for (size_t i = 0; i < real.size(); ++i) {
    T stored;
    std::memcpy(&stored, bytes.data() + i * sizeof(T), sizeof(T));
    real[i] = q.scale * static_cast<float>(static_cast<double>(stored) - q.zero_point);
  }
  return real;
}

}  // namespace

std::string_view executor_name(ExecutorKind kind) {
  return kind == ExecutorKind::kPlanned ? "planned" : "naive";
}

Result<ExecutorKind> executor_from_name(std::string_view name) {
  for (ExecutorKind kind : {ExecutorKind::kPlanned, ExecutorKind::kNaive}) {
    if (executor_name(kind) == name) return kind;
  }
  return invalid_argument("unknown executor '", name, "'; expected planned or naive");
}

std::string_view rounding_name(kernels::Rounding rounding) {
  return rounding == kernels::Rounding::kEngine ? "engine" : "tflite";
}

Result<kernels::Rounding> rounding_from_name(std::string_view name) {
  for (kernels::Rounding rounding : {kernels::Rounding::kEngine, kernels::Rounding::kTfLite}) {
    if (rounding_name(rounding) == name) return rounding;
  }
  return invalid_argument("unknown rounding '", name, "'; expected engine or tflite");
}

Result<std::unique_ptr<FileNetwork>> FileNetwork::load(const std::string& path,
                                                       const FileNetworkOptions& options) {
  std::vector<std::byte> stored;
  if (!path.empty()) {
    DEEPLAB_ASSIGN_OR_RETURN(stored, read_file(path, tflite::kMaxFileBytes));
  }
  const std::span<const std::byte> bytes =
      path.empty() ? std::span<const std::byte>(builtin_model()) : stored;
  DEEPLAB_ASSIGN_OR_RETURN(
      tflite::ModelFile file,
      tflite::read_model(
          bytes, path.empty() ? kBuiltinModelName : path, {},
          options.model.allow_custom_ops ? tflite::CustomOps::kAllow : tflite::CustomOps::kRefuse));
  std::unique_ptr<FileNetwork> self(new FileNetwork());
  self->path_ = path;
  self->options_ = options;
  self->file_graph_ = std::move(file.graph);
  self->opaque_ops_ = file.opaque_ops;
  auto normalization = api::choose_normalization(file.metadata, options.model);
  if (!normalization.ok()) return annotate(normalization.status(), path);
  self->normalization_ = *normalization;
  DEEPLAB_RETURN_IF_ERROR(annotate(self->make_executor(bytes), path));
  if (options.model.labels && self->head_->ok()) {
    size_t labels = options.model.labels->size();
    if ((*self->head_)->one_class && labels == 1) ++labels;  // the background's
    DEEPLAB_RETURN_IF_ERROR(
        api::check_labels(labels, (*self->head_)->classes, options.model.labels_name));
  }
  return self;
}

namespace {

/// Optimizes the graph if a pass would move a rounding in it, and leaves it alone if not.
Status move_roundings(graph::Graph& graph) {
  graph::Graph moved = graph;
  graph::Graph same = graph;
  DEEPLAB_RETURN_IF_ERROR(passes::optimize(moved));
  DEEPLAB_RETURN_IF_ERROR(passes::optimize(same, {.fold_batch_norms = false}));
  const bool splits = std::ranges::any_of(graph.ops, [&](const graph::Op& op) {
    return std::holds_alternative<graph::TransposeConv>(op.attributes) &&
           graph.tensor(op.output()).type == DataType::kFloat32;
  });
  if (splits || moved.ops.size() != same.ops.size()) graph = std::move(moved);
  return {};
}

}  // namespace

Status FileNetwork::make_executor(std::span<const std::byte> file) {
  const bool has_custom_ops = opaque_ops_ > 0;
  if (has_custom_ops &&
      (options_.tflite == nullptr || options_.size.width > 0 || options_.output_stride != 0)) {
    return unsupported(
        "a file with custom ops runs in TensorFlow Lite with the accelerator's "
        "delegate, at its own canvas");
  }
  if (!has_custom_ops) DEEPLAB_RETURN_IF_ERROR(graph::make_batch_one(file_graph_));
  const std::vector<graph::TensorId> all_outputs = file_graph_.outputs;
  DEEPLAB_RETURN_IF_ERROR(api::select_output(file_graph_, options_.model.output));
  DEEPLAB_RETURN_IF_ERROR(api::check_picture_input(file_graph_, has_custom_ops));
  bool is_as_in_file = options_.output_stride == 0;
  if (options_.size.width > 0 &&
      (options_.size.width != canvas_width() || options_.size.height != canvas_height())) {
    DEEPLAB_RETURN_IF_ERROR(
        graph::resize_input(file_graph_, options_.size.height, options_.size.width));
    is_as_in_file = false;
  }
  if (options_.output_stride != 0) {
    DEEPLAB_RETURN_IF_ERROR(passes::set_output_stride(file_graph_, options_.output_stride));
  }
  return options_.tflite == nullptr ? make_engine() : make_tflite(file, is_as_in_file, all_outputs);
}

Status FileNetwork::make_tflite(std::span<const std::byte> file, bool is_as_in_file,
                                std::span<const graph::TensorId> all_outputs) {
  const tflite_library::Options& options = *options_.tflite;
  DEEPLAB_ASSIGN_OR_RETURN(options_.threads, ThreadPool::count_threads(options_.threads));
  api::Network network;
  network.graph = file_graph_;
  network.input = file_graph_.inputs.front();
  network.opaque_ops = opaque_ops_;
  head_ = passes::cut_label_head(network.graph, options_.model.threshold);
  if (options_.scores_only && head_->ok()) {
    network.head = **head_;
    const auto beginning = is_as_in_file ? std::optional(file) : std::nullopt;
    DEEPLAB_ASSIGN_OR_RETURN(
        lite_, api::LiteRunner::create(beginning, network, options, options_.threads));
    lite_outputs_ = {network.head.one_class ? network.graph.ops.back().inputs.front()
                                            : network.head.scores};
    delegation_ = lite_->delegation();
    return {};
  }
  DEEPLAB_ASSIGN_OR_RETURN(
      const api::LiteFile made,
      lite_file_for(is_as_in_file ? std::optional(file) : std::nullopt, all_outputs));
  DEEPLAB_ASSIGN_OR_RETURN(whole_file_,
                           tflite_library::Interpreter::create(
                               made.file, made.file->bytes(), made.file->op_count(),
                               file_graph_.tensor(network.input).shape, options, options_.threads));
  DEEPLAB_ASSIGN_OR_RETURN(delegation_, api::find_delegation(*whole_file_, made.macs, options));
  return {};
}

Result<api::LiteFile> FileNetwork::lite_file_for(std::optional<std::span<const std::byte>> file,
                                                 std::span<const graph::TensorId> all_outputs) {
  if (options_.keep_all_tensors) {
    if (opaque_ops_ > 0) {
      return unsupported("what is inside its custom ops nobody knows; only its outputs can be had");
    }
    graph::Graph graph = file_graph_;
    graph.outputs.clear();
    for (const graph::Op& op : graph.ops) graph.outputs.push_back(op.output());
    lite_outputs_ = graph.outputs;
    return api::lite_file(std::nullopt, graph);
  }
  lite_outputs_ = file_graph_.outputs;
  if (file) lite_outputs_.assign(all_outputs.begin(), all_outputs.end());
  return api::lite_file(file, file_graph_, opaque_ops_);
}

Status FileNetwork::make_engine() {
  graph::Graph graph = file_graph_;
  if (options_.executor == ExecutorKind::kNaive) {
    DEEPLAB_RETURN_IF_ERROR(passes::shift_uint8(graph));
    if (options_.move_roundings) DEEPLAB_RETURN_IF_ERROR(move_roundings(graph));
  } else {
    DEEPLAB_RETURN_IF_ERROR(passes::optimize(graph));
  }
  graph::Graph without_head = graph;
  head_ = passes::cut_label_head(without_head, options_.model.threshold);
  if (head_->ok() && (*head_)->one_class) {
    // The background's score is made by one op more.
    graph.tensors = without_head.tensors;
    graph.ops.push_back(without_head.ops.back());
    graph.outputs.push_back((*head_)->scores);
  }
  if (options_.executor == ExecutorKind::kNaive) {
    DEEPLAB_ASSIGN_OR_RETURN(executor_,
                             exec::NaiveExecutor::create(std::move(graph), options_.rounding));
    return {};
  }
  if (!options_.isa) {
    DEEPLAB_ASSIGN_OR_RETURN(options_.isa, selected_isa());
  }
  DEEPLAB_ASSIGN_OR_RETURN(pool_, ThreadPool::create(options_.threads));
  options_.threads = pool_->threads();
  plan::PlanOptions plan_options;
  plan_options.isa = *options_.isa;
  plan_options.threads = options_.threads;
  plan_options.keep_all_tensors = true;
  DEEPLAB_ASSIGN_OR_RETURN(auto plan, plan::Plan::build(std::move(graph), plan_options));
  DEEPLAB_ASSIGN_OR_RETURN(executor_, exec::PlannedExecutor::create(std::move(plan), pool_.get()));
  return {};
}

std::string FileNetwork::description() const {
  if (options_.tflite != nullptr) {
    std::string text = str_cat("TensorFlow Lite ", interpreter().library().version());
    if (!options_.tflite->delegate.empty()) {
      text += str_cat(" with ", options_.tflite->delegate, " (", delegation_->delegated_ops, " of ",
                      delegation_->ops, " ops)");
    }
    return str_cat(text, ", ", options_.threads, options_.threads == 1 ? " thread" : " threads");
  }
  if (options_.executor == ExecutorKind::kNaive) {
    return str_cat("naive, ", rounding_name(options_.rounding), " rounding");
  }
  return str_cat("planned, ", isa_name(*options_.isa), ", ", options_.threads,
                 options_.threads == 1 ? " thread" : " threads");
}

Status FileNetwork::run(const vision::ImageView& photo, vision::Fit fit) {
  placement_.reset();
  const graph::TensorId id = file_graph_.inputs.front();
  const graph::Tensor& input = running_graph().tensor(id);
  DEEPLAB_ASSIGN_OR_RETURN(
      vision::PixelLut lut,
      vision::make_lut(normalization_, api::element_type(input.type), api::quantization(input)));
  lut.channels = input.shape[3];
  vision::Preparer preparer(fit, input.shape[2], input.shape[1]);
  if (executor_ != nullptr) {
    DEEPLAB_RETURN_IF_ERROR(preparer.run(photo, lut, executor_->tensor(id).data()));
    executor_->run();
  } else if (lite_ != nullptr) {
    DEEPLAB_RETURN_IF_ERROR(preparer.run(photo, lut, lite_->input().data()));
    DEEPLAB_RETURN_IF_ERROR(lite_->run({}));
  } else {
    const std::span<std::byte> tensor = whole_file_->input(0).bytes;
    if (tensor.size() != input.byte_size()) {
      return unsupported("TensorFlow Lite takes an input of ", tensor.size(), " bytes instead of ",
                         input.byte_size());
    }
    DEEPLAB_RETURN_IF_ERROR(preparer.run(photo, lut, tensor.data()));
    DEEPLAB_RETURN_IF_ERROR(whole_file_->run());
  }
  placement_ = preparer.placement();
  return {};
}

std::span<const std::byte> FileNetwork::stored(graph::TensorId id) {
  if (executor_ != nullptr) return executor_->tensor(id);
  const auto found = std::ranges::find(lite_outputs_, id);
  const auto index = static_cast<int>(found - lite_outputs_.begin());
  if (found == lite_outputs_.end() || index >= interpreter().output_count()) return {};
  const std::span<const std::byte> bytes = interpreter().output(index).bytes;
  if (bytes.size() != file_graph_.tensor(id).byte_size()) return {};
  return bytes;
}

std::vector<std::byte> FileNetwork::values(graph::TensorId id) {
  const std::span<const std::byte> held = stored(id);
  std::vector<std::byte> bytes(held.begin(), held.end());
  const bool shifted = file_graph_.tensor(id).type == DataType::kUInt8 &&
                       running_graph().tensor(id).type == DataType::kInt8;
  if (shifted) {
    for (std::byte& b : bytes) b ^= std::byte{0x80};
  }
  return bytes;
}

std::vector<float> FileNetwork::real_values(graph::TensorId id) {
  const graph::Tensor& tensor = running_graph().tensor(id);
  const std::span<const std::byte> held = stored(id);
  switch (tensor.type) {
    case DataType::kInt8:
      return to_float<int8_t>(held, api::quantization(tensor));
    case DataType::kUInt8:
      return to_float<uint8_t>(held, api::quantization(tensor));
    case DataType::kInt32:
      return to_float<int32_t>(held, api::quantization(tensor));
    case DataType::kInt64:
      return to_float<int64_t>(held, api::quantization(tensor));
    case DataType::kFloat32:
      break;
  }
  return to_float<float>(held, {});
}

Result<graph::TensorId> FileNetwork::scores_tensor() const {
  DEEPLAB_RETURN_IF_ERROR(head_->status());
  return (*head_)->scores;
}

Result<std::vector<uint8_t>> FileNetwork::labels() {
  if (!placement_) return invalid_argument("no picture was run yet");
  return labels(placement_->photo_width, placement_->photo_height);
}

Result<std::vector<uint8_t>> FileNetwork::labels(int32_t width, int32_t height) {
  DEEPLAB_RETURN_IF_ERROR(head_->status());
  if (!placement_) return invalid_argument("no picture was run yet");
  DEEPLAB_RETURN_IF_ERROR(vision::validate_size(width, height, "mask"));
  const passes::LabelHead& head = head_->value();
  vision::ScoreView scores;
  if (lite_ != nullptr) {
    scores = lite_->scores();
  } else if (executor_ != nullptr) {
    const graph::Tensor& tensor = executor_->graph().tensor(head.scores);
    scores = {executor_->tensor(head.scores).data(),
              api::element_type(tensor.type),
              head.height,
              head.width,
              head.classes,
              api::quantization(tensor)};
  } else {
    return unsupported("TensorFlow Lite was given the whole file, and holds no scores of it");
  }
  vision::MaskMaker labels;
  vision::LabelScratch scratch;
  DEEPLAB_RETURN_IF_ERROR(
      labels.configure(scores, api::corner_mode(head), vision::redraw(*placement_, width, height)));
  DEEPLAB_RETURN_IF_ERROR(labels.grow(scratch));
  std::vector<uint8_t> map(static_cast<size_t>(labels.width()) *
                           static_cast<size_t>(labels.height()));
  labels.label_rows(0, labels.height(), map.data(), labels.width(), scratch);
  return map;
}

}  // namespace deeplab::app
