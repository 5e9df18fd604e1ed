// The golden tensors and label maps of the test data, as the README there describes them.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/file.h"
#include "graph/graph.h"
#include "imageio/reader.h"
#include "tests/test_data.h"
#include "tflite/reader.h"

namespace deeplab::testing {

/// One line of a golden index.tsv: what TensorFlow Lite's reference kernels gave for an op.
struct GoldenTensor {
  int op = 0;
  std::string op_name;
  std::string type;
  std::string shape;
  std::string file;  ///< "-" if the tensor is not stored.
};

inline std::vector<GoldenTensor> read_golden_index(const std::string& directory) {
  std::ifstream in(test_data(directory + "/index.tsv"));
  EXPECT_TRUE(in) << directory;
  std::vector<GoldenTensor> tensors;
  std::string line;
  std::getline(in, line);  // the header
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    GoldenTensor tensor;
    std::string scale, zero_point;
    fields >> tensor.op >> tensor.op_name >> tensor.type >> tensor.shape >> scale >> zero_point >>
        tensor.file;
    tensors.push_back(tensor);
  }
  return tensors;
}

inline std::vector<std::byte> read_test_file(const std::string& relative) {
  auto bytes = read_file(test_data(relative), int64_t{1} << 30);
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  return bytes.ok() ? std::move(*bytes) : std::vector<std::byte>();
}

inline graph::Graph read_model(const std::string& path) {
  const auto bytes = read_file(path, int64_t{1} << 30);
  EXPECT_TRUE(bytes.ok()) << bytes.status().message();
  if (!bytes.ok()) return {};
  auto model = tflite::read_model(*bytes, path);
  EXPECT_TRUE(model.ok()) << model.status().message();
  return model.ok() ? std::move(model->graph) : graph::Graph();
}

inline graph::Graph read_test_model(const std::string& name) {
  return read_model(test_data("models/" + name));
}

inline imageio::Image read_photo(const std::string& path) {
  auto image = imageio::read_image(path);
  EXPECT_TRUE(image.ok()) << image.status().message();
  return image.ok() ? std::move(*image) : imageio::Image();
}

inline imageio::Image read_test_image(const std::string& relative) {
  return read_photo(test_data(relative));
}

}  // namespace deeplab::testing
