// An inverted residual block on a kernel that does all of it but the ADD (see
// kernels/inverted_residual). Four rows of the expanded tensor are made at a time; two such groups
// exist.
#include <algorithm>
#include <utility>

#include "base/aligned_buffer.h"
#include "kernels/choose.h"
#include "kernels/inverted_residual/inverted_residual.h"
#include "plan/steps/block_end.h"
#include "plan/steps/steps.h"

namespace deeplab::plan {
namespace {

using kernels::InvertedResidualInt8;
using kernels::InvertedResidualInt8Kernel;
using kernels::kGroupRows;

class BlockKernelStep final : public Step {
 public:
  BlockKernelStep(const InvertedResidualInt8Kernel& kernel, LoweredConv2DInt8 expand,
                  LoweredDepthwiseConv2DInt8 depthwise, LoweredConv2DInt8 project,
                  AlignedBuffer packed, BlockEnd<Int8Types> end)
      : kernel_(kernel),
        expand_(std::move(expand)),
        depthwise_(std::move(depthwise)),
        project_(std::move(project)),
        packed_(std::move(packed)),
        end_(std::move(end)) {
    unit_ = kGroupRows / depthwise_.params.shape.stride_h;
    kernel_scratch_ = aligned(kernel_.scratch_bytes(ops()));
    group_bytes_ = kernel_.group_bytes(ops());
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
    return kernel_scratch_ + 2 * group_bytes_ + end_.narrow_bytes(unit_);
  }
  size_t packed_bytes() const override { return packed_.size(); }

 private:
  InvertedResidualInt8 ops() const { return {expand_.params, depthwise_.params, project_.params}; }

  void run_rows(const RunContext& context, int32_t begin, int32_t end, std::byte* scratch) const {
    const auto* input = reinterpret_cast<const int8_t*>(end_.places().input.read(context));
    std::byte* at = scratch + kernel_scratch_;
    std::byte* next = at + group_bytes_;
    std::byte* narrow = next + group_bytes_;
    kernel_.expand(ops(), packed_.data(), input, begin / unit_, at, scratch);
    for (int32_t row = begin; row < end; row += unit_, std::swap(at, next)) {
      const int32_t group = row / unit_;
      kernel_.expand(ops(), packed_.data(), input, group + 1, next, scratch);
      kernel_.project(ops(), packed_.data(), group, at, next, end_.projected(context, row, narrow),
                      scratch);
      end_.finish(context, row, std::min(row + unit_, end), narrow);
    }
  }

  const InvertedResidualInt8Kernel kernel_;
  LoweredConv2DInt8 expand_;
  LoweredDepthwiseConv2DInt8 depthwise_;
  LoweredConv2DInt8 project_;
  AlignedBuffer packed_;
  BlockEnd<Int8Types> end_;
  int32_t unit_ = 0;  ///< Rows that a group gives.
  size_t kernel_scratch_ = 0;
  size_t group_bytes_ = 0;
};

}  // namespace

Result<MadeStep> make_block_kernel_step(std::span<LoweredOp> ops, Isa isa) {
  if (ops.size() < 3) return MadeStep{};
  auto* expand = std::get_if<LoweredConv2DInt8>(&ops[0].lowered);
  auto* depthwise = std::get_if<LoweredDepthwiseConv2DInt8>(&ops[1].lowered);
  auto* project = std::get_if<LoweredConv2DInt8>(&ops[2].lowered);
  if (expand == nullptr || depthwise == nullptr || project == nullptr) return MadeStep{};
  for (const LoweredOp& op : ops.first(3)) {
    if (!op.inputs[1].is_constant() || bias_of(op.inputs).offset >= 0) return MadeStep{};
  }
  const InvertedResidualInt8 block = {expand->params, depthwise->params, project->params};
  const InvertedResidualInt8Kernel* kernel =
      kernels::choose(kernels::inverted_residual_int8_kernels(), isa, block);
  if (kernel == nullptr) return MadeStep{};
  auto end = make_block_end<Int8Types>(ops, 2, project->params.shape, isa);
  if (!end) return MadeStep{};

  AlignedBuffer packed(kernel->packed_bytes(block));
  if (packed.data() == nullptr) {
    return resource_exhausted("no memory for ", kernel->packed_bytes(block),
                              " bytes of packed weights");
  }
  const auto filter = [&](size_t op) {
    return reinterpret_cast<const int8_t*>(ops[op].inputs[1].constant);
  };
  const auto bias = [&](size_t op) {
    return reinterpret_cast<const int32_t*>(bias_of(ops[op].inputs).constant);
  };
  kernel->pack(block, {filter(0), bias(0), filter(1), bias(1), filter(2), bias(2)}, packed.data());
  std::string name = str_cat(kernel->name, end->name());
  return MadeStep{std::move(name), std::make_unique<BlockKernelStep>(
                                       *kernel, std::move(*expand), std::move(*depthwise),
                                       std::move(*project), std::move(packed), std::move(*end))};
}

}  // namespace deeplab::plan
