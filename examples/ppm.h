// The simplest picture files there are, so that the examples need no image library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <istream>
#include <string>
#include <vector>

/// 8-bit RGB, rows tight. Empty pixels: the file could not be read.
struct Ppm {
  int32_t width = 0;
  int32_t height = 0;
  std::vector<uint8_t> pixels;
};

/// Reads a binary PPM ("P6", 8 bits, no comments), as `convert photo.jpg photo.ppm` writes it; what
/// follows its pixels stays in the stream.
inline Ppm read_ppm(std::istream& file) {
  std::string magic;
  int maximum = 0;
  Ppm ppm;
  file >> magic >> ppm.width >> ppm.height >> maximum;
  file.get();  // the one whitespace byte before the pixels
  if (!file || magic != "P6" || maximum != 255 || ppm.width < 1 || ppm.width > 65535 ||
      ppm.height < 1 || ppm.height > 65535) {
    return {};
  }
  ppm.pixels.resize(size_t{3} * static_cast<size_t>(ppm.width) * static_cast<size_t>(ppm.height));
  file.read(reinterpret_cast<char*>(ppm.pixels.data()),
            static_cast<std::streamsize>(ppm.pixels.size()));
  if (!file) ppm.pixels.clear();
  return ppm;
}

inline Ppm read_ppm(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return read_ppm(file);
}
