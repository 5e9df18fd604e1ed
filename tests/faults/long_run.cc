// long_run [INFERENCES [CYCLES]]: that nothing grows and nothing changes. Runs a segmenter that
// often, then loads and unloads model, segmenter and stream that often, on a small canvas; every
// result must be the first one's, and memory and descriptors at the end those after the warm-up.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "deeplab/deeplab.hpp"
#include "tests/api/test_models.h"
#include "tests/sanitizers.h"

namespace {

using deeplab::testing::synthetic_photo;

// The heap may end in another place than it began in: the C library gives its top back only from
// 128 KiB on, and keeps pieces of several sizes. A leak of 64 bytes an inference, the least that
// the full run is to find, would be 6 MiB.
constexpr long kToleranceKib = 2048;
constexpr int32_t kSide = 33;  // of the canvas

struct Picture {
  int32_t width, height;
  std::vector<uint8_t> pixels = synthetic_photo(width, height);
  uint64_t expected = 0;  // digest of its mask; 0: not known yet

  deeplab::ImageView view() const { return {pixels.data(), width, height, ptrdiff_t{3} * width}; }
};

[[noreturn]] void fail(const std::string& what) {
  std::printf("long_run: %s\n", what.c_str());
  std::exit(1);
}
void check(const deeplab::Status& status) {
  if (!status.ok()) fail(status.message());
}
template <typename T>
T checked(deeplab::Result<T> result) {
  check(result.status());
  return std::move(result).value();
}

void expect_digest(Picture& picture, std::span<const uint8_t> mask, const char* where, long round) {
  uint64_t digest = 0xCBF29CE484222325u;  // FNV-1a
  for (const uint8_t id : mask) digest = (digest ^ id) * 0x100000001B3u;
  if (picture.expected == 0) picture.expected = digest;
  if (digest == picture.expected) return;
  fail(std::string(where) + " " + std::to_string(round) + " gave another mask than the first");
}

struct Resources {
  long rss_kib = 0;
  long descriptors = 0;

  static Resources now() {
    Resources held;
    long pages = 0;
    std::ifstream("/proc/self/statm") >> pages >> pages;
    held.rss_kib = pages * (::sysconf(_SC_PAGESIZE) / 1024);
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator("/proc/self/fd")) {
      ++held.descriptors;
    }
    return held;
  }
};

void compare(const char* what, long rounds, double seconds, const Resources& warm,
             const Resources& end) {
  std::printf(
      "%-11s %7ld rounds, %6.1f s, RSS %6ld -> %6ld KiB, %ld -> %ld descriptors, all masks equal\n",
      what, rounds, seconds, warm.rss_kib, end.rss_kib, warm.descriptors, end.descriptors);
  std::fflush(stdout);
  if (end.descriptors != warm.descriptors) fail("descriptors are leaked");
  if (deeplab::testing::kSanitizer) return;  // It keeps what was freed
  if (end.rss_kib > warm.rss_kib + kToleranceKib) {
    fail("memory has grown by more than " + std::to_string(kToleranceKib) + " KiB");
  }
}

/// round(i) `rounds` times, a tenth of them to warm up.
template <typename Round>
void repeat(const char* what, long rounds, const Round& round) {
  const auto start = std::chrono::steady_clock::now();
  Resources warm;
  for (long i = 0; i < rounds; ++i) {
    if (i == rounds / 10) warm = Resources::now();
    round(i);
  }
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  compare(what, rounds, time.count(), warm, Resources::now());
}

}  // namespace

int main(int argc, char** argv) {
  const long inferences = argc > 1 ? std::atol(argv[1]) : 100'000;
  const long cycles = argc > 2 ? std::atol(argv[2]) : 10'000;
  std::vector<Picture> pictures;  // smaller than the canvas, larger, wide, high
  for (const auto& [width, height] :
       {std::pair{20, 30}, {33, 33}, {90, 60}, {200, 40}, {31, 150}}) {
    pictures.push_back({width, height});
  }
  deeplab::Options options;
  options.threads = 1;
  options.width = options.height = kSide;

  {
    const deeplab::Model model = checked(deeplab::Model::load(deeplab::testing::kInt8FloatIo));
    deeplab::Segmenter segmenter = checked(deeplab::Segmenter::create(model, options));
    repeat("inferences", inferences, [&](long i) {
      Picture& picture = pictures[static_cast<size_t>(i) % pictures.size()];
      const auto result = checked(segmenter.segment(picture.view()));
      expect_digest(picture, result.category_mask, "inference", i);
    });
  }
  repeat("load/unload", cycles, [&](long i) {
    Picture& picture = pictures[static_cast<size_t>(i) % pictures.size()];
    const deeplab::Model model = checked(deeplab::Model::load(deeplab::testing::kInt8FloatIo));
    deeplab::Segmenter segmenter = checked(deeplab::Segmenter::create(model, options));
    expect_digest(picture, checked(segmenter.segment(picture.view())).category_mask, "cycle", i);
    if (i % 10 == 0) {  // threads come and go, too
      deeplab::Options two = options;
      two.threads = 2;
      deeplab::Stream stream = checked(deeplab::Stream::create(model, two));
      check(stream.push(picture.view()));
      const deeplab::Frame frame = checked(stream.pull());
      check(frame.status);
      expect_digest(picture, frame.category_mask, "stream", i);
    }
  });
  return 0;
}
