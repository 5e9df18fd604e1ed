// The training data: where the photos are, how they are mixed and how they are varied.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "eval/class_map.h"

namespace deeplab::train {

using eval::ClassMap;

/// One folder of photos.
struct SourceOptions {
  /// A VOC layout (see eval/voc_dataset.h) or, with masks = false, any folder: its photos
  /// (.jpg, .jpeg, .png, .webp, .ppm, .pgm, .bmp) at any depth, in the order of their paths, unless
  /// it has a list of the split, which is then used.
  std::string root;
  std::string split = "train";
  /// A photo of weight 2 is drawn twice as often as one of weight 1: a source's share of the
  /// samples is weight * photos, divided by the sum over all sources.
  double weight = 1;
  /// false: the photos come without labels, even if the layout has masks.
  bool masks = true;
  /// How mask values become training ids; null: they are the ids (eval::read_mask()).
  std::shared_ptr<const ClassMap> class_map = nullptr;
};

/// How a sample is varied, in this order: shrink to long_side, scale, flip, pad, crop, colour,
/// JPEG. As in TensorFlow's DeepLab the scaled photo is padded to the right and below up to the
/// crop (pixel 127, label 255) and then cropped at random; flipping comes before padding here, so
/// that a photo smaller than the crop always lies top-left, as the pad protocol of inference has
/// it.
struct AugmentOptions {
  int32_t crop_height = 513;
  int32_t crop_width = 513;
  double scale_min = 0.5;
  double scale_max = 2.0;
  double scale_step = 0.25;  ///< 0: any scale in between.
  double flip = 0.5;         ///< Probability of mirroring left and right.
  /// Photos whose longer side is above this are first shrunk to it, as inference does with photos
  /// larger than its canvas; `scale` counts from there. 0: photos keep their size.
  int32_t long_side = 0;

  // Strengths s of the colour jitter; 0 is off. Brightness, contrast and saturation are scaled by
  // factors in [1-s, 1+s], s <= 1; hue turns by up to s of a full circle either way, s <= 0.5.
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;
  double hue = 0;

  /// Probability of a pass through JPEG at a quality of jpeg_quality_min to _max.
  double jpeg_noise = 0;
  int jpeg_quality_min = 30;
  int jpeg_quality_max = 95;
};

struct LoaderOptions {
  std::vector<SourceOptions> sources;
  AugmentOptions augment;
  int32_t batch = 8;  ///< Samples per process and step.
  uint64_t seed = 1;
  int threads = 1;   ///< Workers that prepare samples, besides the caller.
  int prefetch = 3;  ///< Batches prepared ahead, at least 1.
  int rank = 0;      ///< This process, of...
  int world = 1;     ///< ...so many that share the samples.
  int64_t first_step = 0;
  int32_t class_count = 21;  ///< Labels are 0..class_count-1 or 255.
  /// 0: every photo of a source once per pass. p > 0: a photo is drawn in proportion to the largest
  /// (f_max / f_c)^p of its classes c, f_c being the share of the source's photos that show c: the
  /// repeat factor of LVIS (Gupta et al. 2019), whose own p is 0.5. Reads every mask at the start.
  double rare_class_power = 0;
  /// Memory for decoded photos and masks. Photos beyond it are decoded whenever they are drawn.
  int64_t cache_mib = 1536;
};

/// Ranges of all the numbers above; each error names the option.
Status validate(const LoaderOptions& options);

}  // namespace deeplab::train
