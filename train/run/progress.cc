#include "train/run/progress.h"

namespace deeplab::train {

void Progress::add(const StepReport& report) {
  sum_.loss += report.loss;
  sum_.masks += report.masks;
  sum_.teacher += report.teacher;
  ++steps_;
}

Progress::Means Progress::means(double waited) const {
  const double elapsed = watch_.seconds();
  const double steps = static_cast<double>(steps_);
  return {sum_.loss / steps, sum_.masks / steps, sum_.teacher / steps, elapsed / steps,
          (waited - waited_) / elapsed};
}

}  // namespace deeplab::train
