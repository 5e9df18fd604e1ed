#include "eval/scores.h"

#include <algorithm>
#include <cassert>
#include <functional>

namespace deeplab::eval {
namespace {

double ratio(int64_t part, int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Result<PhotoCounts> count_pixels(const vision::MaskView& truth, const vision::MaskView& predicted,
                                 int32_t classes) {
  if (truth.width != predicted.width || truth.height != predicted.height) {
    return invalid_argument("a truth of ", truth.width, "x", truth.height,
                            " pixels and a prediction of ", predicted.width, "x", predicted.height);
  }
  // All pairs of bytes: ids that are not classes are found in the sums, not at every pixel.
  std::vector<int64_t> pairs(size_t{256} * 256);
  for (int32_t y = 0; y < truth.height; ++y) {
    const uint8_t* t = truth.row(y);
    const uint8_t* p = predicted.row(y);
    for (int32_t x = 0;
         x < truth.width;) {  // by runs: counting the same pair pixel by pixel stalls
      const int32_t begin = x;
      while (x < truth.width && t[x] == t[begin] && p[x] == p[begin]) ++x;
      pairs[size_t{t[begin]} * 256 + p[begin]] += x - begin;
    }
  }
  PhotoCounts counts;
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i] == 0) continue;
    const auto t = static_cast<uint8_t>(i / 256);
    const auto p = static_cast<uint8_t>(i % 256);
    if (p >= classes || (t >= classes && t != vision::kIgnoreLabel)) {
      return invalid_argument("truth ", int{t}, " with prediction ", int{p},
                              "; expected classes 0 to ", classes - 1);
    }
    if (t == vision::kIgnoreLabel) {
      counts.ignored += pairs[i];
    } else {
      counts.cells.push_back({t, p, pairs[i]});
    }
  }
  return counts;
}

Confusion::Confusion(int32_t classes)
    : classes_(classes), counts_(static_cast<size_t>(classes) * static_cast<size_t>(classes)) {
  assert(1 <= classes && classes <= vision::kIgnoreLabel);
}

void Confusion::add(const PhotoCounts& photo) {
  for (const ConfusionCell& cell : photo.cells) {
    assert(cell.truth < classes_ && cell.predicted < classes_);
    counts_[index(cell.truth, cell.predicted)] += cell.pixels;
  }
  ignored_ += photo.ignored;
}

void Confusion::add(const Confusion& other) {
  assert(other.classes_ == classes_);
  std::ranges::transform(counts_, other.counts_, counts_.begin(), std::plus());
  ignored_ += other.ignored_;
}

Status Confusion::add(const vision::MaskView& truth, const vision::MaskView& predicted) {
  DEEPLAB_ASSIGN_OR_RETURN(const PhotoCounts counts, count_pixels(truth, predicted, classes_));
  add(counts);
  return {};
}

Scores score(const Confusion& confusion) {
  Scores scores;
  const int32_t classes = confusion.classes();
  scores.classes.resize(static_cast<size_t>(classes));
  for (int32_t t = 0; t < classes; ++t) {
    for (int32_t p = 0; p < classes; ++p) {
      const int64_t pixels = confusion.at(t, p);
      scores.classes[static_cast<size_t>(t)].pixels += pixels;
      scores.classes[static_cast<size_t>(p)].predicted += pixels;
      scores.pixels += pixels;
    }
    scores.classes[static_cast<size_t>(t)].both = confusion.at(t, t);
  }
  if (scores.pixels == 0) return scores;

  int64_t right = 0;
  for (ClassScore& of : scores.classes) {
    if (of.pixels == 0) continue;
    of.iou = ratio(of.both, of.pixels + of.predicted - of.both);
    of.accuracy = ratio(of.both, of.pixels);
    ++scores.counted_classes;
    right += of.both;
    scores.miou += *of.iou;
    scores.mean_accuracy += *of.accuracy;
    scores.frequency_weighted_iou += ratio(of.pixels, scores.pixels) * *of.iou;
  }
  scores.miou /= scores.counted_classes;
  scores.mean_accuracy /= scores.counted_classes;
  scores.pixel_accuracy = ratio(right, scores.pixels);
  return scores;
}

}  // namespace deeplab::eval
