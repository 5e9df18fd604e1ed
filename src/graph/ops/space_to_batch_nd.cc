#include "graph/canvas.h"
#include "graph/op_view.h"

namespace deeplab::graph {
namespace {

void adapt_block(int32_t extent, int32_t block, std::array<int32_t, 2>& pad,
                 std::array<int32_t, 2>& crop) {
  const int32_t base = pad[1] - crop[1];
  const int64_t padded = int64_t{extent} + pad[0] + base;
  const auto extra = static_cast<int32_t>((block - padded % block) % block);
  pad[1] = base + extra;
  crop[1] = extra;
}

/// What undoes `a` at the end of the chain that begins with `op`, or null.
BatchToSpaceNd* matching(Canvas& canvas, const Op& op, const SpaceToBatchNd& a) {
  for (Op* next = canvas.sole_reader(op); next != nullptr; next = canvas.sole_reader(*next)) {
    if (auto* back = std::get_if<BatchToSpaceNd>(&next->attributes)) {
      return back->block_h == a.block_h && back->block_w == a.block_w ? back : nullptr;
    }
  }
  return nullptr;
}

}  // namespace

Result<Shape> SpaceToBatchNd::output_shape(const OpView& op) const {
  const Shape& x = op.shape();
  DEEPLAB_RETURN_IF_ERROR(op.expect_rank("input", x, 4));
  DEEPLAB_RETURN_IF_ERROR(op.expect_block(block_h, block_w));
  DEEPLAB_RETURN_IF_ERROR(op.expect_padding(pad_h[0], pad_h[1]));
  DEEPLAB_RETURN_IF_ERROR(op.expect_padding(pad_w[0], pad_w[1]));
  const int64_t h = int64_t{x[1]} + pad_h[0] + pad_h[1];
  const int64_t w = int64_t{x[2]} + pad_w[0] + pad_w[1];
  if (h % block_h != 0 || w % block_w != 0) {
    return op.error("the padded size ", h, "x", w, " is not a multiple of the block ", block_h, "x",
                    block_w);
  }
  Shape out = x;
  DEEPLAB_ASSIGN_OR_RETURN(out,
                           op.with_dimension(std::move(out), 0, int64_t{x[0]} * block_h * block_w));
  DEEPLAB_ASSIGN_OR_RETURN(out, op.with_dimension(std::move(out), 1, h / block_h));
  return op.with_dimension(std::move(out), 2, w / block_w);
}
Status SpaceToBatchNd::check_types(const OpView& op) const { return op.same_type(); }

/// TensorFlow pads so that the block divides the padded size, and the BATCH_TO_SPACE_ND at the
/// end of the chain crops that extra away again.
Status SpaceToBatchNd::resize(Canvas& canvas, const Op& op) {
  BatchToSpaceNd* back = matching(canvas, op, *this);
  if (back == nullptr || back->crop_h[1] > pad_h[1] || back->crop_w[1] > pad_w[1]) {
    return canvas.cannot_follow(op, "there is no BATCH_TO_SPACE_ND after it that undoes it");
  }
  const Shape& after = canvas.now(op.inputs[0]);
  adapt_block(after[1], block_h, pad_h, back->crop_h);
  adapt_block(after[2], block_w, pad_w, back->crop_w);
  return {};
}

Result<Shape> BatchToSpaceNd::output_shape(const OpView& op) const {
  const Shape& x = op.shape();
  DEEPLAB_RETURN_IF_ERROR(op.expect_rank("input", x, 4));
  DEEPLAB_RETURN_IF_ERROR(op.expect_block(block_h, block_w));
  DEEPLAB_RETURN_IF_ERROR(op.expect_padding(crop_h[0], crop_h[1]));
  DEEPLAB_RETURN_IF_ERROR(op.expect_padding(crop_w[0], crop_w[1]));
  const int32_t block = block_h * block_w;
  if (x[0] % block != 0) {
    return op.error("the batch ", x[0], " is not a multiple of the block ", block_h, "x", block_w);
  }
  Shape out = x;
  out[0] = x[0] / block;
  DEEPLAB_ASSIGN_OR_RETURN(
      out, op.with_dimension(std::move(out), 1, int64_t{x[1]} * block_h - crop_h[0] - crop_h[1]));
  return op.with_dimension(std::move(out), 2, int64_t{x[2]} * block_w - crop_w[0] - crop_w[1]);
}
Status BatchToSpaceNd::check_types(const OpView& op) const { return op.same_type(); }

}  // namespace deeplab::graph
