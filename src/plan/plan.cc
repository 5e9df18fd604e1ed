#include "plan/plan.h"

#include <algorithm>

#include "plan/lower.h"
#include "plan/make_step.h"

namespace deeplab::plan {
namespace {

constexpr int kMaxThreads = 256;

/// Which steps need each activation: from its writer (the caller is step -1) to its last reader
/// (the caller is step `steps`). Tensors inside a group need no place.
std::vector<ArenaPlace> lifetimes(const graph::Graph& graph, std::span<const OpGroup> groups,
                                  bool keep_all) {
  std::vector<ArenaPlace> result(graph.tensors.size());
  const auto at = [&](graph::TensorId id) -> ArenaPlace& {
    return result[static_cast<size_t>(id)];
  };
  const auto begin = [&](graph::TensorId id, int step) {
    at(id).bytes = static_cast<int64_t>(graph.tensor(id).byte_size());
    at(id).first_step = at(id).last_step = step;
    at(id).offset = 0;  // Marks it as in need of a place.
  };
  const int steps = static_cast<int>(groups.size());
  for (graph::TensorId id : graph.inputs) begin(id, -1);
  for (int step = 0; step < steps; ++step) {
    const OpGroup& group = groups[static_cast<size_t>(step)];
    for (int op : group.ops) {
      for (graph::TensorId id : graph.ops[static_cast<size_t>(op)].inputs) {
        if (id != graph::kNoTensor) at(id).last_step = step;
      }
    }
    begin(graph.ops[static_cast<size_t>(group.ops.back())].output(), step);
  }
  for (graph::TensorId id : graph.outputs) at(id).last_step = steps;
  for (ArenaPlace& tensor_place : result) {
    if (keep_all) {
      tensor_place.first_step = -1;
      tensor_place.last_step = steps;
    }
  }
  return result;
}

}  // namespace

Result<std::shared_ptr<const Plan>> Plan::build(graph::Graph graph, const PlanOptions& options) {
  if (options.threads < 1 || options.threads > kMaxThreads) {
    return invalid_argument("a plan for ", options.threads, " threads; expected 1..", kMaxThreads);
  }
  DEEPLAB_RETURN_IF_ERROR(graph::check_work(graph, options.limits));
  std::shared_ptr<Plan> plan(new Plan);
  plan->graph_ = std::move(graph);
  plan->options_ = options;
  // Blocks of 192 and 288 channels at 33x33 take 20 % less time as one kernel on the first two, and
  // fewer instructions on the third; on AVX-512 VNNI and NEON, whose other kernels are faster, they
  // take as long or longer.
  const bool small_blocks =
      options.isa == Isa::kAvx2 || options.isa == Isa::kAvxVnni || options.isa == Isa::kNeonDot;
  plan->groups_ = options.keep_all_tensors
                      ? do_not_fuse(plan->graph_)
                      : fuse(plan->graph_, small_blocks ? 0 : kExpandedCacheBytes);
  plan->input_is_pixels_ = options.pixel_input && plan->may_read_pixels();
  // Groups that no step can run are dissolved, and all begins again, once: real models have none.
  for (bool made = false; !made;) {
    DEEPLAB_RETURN_IF_ERROR(plan->place_tensors());
    DEEPLAB_ASSIGN_OR_RETURN(made, plan->make_steps());
  }
  plan->place_scratch();
  // The steps keep what they did not pack.
  if (!options.keep_all_tensors) graph::drop_constants(plan->graph_);
  return std::shared_ptr<const Plan>(std::move(plan));
}

/// Input 0 is a float picture that one op reads, as its first operand alone.
bool Plan::may_read_pixels() const {
  constexpr int32_t kMostChannels = 3;
  const graph::TensorId id = graph_.inputs.front();
  const graph::Tensor& input = graph_.tensor(id);
  const std::vector<int> readers = graph_.consumers(id);
  if (readers.size() != 1 || std::ranges::count(graph_.outputs, id) > 0) return false;
  const auto& operands = graph_.ops[static_cast<size_t>(readers[0])].inputs;
  return operands[0] == id && std::ranges::count(operands, id) == 1 &&
         input.type == graph::DataType::kFloat32 && input.shape.size() == 4 &&
         input.shape[0] == 1 && input.shape[3] <= kMostChannels;
}

Status Plan::place_tensors() {
  for (graph::TensorId id : graph_.outputs) {
    if (graph_.tensor(id).is_constant()) {
      return unsupported("output '", graph_.tensor(id).name, "' is a constant of the model");
    }
  }
  places_ = lifetimes(graph_, groups_, options_.keep_all_tensors);
  if (input_is_pixels_) {
    const graph::TensorId input = graph_.inputs.front();
    places_[static_cast<size_t>(input)].bytes = graph_.tensor(input).elements();
  }
  std::vector<ArenaRequest> requests;
  std::vector<ArenaPlace*> requesters;
  for (ArenaPlace& tensor_place : places_) {
    if (tensor_place.offset < 0) continue;
    requests.push_back({tensor_place.bytes, tensor_place.first_step, tensor_place.last_step});
    requesters.push_back(&tensor_place);
  }
  DEEPLAB_ASSIGN_OR_RETURN(const ArenaLayout layout,
                           plan_arena(requests, options_.limits.max_plan_bytes));
  DEEPLAB_RETURN_IF_ERROR(check_arena(requests, layout));
  for (size_t i = 0; i < requests.size(); ++i) requesters[i]->offset = layout.offsets[i];
  arena_bytes_ = layout.total_bytes;
  return {};
}

Result<bool> Plan::make_steps() {
  steps_.clear();
  scratch_bytes_ = 0;
  int64_t packed = 0;
  std::vector<size_t> impossible;
  const auto is_pixels = [this](graph::TensorId id) {
    return input_is_pixels_ && id == graph_.inputs.front();
  };
  const auto place = [&](graph::TensorId id) -> TensorPlace {
    if (id == graph::kNoTensor) return {};
    const graph::Tensor& tensor = graph_.tensor(id);
    if (tensor.is_constant()) return {tensor.data->data(), -1, tensor.data.owner()};
    return {nullptr, places_[static_cast<size_t>(id)].offset, nullptr, is_pixels(id)};
  };
  for (size_t i = 0; i < groups_.size(); ++i) {
    const OpGroup& group = groups_[i];
    std::vector<LoweredOp> ops;
    for (int at : group.ops) {
      const graph::Op& op = graph_.ops[static_cast<size_t>(at)];
      DEEPLAB_ASSIGN_OR_RETURN(Lowered lowered, lower(graph_, op));
      LoweredOp& fused = ops.emplace_back(LoweredOp{std::move(lowered), {}, place(op.output())});
      for (graph::TensorId id : op.inputs) fused.inputs.push_back(place(id));
    }
    const graph::Op& last = graph_.ops[static_cast<size_t>(group.ops.back())];
    auto made = make_step(group.kind, ops, options_.isa);
    if (!made.ok()) return annotate(made.status(), graph::op_label(last));
    if (made->step == nullptr) {
      impossible.push_back(i);
      continue;
    }
    // A later op of the step may be the one that reads them, as the ADD at a block's end.
    const auto reads_pixels = [](const LoweredOp& op) {
      return std::any_of(op.inputs.begin(), op.inputs.end(),
                         [](const TensorPlace& input) { return input.is_pixels; });
    };
    const bool takes_pixels = made->step->takes_pixels() && reads_pixels(ops.front());
    if (!takes_pixels && std::any_of(ops.begin(), ops.end(), reads_pixels)) {
      input_is_pixels_ = false;
      return false;
    }
    const auto scratch = aligned(static_cast<int64_t>(made->step->scratch_bytes()));
    scratch_bytes_ = std::max(scratch_bytes_, scratch);
    packed += static_cast<int64_t>(made->step->packed_bytes());
    DEEPLAB_RETURN_IF_ERROR(check_bytes(packed));
    steps_.push_back(
        {group.ops, last.output(), std::move(made->kernel), std::move(made->step), 0, scratch});
  }
  dissolve(impossible);
  return impossible.empty();
}

/// Each step's in the lowest gap between the tensors that live then.
void Plan::place_scratch() {
  std::vector<const ArenaPlace*> rising;
  for (const ArenaPlace& tensor_place : places_) {
    if (tensor_place.offset >= 0) rising.push_back(&tensor_place);
  }
  std::sort(rising.begin(), rising.end(), [](const ArenaPlace* one, const ArenaPlace* other) {
    return one->offset < other->offset;
  });
  for (int i = 0; i < std::ssize(steps_); ++i) {
    PlannedStep& step = steps_[static_cast<size_t>(i)];
    const int64_t bytes = step.scratch_stride * options_.threads;
    int64_t offset = 0;
    for (const ArenaPlace* tensor_place : rising) {
      if (i < tensor_place->first_step || tensor_place->last_step < i) continue;
      if (tensor_place->offset - offset >= bytes) break;
      offset = std::max(offset, tensor_place->offset + aligned(tensor_place->bytes));
    }
    step.scratch_offset = offset;
    arena_bytes_ = std::max(arena_bytes_, offset + bytes);
  }
}

void Plan::dissolve(std::span<const size_t> groups) {
  std::vector<OpGroup> singles;
  for (size_t group : groups) {
    for (int op : groups_[group].ops) singles.push_back({OpGroup::Kind::kSingle, {op}});
    groups_[group].ops.clear();
  }
  std::erase_if(groups_, [](const OpGroup& group) { return group.ops.empty(); });
  groups_.insert(groups_.end(), singles.begin(), singles.end());
  sort_by_last_op(groups_);
}

Status Plan::check_bytes(int64_t packed) const {
  const int64_t limit = options_.limits.max_plan_bytes;
  // A window of many rows makes any number of bytes of scratch: divided, nothing can overflow.
  const int64_t left = limit - packed - arena_bytes_;
  if (left >= 0 && scratch_bytes_ <= left / options_.threads) return {};
  return resource_exhausted("weights, activations and the scratch of ", options_.threads,
                            " threads need more than the limit of ", limit, " bytes");
}

int64_t Plan::required_bytes() const { return packed_weight_bytes() + arena_bytes_; }

int64_t Plan::packed_weight_bytes() const {
  int64_t sum = 0;
  for (const PlannedStep& step : steps_) sum += static_cast<int64_t>(step.step->packed_bytes());
  return sum;
}

}  // namespace deeplab::plan
