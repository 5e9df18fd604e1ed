#include "train/run/validation.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "api/segmenter.h"
#include "imageio/reader.h"
#include "tflite/writer.h"
#include "train/data/mask.h"

namespace deeplab::train {
namespace {

Result<eval::PhotoCounts> evaluate_photo(api::Segmenter& segmenter, const eval::VocItem& item,
                                         const ClassMap* class_map) {
  const int32_t classes = segmenter.model().class_count();
  DEEPLAB_ASSIGN_OR_RETURN(const imageio::Image photo, imageio::read_image(item.image_path));
  DEEPLAB_ASSIGN_OR_RETURN(const imageio::Image truth,
                           read_training_mask(item.mask_path, class_map, classes));
  const vision::ImageView view{photo.pixels.data(), photo.width, photo.height,
                               ptrdiff_t{3} * photo.width, vision::PixelFormat::kRgb8};
  DEEPLAB_RETURN_IF_ERROR(annotate(segmenter.run(view), item.image_path));
  std::vector<uint8_t> mask(static_cast<size_t>(photo.width) * static_cast<size_t>(photo.height));
  DEEPLAB_RETURN_IF_ERROR(
      annotate(segmenter.category_mask(photo.width, photo.height, mask.data(), photo.width),
               item.image_path));
  auto counts = eval::count_pixels({truth.pixels.data(), truth.width, truth.height, truth.width},
                                   {mask.data(), photo.width, photo.height, photo.width}, classes);
  if (!counts.ok()) return annotate(counts.status(), item.mask_path);
  return counts;
}

}  // namespace

Result<eval::Scores> validate_model(const tflite::ModelFile& file, const eval::VocDataset& dataset,
                                    const ClassMap* class_map, int threads) {
  DEEPLAB_ASSIGN_OR_RETURN(const auto bytes, tflite::write_model(file));
  DEEPLAB_ASSIGN_OR_RETURN(const auto model, api::Model::parse(bytes, "the model in training"));
  std::atomic<size_t> next = 0;
  std::mutex mutex;  // guards what follows
  eval::Confusion confusion(model->class_count());
  Status error;
  const auto work = [&](api::Segmenter& segmenter) {
    for (size_t i = next++; i < dataset.items.size(); i = next++) {
      const auto counts = evaluate_photo(segmenter, dataset.items[i], class_map);
      const std::lock_guard lock(mutex);
      if (!counts.ok()) {
        if (error.ok()) error = counts.status();
        next = dataset.items.size();
        return;
      }
      confusion.add(*counts);
    }
  };
  std::vector<std::unique_ptr<api::Segmenter>> segmenters;
  for (int i = 0; i < std::max(1, threads); ++i) {
    api::SegmenterOptions options;
    DEEPLAB_ASSIGN_OR_RETURN(options.isa, selected_isa());
    options.threads = 1;
    DEEPLAB_ASSIGN_OR_RETURN(segmenters.emplace_back(), api::Segmenter::create(model, options));
  }
  {
    std::vector<std::jthread> workers;
    for (auto& segmenter : segmenters) workers.emplace_back([&] { work(*segmenter); });
  }
  DEEPLAB_RETURN_IF_ERROR(error);
  return eval::score(confusion);
}

}  // namespace deeplab::train
