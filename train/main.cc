// deeplab-train: photos with masks in, a .tflite model out.
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "train/run/command_line.h"
#include "train/run/run.h"

namespace {

/// Tensors of a step are as large as those of the last one. glibc would hand each back to the
/// system and take it again page by page: with that, a step took 1.5 to 10 times as long.
void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 2147483647);
  mallopt(M_TOP_PAD, 64 << 20);
  mallopt(M_ARENA_MAX, 1);
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  CLI::App app("Trains DeepLabV3-MobileNetV2 segmentation models", "deeplab-train");
  deeplab::train::CommandLine line;
  deeplab::train::add_options(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  auto options = deeplab::train::run_options(line);
  if (!options.ok()) {
    std::fprintf(stderr, "deeplab-train: %s\n", options.status().message().c_str());
    return 2;
  }
  const deeplab::Status status = deeplab::train::run_training(*options);
  if (!status.ok()) {
    std::fprintf(stderr, "deeplab-train: %s\n", status.message().c_str());
    return 1;
  }
  return 0;
}
