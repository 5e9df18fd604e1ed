// MODEL SIZE FAMILY: one picture to its label map at SIZE x SIZE, on one thread and the kernels of
// FAMILY, between two marks that the plugin blocks.c knows. The picture is made here: flat shapes
// and a gradient, so that the label head has cells with and without borders.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "deeplab/deeplab.hpp"

namespace {

std::vector<uint8_t> picture(int32_t size) {
  std::vector<uint8_t> pixels(static_cast<size_t>(size) * static_cast<size_t>(size) * 3);
  const int32_t radius = size / 3;
  uint8_t* out = pixels.data();
  for (int32_t y = 0; y < size; ++y) {
    for (int32_t x = 0; x < size; ++x) {
      const int32_t dx = x - size / 2, dy = y - size / 2;
      const bool inside = dx * dx + dy * dy < radius * radius;
      *out++ = static_cast<uint8_t>(inside ? 190 : x * 255 / size);
      *out++ = static_cast<uint8_t>(inside ? 120 : y * 255 / size);
      *out++ = static_cast<uint8_t>(inside ? 60 : 128);
    }
  }
  return pixels;
}

// A system call that nothing else makes.
void mark() { static_cast<void>(getppid()); }

int fail(const deeplab::Status& status) {
  std::fprintf(stderr, "%s\n", status.message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const int32_t size = argc == 4 ? std::atoi(argv[2]) : 0;
  if (size <= 0) {
    std::fprintf(stderr, "usage: %s MODEL SIZE FAMILY\n", argv[0]);
    return 2;
  }
  const auto model = deeplab::Model::load(argv[1]);
  if (!model.ok()) return fail(model.status());
  deeplab::Options options;
  options.threads = 1;
  options.isa = argv[3];
  options.width = options.height = size;
  auto segmenter = deeplab::Segmenter::create(*model, options);
  if (!segmenter.ok()) return fail(segmenter.status());
  const std::vector<uint8_t> pixels = picture(size);
  const deeplab::ImageView image{pixels.data(), size, size, ptrdiff_t{size} * 3};
  std::vector<uint8_t> mask(static_cast<size_t>(size) * static_cast<size_t>(size));
  for (int i = 0; i < 2; ++i) {  // The second one is counted: nothing is set up any more.
    if (i == 1) mark();
    if (auto s = segmenter->run(image); !s.ok()) return fail(s);
    if (auto s = segmenter->category_mask(size, size, mask); !s.ok()) return fail(s);
    if (i == 1) mark();
  }
  uint32_t sum = 0;
  for (const uint8_t label : mask) sum = sum * 31 + label;
  std::printf("labels %08x\n", sum);
  return 0;
}
