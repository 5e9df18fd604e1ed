// One pass over the pixels gives loss and gradient; nothing of the canvas' size is ever stored.
#include "train/network/segmentation_loss.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "train/network/ops.h"

namespace deeplab::train {
namespace {

using torch::Tensor;

constexpr int64_t kLanes = 16;
constexpr float kNoClass = -1e30f;  // in the lanes after the last class
typedef float Lanes __attribute__((vector_size(64), aligned(4)));
typedef int32_t IntLanes __attribute__((vector_size(64), aligned(4)));

/// Where a crop's row or column lies on a score map.
struct Place {
  int64_t low;
  int64_t high;
  float fraction;
};
std::vector<Place> places(int64_t crop, int64_t map, bool align_corners, int64_t stride) {
  std::vector<Place> result;
  for (int64_t i = 0; i < crop; i += stride) {
    double at = align_corners ? (crop > 1 ? double(i) * double(map - 1) / double(crop - 1) : 0)
                              : (double(i) + 0.5) * double(map) / double(crop) - 0.5;
    at = std::clamp(at, 0.0, double(map - 1));
    const auto low = static_cast<int64_t>(at);
    result.push_back({low, std::min(low + 1, map - 1), static_cast<float>(at - double(low))});
  }
  return result;
}

/// A score map whose cells are whole vectors of classes.
struct Map {
  int64_t height = 0;
  int64_t width = 0;
  int64_t lanes = 0;  // classes rounded up
  std::vector<float> data;
  float* row(int64_t y) { return data.data() + y * width * lanes; }
};
Map make_map(int64_t height, int64_t width, int64_t classes, float fill) {
  Map map{height, width, (classes + kLanes - 1) / kLanes * kLanes, {}};
  map.data.assign(static_cast<size_t>(height * width * map.lanes), fill);
  return map;
}
Map padded_map(const Tensor& scores, int64_t photo) {
  const int64_t classes = scores.size(3);
  Map map = make_map(scores.size(1), scores.size(2), classes, kNoClass);
  const float* from = scores.data_ptr<float>() + photo * scores.stride(0);
  for (int64_t i = 0; i < map.height * map.width; ++i) {
    std::copy_n(from + i * classes, classes, map.data.begin() + i * map.lanes);
  }
  return map;
}

/// e^x for x <= 0 to 2e-7: 2^n times a polynomial (Cephes' coefficients).
__attribute__((always_inline)) inline Lanes exponential(Lanes x) {
  const Lanes floor = Lanes{} - 87.0f;
  x = x < floor ? floor : x;
  const Lanes rounder = Lanes{} + 12582912.0f;  // 1.5 * 2^23: rounds to a whole number
  const Lanes n = (x * 1.44269504f + rounder) - rounder;
  const Lanes r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Lanes p = Lanes{} + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const IntLanes exponent = (__builtin_convertvector(n, IntLanes) + 127) << 23;
  Lanes power;
  std::memcpy(&power, &exponent, sizeof(power));
  return p * power;
}

/// row = top + fraction * (bottom - top).
DEEPLAB_TRAIN_CLONES void mix_rows(const float* top, const float* bottom, float fraction,
                                   int64_t count, float* row) {
  for (int64_t i = 0; i < count; ++i) row[i] = top[i] + fraction * (bottom[i] - top[i]);
}
DEEPLAB_TRAIN_CLONES void add_rows(const float* row, float fraction, int64_t count, float* top,
                                   float* bottom) {
  for (int64_t i = 0; i < count; ++i) {
    top[i] += (1 - fraction) * row[i];
    bottom[i] += fraction * row[i];
  }
}

/// One row of sampled pixels. Null pointers leave parts out.
struct RowTask {
  int64_t count = 0;
  int64_t lanes = 0;
  const Place* columns = nullptr;
  const float* scores = nullptr;  // [map width][lanes], mixed vertically
  const uint8_t* labels = nullptr;
  int64_t label_stride = 1;
  const float* class_weights = nullptr;
  float mask_factor = 0;             // of a pixel's gradient
  const float* threshold = nullptr;  // count only what loses at least this
  float* pixel_losses = nullptr;     // out [count]: -log p_t, or -1 if ignored
  const Place* teacher_columns = nullptr;
  const float* teacher = nullptr;
  int64_t taught = 0;  // pixels from the left
  float teacher_factor = 0;
  float* gradient = nullptr;  // [map width][lanes], added to
  double masks = 0;           // sums, added to
  double divergence = 0;
};

/// probabilities = softmax; returns log of the sum of e^score.
__attribute__((always_inline)) inline float softmax(const float* row, const Place& place,
                                                    int64_t lanes, float* scores,
                                                    float* probabilities) {
  const float* a = row + place.low * lanes;
  const float* b = row + place.high * lanes;
  const Lanes fraction = Lanes{} + place.fraction;
  Lanes largest = Lanes{} + kNoClass;
  for (int64_t c = 0; c < lanes; c += kLanes) {
    Lanes low, high;
    std::memcpy(&low, a + c, sizeof(Lanes));
    std::memcpy(&high, b + c, sizeof(Lanes));
    const Lanes value = low + fraction * (high - low);
    std::memcpy(scores + c, &value, sizeof(Lanes));
    largest = value > largest ? value : largest;
  }
  float maximum = largest[0];
  for (int i = 1; i < kLanes; ++i) maximum = largest[i] > maximum ? largest[i] : maximum;
  Lanes sums{};
  for (int64_t c = 0; c < lanes; c += kLanes) {
    Lanes value;
    std::memcpy(&value, scores + c, sizeof(Lanes));
    const Lanes e = exponential(value - maximum);
    std::memcpy(probabilities + c, &e, sizeof(Lanes));
    sums += e;
  }
  float sum = 0;
  for (int i = 0; i < kLanes; ++i) sum += sums[i];
  const Lanes inverse = Lanes{} + 1.0f / sum;
  for (int64_t c = 0; c < lanes; c += kLanes) {
    Lanes value;
    std::memcpy(&value, probabilities + c, sizeof(Lanes));
    value *= inverse;
    std::memcpy(probabilities + c, &value, sizeof(Lanes));
  }
  return maximum + std::log(sum);
}

DEEPLAB_TRAIN_CLONES void run_row(RowTask& task) {
  constexpr int64_t kMost = 256;
  float scores[kMost], p[kMost], teacher_scores[kMost], q[kMost], g[kMost];
  for (int64_t x = 0; x < task.count; ++x) {
    const int label = task.labels == nullptr ? 255 : task.labels[x * task.label_stride];
    const bool taught = task.teacher != nullptr && x < task.taught;
    if (label == 255 && task.pixel_losses != nullptr) task.pixel_losses[x] = -1;
    if (label == 255 && !taught) continue;
    const float log_sum = softmax(task.scores, task.columns[x], task.lanes, scores, p);

    float mask_factor = 0;
    if (label != 255) {
      const float lost = log_sum - scores[label];
      if (task.pixel_losses != nullptr) task.pixel_losses[x] = lost;
      if (task.threshold == nullptr || lost >= *task.threshold) {
        const float weight = task.class_weights == nullptr ? 1.0f : task.class_weights[label];
        task.masks += double{weight} * lost;
        mask_factor = task.mask_factor * weight;
      }
    }
    float teacher_factor = 0;
    if (taught) {
      const float teacher_log_sum =
          softmax(task.teacher, task.teacher_columns[x], task.lanes, teacher_scores, q);
      float divergence = 0;
      for (int64_t c = 0; c < task.lanes; ++c) {
        divergence += q[c] * ((teacher_scores[c] - teacher_log_sum) - (scores[c] - log_sum));
      }
      task.divergence += double{divergence};
      teacher_factor = task.teacher_factor;
    }
    if (task.gradient == nullptr) continue;
    const float both = mask_factor + teacher_factor;
    if (both == 0) continue;
    for (int64_t c = 0; c < task.lanes; ++c) {
      g[c] = both * p[c] - (taught ? teacher_factor * q[c] : 0.0f);
    }
    if (label != 255) g[label] -= mask_factor;
    const float fraction = task.columns[x].fraction;
    float* left = task.gradient + task.columns[x].low * task.lanes;
    float* right = task.gradient + task.columns[x].high * task.lanes;
    for (int64_t c = 0; c < task.lanes; ++c) left[c] += (1 - fraction) * g[c];
    for (int64_t c = 0; c < task.lanes; ++c) right[c] += fraction * g[c];
  }
}

/// Goes over one photo's rows.
class PhotoLoss {
 public:
  PhotoLoss(const Tensor& scores, const LossTargets& targets, int64_t photo, bool align_corners,
            const LossOptions& options)
      : targets_(targets),
        photo_(photo),
        stride_(options.pixel_stride),
        map_(padded_map(scores, photo)),
        rows_(places(targets.height, map_.height, align_corners, stride_)),
        columns_(places(targets.width, map_.width, align_corners, stride_)) {
    if (targets.teacher.defined() && options.teacher_weight > 0) {
      teacher_ = padded_map(targets.teacher, photo);
      teacher_rows_ = places(targets.height, teacher_.height, align_corners, stride_);
      teacher_columns_ = places(targets.width, teacher_.width, align_corners, stride_);
    }
  }

