// The steps since the last line of the log: their mean losses, and how fast they were.
#pragma once

#include <cstdint>

#include "base/stopwatch.h"
#include "train/run/trainer.h"

namespace deeplab::train {

class Progress {
 public:
  struct Means {
    double loss = 0;
    double masks = 0;
    double teacher = 0;
    double seconds_per_step = 0;
    double wait = 0;  ///< Share of the time spent waiting for data.
  };

  /// `waited`, here and below: Trainer::seconds_waited().
  explicit Progress(double waited) : waited_(waited) {}

  void restart(double waited) { *this = Progress(waited); }
  void add(const StepReport& report);
  /// After at least one step.
  Means means(double waited) const;

 private:
  Stopwatch watch_;
  double waited_;
  StepReport sum_;
  int64_t steps_ = 0;
};

}  // namespace deeplab::train
