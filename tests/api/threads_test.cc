// One Model, eight threads: what the headers allow, for ThreadSanitizer to look at.
#include <gtest/gtest.h>

#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "deeplab/deeplab.hpp"
#include "tests/api/test_models.h"

namespace deeplab::testing {
namespace {

constexpr int kThreads = 8;
constexpr int kPictures = 4;
using Mask = std::vector<uint8_t>;

struct Picture {
  int32_t width, height;
  std::vector<uint8_t> pixels = synthetic_photo(width, height);
  ImageView view() const { return {pixels.data(), width, height, ptrdiff_t{3} * width}; }
};

/// Some threads share a plan, others have another canvas or a pool of two.
Options options_of(int thread) {
  Options options;
  options.threads = 1 + thread / 2 % 2;
  options.width = options.height = thread % 2 == 0 ? 33 : 49;
  return options;
}

Picture picture_of(int i) { return {40 + 9 * i, 60 - 7 * i}; }

/// Masks of the pictures, or nothing after an error.
std::optional<std::vector<Mask>> segment_all(const Model& model, const Options& options) {
  auto segmenter = Segmenter::create(model, options);
  if (!segmenter.ok()) return std::nullopt;
  std::vector<Mask> masks;
  for (int i = 0; i < kPictures; ++i) {
    auto result = segmenter->segment(picture_of(i).view());
    if (!result.ok()) return std::nullopt;
    masks.push_back(std::move(result->category_mask));
  }
  return masks;
}

/// The same through a stream, pushed and pulled by two threads.
std::optional<std::vector<Mask>> stream_all(const Model& model, const Options& options) {
  auto stream = Stream::create(model, options, 2);
  if (!stream.ok()) return std::nullopt;
  std::vector<Mask> masks;
  std::thread reader([&] {
    while (true) {
      const auto frame = stream->pull();
      if (!frame.ok() || !frame->status.ok()) return;
      masks.emplace_back(frame->category_mask.begin(), frame->category_mask.end());
    }
  });
  for (int i = 0; i < kPictures; ++i) {
    // The picture may go away as soon as push() is back.
    if (!stream->push(picture_of(i).view(), static_cast<uint64_t>(i)).ok()) break;
  }
  stream->finish();
  reader.join();
  return masks;
}

TEST(Threads, ShareAModelEachWithASegmenterAndAStream) {
  std::optional<Model> model;
  {
    auto loaded = Model::load(kInt8FloatIo);
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    model = *loaded;
  }
  std::optional<std::vector<Mask>> expected[2];
  for (int i = 0; i < 2; ++i) {
    expected[i] = segment_all(*model, options_of(i));
    ASSERT_TRUE(expected[i]);
  }

  std::optional<std::vector<Mask>> segmented[kThreads], streamed[kThreads];
  std::string labels[kThreads];
  {
    std::latch start(kThreads);
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t, own = *model] {  // copies share the model
        start.arrive_and_wait();
        segmented[t] = segment_all(own, options_of(t));
        streamed[t] = stream_all(own, options_of(t));
        for (int32_t id = 0; id < own.class_count(); ++id) labels[t] += own.label(id);
      });
    }
    model.reset();  // the threads' copies keep it
  }
  for (int t = 0; t < kThreads; ++t) {
    EXPECT_EQ(segmented[t], expected[t % 2]) << "thread " << t;
    EXPECT_EQ(streamed[t], expected[t % 2]) << "thread " << t;
    EXPECT_EQ(labels[t], labels[0]);
  }
}

TEST(Threads, EachHasItsOwnLastError) {
  std::vector<std::string> sentences(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        const std::string path = "/nowhere/" + std::to_string(t);
        for (int i = 0; i < 100; ++i) {
          if (Model::load(path).ok()) return;
          sentences[static_cast<size_t>(t)] = deeplab_last_error();
        }
      });
    }
  }
  for (int t = 0; t < kThreads; ++t) {
    EXPECT_NE(sentences[static_cast<size_t>(t)].find("/nowhere/" + std::to_string(t) + ":"),
              std::string::npos)
        << sentences[static_cast<size_t>(t)];
  }
}

}  // namespace
}  // namespace deeplab::testing
