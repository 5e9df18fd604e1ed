#include "api/runner.h"

#include "api/vision_terms.h"

namespace deeplab::api {

Status RunControl::check() const {
  if (should_stop != nullptr && should_stop(context)) {
    return {StatusCode::kCancelled, "the run was stopped by its caller"};
  }
  if (deadline && std::chrono::steady_clock::now() >= *deadline) {
    return {StatusCode::kDeadlineExceeded, "the run took longer than its caller allowed"};
  }
  return {};
}

EngineRunner::EngineRunner(std::unique_ptr<exec::PlannedExecutor> executor, graph::TensorId input,
                           const passes::LabelHead& head)
    : executor_(std::move(executor)), input_(input) {
  const graph::Tensor& scores = executor_->graph().tensor(head.scores);
  scores_ = {executor_->tensor(head.scores).data(),
             element_type(scores.type),
             head.height,
             head.width,
             head.classes,
             quantization(scores)};
}

Status EngineRunner::run(const RunControl& control) {
  for (int step = 0; step < executor_->step_count(); ++step) {
    DEEPLAB_RETURN_IF_ERROR(control.check());
    executor_->run_step(step);
  }
  return {};
}

}  // namespace deeplab::api
