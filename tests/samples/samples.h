// Models and a photo that every clone has: what tests use unless they compare with other engines.
// make_samples writes the models when the tests are built, from the committed ones.
#pragma once

#include <string>
#include <vector>

namespace deeplab::testing {

inline const std::string kSampleFolder = DEEPLAB_TEST_SAMPLES;
inline const std::string kCommittedModels = DEEPLAB_SOURCE_FOLDER "/models";

// All have 21 classes. What differs: types at the border, how weights are stored, canvas, last op.
/// The built-in model: float32 in, int8 per channel, float32 scores out, 513x513, a decoder.
inline const std::string kInt8FloatIo = kCommittedModels + "/deeplab.tflite";
/// The same between floats at output stride 8, the layers before the scores dilated; no decoder.
inline const std::string kInt8Dilated = kCommittedModels + "/tfhub_dm05_int8_os8.tflite";
/// The built-in model's weights: int8 in, int8 per channel, ARG_MAX out.
inline const std::string kInt8Labels = kSampleFolder + "/int8_labels.tflite";
/// The same, all uint8, one scale per tensor: fast, and with that not very good.
inline const std::string kUint8Labels = kSampleFolder + "/uint8_labels.tflite";
/// The same in float32.
inline const std::string kFloat513 = kSampleFolder + "/float513.tflite";
/// The dilated model in float32 at 257x257; scores out.
inline const std::string kFloat257 = kSampleFolder + "/float257.tflite";

inline const std::vector<std::string> kSampleModels = {kInt8FloatIo, kInt8Dilated, kInt8Labels,
                                                       kUint8Labels, kFloat513,    kFloat257};

/// "float257", of such a path.
inline std::string sample_name(const std::string& path) {
  const size_t slash = path.rfind('/') + 1;
  return path.substr(slash, path.rfind('.') - slash);
}

/// A cat, JPEG.
inline const std::string kCatPhoto = DEEPLAB_SOURCE_FOLDER "/docs/images/cat.jpg";

}  // namespace deeplab::testing
