#include "tflite_library/placement.h"

#include <algorithm>

namespace deeplab::tflite_library {

int Placement::delegated_ops() const {
  return static_cast<int>(std::count_if(ops.begin(), ops.end(),
                                        [](const PlacedOp& op) { return op.partition != kOnCpu; }));
}

bool read_placement(TfLiteContext* context, int ops, Placement& placement) {
  placement = {};
  placement.ops.resize(static_cast<size_t>(std::max(ops, 0)));
  TfLiteNode* node = nullptr;
  TfLiteRegistration* registration = nullptr;
  for (int i = 0; i < ops; ++i) {
    if (context->GetNodeAndRegistration(context, i, &node, &registration) != kTfLiteOk) {
      return false;
    }
    PlacedOp& op = placement.ops[static_cast<size_t>(i)];
    op.builtin_code = registration->builtin_code;
    if (registration->custom_name != nullptr) op.custom_name = registration->custom_name;
  }
  TfLiteIntArray* plan = nullptr;
  if (context->GetExecutionPlan(context, &plan) != kTfLiteOk || plan == nullptr) return false;
  // A question about a node may move what the plan points to.
  const std::vector<int> nodes(plan->data(), plan->data() + plan->size);
  for (const int index : nodes) {
    if (context->GetNodeAndRegistration(context, index, &node, &registration) != kTfLiteOk) {
      return false;
    }
    if (node->delegate == nullptr) continue;
    const auto* params = static_cast<const TfLiteDelegateParams*>(node->builtin_data);
    if (params == nullptr || params->nodes_to_replace == nullptr) return false;
    const int partition = placement.partitions++;
    const TfLiteIntArray& replaced = *params->nodes_to_replace;
    for (int i = 0; i < replaced.size; ++i) {
      const int op = replaced.data()[i];
      if (op >= 0 && op < ops) placement.ops[static_cast<size_t>(op)].partition = partition;
    }
  }
  return true;
}

}  // namespace deeplab::tflite_library
