// Scores of pictures that follow each other, steadied from one to the next.
#pragma once

#include <cstdint>
#include <span>

#include "base/aligned_buffer.h"
#include "base/status.h"
#include "vision/labels.h"

namespace deeplab::vision {

/// Writes the scores as floats: `out` has height * width * classes elements. Int8 or float scores.
void to_floats(const ScoreView& scores, std::span<float> out);

/// An exponential moving average of score maps:
///
///     smoothed = w * smoothed before + (1 - w) * scores,   w = weight * overlap
///
/// cell by cell. `overlap` is what the softmax of both has in common, the sum over the classes of
/// the smaller probability: 1 if the picture is as before, 0 if another class is now
/// certain. So the network's hesitation is averaged out, and what moves does not drag.
/// One thread at a time.
class ScoreSmoother {
 public:
  /// Takes the memory for maps of this many scores. Error: there is none.
  Status create(int64_t scores);

  /// The next map starts a sequence.
  void reset() { has_past_ = false; }

  /// `weight` in [0, 1). The result is this object's, valid until the next call. Maps of one object
  /// have one size.
  ScoreView add(const ScoreView& scores, float weight);

 private:
  AlignedBuffer smoothed_;  // floats
  AlignedBuffer present_;   // floats
  bool has_past_ = false;
};

}  // namespace deeplab::vision
