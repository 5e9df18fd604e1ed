#include "api/lite_runner.h"

#include <algorithm>
#include <optional>

#include "api/vision_terms.h"
#include "plan/arena.h"
#include "tflite/file_copy.h"
#include "tflite/writer.h"

namespace deeplab::api {
namespace {

using graph::DataType;
using graph::TensorId;
using tflite_library::TensorView;
using tflite_library::TfLiteType;

bool is_type(TfLiteType found, DataType expected) {
  switch (expected) {
    case DataType::kFloat32:
      return found == TfLiteType::kFloat32;
    case DataType::kInt8:
      return found == TfLiteType::kInt8;
    case DataType::kUInt8:
      return found == TfLiteType::kUInt8;
    case DataType::kInt32:
      return found == TfLiteType::kInt32;
    case DataType::kInt64:
      break;
  }
  return found == TfLiteType::kInt64;
}

Status check_tensor(const TensorView& found, const graph::Tensor& expected, const char* what) {
  const bool fits = is_type(found.type, expected.type) && found.shape == expected.shape &&
                    found.bytes.size() == expected.byte_size();
  if (fits) return {};
  return unsupported("TensorFlow Lite gives the ", what, " '", expected.name,
                     "' another form: ", graph::shape_text(found.shape), " of type ",
                     static_cast<int>(found.type), " instead of ",
                     graph::shape_text(expected.shape), " ", graph::type_name(expected.type));
}

/// Multiply-accumulates by position of the file's ops, as graph::Op::index counts them. Those of a
/// part of a network would mislead.
std::vector<int64_t> macs_by_op(const graph::Graph& graph, int ops, int32_t opaque_ops) {
  std::vector<int64_t> macs(static_cast<size_t>(ops));
  for (const graph::Op& op : graph.ops) {
    if (op.index < 0 || op.index >= ops || opaque_ops > 0) continue;
    macs[static_cast<size_t>(op.index)] += graph::macs(graph, op);
  }
  return macs;
}

/// The file's own bytes up to `output`. Nothing: that tensor is the reader's, not the file's.
std::optional<LiteFile> own_file(std::span<const std::byte> bytes, const graph::Graph& graph,
                                 TensorId output, int32_t opaque_ops) {
  auto file = std::make_shared<tflite::FileCopy>(bytes);
  int32_t ops = opaque_ops;
  for (const graph::Op& op : graph.ops) ops = std::max(ops, op.index + 1);
  if (!file->end_in(output, ops).ok()) return std::nullopt;
  return LiteFile{file, macs_by_op(graph, file->op_count(), opaque_ops)};
}

/// `graph` as a file of its own.
Result<LiteFile> written_file(graph::Graph graph) {
  tflite::ModelFile written;
  for (size_t i = 0; i < graph.ops.size(); ++i) graph.ops[i].index = static_cast<int32_t>(i);
  written.graph = std::move(graph);
  auto bytes = tflite::write_model(written);
  if (!bytes.ok()) return annotate(bytes.status(), "as a file for TensorFlow Lite");
  LiteFile made{std::make_shared<tflite::FileCopy>(*bytes), {}};
  made.macs = macs_by_op(written.graph, made.file->op_count(), 0);
  return made;
}

}  // namespace

double Delegation::share() const {
  if (macs > 0) return static_cast<double>(delegated_macs) / static_cast<double>(macs);
  return ops > 0 ? static_cast<double>(delegated_ops) / ops : 0;
}

Result<Delegation> find_delegation(const tflite_library::Interpreter& interpreter,
                                   std::span<const int64_t> macs,
                                   const tflite_library::Options& options) {
  Delegation delegation;
  delegation.ops = static_cast<int>(macs.size());
  for (const int64_t count : macs) delegation.macs += count;
  const auto* delegate = interpreter.delegate();
  if (delegate == nullptr) return delegation;
  if (!delegate->is_placement_known()) {
    if (options.required_percent <= 0) return delegation;
    return unsupported("TensorFlow Lite ", interpreter.library().version(),
                       " does not say what the delegate ", options.delegate, " took");
  }
  const tflite_library::Placement& placement = delegate->placement();
  delegation.delegated_ops = placement.delegated_ops();
  delegation.partitions = placement.partitions;
  for (size_t i = 0; i < std::min(placement.ops.size(), macs.size()); ++i) {
    if (placement.ops[i].partition != tflite_library::kOnCpu) delegation.delegated_macs += macs[i];
  }
  if (delegation.share() * 100 >= options.required_percent) return delegation;
  return unsupported("the delegate ", options.delegate, " took ", 100 * delegation.share(),
                     " % of the ", delegation.macs > 0 ? "multiply-accumulates" : "ops", " (",
                     delegation.delegated_ops, " of ", delegation.ops, " ops, in ",
                     delegation.partitions, " partitions); at least ", options.required_percent,
                     " % are required");
}

Result<LiteFile> lite_file(std::optional<std::span<const std::byte>> file,
                           const graph::Graph& graph, int32_t opaque_ops) {
  if (!file) return written_file(graph);
  const auto copy = std::make_shared<const tflite::FileCopy>(*file);
  return LiteFile{copy, macs_by_op(graph, copy->op_count(), opaque_ops)};
}

int64_t least_bytes(const graph::Graph& graph) {
  const auto ops = static_cast<int>(graph.ops.size());
  std::vector<plan::ArenaRequest> lives(graph.tensors.size());
  std::vector<bool> is_counted(graph.tensors.size());
  int64_t constants = 0;
  const auto use = [&](TensorId id, int step) {
    if (id == graph::kNoTensor) return;
    const graph::Tensor& tensor = graph.tensor(id);
    plan::ArenaRequest& life = lives[static_cast<size_t>(id)];
    if (!is_counted[static_cast<size_t>(id)]) {
      is_counted[static_cast<size_t>(id)] = true;
      const auto bytes = static_cast<int64_t>(tensor.byte_size());
      if (tensor.is_constant()) {
        constants += bytes;
      } else {
        life = {bytes, step, step};
      }
    }
    life.last_step = step;
  };
  for (const TensorId id : graph.inputs) use(id, 0);
  for (int i = 0; i < ops; ++i) {
    const graph::Op& op = graph.ops[static_cast<size_t>(i)];
    for (const TensorId id : op.inputs) use(id, i);
    use(op.output(), i);
  }
  // The caller's, before the first op and after the last one.
  for (const TensorId id : graph.inputs) use(id, ops);
  for (const TensorId id : graph.outputs) use(id, ops);
  return constants + plan::arena_lower_bound(lives);
}

Result<std::unique_ptr<LiteRunner>> LiteRunner::create(
    std::optional<std::span<const std::byte>> file, const Network& network,
    const tflite_library::Options& options, int threads) {
  std::unique_ptr<LiteRunner> self(new LiteRunner());
  graph::Graph graph = network.graph;
  if (network.head.one_class) {  // The score of the background is made here.
    self->background_ = std::get<graph::Pad>(graph.ops.back().attributes).value;
    graph.outputs = {graph.ops.back().inputs.front()};
    graph.ops.pop_back();
  }
  const TensorId output = graph.outputs.front();
  std::optional<LiteFile> made;
  if (file) made = own_file(*file, graph, output, network.opaque_ops);
  if (!made && network.opaque_ops > 0) {
    return unsupported("the custom ops are in a part of the file that cannot be kept apart");
  }
  if (!made) {
    DEEPLAB_ASSIGN_OR_RETURN(made, written_file(graph));
  }
  const graph::Tensor& input = graph.tensor(network.input);
  DEEPLAB_ASSIGN_OR_RETURN(
      self->interpreter_,
      tflite_library::Interpreter::create(made->file, made->file->bytes(), made->file->op_count(),
                                          input.shape, options, threads));
  const tflite_library::Interpreter& interpreter = *self->interpreter_;
  DEEPLAB_ASSIGN_OR_RETURN(self->delegation_, find_delegation(interpreter, made->macs, options));

  const graph::Tensor& scores = graph.tensor(output);
  DEEPLAB_RETURN_IF_ERROR(check_tensor(interpreter.input(0), input, "input"));
  if (interpreter.output_count() < 1) {
    return unsupported("TensorFlow Lite finds no output in the model");
  }
  DEEPLAB_RETURN_IF_ERROR(check_tensor(interpreter.output(0), scores, "output"));
  const passes::LabelHead& head = network.head;
  self->scores_ = {nullptr,      element_type(scores.type), head.height, head.width,
                   head.classes, quantization(scores)};
  if (head.one_class) {
    self->scores_.type = vision::ElementType::kFloat32;
    const auto pixels = static_cast<size_t>(head.height) * static_cast<size_t>(head.width);
    self->two_classes_.resize(pixels * 2);
  }
  return self;
}

Status LiteRunner::run(const RunControl& control) {
  DEEPLAB_RETURN_IF_ERROR(control.check());
  DEEPLAB_RETURN_IF_ERROR(interpreter_->run());
  DEEPLAB_RETURN_IF_ERROR(control.check());
  scores_.data = interpreter_->output(0).bytes.data();
  if (!two_classes_.empty()) add_background();
  return {};
}

/// As the engine's graph has it: the threshold everywhere, in real numbers.
void LiteRunner::add_background() {
  const auto fill = [&](const auto* stored, vision::Quantization q) {
    for (size_t i = 0; i < two_classes_.size() / 2; ++i) {
      two_classes_[2 * i] = background_;
      two_classes_[2 * i + 1] =
          q.scale * (static_cast<float>(stored[i]) - static_cast<float>(q.zero_point));
    }
  };
  const TensorView output = interpreter_->output(0);
  const void* data = output.bytes.data();
  if (output.type == TfLiteType::kInt8) {
    fill(static_cast<const int8_t*>(data), scores_.quantization);
  } else if (output.type == TfLiteType::kUInt8) {
    fill(static_cast<const uint8_t*>(data), scores_.quantization);
  } else {
    fill(static_cast<const float*>(data), {1, 0});
  }
  scores_.data = two_classes_.data();
}

}  // namespace deeplab::api
