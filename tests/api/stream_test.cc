// Streams: the same masks as a segmenter's, in order, and nothing that hangs, leaks or races.
#include "api/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "deeplab/deeplab.hpp"
#include "tests/api/test_models.h"
#include "tests/counted_new.h"

namespace deeplab::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::Each;
using ::testing::HasSubstr;

constexpr int32_t kSide = 65;

/// A picture with pixels of its own.
struct Picture {
  Picture(int32_t w, int32_t h) : width(w), height(h), pixels(synthetic_photo(w, h)) {}
  ImageView view() const {
    return {pixels.data(), width, height, ptrdiff_t{3} * width, PixelFormat::kRgb8};
  }

  int32_t width;
  int32_t height;
  std::vector<uint8_t> pixels;
};

class Streams : public ::testing::Test {
 protected:
  void SetUp() override {
    auto model = Model::load(kInt8FloatIo);
    ASSERT_TRUE(model.ok()) << model.status().message();
    model_ = std::make_unique<Model>(*model);
    options_.threads = 1;
    options_.width = options_.height = kSide;
  }
  Stream make(int32_t capacity = 0) const {
    auto stream = Stream::create(*model_, options_, capacity);
    EXPECT_TRUE(stream.ok()) << stream.status().message();
    return std::move(*stream);
  }
  std::vector<uint8_t> mask_of(const Picture& picture) const {
    auto segmenter = Segmenter::create(*model_, options_);
    EXPECT_TRUE(segmenter.ok());
    auto result = segmenter->segment(picture.view());
    EXPECT_TRUE(result.ok());
    return result->category_mask;
  }
  static std::vector<uint8_t> copy(const Frame& frame) {
    return {frame.category_mask.begin(), frame.category_mask.end()};
  }

  std::unique_ptr<Model> model_;
  Options options_;
  const Picture small_{40, 30};
};

TEST_F(Streams, MasksOfASegmenterInTheOrderOfThePictures) {
  for (const Fit fit : {Fit::kPad, Fit::kLetterbox, Fit::kStretch}) {
    options_.fit = fit;
    std::vector<Picture> pictures;
    for (int32_t i = 0; i < 12; ++i) pictures.emplace_back(20 + 17 * (i * 5 % 12), 90 - 6 * i);
    std::vector<std::vector<uint8_t>> expected;
    for (const Picture& picture : pictures) expected.push_back(mask_of(picture));
    Stream stream = make();
    std::thread writer([&] {
      for (size_t i = 0; i < pictures.size(); ++i) {
        EXPECT_TRUE(stream.push(pictures[i].view(), 100 + i).ok());
      }
      stream.finish();
    });
    for (size_t i = 0; i < pictures.size(); ++i) {
      const auto frame = stream.pull();
      ASSERT_TRUE(frame.ok()) << frame.status().message();
      EXPECT_TRUE(frame->status.ok()) << frame->status.message();
      EXPECT_EQ(frame->id, 100 + i);
      EXPECT_EQ(frame->width, pictures[i].width);
      EXPECT_EQ(frame->height, pictures[i].height);
      EXPECT_EQ(copy(*frame), expected[i]) << i;
      EXPECT_GT(frame->timing.prepare_ms, 0);
      EXPECT_GT(frame->timing.infer_ms, 0);
      EXPECT_GT(frame->timing.labels_ms, 0);
    }
    writer.join();
    for (int again = 0; again < 2; ++again) {
      EXPECT_EQ(stream.pull().status().code(), StatusCode::kStreamEnded);
    }
  }
}

