#include "eval/boundary.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace deeplab::eval {
namespace {

struct Point {
  int32_t x;
  int32_t y;
};

/// A mask without stride.
struct Labels {
  int32_t width;
  int32_t height;
  std::vector<uint8_t> ids;

  const uint8_t* row(int32_t y) const { return ids.data() + ptrdiff_t{y} * width; }
};

/// By class id; those of kIgnoreLabel stay empty.
using Outlines = std::array<std::vector<Point>, 256>;

Labels copy_labels(const vision::MaskView& mask) {
  Labels labels{mask.width, mask.height, {}};
  for (int32_t y = 0; y < mask.height; ++y) {
    labels.ids.insert(labels.ids.end(), mask.row(y), mask.row(y) + mask.width);
  }
  return labels;
}

Outlines find_outlines(const Labels& labels) {
  Outlines outlines;
  for (int32_t y = 0; y < labels.height; ++y) {
    const uint8_t* row = labels.row(y);
    const uint8_t* above = y > 0 ? labels.row(y - 1) : row;
    const uint8_t* below = y + 1 < labels.height ? labels.row(y + 1) : row;
    for (int32_t x = 0; x < labels.width; ++x) {
      const uint8_t id = row[x];
      const bool differs = id != above[x] || id != below[x] || (x > 0 && id != row[x - 1]) ||
                           (x + 1 < labels.width && id != row[x + 1]);
      if (differs && id != vision::kIgnoreLabel) outlines[id].push_back({x, y});
    }
  }
  return outlines;
}

/// The pixels nearer than a distance to an outline. Every pixel of the outline adds a disc, a row
/// of the disc at a time: +1 at its first pixel and -1 after its last.
class Surroundings {
 public:
  Surroundings(const std::vector<Point>& outline, double distance, int32_t width, int32_t height);
  double share_of(const std::vector<Point>& points) const;

 private:
  bool holds(const Point& point) const {
    const int32_t x = point.x - left_;
    const int32_t y = point.y - top_;
    return 0 <= x && x + 1 < columns_ && 0 <= y && y < rows_ &&
           covered_[static_cast<size_t>(y) * static_cast<size_t>(columns_) +
                    static_cast<size_t>(x)] > 0;
  }

  // What the discs can reach within the photo; the last column is past the last pixel.
  int32_t left_, top_, columns_, rows_;
  std::vector<int32_t> covered_;  // [rows_][columns_] discs that hold the pixel
};

/// The half widths of a disc's rows y = 0, 1, ...: the largest x with x^2 + y^2 < distance^2.
std::vector<int32_t> disc_rows(double distance) {
  std::vector<int32_t> half_widths;
  for (int32_t y = 0; y < distance; ++y) {
    const double rest = distance * distance - double(y) * y;
    auto x = static_cast<int32_t>(std::sqrt(rest));
    while (double(x) * x >= rest) --x;
    half_widths.push_back(x);
  }
  return half_widths;
}

Surroundings::Surroundings(const std::vector<Point>& outline, double distance, int32_t width,
                           int32_t height) {
  const std::vector<int32_t> disc = disc_rows(distance);
  const auto reach = static_cast<int32_t>(disc.size()) - 1;
  const auto [first_x, last_x] = std::ranges::minmax(outline, {}, &Point::x);
  const auto [first_y, last_y] = std::ranges::minmax(outline, {}, &Point::y);
  left_ = std::max(first_x.x - reach, 0);
  top_ = std::max(first_y.y - reach, 0);
  columns_ = std::min(last_x.x + reach, width - 1) - left_ + 2;
  rows_ = std::min(last_y.y + reach, height - 1) - top_ + 1;
  covered_.resize(static_cast<size_t>(columns_) * static_cast<size_t>(rows_));
  for (const Point& point : outline) {
    for (int32_t dy = -reach; dy <= reach; ++dy) {
      const int32_t y = point.y + dy - top_;
      if (y < 0 || y >= rows_) continue;
      const int32_t half = disc[static_cast<size_t>(std::abs(dy))];
      int32_t* row = covered_.data() + ptrdiff_t{y} * columns_;
      ++row[std::max(point.x - half - left_, 0)];
      --row[std::min(point.x + half + 1 - left_, columns_ - 1)];
    }
  }
  for (int32_t y = 0; y < rows_; ++y) {
    int32_t* row = covered_.data() + ptrdiff_t{y} * columns_;
    for (int32_t x = 1; x < columns_; ++x) row[x] += row[x - 1];
  }
}

double Surroundings::share_of(const std::vector<Point>& points) const {
  const auto inside = std::ranges::count_if(points, [this](const Point& p) { return holds(p); });
  return static_cast<double>(inside) / static_cast<double>(points.size());
}

}  // namespace

Result<std::vector<BoundaryScore>> boundary_scores(const vision::MaskView& truth,
                                                   const vision::MaskView& predicted,
                                                   double tolerance) {
  if (truth.width != predicted.width || truth.height != predicted.height) {
    return invalid_argument("a truth of ", truth.width, "x", truth.height,
                            " pixels and a prediction of ", predicted.width, "x", predicted.height);
  }
  if (!(tolerance > 0)) return invalid_argument("tolerance ", tolerance, " is not positive");
  const Labels true_labels = copy_labels(truth);
  Labels labels = copy_labels(predicted);
  for (size_t i = 0; i < labels.ids.size(); ++i) {
    if (true_labels.ids[i] == vision::kIgnoreLabel) labels.ids[i] = vision::kIgnoreLabel;
  }
  const Outlines wanted = find_outlines(true_labels);
  const Outlines found = find_outlines(labels);
  const double distance = tolerance * std::hypot(truth.width, truth.height);

  std::vector<BoundaryScore> scores;
  for (size_t id = 0; id < wanted.size(); ++id) {
    if (wanted[id].empty() && found[id].empty()) continue;
    double f = 0;
    if (!wanted[id].empty() && !found[id].empty()) {
      const double precision =
          Surroundings(wanted[id], distance, truth.width, truth.height).share_of(found[id]);
      const double recall =
          Surroundings(found[id], distance, truth.width, truth.height).share_of(wanted[id]);
      if (precision + recall > 0) f = 2 * precision * recall / (precision + recall);
    }
    scores.push_back({static_cast<uint8_t>(id), f});
  }
  return scores;
}

BoundaryMeans::BoundaryMeans(int32_t classes) : classes_(static_cast<size_t>(classes)) {}

void BoundaryMeans::add(std::span<const BoundaryScore> photo) {
  Sum mean;
  for (const BoundaryScore& score : photo) {
    mean.add(score.f);
    classes_[score.class_id].add(score.f);
  }
  if (mean.count > 0) photos_.add(*mean.mean());
}

std::optional<double> BoundaryMeans::mean() const { return photos_.mean(); }

std::optional<double> BoundaryMeans::of_class(int32_t id) const {
  return classes_[static_cast<size_t>(id)].mean();
}

}  // namespace deeplab::eval
