#include "train/data/options.h"

#include <cmath>

#include "train/data/sampler.h"

namespace deeplab::train {
namespace {

bool in_range(double value, double least, double most) { return value >= least && value <= most; }

Status validate_augment(const AugmentOptions& a) {
  constexpr int32_t kMostSide = 8192;
  if (a.crop_height < 1 || a.crop_width < 1 || a.crop_height > kMostSide ||
      a.crop_width > kMostSide) {
    return invalid_argument("crop ", a.crop_width, "x", a.crop_height,
                            " is out of range; expected sides of 1 to ", kMostSide);
  }
  if (!(a.scale_min >= 0.01 && a.scale_min <= a.scale_max && a.scale_max <= 16)) {
    return invalid_argument("scales ", a.scale_min, " to ", a.scale_max,
                            " are out of range; expected 0.01 to 16, the smaller first");
  }
  if (!in_range(a.scale_step, 0, 16)) {
    return invalid_argument("scale step ", a.scale_step, " is out of range; expected 0 to 16");
  }
  if (a.long_side < 0) {
    return invalid_argument("long side ", a.long_side, " is negative; expected pixels, or 0");
  }
  const struct {
    const char* name;
    double value;
    double most;
  } strengths[] = {{"flip probability", a.flip, 1},    {"brightness jitter", a.brightness, 1},
                   {"contrast jitter", a.contrast, 1}, {"saturation jitter", a.saturation, 1},
                   {"hue jitter", a.hue, 0.5},         {"JPEG noise probability", a.jpeg_noise, 1}};
  for (const auto& s : strengths) {
    if (!in_range(s.value, 0, s.most)) {
      return invalid_argument(s.name, " ", s.value, " is out of range; expected 0 to ", s.most);
    }
  }
  if (a.jpeg_quality_min < 1 || a.jpeg_quality_min > a.jpeg_quality_max ||
      a.jpeg_quality_max > 100) {
    return invalid_argument("JPEG qualities ", a.jpeg_quality_min, " to ", a.jpeg_quality_max,
                            " are out of range; expected 1 to 100, the smaller first");
  }
  return {};
}

}  // namespace

Status validate(const LoaderOptions& options) {
  if (options.sources.empty()) return invalid_argument("no training data: no source is given");
  if (options.sources.size() > Sampler::kBlock) {
    return invalid_argument(options.sources.size(), " sources are too many; the most is ",
                            Sampler::kBlock);
  }
  for (const SourceOptions& source : options.sources) {
    if (!in_range(source.weight, 1e-6, 1e6)) {
      return invalid_argument(source.root, ": weight ", source.weight,
                              " is out of range; expected above 0");
    }
    if (source.class_map && source.class_map->class_count() > options.class_count) {
      return invalid_argument(source.class_map->name(), " has ", source.class_map->class_count(),
                              " classes and the network ", options.class_count);
    }
  }
  if (options.batch < 1 || options.batch > 4096) {
    return invalid_argument("batch ", options.batch, " is out of range; expected 1 to 4096");
  }
  if (options.threads < 1 || options.threads > 256) {
    return invalid_argument(options.threads, " loader threads are out of range; expected 1 to 256");
  }
  if (options.prefetch < 1 || options.prefetch > 1024) {
    return invalid_argument("prefetch ", options.prefetch, " is out of range; expected 1 to 1024");
  }
  if (options.world < 1 || options.rank < 0 || options.rank >= options.world) {
    return invalid_argument("rank ", options.rank, " of ", options.world,
                            " processes does not exist");
  }
  if (options.first_step < 0) {
    return invalid_argument("first step ", options.first_step, " is negative");
  }
  if (options.class_count < 1 || options.class_count > 255) {
    return invalid_argument(options.class_count, " classes are out of range; expected 1 to 255");
  }
  if (!in_range(options.rare_class_power, 0, 4)) {
    return invalid_argument("rare class power ", options.rare_class_power,
                            " is out of range; expected 0 to 4");
  }
  if (options.cache_mib < 0 || options.cache_mib > (int64_t{1} << 32)) {
    return invalid_argument("cache of ", options.cache_mib, " MiB is out of range");
  }
  return validate_augment(options.augment);
}

}  // namespace deeplab::train
