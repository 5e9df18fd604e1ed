// Frames in, label maps out, all three stages at the same time, in C++20.
// usage: segment_stream MODEL.tflite FRAMES.ppm [MASKS.pgm [SIDE]] ("-" is standard input)
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deeplab/deeplab.hpp>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>

#include "ppm.h"

namespace {

void print_classes(const deeplab::Model& model, const deeplab::Frame& frame) {
  std::array<int64_t, 256> pixels{};
  for (const uint8_t id : frame.category_mask) ++pixels[id];
  std::printf("%llu:", static_cast<unsigned long long>(frame.id));
  for (int32_t id = 0; id < model.class_count(); ++id) {
    const auto count = static_cast<double>(pixels[static_cast<size_t>(id)]);
    if (count == 0) continue;
    std::printf(" %s %.1f %%", std::string(model.label(id)).c_str(),
                100 * count / static_cast<double>(frame.category_mask.size()));
  }
  std::printf("\n");
}

/// Third stage, on a thread of its own: uses the masks.
void use_masks(const deeplab::Model& model, deeplab::Stream& stream, std::ofstream& masks) {
  for (auto frame = stream.pull(); frame.ok(); frame = stream.pull()) {
    if (!frame->status.ok()) {
      std::fprintf(stderr, "frame %llu: %s\n", static_cast<unsigned long long>(frame->id),
                   frame->status.message().c_str());
      continue;
    }
    print_classes(model, *frame);
    if (!masks.is_open()) continue;
    masks << "P5\n" << frame->width << ' ' << frame->height << "\n255\n";
    masks.write(reinterpret_cast<const char*>(frame->category_mask.data()),
                static_cast<std::streamsize>(frame->category_mask.size()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 5) {
    std::fprintf(stderr, "usage: segment_stream MODEL.tflite FRAMES.ppm [MASKS.pgm [SIDE]]\n");
    return 2;
  }
  const auto model = deeplab::Model::load(argv[1]);
  if (!model.ok()) {
    std::fprintf(stderr, "%s\n", model.status().message().c_str());
    return 1;
  }
  // The canvas: 257 is a quarter of the work of 513; 0 is the model's own.
  const int32_t side = argc > 4 ? std::atoi(argv[4]) : 0;
  auto stream = deeplab::Stream::create(
      *model, {.fit = deeplab::Fit::kLetterbox, .width = side, .height = side});
  if (!stream.ok()) {
    std::fprintf(stderr, "%s\n", stream.status().message().c_str());
    return 1;
  }
  std::ofstream masks;
  if (argc > 3) masks.open(argv[3], std::ios::binary);
  std::ifstream file;
  if (std::string(argv[2]) != "-") file.open(argv[2], std::ios::binary);
  std::istream& in = std::string(argv[2]) == "-" ? std::cin : file;

  std::thread reader([&] { use_masks(*model, *stream, masks); });
  // First stage, here: the next frame is read while the network works on the last one. push() has
  // read the pixels when it returns, and waits while the stream is full.
  uint64_t frames = 0;
  bool failed = false;
  while (!failed && in.peek() != std::istream::traits_type::eof()) {
    const Ppm frame = read_ppm(in);
    if (frame.pixels.empty()) {
      std::fprintf(stderr, "%s: frame %llu is not a binary 8-bit PPM\n", argv[2],
                   static_cast<unsigned long long>(frames));
      failed = true;
      continue;
    }
    const deeplab::Status pushed = stream->push({.data = frame.pixels.data(),
                                                 .width = frame.width,
                                                 .height = frame.height,
                                                 .stride = ptrdiff_t{3} * frame.width,
                                                 .format = deeplab::PixelFormat::kRgb8},
                                                frames++);
    if (!pushed.ok()) {
      std::fprintf(stderr, "%s\n", pushed.message().c_str());
      failed = true;
    }
  }
  stream->finish();
  reader.join();
  if (frames == 0 && !failed) {
    std::fprintf(stderr, "%s: no frames\n", argv[2]);
    return 1;
  }
  if (argc > 3 && !masks.flush()) {
    std::fprintf(stderr, "%s: cannot be written\n", argv[3]);
    return 1;
  }
  return failed ? 1 : 0;
}
