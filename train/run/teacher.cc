#include "train/run/teacher.h"

#include <algorithm>
#include <cstring>

#include "api/model.h"

namespace deeplab::train {

Result<std::vector<Teacher>> Teacher::create(const Options& options, int count) {
  std::vector<std::shared_ptr<const api::Model>> models;
  for (const std::string& path : options.models) {
    DEEPLAB_ASSIGN_OR_RETURN(auto model, api::Model::load(path));
    if (model->class_count() != options.classes) {
      return invalid_argument(path, ": the teacher knows ", model->class_count(),
                              " classes, the network ", options.classes);
    }
    models.push_back(std::move(model));
  }
  std::vector<Teacher> teachers(static_cast<size_t>(count));
  for (Teacher& teacher : teachers) {
    teacher.options_ = options;
    for (const auto& model : models) {
      api::SegmenterOptions setup;
      DEEPLAB_ASSIGN_OR_RETURN(setup.isa, selected_isa());
      setup.threads = 1;
      setup.width = options.width;
      setup.height = options.height;
      auto segmenter = api::Segmenter::create(model, setup);
      if (!segmenter.ok()) return annotate(segmenter.status(), model->name());
      const auto& first = teacher.segmenters_.empty() ? *segmenter : teacher.segmenters_.front();
      if ((*segmenter)->head().height != first->head().height ||
          (*segmenter)->head().width != first->head().width) {
        return invalid_argument(model->name(), ": its score map is ", (*segmenter)->head().width,
                                "x", (*segmenter)->head().height, ", that of ", options.models[0],
                                " ", first->head().width, "x", first->head().height);
      }
      teacher.segmenters_.push_back(std::move(*segmenter));
    }
  }
  return teachers;
}

Status Teacher::add_scores(api::Segmenter& segmenter, const uint8_t* pixels, bool mirrored,
                           const torch::Tensor& sum) const {
  vision::ImageView view;
  view.data = pixels;
  view.width = options_.width;
  view.height = options_.height;
  view.stride = ptrdiff_t{3} * options_.width;
  view.format = vision::PixelFormat::kRgb8;
  DEEPLAB_RETURN_IF_ERROR(segmenter.run(view));
  DEEPLAB_ASSIGN_OR_RETURN(const std::span<const float> scores, segmenter.scores());
  const torch::Tensor map =
      torch::from_blob(const_cast<float*>(scores.data()), sum.sizes().vec()).log_softmax(-1);
  sum.add_(mirrored ? map.flip({1}) : map);
  return {};
}

Result<torch::Tensor> Teacher::scores(const uint8_t* pixels, int64_t n) {
  torch::NoGradGuard no_grad;
  const passes::LabelHead& head = segmenters_.front()->head();
  torch::Tensor result = torch::zeros({n, head.height, head.width, head.classes});
  const size_t row = static_cast<size_t>(options_.width) * 3;
  const size_t picture = row * static_cast<size_t>(options_.height);
  for (int64_t i = 0; i < n; ++i) {
    const uint8_t* from = pixels + static_cast<size_t>(i) * picture;
    for (const auto& segmenter : segmenters_) {
      DEEPLAB_RETURN_IF_ERROR(add_scores(*segmenter, from, false, result[i]));
    }
    if (!options_.flip) continue;
    mirror_.resize(picture);
    for (size_t y = 0; y < static_cast<size_t>(options_.height); ++y) {
      for (size_t x = 0; x < row; x += 3) {
        std::memcpy(mirror_.data() + y * row + x, from + (y + 1) * row - 3 - x, 3);
      }
    }
    for (const auto& segmenter : segmenters_) {
      DEEPLAB_RETURN_IF_ERROR(add_scores(*segmenter, mirror_.data(), true, result[i]));
    }
  }
  const double runs = static_cast<double>(segmenters_.size()) * (options_.flip ? 2 : 1);
  return result.div_(runs);
}

}  // namespace deeplab::train
