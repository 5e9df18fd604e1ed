// RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR.
#pragma once

#include "graph/op_parts.h"

namespace deeplab::graph {

/// {x [N,H,W,C]} -> [N,height,width,C]
struct ResizeBilinear {
  int32_t height = 0;
  int32_t width = 0;
  bool align_corners = false;
  bool half_pixel_centers = false;

  static constexpr std::string_view kName = "RESIZE_BILINEAR";
  static constexpr bool kKeepsParameters = true;
  static void fields(auto& a, auto&& visit) {
    visit(FieldName{"to", "height", "width"}, FieldPair{a.height, a.width});
    visit(FieldName{"align_corners", "align_corners"}, a.align_corners);
    visit(FieldName{"half_pixel_centers", "half_pixel_centers"}, a.half_pixel_centers);
  }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
  Status resize(Canvas& canvas, const Op& op);
};

/// {x [N,H,W,C]} -> [N,height,width,C]
struct ResizeNearestNeighbor {
  int32_t height = 0;
  int32_t width = 0;
  bool align_corners = false;
  bool half_pixel_centers = false;

  static constexpr std::string_view kName = "RESIZE_NEAREST_NEIGHBOR";
  static constexpr bool kKeepsParameters = true;
  static void fields(auto& a, auto&& visit) { ResizeBilinear::fields(a, visit); }
  Result<Shape> output_shape(const OpView& op) const;
  Status check_types(const OpView& op) const;
  Status resize(Canvas& canvas, const Op& op);
};

}  // namespace deeplab::graph
