#include "eval/scores.h"

#include <algorithm>
#include <cassert>

namespace deeplab::eval {
namespace {

double ratio(int64_t part, int64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Confusion::Confusion(int32_t classes)
    : classes_(classes), counts_(static_cast<size_t>(classes) * static_cast<size_t>(classes)) {
  assert(1 <= classes && classes <= vision::kIgnoreLabel);
}

Status Confusion::add(const vision::MaskView& truth, const vision::MaskView& predicted) {
  if (truth.width != predicted.width || truth.height != predicted.height) {
    return invalid_argument("a truth of ", truth.width, "x", truth.height,
                            " pixels and a prediction of ", predicted.width, "x", predicted.height);
  }
  // All pairs of bytes: what is no class is found in the sums instead of at every pixel.
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
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto t = static_cast<int32_t>(i / 256);
    const auto p = static_cast<int32_t>(i % 256);
    if (pairs[i] != 0 && (p >= classes_ || (t >= classes_ && t != vision::kIgnoreLabel))) {
      return invalid_argument("truth ", t, " with prediction ", p, "; expected classes 0 to ",
                              classes_ - 1);
    }
  }
  for (int32_t p = 0; p < classes_; ++p) {
    for (int32_t t = 0; t < classes_; ++t) add(t, p, pairs[static_cast<size_t>(t) * 256 + p]);
    ignored_ += pairs[size_t{vision::kIgnoreLabel} * 256 + static_cast<size_t>(p)];
  }
  return {};
}

void Confusion::add(int32_t truth, int32_t predicted, int64_t pixels) {
  assert(0 <= truth && truth < classes_ && 0 <= predicted && predicted < classes_);
  counts_[index(truth, predicted)] += pixels;
}

void Confusion::add(const Confusion& other) {
  assert(other.classes_ == classes_);
  std::ranges::transform(counts_, other.counts_, counts_.begin(), std::plus());
  ignored_ += other.ignored_;
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
