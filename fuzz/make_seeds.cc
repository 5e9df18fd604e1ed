// fuzz_make_seeds FOLDER: writes FOLDER/TARGET/NAME, inputs that each target of this room starts
// from. They are made, not kept: by the writers and the builders of the tests.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "tests/imageio/codec_files.h"
#include "tests/imageio/sample_files.h"
#include "tests/tflite/metadata_builder.h"
#include "tests/tflite/model_builder.h"
#include "tests/tflite/op_graphs.h"
#include "tests/tflite/zip_writer.h"
#include "tflite/writer.h"

namespace deeplab::fuzz {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::byte>;

fs::path folder;

void save(const std::string& target, const std::string& name, const Bytes& bytes) {
  fs::create_directories(folder / target);
  std::ofstream out(folder / target / name, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  if (out.good()) return;
  std::fprintf(stderr, "cannot write %s/%s/%s\n", folder.c_str(), target.c_str(), name.c_str());
  std::exit(1);
}

Bytes noise(std::mt19937& random, size_t size) {
  Bytes bytes(size);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random());
  return bytes;
}

/// A model file with the tail that says how it is run.
void save_model(const std::string& name, Bytes bytes, std::mt19937& random) {
  const Bytes tail = noise(random, 4);
  bytes.insert(bytes.end(), tail.begin(), tail.end());
  save("model", name, bytes);
}

Bytes written(graph::Graph graph) {
  tflite::ModelFile file;
  file.graph = std::move(graph);
  const auto bytes = tflite::write_model(file);
  if (bytes.ok()) return *bytes;
  std::fprintf(stderr, "%s\n", bytes.status().message().c_str());
  std::exit(1);
}

void model_seeds() {
  std::mt19937 random(1);
  for (testing::OpGraph& op : testing::OpGraphs::make()) {
    save_model(op.name, written(std::move(op.graph)), random);
  }
  for (const graph::DataType type :
       {graph::DataType::kFloat32, graph::DataType::kUInt8, graph::DataType::kInt8}) {
    graph::Graph graph = testing::small_deeplab(type);
    if (!graph::resize_input(graph, 17, 13).ok()) std::exit(1);
    const Bytes bytes = written(testing::with_any_weights(std::move(graph)));
    for (int i = 0; i < 8; ++i) {
      save_model(str_cat("deeplab_", graph::type_name(type), "_", i), bytes, random);
    }
  }
  save_model("small_int8", testing::small_int8_model().build(), random);
  save_model("float16_constants", testing::float16_batch_norm_model().build(), random);
  save_model("computed_shapes", testing::computed_shapes_model().build(), random);
}

void image_seeds() {
  std::vector<imageio::testing::NamedFile> files = imageio::testing::every_flavour();
  for (auto& file : imageio::testing::optional_flavours()) files.push_back(std::move(file));
  for (const auto& [name, bytes] : files) {
    const std::string end = name.substr(name.rfind('.') + 1);
    const std::string target = end == "jpg"                                 ? "jpeg"
                               : end == "heic" || end == "avif"             ? "heif"
                               : end == "tif"                               ? "tiff"
                               : end.starts_with('p') && end.ends_with('m') ? "pnm"
                                                                            : end;
    for (const int choice : {0, 1, 2 | 20 << 2}) {
      Bytes seed;
      seed.reserve(bytes.size() + 1);
      seed.push_back(static_cast<std::byte>(choice));
      seed.insert(seed.end(), bytes.begin(), bytes.end());
      save(target, str_cat(name, ".", choice), seed);
    }
  }
}

void metadata_seeds() {
  const auto seed = [](const std::string& name, const tflite::metadata_schema::ModelMetadataT& from,
                       const std::vector<testing::ZipEntry>& entries, bool absolute) {
    flatbuffers::FlatBufferBuilder b;
    tflite::metadata_schema::FinishModelMetadataBuffer(
        b, tflite::metadata_schema::CreateModelMetadata(b, &from));
    const auto metadata = std::as_bytes(std::span(b.GetBufferPointer(), b.GetSize()));
    Bytes bytes;
    bytes.push_back(static_cast<std::byte>(metadata.size()));
    bytes.push_back(static_cast<std::byte>(metadata.size() >> 8));
    bytes.insert(bytes.end(), metadata.begin(), metadata.end());
    if (!entries.empty()) testing::append_zip(bytes, entries, absolute);
    save("metadata", name, bytes);
  };
  const std::string labels = "background\nperson\r\n\xEF\xBB\xBF caf\xC3\xA9 \n\xFF\n";
  seed("stored", testing::sample_metadata("labels.txt"), {{"labels.txt", labels, false}}, false);
  seed("deflated", testing::sample_metadata("l"), {{"other", "x", false}, {"l", labels, true}},
       false);
  seed("absolute", testing::sample_metadata("labels.txt"), {{"labels.txt", labels, true}}, true);
  seed("no_archive", testing::sample_metadata("labels.txt", {1, 2, 3}, {4, 5, 6}), {}, false);
}

/// Lists of decisions: any bytes are good ones.
void decision_seeds(const std::string& target, unsigned first_seed, int count, size_t size) {
  std::mt19937 random(first_seed);
  for (int i = 0; i < count; ++i) {
    save(target, str_cat("decisions_", i), noise(random, 16 + random() % size));
  }
}

void make_all() {
  model_seeds();
  image_seeds();
  metadata_seeds();
  decision_seeds("kernels", 2, 400, 80);
  decision_seeds("c_api", 3, 200, 200);
}

}  // namespace
}  // namespace deeplab::fuzz

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_make_seeds FOLDER\n");
    return 2;
  }
  deeplab::fuzz::folder = argv[1];
  deeplab::fuzz::make_all();
  return 0;
}