  /// Calls prepare(task, row) and then works on each row. `gradient` may be null.
  void run(Map* gradient, const std::function<void(RowTask&, int64_t)>& prepare) {
    std::vector<float> row(static_cast<size_t>(map_.width * map_.lanes));
    std::vector<float> teacher_row(static_cast<size_t>(teacher_.width * teacher_.lanes));
    std::vector<float> gradient_row(row.size());
    for (size_t y = 0; y < rows_.size(); ++y) {
      const Place& place = rows_[y];
      mix_rows(map_.row(place.low), map_.row(place.high), place.fraction, std::ssize(row),
               row.data());
      RowTask task;
      task.count = std::ssize(columns_);
      task.lanes = map_.lanes;
      task.columns = columns_.data();
      task.scores = row.data();
      const auto crop_row = static_cast<int64_t>(y) * stride_;
      task.labels = targets_.labels + (photo_ * targets_.height + crop_row) * targets_.width;
      task.label_stride = stride_;
      if (!teacher_.data.empty() && crop_row < content(targets_.content_heights, targets_.height)) {
        const Place& taught = teacher_rows_[y];
        mix_rows(teacher_.row(taught.low), teacher_.row(taught.high), taught.fraction,
                 std::ssize(teacher_row), teacher_row.data());
        task.teacher = teacher_row.data();
        task.teacher_columns = teacher_columns_.data();
        task.taught = (content(targets_.content_widths, targets_.width) + stride_ - 1) / stride_;
      }
      if (gradient != nullptr) {
        std::fill(gradient_row.begin(), gradient_row.end(), 0.0f);
        task.gradient = gradient_row.data();
      }
      prepare(task, static_cast<int64_t>(y));
      run_row(task);
      masks += task.masks;
      divergence += task.divergence;
      if (gradient != nullptr) {
        add_rows(gradient_row.data(), place.fraction, std::ssize(gradient_row),
                 gradient->row(place.low), gradient->row(place.high));
      }
    }
  }

