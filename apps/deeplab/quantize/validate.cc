#include "apps/deeplab/quantize/validate.h"

#include <filesystem>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "api/segmenter.h"
#include "apps/deeplab/common/photos.h"
#include "apps/deeplab/common/progress.h"
#include "base/parallel.h"
#include "eval/voc_dataset.h"

namespace deeplab::app {
namespace {

/// Both networks of one thread, and what they have got right so far.
struct Worker {
  std::unique_ptr<api::Segmenter> segmenters[2];
  std::optional<eval::Confusion> confusions[2];
  std::vector<uint8_t> mask;
};

Result<Worker> make_worker(const std::shared_ptr<const api::Model> (&models)[2], vision::Fit fit,
                           int32_t float_stride) {
  Worker worker;
  for (size_t side = 0; side < 2; ++side) {
    api::SegmenterOptions options;
    DEEPLAB_ASSIGN_OR_RETURN(options.isa, selected_isa());
    options.threads = 1;
    options.fit = fit;
    if (side == 0) options.output_stride = float_stride;
    DEEPLAB_ASSIGN_OR_RETURN(worker.segmenters[side],
                             api::Segmenter::create(models[side], options));
    worker.confusions[side].emplace(models[side]->class_count());
  }
  return worker;
}

Status add_photo(const eval::VocItem& item, vision::Fit fit, Worker& worker) {
  const api::Segmenter& any = *worker.segmenters[0];
  DEEPLAB_ASSIGN_OR_RETURN(const DecodedPhoto photo,
                           decode_photo({item.image_path, item.id}, fit, any.canvas_width(),
                                        any.canvas_height(), false));
  const int32_t width = photo.small.original_width;
  const int32_t height = photo.small.original_height;
  DEEPLAB_ASSIGN_OR_RETURN(const imageio::Image truth, eval::read_mask_of(item, width, height));
  DEEPLAB_RETURN_IF_ERROR(eval::check_class_ids(truth, item.mask_path, any.model().class_count()));
  worker.mask.resize(static_cast<size_t>(width) * static_cast<size_t>(height));
  for (size_t side = 0; side < 2; ++side) {
    api::Segmenter& segmenter = *worker.segmenters[side];
    DEEPLAB_RETURN_IF_ERROR(segmenter.run(view_of(photo.small)));
    DEEPLAB_RETURN_IF_ERROR(segmenter.category_mask(width, height, worker.mask.data(), width));
    DEEPLAB_RETURN_IF_ERROR(worker.confusions[side]->add(
        {truth.pixels.data(), width, height, width}, {worker.mask.data(), width, height, width}));
  }
  return {};
}

}  // namespace

Result<Validation> validate_models(const std::string& dataset,
                                   std::shared_ptr<const api::Model> float_model,
                                   std::shared_ptr<const api::Model> int8_model, vision::Fit fit,
                                   int32_t float_stride, int threads, bool show_progress) {
  Validation validation{dataset, "val", 0, {}, {}};
  std::error_code ignored;
  const size_t colon = dataset.rfind(':');
  if (colon != std::string::npos && !std::filesystem::is_directory(dataset, ignored)) {
    validation.dataset = dataset.substr(0, colon);
    validation.split = dataset.substr(colon + 1);
  }
  DEEPLAB_ASSIGN_OR_RETURN(const eval::VocDataset voc,
                           eval::open_voc_dataset(validation.dataset, validation.split,
                                                  eval::MaskRequirement::kRequired));
  const std::shared_ptr<const api::Model> models[2] = {std::move(float_model),
                                                       std::move(int8_model)};
  DEEPLAB_ASSIGN_OR_RETURN(const auto pool, ThreadPool::create(threads));
  std::vector<Worker> workers;
  for (int i = 0; i < pool->threads(); ++i) {
    DEEPLAB_ASSIGN_OR_RETURN(Worker worker, make_worker(models, fit, float_stride));
    workers.push_back(std::move(worker));
  }
  Progress progress(voc.items.size(), show_progress);
  std::mutex mutex;
  Status failed;
  pool->parallel_for(workers.size(), 1, [&](size_t begin, size_t end) {
    for (size_t w = begin; w < end; ++w) {
      for (size_t i = w; i < voc.items.size(); i += workers.size()) {
        Status status = add_photo(voc.items[i], fit, workers[w]);
        const std::scoped_lock lock(mutex);
        progress.advance();
        if (failed.ok()) failed = std::move(status);
        if (!failed.ok()) return;
      }
    }
  });
  DEEPLAB_RETURN_IF_ERROR(failed);
  validation.images = static_cast<int64_t>(voc.items.size());
  for (size_t side = 0; side < 2; ++side) {
    eval::Confusion all(models[side]->class_count());
    for (const Worker& worker : workers) all.add(*worker.confusions[side]);
    (side == 0 ? validation.float_scores : validation.int8_scores) = eval::score(all);
  }
  return validation;
}

}  // namespace deeplab::app
