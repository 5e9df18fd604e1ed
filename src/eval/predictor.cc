#include "eval/predictor.h"

#include <algorithm>
#include <cmath>

#include "photos/photos.h"

namespace deeplab::eval {
namespace {

// Rows of a photo whose probabilities are held at a time: 5 MB for 21 classes of 2000 columns.
constexpr int32_t kRows = 32;

void mirror(const imageio::Image& photo, imageio::Image& out) {
  out = photo;
  const auto channels = static_cast<size_t>(photo.channels);
  const auto width = static_cast<size_t>(photo.width);
  for (size_t y = 0; y < static_cast<size_t>(photo.height); ++y) {
    const uint8_t* from = photo.pixels.data() + y * width * channels;
    uint8_t* to = out.pixels.data() + y * width * channels;
    for (size_t x = 0; x < width; ++x) {
      std::copy_n(from + (width - 1 - x) * channels, channels, to + x * channels);
    }
  }
}

/// Adds rows of `width` values, read from right to left if they are of a mirrored photo.
void add_rows(const std::vector<float>& from, bool mirrored, size_t width, std::vector<float>& to) {
  for (size_t row = 0; row < to.size(); row += width) {
    const float* in = from.data() + row;
    float* out = to.data() + row;
    if (mirrored) {
      for (size_t x = 0; x < width; ++x) out[x] += in[width - 1 - x];
    } else {
      for (size_t x = 0; x < width; ++x) out[x] += in[x];
    }
  }
}

}  // namespace

int32_t scaled_side(int32_t side, double scale) {
  if (scale == 1) return side;
  constexpr int32_t kStride = 16;
  const double steps = std::round((side - 1) * scale / kStride);
  return std::max(static_cast<int32_t>(steps), 1) * kStride + 1;
}

Result<std::unique_ptr<Predictor>> Predictor::create(std::shared_ptr<const api::Model> model,
                                                     const Protocol& protocol) {
  auto self = std::make_unique<Predictor>();
  self->protocol_ = protocol;
  for (const double scale : protocol.scales) {
    api::SegmenterOptions options;
    DEEPLAB_ASSIGN_OR_RETURN(options.isa, selected_isa());
    options.threads = 1;
    options.fit = protocol.fit;
    options.width = scaled_side(protocol.width, scale);
    options.height = scaled_side(protocol.height, scale);
    options.output_stride = protocol.output_stride;
    options.pad_limit = scale;
    options.tflite = protocol.tflite;
    for (const bool mirrored : {false, true}) {
      if (mirrored && !protocol.flip) continue;
      auto segmenter = api::Segmenter::create(model, options);
      if (!segmenter.ok()) return annotate(segmenter.status(), str_cat("scale ", scale));
      self->runs_.push_back({std::move(*segmenter), mirrored});
    }
  }
  return self;
}

const api::Segmenter& Predictor::largest() const {
  const auto wider = [](const Run& a, const Run& b) {
    return a.segmenter->canvas_width() < b.segmenter->canvas_width();
  };
  return *std::ranges::max_element(runs_, wider)->segmenter;
}

int32_t Predictor::canvas_width() const { return largest().canvas_width(); }

Result<imageio::Image> Predictor::read_photo(const std::string& path) const {
  const api::Segmenter& canvas = largest();
  DEEPLAB_ASSIGN_OR_RETURN(photos::DecodedPhoto decoded,
                           photos::decode_photo({path, path}, protocol_.fit, canvas.canvas_width(),
                                                canvas.canvas_height(), protocol_.decode));
  return std::move(decoded.small);
}

Result<std::vector<uint8_t>> Predictor::predict(const imageio::Image& photo) {
  const int32_t width = photo.original_width;
  const int32_t height = photo.original_height;
  std::vector<uint8_t> mask(static_cast<size_t>(width) * static_cast<size_t>(height));
  DEEPLAB_RETURN_IF_ERROR(run_all(photo));
  if (protocol_.is_plain()) {
    DEEPLAB_RETURN_IF_ERROR(runs_[0].segmenter->category_mask(width, height, mask.data(), width));
  } else {
    DEEPLAB_RETURN_IF_ERROR(mean_labels(width, height, mask));
  }
  return mask;
}

/// Leaves every run's scores with its segmenter.
Status Predictor::run_all(const imageio::Image& photo) {
  if (std::ranges::any_of(runs_, &Run::mirrored)) mirror(photo, mirrored_);
  for (const Run& run : runs_) {
    DEEPLAB_RETURN_IF_ERROR(run.segmenter->run(photos::view_of(run.mirrored ? mirrored_ : photo)));
  }
  return {};
}

Status Predictor::mean_labels(int32_t width, int32_t height, std::vector<uint8_t>& mask) {
  const int32_t classes = runs_[0].segmenter->head().classes;
  for (int32_t begin = 0; begin < height; begin += kRows) {
    const int32_t end = std::min(begin + kRows, height);
    const size_t plane = static_cast<size_t>(end - begin) * static_cast<size_t>(width);
    confidences_.resize(plane * static_cast<size_t>(classes));
    sums_.assign(confidences_.size(), 0.0f);
    for (const Run& run : runs_) {
      DEEPLAB_RETURN_IF_ERROR(
          run.segmenter->all_confidences(width, height, begin, end, confidences_.data()));
      add_rows(confidences_, run.mirrored, static_cast<size_t>(width), sums_);
    }
    uint8_t* labels = mask.data() + static_cast<size_t>(begin) * static_cast<size_t>(width);
    for (size_t i = 0; i < plane; ++i) {
      int32_t best = 0;
      for (int32_t c = 1; c < classes; ++c) {
        const auto at = [&](int32_t k) { return sums_[static_cast<size_t>(k) * plane + i]; };
        if (at(c) > at(best)) best = c;
      }
      labels[i] = static_cast<uint8_t>(best);
    }
  }
  return {};
}

}  // namespace deeplab::eval
