#include "tflite/op_format.h"

namespace deeplab::tflite {
namespace {

template <typename Resize, typename Options>
Result<graph::Attributes> read_resize(const SourceOp& op) {
  Resize a;
  const Options* options = op.op.builtin_options_as<Options>();
  if (options != nullptr) {
    a.align_corners = options->align_corners();
    a.half_pixel_centers = options->half_pixel_centers();
  }
  DEEPLAB_ASSIGN_OR_RETURN(const auto size, op.numbers(1, "a target size", 2));
  if (size.size() != 2) return op.error("expected a target size of 2 numbers, found 1");
  a.height = size[0];
  a.width = size[1];
  return graph::Attributes(a);
}

template <typename Options, typename Resize>
FileOp write_resize(Code code, int32_t version, const Resize& a) {
  Options options;
  options.align_corners = a.align_corners;
  options.half_pixel_centers = a.half_pixel_centers;
  return make_op(code, version, options, {list("size", {a.height, a.width})});
}

}  // namespace

OpFormat format(std::type_identity<graph::ResizeBilinear>) {
  static constexpr OpReader kReaders[] = {
      {Code::RESIZE_BILINEAR, read_resize<graph::ResizeBilinear, schema::ResizeBilinearOptions>, 2,
       kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::RESIZE_BILINEAR, 1, {1, 7, 0}},
                                            {Code::RESIZE_BILINEAR, 2, {1, 14, 0}},
                                            {Code::RESIZE_BILINEAR, 3, {2, 2, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::ResizeBilinear& a) {
  return write_resize<schema::ResizeBilinearOptionsT>(
      Code::RESIZE_BILINEAR, a.half_pixel_centers ? 3 : from.since_int8(2), a);
}

OpFormat format(std::type_identity<graph::ResizeNearestNeighbor>) {
  static constexpr OpReader kReaders[] = {
      {Code::RESIZE_NEAREST_NEIGHBOR,
       read_resize<graph::ResizeNearestNeighbor, schema::ResizeNearestNeighborOptions>, 2, kFirst}};
  static constexpr OpVersion kVersions[] = {{Code::RESIZE_NEAREST_NEIGHBOR, 1, {1, 13, 1}},
                                            {Code::RESIZE_NEAREST_NEIGHBOR, 2, {1, 14, 0}},
                                            {Code::RESIZE_NEAREST_NEIGHBOR, 3, {2, 3, 0}}};
  return {kReaders, kVersions};
}
FileOp write(const OpWriter& from, const graph::ResizeNearestNeighbor& a) {
  const bool placed = a.align_corners || a.half_pixel_centers;
  return write_resize<schema::ResizeNearestNeighborOptionsT>(Code::RESIZE_NEAREST_NEIGHBOR,
                                                             placed ? 3 : from.since_int8(2), a);
}

}  // namespace deeplab::tflite
