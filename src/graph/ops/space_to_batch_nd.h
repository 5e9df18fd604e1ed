// SPACE_TO_BATCH_ND, BATCH_TO_SPACE_ND.
#pragma once

#include "graph/op_parts.h"

namespace deeplab::graph {

/// {x [N,H,W,C]} -> [N*block_h*block_w, ...]; pads first, with the zero point.
struct SpaceToBatchNd {
  int32_t block_h = 1;
  int32_t block_w = 1;
  std::array<int32_t, 2> pad_h = {0, 0};
  std::array<int32_t, 2> pad_w = {0, 0};

  static constexpr std::string_view kName = "SPACE_TO_BATCH_ND";
  static constexpr bool kKeepsParameters = true;
  static void fields(auto& a, auto&& visit) {
    visit(FieldName{"block", "block"}, FieldPair{a.block_h, a.block_w});
    visit(FieldName{"pad", "pad_h", "pad_w"}, FieldPair{a.pad_h, a.pad_w});
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
  Status resize(Canvas& canvas, const Op& op);
};

/// {x [N,H,W,C]} -> [N/(block_h*block_w), ...]; crops last.
struct BatchToSpaceNd {
  int32_t block_h = 1;
  int32_t block_w = 1;
  std::array<int32_t, 2> crop_h = {0, 0};
  std::array<int32_t, 2> crop_w = {0, 0};

  static constexpr std::string_view kName = "BATCH_TO_SPACE_ND";
  static constexpr bool kKeepsParameters = true;
  static void fields(auto& a, auto&& visit) {
    visit(FieldName{"block", "block"}, FieldPair{a.block_h, a.block_w});
    visit(FieldName{"crop", "crop_h", "crop_w"}, FieldPair{a.crop_h, a.crop_w});
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
};

}  // namespace deeplab::graph
