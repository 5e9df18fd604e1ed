#include "vision/blur.h"

#include <algorithm>
#include <vector>

#include "vision/overlay.h"

namespace deeplab::vision {
namespace {

/// A picture of cells: the background's mean colour around each.
class Cells {
 public:
  Cells(int32_t width, int32_t height, int32_t radius)
      // Three passes, mixed between cells, reach four cells.
      : side_(std::max(1, (radius + 2) / 4)),
        passes_(std::min(3, radius)),
        width_((width + side_ - 1) / side_),
        height_((height + side_ - 1) / side_),
        values_(static_cast<size_t>(width_) * static_cast<size_t>(height_) * 4) {}

  void add(int32_t y, const uint8_t* rgb, const float* confidence, int32_t pixels) {
    float* cells = row(y / side_);
    for (int32_t x = 0; x < pixels; ++x, rgb += 3) {
      // So little for what stays sharp that it shows only far from any background.
      constexpr float kLeast = 1.0f / 16;
      const float weight = static_cast<float>(255 - soft_alpha(confidence[x])) + kLeast;
      float* cell = cells + ptrdiff_t{4} * (x / side_);
      for (int32_t c = 0; c < 3; ++c) cell[c] += weight * static_cast<float>(rgb[c]);
      cell[3] += weight;
    }
  }

  void blur() {
    const ptrdiff_t pitch = ptrdiff_t{4} * width_;
    std::vector<float> last(static_cast<size_t>(pitch));
    for (int32_t pass = 0; pass < passes_; ++pass) {
      for (int32_t y = 0; y < height_; ++y) add_neighbours(row(y), width_, 4, last);
      add_neighbours(row(0), height_, pitch, last);
    }
    for (size_t i = 0; i < values_.size(); i += 4) {
      for (size_t c = 0; c < 3; ++c) values_[i + c] /= values_[i + 3];
    }
  }

  /// The colours at row y of the picture: cells mixed from above and below, `width_` times 4.
  void read_row(int32_t y, std::vector<float>& mixed) const {
    const Place place = locate(y, height_);
    const float* above = row(place.first);
    const float* below = row(place.second);
    for (size_t i = 0; i < mixed.size(); ++i) {
      mixed[i] = above[i] + place.share * (below[i] - above[i]);
    }
  }

  /// Where a pixel lies between two cells.
  struct Place {
    int32_t first;
    int32_t second;
    float share;  // of the second
  };
  Place column(int32_t x) const { return locate(x, width_); }
  int32_t width() const { return width_; }

 private:
  const float* row(int32_t y) const { return values_.data() + ptrdiff_t{4} * width_ * y; }
  float* row(int32_t y) { return values_.data() + ptrdiff_t{4} * width_ * y; }

  Place locate(int32_t pixel, int32_t cells) const {
    const float at =
        std::clamp((static_cast<float>(pixel) + 0.5f) / static_cast<float>(side_) - 0.5f, 0.0f,
                   static_cast<float>(cells - 1));
    const auto first = static_cast<int32_t>(at);
    return {first, std::min(first + 1, cells - 1), at - static_cast<float>(first)};
  }

  /// Each of `count` items, `size` floats long and next to each other, becomes the sum of itself
  /// and the items beside it. `last` is scratch.
  static void add_neighbours(float* items, int32_t count, ptrdiff_t size,
                             std::vector<float>& last) {
    std::fill_n(last.begin(), size, 0.0f);
    for (int32_t i = 0; i < count; ++i, items += size) {
      const float* next = i + 1 < count ? items + size : nullptr;
      for (ptrdiff_t k = 0; k < size; ++k) {
        const float own = items[k];
        items[k] = last[static_cast<size_t>(k)] + own + (next != nullptr ? next[k] : 0);
        last[static_cast<size_t>(k)] = own;
      }
    }
  }

  int32_t side_;  // pixels of a cell
  int32_t passes_;
  int32_t width_;
  int32_t height_;
  std::vector<float> values_;  // R, G, B times weight, weight; after blur() R, G, B
};

}  // namespace

Status blur_background(const PictureView& picture, const float* confidence,
                       ptrdiff_t confidence_stride, int32_t radius, uint8_t* rgb,
                       ptrdiff_t rgb_stride) {
  DEEPLAB_RETURN_IF_ERROR(validate(picture));
  const int32_t width = picture.width(), height = picture.height();
  DEEPLAB_RETURN_IF_ERROR(check_output(rgb, rgb_stride, width, height, 3, "blur"));
  DEEPLAB_RETURN_IF_ERROR(
      check_output(confidence, confidence_stride, width, height, 1, "blur's confidence"));
  if (radius < 0 || radius > kMaxBlurRadius) {
    return invalid_argument("blur: radius ", radius, " is not in 0..", kMaxBlurRadius);
  }
  if (radius == 0) radius = std::clamp(std::min(width, height) / 20, 1, kMaxBlurRadius);
  const RowReader reader(picture);
  std::vector<uint8_t> pixels(static_cast<size_t>(width) * 3);
  Cells cells(width, height, radius);
  for (int32_t y = 0; y < height; ++y) {
    reader.read(y, pixels.data());
    cells.add(y, pixels.data(), confidence + y * confidence_stride, width);
  }
  cells.blur();

  std::vector<Cells::Place> columns;
  columns.reserve(static_cast<size_t>(width));
  for (int32_t x = 0; x < width; ++x) columns.push_back(cells.column(x));
  std::vector<float> mixed(static_cast<size_t>(cells.width()) * 4);
  for (int32_t y = 0; y < height; ++y) {
    reader.read(y, pixels.data());
    cells.read_row(y, mixed);
    const float* sure = confidence + y * confidence_stride;
    const uint8_t* in = pixels.data();
    uint8_t* out = rgb + y * rgb_stride;
    for (int32_t x = 0; x < width; ++x, in += 3, out += 3) {
      const Cells::Place& place = columns[static_cast<size_t>(x)];
      const float* left = mixed.data() + ptrdiff_t{4} * place.first;
      const float* right = mixed.data() + ptrdiff_t{4} * place.second;
      const float sharp = static_cast<float>(soft_alpha(sure[x])) / 255;
      for (int32_t c = 0; c < 3; ++c) {
        const float blurred = left[c] + place.share * (right[c] - left[c]);
        const float value = blurred + sharp * (static_cast<float>(in[c]) - blurred);
        out[c] = static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f) + 0.5f);
      }
    }
  }
  return {};
}

}  // namespace deeplab::vision
