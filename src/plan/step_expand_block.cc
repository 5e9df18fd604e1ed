// An inverted residual block on a kernel that expands and convolves depthwise at once (see
// kernels/expand_depthwise). Four rows of the expanded tensor are made at a time; two such groups
// exist, and a few rows of what the projection reads.
#include <algorithm>
#include <utility>

#include "kernels/expand_depthwise/expand_depthwise.h"
#include "plan/block_end.h"

namespace deeplab::plan {
namespace {

using kernels::ExpandDepthwiseInt8;
using kernels::ExpandDepthwiseInt8Kernel;
using kernels::kGroupRows;

class ExpandBlockStep final : public Step {
 public:
  ExpandBlockStep(const ExpandDepthwiseInt8Kernel& kernel, LoweredConv2DInt8 expand,
                  LoweredDepthwiseConv2DInt8 depthwise, AlignedBuffer packed,
                  BlockEnd<Int8Types> end)
      : kernel_(kernel),
        expand_(std::move(expand)),
        depthwise_(std::move(depthwise)),
        packed_(std::move(packed)),
        end_(std::move(end)) {
    const kernels::WindowShape& d = depthwise_.params.shape;
    deep_row_ = int64_t{d.out_w} * d.out_c;
    unit_ = kGroupRows / d.stride_h;
    kernel_scratch_ = aligned(std::max(kernel_.scratch_bytes(ops()), end_.kernel_scratch_bytes()));
    group_bytes_ = kernel_.group_bytes(ops());
    deep_bytes_ = aligned(static_cast<size_t>(unit_ * deep_row_));
  }

  void run(const RunContext& context) const override {
    // Every piece makes one group that another one has made, too: large ones, of whole units.
    const int32_t rows = depthwise_.params.shape.out_h;
    const int32_t grain = even_grain(rows, 8 * unit_, context.workers);
    for_rows(context, rows, (grain + unit_ - 1) / unit_ * unit_,
             [&](int32_t begin, int32_t end, std::byte* scratch) {
               run_rows(context, begin, end, scratch);
             });
  }
  size_t scratch_bytes() const override {
    return kernel_scratch_ + 2 * group_bytes_ + deep_bytes_ + end_.narrow_bytes(unit_);
  }
  size_t packed_bytes() const override { return packed_.size() + end_.packed_bytes(); }

 private:
  ExpandDepthwiseInt8 ops() const { return {expand_.params, depthwise_.params}; }

  void run_rows(const RunContext& context, int32_t begin, int32_t end, std::byte* scratch) const {
    const auto* input = reinterpret_cast<const int8_t*>(end_.places().input.read(context));
    std::byte* at = scratch + kernel_scratch_;
    std::byte* next = at + group_bytes_;
    auto* deep = reinterpret_cast<int8_t*>(next + group_bytes_);
    std::byte* narrow = next + group_bytes_ + deep_bytes_;
    kernel_.expand(ops(), packed_.data(), input, begin / unit_, at, scratch);
    for (int32_t row = begin; row < end; row += unit_, std::swap(at, next)) {
      const int32_t group = row / unit_;
      kernel_.expand(ops(), packed_.data(), input, group + 1, next, scratch);
      kernel_.depthwise(ops(), packed_.data(), group, at, next, deep);
      end_.run(context, row_zero(deep, row, deep_row_), row, std::min(row + unit_, end), scratch,
               narrow);
    }
  }

  const ExpandDepthwiseInt8Kernel kernel_;
  LoweredConv2DInt8 expand_;
  LoweredDepthwiseConv2DInt8 depthwise_;
  AlignedBuffer packed_;
  BlockEnd<Int8Types> end_;
  int64_t deep_row_ = 0;  ///< Elements of a row behind the depthwise convolution.
  int32_t unit_ = 0;      ///< Rows that a group gives.
  size_t kernel_scratch_ = 0;
  size_t group_bytes_ = 0;
  size_t deep_bytes_ = 0;
};

const ExpandDepthwiseInt8Kernel* find_kernel(const ExpandDepthwiseInt8& ops, Isa isa) {
  for (const ExpandDepthwiseInt8Kernel& kernel : kernels::expand_depthwise_int8_kernels()) {
    if (kernel.isa <= isa && kernel.supports(ops)) return &kernel;
  }
  return nullptr;
}

}  // namespace

Result<MadeStep> make_expand_block_step(std::span<FusedOp> ops, Isa isa) {
  if (ops.size() < 3) return MadeStep{};
  auto* expand = std::get_if<LoweredConv2DInt8>(&ops[0].lowered);
  auto* depthwise = std::get_if<LoweredDepthwiseConv2DInt8>(&ops[1].lowered);
  if (expand == nullptr || depthwise == nullptr) return MadeStep{};
  const auto constant = [](const FusedOp& op) {
    return op.inputs[1].is_constant() && (op.inputs.size() < 3 || op.inputs[2].offset < 0);
  };
  if (!constant(ops[0]) || !constant(ops[1])) return MadeStep{};
  const ExpandDepthwiseInt8 both = {expand->params, depthwise->params};
  const ExpandDepthwiseInt8Kernel* kernel = find_kernel(both, isa);
  if (kernel == nullptr) return MadeStep{};
  DEEPLAB_ASSIGN_OR_RETURN(auto end, make_block_end<Int8Types>(ops, 1, isa));
  if (!end) return MadeStep{};

  AlignedBuffer packed(kernel->packed_bytes(both));
  if (packed.data() == nullptr) {
    return resource_exhausted("no memory for ", kernel->packed_bytes(both),
                              " bytes of packed weights");
  }
  const auto bytes = [](const FusedOp& op, size_t i) {
    return i < op.inputs.size() ? op.inputs[i].constant : nullptr;
  };
  kernel->pack(both, reinterpret_cast<const int8_t*>(bytes(ops[0], 1)),
               reinterpret_cast<const int32_t*>(bytes(ops[0], 2)),
               reinterpret_cast<const int8_t*>(bytes(ops[1], 1)),
               reinterpret_cast<const int32_t*>(bytes(ops[1], 2)), packed.data());
  std::string name = str_cat(kernel->name, " + ", end->name());
  return MadeStep{std::move(name), std::make_unique<ExpandBlockStep>(
                                       *kernel, std::move(*expand), std::move(*depthwise),
                                       std::move(packed), std::move(*end))};
}

}  // namespace deeplab::plan