TEST_F(Streams, PixelsMayBeOverwrittenAsSoonAsPushReturns) {
  Stream stream = make(3);
  const std::vector<uint8_t> expected = mask_of(Picture(70, 50));
  Picture picture(70, 50);
  const std::vector<uint8_t> pixels = picture.pixels;
  for (int i = 0; i < 3; ++i) {
    picture.pixels = pixels;
    ASSERT_TRUE(stream.push(picture.view()).ok());
    std::ranges::fill(picture.pixels, uint8_t{0});
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(copy(*stream.pull()), expected);
}

TEST_F(Streams, AFullStreamSaysSoAndTakesTheNextOnceOneIsOut) {
  for (const int32_t capacity : {1, 2, 5}) {
    Stream stream = make(capacity);
    for (int32_t i = 0; i < capacity; ++i) {
      ASSERT_TRUE(stream.push(small_.view(), 0, Stream::kNoWait).ok()) << i;
    }
    // Whether these are done does not matter: they are inside until somebody pulls.
    for (const milliseconds wait : {Stream::kNoWait, milliseconds(30)}) {
      EXPECT_EQ(stream.push(small_.view(), 0, wait).code(), StatusCode::kWouldBlock);
    }
    ASSERT_TRUE(stream.pull().ok());
    EXPECT_TRUE(stream.push(small_.view(), 0, Stream::kNoWait).ok());
    EXPECT_EQ(stream.push(small_.view(), 0, Stream::kNoWait).code(), StatusCode::kWouldBlock);
  }
}

TEST_F(Streams, APushThatWaitsGoesOnWhenTheReaderPulls) {
  Stream stream = make(1);
  ASSERT_TRUE(stream.push(small_.view(), 1).ok());
  std::atomic<bool> pushed{false};
  std::thread writer([&] {
    EXPECT_TRUE(stream.push(small_.view(), 2).ok());
    pushed = true;
  });
  std::this_thread::sleep_for(milliseconds(60));
  EXPECT_FALSE(pushed);
  EXPECT_EQ(stream.pull()->id, 1u);
  EXPECT_EQ(stream.pull()->id, 2u);
  writer.join();
}

TEST_F(Streams, APullThatWaitsInVainSaysSo) {
  Stream stream = make();
  for (const milliseconds wait : {Stream::kNoWait, milliseconds(30)}) {
    EXPECT_EQ(stream.pull(wait).status().code(), StatusCode::kWouldBlock);
  }
  ASSERT_TRUE(stream.push(small_.view()).ok());
  EXPECT_TRUE(stream.pull().ok());
}

TEST_F(Streams, AMaskStaysAsItIsUntilTheNextPull) {
  Stream stream = make(2);
  const Picture other(33, 44);
  ASSERT_TRUE(stream.push(small_.view()).ok());
  const auto frame = stream.pull();
  ASSERT_TRUE(frame.ok());
  const std::vector<uint8_t> before = copy(*frame);
  // As many as fit, and all of them done: none may have taken the memory of the one outside.
  ASSERT_TRUE(stream.push(other.view()).ok());
  ASSERT_TRUE(stream.push(other.view()).ok());
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(copy(*frame), before);
  EXPECT_EQ(before, mask_of(small_));
}

TEST_F(Streams, ABrokenPictureIsRefusedAndTheStreamGoesOn) {
  Stream stream = make(2);
  ImageView broken = small_.view();
  broken.data = nullptr;
  for (int i = 0; i < 5; ++i) {  // more than there is room for
    EXPECT_EQ(stream.push(broken).code(), StatusCode::kInvalidArgument);
    broken.data = small_.pixels.data();
    broken.width = -i;
  }
  ASSERT_TRUE(stream.push(small_.view(), 7).ok());
  stream.finish();
  const auto frame = stream.pull();
  ASSERT_TRUE(frame.ok());
  EXPECT_EQ(frame->id, 7u);
  EXPECT_EQ(copy(*frame), mask_of(small_));
  EXPECT_EQ(stream.pull().status().code(), StatusCode::kStreamEnded);
}

TEST_F(Streams, APictureWithoutMemoryForItsMaskFailsAlone) {
  Stream stream = make(3);
  const Picture large(kSide, kSide);  // not resized: its mask is all it needs
  ASSERT_TRUE(stream.push(small_.view(), 1).ok());
  ASSERT_TRUE(stream.pull().ok());
  largest_allocation = kSide * kSide - 1;
  const bool pushed = stream.push(large.view(), 2).ok() && stream.push(small_.view(), 3).ok();
  const auto failed = stream.pull();
  largest_allocation = std::numeric_limits<size_t>::max();
  ASSERT_TRUE(pushed);
  ASSERT_TRUE(failed.ok()) << failed.status().message();
  EXPECT_EQ(failed->id, 2u);
  EXPECT_EQ(failed->status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(failed->status.message(), HasSubstr("memory"));
  EXPECT_TRUE(failed->category_mask.empty());
  const auto next = stream.pull();
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(next->id, 3u);
  EXPECT_EQ(copy(*next), mask_of(small_));
  ASSERT_TRUE(stream.push(large.view(), 4).ok());
  EXPECT_EQ(copy(*stream.pull()), mask_of(large));
}

TEST_F(Streams, AfterFinishWhatIsInsideComesOutAndNothingGoesIn) {
  Stream stream = make(3);
  for (uint64_t id = 0; id < 3; ++id) ASSERT_TRUE(stream.push(small_.view(), id).ok());
  stream.finish();
  EXPECT_EQ(stream.push(small_.view()).code(), StatusCode::kStreamEnded);
  for (uint64_t id = 0; id < 3; ++id) EXPECT_EQ(stream.pull()->id, id);
  EXPECT_EQ(stream.pull().status().code(), StatusCode::kStreamEnded);
  EXPECT_EQ(stream.push(small_.view()).code(), StatusCode::kStreamEnded);
}

TEST_F(Streams, FinishWakesAReaderThatWaits) {
  Stream stream = make();
  std::thread reader([&] { EXPECT_EQ(stream.pull().status().code(), StatusCode::kStreamEnded); });
  std::this_thread::sleep_for(milliseconds(30));
  stream.finish();
  reader.join();
}

TEST_F(Streams, CancelWakesAWriterThatWaits) {
  Stream stream = make(1);
  ASSERT_TRUE(stream.push(small_.view()).ok());
  std::thread writer(
      [&] { EXPECT_EQ(stream.push(small_.view()).code(), StatusCode::kStreamEnded); });
  std::this_thread::sleep_for(milliseconds(30));
  stream.cancel();
  writer.join();
  EXPECT_EQ(stream.pull().status().code(), StatusCode::kStreamEnded);
}

TEST_F(Streams, CancelWakesAReaderThatWaits) {
  Stream stream = make(1);
  std::thread reader([&] { EXPECT_EQ(stream.pull().status().code(), StatusCode::kStreamEnded); });
  std::this_thread::sleep_for(milliseconds(30));
  stream.cancel();
  reader.join();
  EXPECT_EQ(stream.push(small_.view(), 0, Stream::kNoWait).code(), StatusCode::kStreamEnded);
}

TEST_F(Streams, MayBeFreedWhateverIsInside) {
  for (int pushed = 0; pushed <= 3; ++pushed) {
    for (int pulled = 0; pulled <= pushed; ++pulled) {
      for (const bool finish : {false, true}) {
        Stream stream = make(3);
        for (int i = 0; i < pushed; ++i) ASSERT_TRUE(stream.push(small_.view()).ok());
        if (finish) stream.finish();
        for (int i = 0; i < pulled; ++i) ASSERT_TRUE(stream.pull().ok());
      }
    }
  }
}

TEST_F(Streams, OneThreadAloneCanKeepTheNetworkBusy) {
  Stream stream = make(2);
  ASSERT_TRUE(stream.push(small_.view(), 0).ok());
  for (uint64_t id = 1; id < 20; ++id) {
    ASSERT_TRUE(stream.push(small_.view(), id).ok());
    EXPECT_EQ(stream.pull()->id, id - 1);
  }
}

TEST_F(Streams, WriterReaderAndCancelAtTheSameTime) {
  for (int round = 0; round < 10; ++round) {
    Stream stream = make(2);
    uint64_t out = 0;
    std::thread writer([&] {
      for (uint64_t id = 0; stream.push(small_.view(), id).ok(); ++id) {
      }
    });
    std::thread reader([&] {
      for (auto frame = stream.pull(); frame.ok(); frame = stream.pull()) {
        EXPECT_EQ(frame->id, out++);
        EXPECT_THAT(frame->category_mask, Each(::testing::Lt(21)));
      }
    });
    std::this_thread::sleep_for(milliseconds(7 * round));
    stream.cancel();
    writer.join();
    reader.join();
  }
}

TEST_F(Streams, SeveralStreamsShareAModel) {
  options_.threads = 2;
  Stream a = make(), b = make();
  const std::vector<uint8_t> expected = mask_of(small_);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(a.push(small_.view()).ok());
    ASSERT_TRUE(b.push(small_.view()).ok());
    EXPECT_EQ(copy(*a.pull()), expected);
    EXPECT_EQ(copy(*b.pull()), expected);
  }
}

TEST_F(Streams, OutlivesTheModelHandle) {
  Stream stream = make();
  model_.reset();
  ASSERT_TRUE(stream.push(small_.view()).ok());
  EXPECT_TRUE(stream.pull()->status.ok());
}

TEST_F(Streams, WrongCapacitiesAndOptionsAreRefused) {
  for (const int32_t capacity : {-1, 65}) {
    EXPECT_EQ(Stream::create(*model_, options_, capacity).status().code(),
              StatusCode::kInvalidArgument);
  }
  EXPECT_TRUE(Stream::create(*model_, options_, 64).ok());
  options_.width = 0;
  EXPECT_EQ(Stream::create(*model_, options_).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(Streams, FramesOutliveLaterPullsAndTheStream) {
  const Picture other(33, 44);
  const std::vector<uint8_t> first = mask_of(small_), second = mask_of(other);
  std::vector<Frame> kept;
  {
    Stream stream = make(1);  // more frames are held than fit inside
    for (int i = 0; i < 6; ++i) {
      ASSERT_TRUE(stream.push(i % 2 == 0 ? small_.view() : other.view()).ok());
      auto frame = stream.pull();
      ASSERT_TRUE(frame.ok());
      kept.push_back(std::move(*frame));
    }
  }
  for (size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(copy(kept[i]), i % 2 == 0 ? first : second);
}

TEST_F(Streams, FlushDropsWhatIsInsideAndTheStreamGoesOn) {
  for (const bool finished : {false, true}) {
    Stream stream = make(3);
    for (uint64_t id = 0; id < 3; ++id) ASSERT_TRUE(stream.push(small_.view(), id).ok());
    if (finished) stream.finish();
    stream.flush();
    EXPECT_EQ(stream.pull(Stream::kNoWait).status().code(), StatusCode::kWouldBlock);
    const Picture other(33, 44);
    for (uint64_t id = 7; id < 9; ++id) ASSERT_TRUE(stream.push(other.view(), id).ok());
    stream.finish();
    for (uint64_t id = 7; id < 9; ++id) {
      const auto frame = stream.pull();
      ASSERT_TRUE(frame.ok()) << frame.status().message();
      EXPECT_EQ(frame->id, id);
      EXPECT_EQ(copy(*frame), mask_of(other));
    }
    EXPECT_EQ(stream.pull().status().code(), StatusCode::kStreamEnded);
  }
}

TEST_F(Streams, AFlushStartsASequence) {
  options_.temporal = 0.9f;
  Stream stream = make();
  const Picture first(64, 64);
  Picture second(64, 64);
  for (uint8_t& value : second.pixels) value = static_cast<uint8_t>(255 - value);
  const auto run = [&](const Picture& picture) {
    EXPECT_TRUE(stream.push(picture.view(), 0).ok());
    auto frame = stream.pull();
    EXPECT_TRUE(frame.ok());
    return copy(*frame);
  };
  const auto alone = run(second);
  stream.flush();
  run(first);
  stream.flush();
  EXPECT_EQ(run(second), alone);
}

TEST_F(Streams, FlushWakesAReaderAndAWriterThatWait) {
  Stream stream = make(1);
  std::thread reader([&] { EXPECT_EQ(stream.pull().status().code(), StatusCode::kCancelled); });
  std::this_thread::sleep_for(milliseconds(30));
  stream.flush();
  reader.join();
  ASSERT_TRUE(stream.push(small_.view()).ok());
  std::thread writer([&] { EXPECT_EQ(stream.push(small_.view()).code(), StatusCode::kCancelled); });
  std::this_thread::sleep_for(milliseconds(30));
  stream.flush();
  writer.join();
  ASSERT_TRUE(stream.push(small_.view(), 5).ok());
  EXPECT_EQ(stream.pull()->id, 5u);
}

TEST_F(Streams, WriterReaderAndFlushesAtTheSameTime) {
  Stream stream = make(2);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (uint64_t id = 0; !done; ++id) {
      const Status pushed = stream.push(small_.view(), id);
      EXPECT_TRUE(pushed.ok() || pushed.code() == StatusCode::kCancelled) << pushed.message();
    }
    stream.finish();
  });
  std::thread reader([&] {
    uint64_t last = 0;
    while (true) {
      const auto frame = stream.pull();
      if (!frame.ok() && frame.status().code() == StatusCode::kCancelled) continue;
      if (!frame.ok()) break;
      EXPECT_TRUE(frame->status.ok()) << frame->status.message();
      EXPECT_GE(frame->id, last);
      last = frame->id;
    }
  });
  for (int i = 0; i < 30; ++i) {
    std::this_thread::sleep_for(milliseconds(3));
    stream.flush();
  }
  done = true;
  writer.join();
  reader.join();
}

TEST_F(Streams, MasksOfAnySizeAndConfidences) {
  auto segmenter = Segmenter::create(*model_, options_);
  ASSERT_TRUE(segmenter.ok());
  ASSERT_TRUE(segmenter->run(small_.view()).ok());
  constexpr int32_t kWidth = 50, kHeight = 20;
  constexpr size_t kPixels = kWidth * kHeight;
  const std::vector<int32_t> set = {15, 3};
  std::vector<uint8_t> mask(kPixels);
  std::vector<float> of_set(kPixels), all(kPixels * 21);
  ASSERT_TRUE(segmenter->category_mask(kWidth, kHeight, mask).ok());
  ASSERT_TRUE(segmenter->confidence_mask(set, kWidth, kHeight, of_set).ok());
  ASSERT_TRUE(segmenter->all_confidences(kWidth, kHeight, 0, kHeight, all).ok());

  StreamOptions stream_options;
  stream_options.mask_width = kWidth;
  stream_options.mask_height = kHeight;
  stream_options.confidence_class_ids = set;
  auto with_set = Stream::create(*model_, options_, stream_options);
  stream_options.all_confidences = true;
  stream_options.category_mask = false;
  auto with_all = Stream::create(*model_, options_, stream_options);
  ASSERT_TRUE(with_set.ok() && with_all.ok());
  ASSERT_TRUE(with_set->push(small_.view()).ok());
  ASSERT_TRUE(with_all->push(small_.view()).ok());
  const auto frame = with_set->pull();
  EXPECT_EQ(copy(*frame), mask);
  EXPECT_EQ(frame->mask_width, kWidth);
  EXPECT_EQ(frame->width, 40);
  EXPECT_TRUE(std::ranges::equal(frame->confidence, of_set));
  const auto planes = with_all->pull();
  EXPECT_TRUE(planes->category_mask.empty());
  EXPECT_TRUE(std::ranges::equal(planes->confidence, all));

  stream_options.all_confidences = false;
  stream_options.confidence_class_ids = {3, 21};
  EXPECT_FALSE(Stream::create(*model_, options_, stream_options).ok());
  stream_options.confidence_class_ids = {3, 3};
  EXPECT_FALSE(Stream::create(*model_, options_, stream_options).ok());
  stream_options.confidence_class_ids = {};
  stream_options.mask_width = 0;
  EXPECT_FALSE(Stream::create(*model_, options_, stream_options).ok());
}

TEST_F(Streams, InC) {
  deeplab_stream* stream = reinterpret_cast<deeplab_stream*>(1);
  EXPECT_EQ(deeplab_stream_create(nullptr, nullptr, &stream), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(stream, nullptr);
  EXPECT_EQ(deeplab_stream_create(model_->handle(), nullptr, nullptr), DEEPLAB_INVALID_ARGUMENT);
  deeplab_segmenter_options segmenter_options;
  deeplab_segmenter_options_init(&segmenter_options, sizeof(segmenter_options));
  segmenter_options.width = segmenter_options.height = kSide;
  deeplab_stream_options options;
  deeplab_stream_options_init(&options, sizeof(options));
  options.segmenter = &segmenter_options;
  segmenter_options.struct_size = 1;
  EXPECT_EQ(deeplab_stream_create(model_->handle(), &options, &stream), DEEPLAB_INVALID_ARGUMENT);
  segmenter_options.struct_size = sizeof(segmenter_options);
  options.confidence = 3;
  EXPECT_EQ(deeplab_stream_create(model_->handle(), &options, &stream), DEEPLAB_INVALID_ARGUMENT);
  options.confidence = DEEPLAB_CONFIDENCE_NONE;
  ASSERT_EQ(deeplab_stream_create(model_->handle(), &options, &stream), DEEPLAB_OK)
      << deeplab_last_error();

  const deeplab_image image = rgb_image(small_.pixels, 40, 30);
  deeplab_frame* frame = reinterpret_cast<deeplab_frame*>(1);
  EXPECT_EQ(deeplab_stream_push(nullptr, &image, 0, 0), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_stream_push(stream, nullptr, 0, 0), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_stream_pull(nullptr, &frame, 0), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_stream_pull(stream, nullptr, 0), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_stream_pull(stream, &frame, 0), DEEPLAB_WOULD_BLOCK);
  EXPECT_EQ(frame, nullptr);
  EXPECT_STRNE(deeplab_last_error(), "");

  ASSERT_EQ(deeplab_stream_push(stream, &image, 42, -1), DEEPLAB_OK) << deeplab_last_error();
  deeplab_stream_finish(stream);
  EXPECT_EQ(deeplab_stream_push(stream, &image, 43, -1), DEEPLAB_STREAM_ENDED);
  ASSERT_EQ(deeplab_stream_pull(stream, &frame, -1), DEEPLAB_OK) << deeplab_last_error();
  deeplab_frame_info info = {};
  EXPECT_EQ(deeplab_frame_get_info(frame, &info), DEEPLAB_INVALID_ARGUMENT);  // no size
  info.struct_size = sizeof(info);
  EXPECT_EQ(deeplab_frame_get_info(frame, nullptr), DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(deeplab_frame_get_info(nullptr, &info), DEEPLAB_INVALID_ARGUMENT);
  ASSERT_EQ(deeplab_frame_get_info(frame, &info), DEEPLAB_OK);
  EXPECT_EQ(info.id, 42u);
  EXPECT_EQ(info.status, DEEPLAB_OK);
  EXPECT_STREQ(info.error, "");
  EXPECT_EQ(info.confidence, nullptr);
  deeplab_stream_cancel(stream);
  deeplab_stream_free(stream);
  EXPECT_EQ(std::vector<uint8_t>(info.category_mask, info.category_mask + 40 * 30),
            mask_of(small_));
  deeplab_frame_free(frame);

  deeplab_frame_free(nullptr);
  deeplab_stream_flush(nullptr);
  deeplab_stream_finish(nullptr);
  deeplab_stream_cancel(nullptr);
  deeplab_stream_free(nullptr);
}

}  // namespace
}  // namespace deeplab::testing
