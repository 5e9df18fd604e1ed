#include "train/data/rare_classes.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/ordered_work.h"
#include "base/parallel.h"

namespace deeplab::train {

std::vector<double> rare_class_weights(const std::vector<uint8_t>& shows, int32_t classes,
                                       const std::vector<SourceRange>& sources, double power) {
  const auto columns = static_cast<size_t>(classes);
  std::vector<double> weights(shows.size() / columns, 1.0);
  for (const SourceRange& source : sources) {
    const auto first = static_cast<size_t>(source.first);
    const size_t end = first + static_cast<size_t>(source.count);
    std::vector<double> photos(columns, 0);  // f_c times the photos of the source
    for (size_t i = first; i < end; ++i) {
      for (size_t c = 0; c < columns; ++c) photos[c] += shows[i * columns + c] != 0 ? 1 : 0;
    }
    const double most = *std::max_element(photos.begin(), photos.end());
    for (size_t i = first; i < end; ++i) {
      for (size_t c = 0; c < columns; ++c) {
        if (shows[i * columns + c] == 0) continue;
        weights[i] = std::max(weights[i], std::pow(most / photos[c], power));
      }
    }
  }
  return weights;
}

Result<std::vector<double>> rare_class_weights(const LoaderOptions& options, const ItemList& list,
                                               PhotoStore& store) {
  const auto columns = static_cast<size_t>(options.class_count);
  std::vector<uint8_t> shows(list.items.size() * columns, 0);
  OrderedWorkOptions work;
  work.item_name = "mask";
  DEEPLAB_ASSIGN_OR_RETURN(work.workers, ThreadPool::count_threads(options.threads));
  DEEPLAB_RETURN_IF_ERROR(work_on_each(list.items.size(), work, [&](int, size_t item) -> Status {
    DEEPLAB_ASSIGN_OR_RETURN(const auto mask, store.mask(static_cast<int64_t>(item)));
    if (!mask) return {};
    std::array<int64_t, 256> counts = {};
    mask->count(counts.data());
    for (size_t c = 0; c < columns; ++c) shows[item * columns + c] = counts[c] > 0 ? 1 : 0;
    return {};
  }));
  return rare_class_weights(shows, options.class_count, list.sources, options.rare_class_power);
}

}  // namespace deeplab::train
