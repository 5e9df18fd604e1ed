// What a model file says about itself: the metadata table, the ZIP archive after the model and the
// label file in it. The input is a length in two bytes, so many bytes of metadata, and what stands
// after the model.
#include <string>
#include <vector>

#include "fuzz/target.h"
#include "tests/tflite/metadata_builder.h"
#include "tests/tflite/model_builder.h"
#include "tflite/reader.h"

namespace deeplab::fuzz {
namespace {

namespace schema = tflite::schema;

/// The smallest model that has a picture for an input.
testing::ModelBuilder small_model() {
  using Type = schema::TensorType;
  testing::ModelBuilder b;
  const int32_t x = b.input(Type::FLOAT32, {1, 2, 2, 3});
  b.graph().outputs = {
      b.add(schema::BuiltinOperator::RELU, {x}, b.activation(Type::FLOAT32, {1, 2, 2, 3}))};
  testing::set_metadata(b, std::vector<uint8_t>());
  return b;
}

void require_text(const std::string& text, size_t most) {
  require(text.size() <= most, "texts are kept up to a limit");
  for (char c : text) {
    require(static_cast<unsigned char>(c) >= 0x20 || c == '\n', "texts hold no control characters");
  }
}

void check(const tflite::Metadata& metadata) {
  constexpr size_t kMostText = 1 << 16;
  for (const std::string& text :
       {metadata.name, metadata.description, metadata.author, metadata.license, metadata.version}) {
    require_text(text, kMostText);
  }
  for (const std::string& label : metadata.labels) require_text(label, 256);
  if (!metadata.normalization) return;
  for (const auto& values : {metadata.normalization->mean, metadata.normalization->stddev}) {
    require(values.size() == 1 || values.size() == 3, "a normalization has 1 or 3 values");
  }
  for (float stddev : metadata.normalization->stddev)
    require(stddev > 0, "deviations are positive");
}

}  // namespace
}  // namespace deeplab::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace deeplab;
  static testing::ModelBuilder model = fuzz::small_model();
  fuzz::Decisions input(data, size);
  const size_t length = input.byte() | size_t{input.byte()} << 8;
  const auto metadata = input.take(length);
  const auto behind = std::as_bytes(input.take(size));
  model.model.buffers.back()->data.assign(metadata.begin(), metadata.end());
  std::vector<std::byte> bytes = model.build();
  bytes.insert(bytes.end(), behind.begin(), behind.end());
  // Of its own size exactly.
  const auto file = tflite::read_model(std::vector<std::byte>(bytes), "file");
  if (file.ok()) {
    fuzz::check(file->metadata);
  } else {
    fuzz::require_sentence(file.status());
  }
  return 0;
}