  int64_t sampled_rows() const { return std::ssize(rows_); }
  int64_t sampled_columns() const { return std::ssize(columns_); }

  double masks = 0;
  double divergence = 0;

 private:
  int64_t content(const int32_t* sizes, int64_t all) const {
    return sizes == nullptr ? all : sizes[photo_];
  }

  const LossTargets& targets_;
  int64_t photo_;
  int64_t stride_;
  Map map_;
  std::vector<Place> rows_, columns_;
  Map teacher_;
  std::vector<Place> teacher_rows_, teacher_columns_;
};

/// How many of `labelled` pixels hard-pixel mining keeps.
int64_t kept(int64_t labelled, double fraction) {
  return labelled == 0 ? 0 : std::max<int64_t>(1, std::llround(double(labelled) * fraction));
}

/// The loss from which on pixels count.
float hard_threshold(PhotoLoss& photo, double fraction) {
  std::vector<float> losses(static_cast<size_t>(photo.sampled_rows() * photo.sampled_columns()),
                            -1.0f);
  photo.run(nullptr, [&](RowTask& task, int64_t row) {
    task.teacher = nullptr;
    task.pixel_losses = losses.data() + row * photo.sampled_columns();
  });
  photo.masks = photo.divergence = 0;
  std::erase_if(losses, [](float loss) { return loss < 0; });
  const int64_t count = kept(std::ssize(losses), fraction);
  if (count == 0) return 0;
  const auto nth = losses.begin() + (count - 1);
  std::nth_element(losses.begin(), nth, losses.end(), std::greater<>());
  return *nth;
}

class Given : public torch::autograd::Function<Given> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& scores,
                        const Tensor& gradient, double value) {
    context->save_for_backward({gradient});
    return torch::full({}, value, scores.options());
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    return {context->get_saved_variables()[0] * gradients[0], Tensor(), Tensor()};
  }
};

}  // namespace

