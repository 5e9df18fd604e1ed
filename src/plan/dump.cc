#include <iomanip>
#include <sstream>

#include "plan/plan.h"

namespace deeplab::plan {
namespace {

/// "t12 int8 1x33x33x160 @1048576+174240": type, shape, and where it lies in the arena.
std::string tensor_text(const Plan& plan, graph::TensorId id) {
  const graph::Tensor& tensor = plan.graph().tensor(id);
  const ArenaPlace& arena_place = plan.place(id);
  const bool is_pixels = plan.input_is_pixels() && id == plan.graph().inputs.front();
  const std::string text =
      str_cat("t", id, " ", is_pixels ? "pixels for " : "", graph::type_name(tensor.type), " ",
              graph::shape_text(tensor.shape));
  if (arena_place.offset < 0) return text + " in scratch";
  return str_cat(text, " @", arena_place.offset, "+", arena_place.bytes);
}

std::string millions(int64_t count) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(2) << static_cast<double>(count) / 1e6 << " M";
  return std::move(out).str();
}

/// One line per op; what a step fuses stands together, the step's number and kernels at its last
/// op.
void dump_step(const Plan& plan, size_t index, std::ostream& out) {
  const PlannedStep& step = plan.steps()[index];
  for (int at : step.ops) {
    const graph::Op& op = plan.graph().ops[static_cast<size_t>(at)];
    const bool last = at == step.ops.back();
    const int64_t macs = graph::macs(plan.graph(), op);
    out << std::right << std::setw(4) << (last ? str_cat(index) : "") << std::setw(5) << op.index
        << (last ? "  " : " +") << std::left << std::setw(24) << graph::op_name(op.attributes)
        << std::right << std::setw(10) << (macs > 0 ? millions(macs) : "") << "  ";
    const char* separator = "";
    for (graph::TensorId id : op.inputs) {
      if (id == graph::kNoTensor || plan.graph().tensor(id).is_constant()) continue;
      out << separator << tensor_text(plan, id);
      separator = ", ";
    }
    out << " -> " << tensor_text(plan, op.output()) << (last ? "  " + step.kernel : "") << '\n';
  }
}

}  // namespace

std::string dump(const Plan& plan) {
  std::vector<ArenaRequest> requests;
  int64_t sum = 0;
  for (size_t i = 0; i < plan.graph().tensors.size(); ++i) {
    const ArenaPlace& arena_place = plan.place(static_cast<graph::TensorId>(i));
    if (arena_place.offset < 0) continue;
    requests.push_back({arena_place.bytes, arena_place.first_step, arena_place.last_step});
    sum += arena_place.bytes;
  }
  const size_t tensors = requests.size();
  for (int i = 0; i < std::ssize(plan.steps()); ++i) {
    const int64_t scratch = plan.steps()[static_cast<size_t>(i)].scratch_stride;
    requests.push_back({scratch * plan.options().threads, i, i});
  }
  std::ostringstream out;
  out << "plan: " << plan.steps().size() << " steps, " << isa_name(plan.options().isa) << ", "
      << plan.options().threads << (plan.options().threads == 1 ? " thread\n" : " threads\n")
      << "step   op  type                          MACs  inputs -> output (tensor type shape "
         "@arena offset+bytes)  kernel\n";
  for (size_t i = 0; i < plan.steps().size(); ++i) dump_step(plan, i, out);
  out << "arena " << plan.arena_bytes() << " bytes for " << tensors << " tensors of " << sum
      << " bytes and scratch; no layout takes less than " << arena_lower_bound(requests) << '\n'
      << "scratch at most " << plan.scratch_bytes()
      << " bytes a thread, packed weights "  // prose-ok: output that others read
      << plan.packed_weight_bytes() << " bytes, " << millions(graph::macs(plan.graph()))
      << " multiply-accumulates\n";
  return std::move(out).str();
}

}  // namespace deeplab::plan
