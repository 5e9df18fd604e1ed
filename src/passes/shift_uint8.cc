#include "passes/shift_uint8.h"

#include <memory>
#include <utility>
#include <vector>

namespace deeplab::passes {

Status shift_uint8(graph::Graph& graph) {
  constexpr int32_t kShift = 128;
  for (graph::Tensor& tensor : graph.tensors) {
    if (tensor.type != graph::DataType::kUInt8) continue;
    for (int32_t& zero_point : tensor.quantization.zero_points) {
      if (zero_point < 0 || zero_point > 255) {
        return invalid_model("uint8 tensor '", tensor.name, "' has zero point ", zero_point,
                             ", expected 0 to 255");
      }
      zero_point -= kShift;
    }
    if (tensor.is_constant()) {
      std::vector<std::byte> shifted(tensor.data->begin(), tensor.data->end());
      for (std::byte& value : shifted) value ^= std::byte{kShift};
      tensor.data = std::make_shared<const std::vector<std::byte>>(std::move(shifted));
    }
    tensor.type = graph::DataType::kInt8;
  }
  return {};
}

}  // namespace deeplab::passes
