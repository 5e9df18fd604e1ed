// A trained model that a smaller one learns from, run by the engine itself.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/segmenter.h"
#include "base/status.h"

namespace deeplab::train {

/// Runs .tflite models on crops. One object per thread.
class Teacher {
 public:
  struct Options {
    std::vector<std::string>
        models;            ///< At least one. Several: the mean of their log-probabilities.
    bool flip = false;     ///< Mean over the crop and its mirror image.
    int32_t height = 513;  ///< Of a crop.
    int32_t width = 513;
    int32_t classes = 21;
  };
  /// Errors: a model that cannot be read or planned, another number of classes, score maps of
  /// different sizes.
  static Result<std::vector<Teacher>> create(const Options& options, int count);

  /// pixels [n][height][width][3] RGB -> log-probabilities [n,h,w,classes].
  Result<torch::Tensor> scores(const uint8_t* pixels, int64_t n);

 private:
  Status add_scores(api::Segmenter& segmenter, const uint8_t* pixels, bool mirrored,
                    const torch::Tensor& sum) const;

  Options options_;
  std::vector<std::unique_ptr<api::Segmenter>> segmenters_;
  std::vector<uint8_t> mirror_;
};

}  // namespace deeplab::train
