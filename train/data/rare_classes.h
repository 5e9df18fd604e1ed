// Weights that draw photos with rare classes more often.
#pragma once

#include <vector>

#include "base/status.h"
#include "train/data/photo_store.h"

namespace deeplab::train {

/// By item; see LoaderOptions::rare_class_power. Reads every mask, on options.threads threads; they
/// stay in the store. Photos without a mask, or with nothing but 255 in it, weigh 1. Errors name
/// the mask.
Result<std::vector<double>> rare_class_weights(const LoaderOptions& options, const ItemList& list,
                                               PhotoStore& store);

/// The same from what each photo shows: shows[item * classes + c] != 0.
std::vector<double> rare_class_weights(const std::vector<uint8_t>& shows, int32_t classes,
                                       const std::vector<SourceRange>& sources, double power);

}  // namespace deeplab::train