LossCounts count_pixels(const LossTargets& targets, int64_t photos, const LossOptions& options) {
  LossCounts counts;
  const int64_t stride = options.pixel_stride;
  for (int64_t n = 0; n < photos; ++n) {
    int64_t labelled = 0;
    for (int64_t y = 0; y < targets.height; y += stride) {
      const uint8_t* row = targets.labels + (n * targets.height + y) * targets.width;
      for (int64_t x = 0; x < targets.width; x += stride) labelled += row[x] != 255;
    }
    counts.labelled += static_cast<double>(kept(labelled, options.hard_fraction));
    const auto sampled = [&](const int32_t* sizes, int64_t all) {
      return ((sizes == nullptr ? all : sizes[n]) + stride - 1) / stride;
    };
    counts.taught += static_cast<double>(sampled(targets.content_heights, targets.height) *
                                         sampled(targets.content_widths, targets.width));
  }
  return counts;
}

Loss segmentation_loss(const Tensor& scores, const LossTargets& targets, bool align_corners,
                       const LossCounts& counts, const LossOptions& options) {
  const Tensor values = scores.detach().contiguous();
  const int64_t classes = values.size(3);
  Tensor gradient = torch::empty_like(values);
  Loss loss;
  const double per_label = counts.labelled > 0 ? 1 / counts.labelled : 0;
  const double per_taught = counts.taught > 0 ? 1 / counts.taught : 0;
  for (int64_t n = 0; n < values.size(0); ++n) {
    PhotoLoss photo(values, targets, n, align_corners, options);
    float threshold = 0;
    const bool mines = options.hard_fraction < 1;
    if (mines) threshold = hard_threshold(photo, options.hard_fraction);
    Map map = make_map(values.size(1), values.size(2), classes, 0.0f);
    photo.run(&map, [&](RowTask& task, int64_t) {
      task.class_weights = options.class_weights.empty() ? nullptr : options.class_weights.data();
      task.mask_factor = static_cast<float>(options.mask_weight * per_label);
      task.teacher_factor = static_cast<float>(options.teacher_weight * per_taught);
      task.threshold = mines ? &threshold : nullptr;
    });
    loss.masks += photo.masks * per_label;
    loss.teacher += photo.divergence * per_taught;
    float* to = gradient.data_ptr<float>() + n * gradient.stride(0);
    for (int64_t i = 0; i < map.height * map.width; ++i) {
      std::copy_n(map.data.begin() + i * map.lanes, classes, to + i * classes);
    }
  }
  loss.total = Given::apply(
      scores, gradient, options.mask_weight * loss.masks + options.teacher_weight * loss.teacher);
  return loss;
}

}  // namespace deeplab::train
