#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <thread>

#include "tests/test_data.h"
#include "tests/train/data_folder.h"
#include "train/data/loader.h"
#include "train/data/sources.h"

namespace deeplab::train {
namespace {

using deeplab::testing::DataFolder;
using ::testing::HasSubstr;

/// Twelve photos of different sizes, each in a grey of its own, with two classes.
class LoaderTest : public ::testing::Test {
 protected:
  LoaderTest() {
    std::vector<std::string> ids;
    for (int i = 0; i < 12; ++i) {
      ids.push_back("p" + std::to_string(i));
      const int width = 30 + i;
      const int height = 40 - i;
      folder_.photo(ids.back(), width, height, [i](int x, int y) {
        return Rgb{static_cast<uint8_t>(20 * i), static_cast<uint8_t>(x), static_cast<uint8_t>(y)};
      });
      folder_.mask(ids.back(), width, height,
                   [width](int x, int) { return x < width / 2 ? 0 : 1; });
    }
    folder_.list("train", ids);
  }

  LoaderOptions options() const {
    LoaderOptions o;
    o.sources = {folder_.source()};
    o.augment.crop_width = 33;
    o.augment.crop_height = 29;
    o.augment.brightness = 0.3;
    o.augment.hue = 0.05;
    o.augment.jpeg_noise = 0.3;
    o.batch = 4;
    o.class_count = 2;
    return o;
  }

  static std::unique_ptr<Loader> open(const LoaderOptions& options) {
    Result<std::unique_ptr<Loader>> loader = Loader::create(options);
    EXPECT_TRUE(loader.ok()) << loader.status().message();
    return loader.ok() ? std::move(loader).value() : nullptr;
  }

  DataFolder folder_;
};

/// One sample of a batch, to be compared.
struct Sample {
  std::vector<uint8_t> pixels;
  std::vector<uint8_t> labels;
  int64_t item;
  bool operator==(const Sample&) const = default;
};

/// The samples of `steps` batches by their numbers.
std::map<int64_t, Sample> collect(Loader& loader, int steps) {
  std::map<int64_t, Sample> samples;
  for (int s = 0; s < steps; ++s) {
    Result<Batch> batch = loader.next();
    EXPECT_TRUE(batch.ok()) << batch.status().message();
    if (!batch.ok()) break;
    const int64_t area = int64_t{batch->width} * batch->height;
    for (int64_t i = 0; i < batch->count; ++i) {
      Sample sample;
      const auto pixels = batch->pixels.begin() + i * area * 3;
      sample.pixels.assign(pixels, pixels + area * 3);
      const auto labels = batch->labels.begin() + i * area;
      sample.labels.assign(labels, labels + area);
      sample.item = batch->item[static_cast<size_t>(i)];
      samples[batch->sample_index[static_cast<size_t>(i)]] = std::move(sample);
    }
    if (s % 2 == 0) loader.recycle(std::move(*batch));
  }
  return samples;
}

TEST_F(LoaderTest, GivesBatchesInOrder) {
  const auto loader = open(options());
  const ItemList photos = list_photos(options().sources).value();
  EXPECT_EQ(photos.items.size(), 12u);
  EXPECT_EQ(photos.sources[0].count, 12);
  std::map<int64_t, int> drawn;
  for (int64_t step = 0; step < 6; ++step) {
    const Result<Batch> batch = loader->next();
    ASSERT_TRUE(batch.ok());
    EXPECT_EQ(batch->pixels.size(), 4u * 33 * 29 * 3);
    EXPECT_EQ(batch->labels.size(), 4u * 33 * 29);
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(batch->sample_index[i], step * 4 + static_cast<int64_t>(i));
      EXPECT_EQ(batch->has_mask[i], 1);
      ++drawn[batch->item[i]];
    }
  }
  for (const auto& [item, count] : drawn) {
    EXPECT_EQ(count, 2) << photos.items[static_cast<size_t>(item)].photo_path;
  }
  EXPECT_EQ(drawn.size(), 12u);
  EXPECT_EQ(photos.items[3].photo_path, folder_.photo_path("p3"));
}

TEST_F(LoaderTest, ThreadsAndCacheChangeNothing) {
  const auto expected = collect(*open(options()), 12);
  LoaderOptions other = options();
  other.threads = 4;
  other.prefetch = 7;
  EXPECT_EQ(collect(*open(other), 12), expected);
  other.cache_mib = 0;
  other.prefetch = 1;
  EXPECT_EQ(collect(*open(other), 12), expected);
  other.seed = 2;
  EXPECT_NE(collect(*open(other), 12), expected);
}

TEST_F(LoaderTest, ARestartGoesOnWhereTheRunWas) {
  const auto expected = collect(*open(options()), 12);
  LoaderOptions resumed = options();
  resumed.first_step = 5;
  const auto rest = collect(*open(resumed), 7);
  ASSERT_EQ(rest.size(), 28u);
  for (const auto& [k, sample] : rest) EXPECT_EQ(sample, expected.at(k)) << k;
  EXPECT_EQ(rest.begin()->first, 20);
}

TEST_F(LoaderTest, ProcessesShareOutTheSamplesOfOne) {
  const auto expected = collect(*open(options()), 10);
  LoaderOptions half = options();
  half.batch = 2;
  half.world = 2;
  std::map<int64_t, Sample> together;
  for (half.rank = 0; half.rank < 2; ++half.rank) together.merge(collect(*open(half), 10));
  EXPECT_EQ(together, expected);
}

TEST_F(LoaderTest, PhotosWithoutMasksAreIgnoredEverywhere) {
  const DataFolder photos;
  std::filesystem::create_directories(photos.root() + "/a/b");
  for (const char* name : {"a/b/one.png", "two.PNG"}) {
    photos.photo("x", 20, 20, [](int, int) { return Rgb{9, 9, 9}; });
    std::filesystem::rename(photos.photo_path("x"), photos.root() + "/" + name);
  }
  DataFolder::write_text(photos.root() + "/notes.txt", "no photo");
  LoaderOptions o = options();
  o.sources.push_back({.root = photos.root(), .split = "train", .weight = 6, .masks = false});
  o.augment = deeplab::testing::no_augmentation(25, 25);
  const auto loader = open(o);
  const ItemList items = list_photos(o.sources).value();
  EXPECT_EQ(items.sources[1].count, 2);
  EXPECT_EQ(items.items[12].photo_path, photos.root() + "/a/b/one.png");
  int without = 0;
  for (int step = 0; step < 50; ++step) {
    const Result<Batch> batch = loader->next();
    ASSERT_TRUE(batch.ok()) << batch.status().message();
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(batch->has_mask[i] != 0, batch->item[i] < 12);
      const auto labels = batch->labels.begin() + static_cast<ptrdiff_t>(i) * 625;
      const bool all_ignored =
          std::all_of(labels, labels + 625, [](uint8_t label) { return label == 255; });
      EXPECT_EQ(all_ignored, batch->has_mask[i] == 0);
      without += all_ignored ? 1 : 0;
    }
  }
  EXPECT_NEAR(without, 100, 30);
}

TEST_F(LoaderTest, ALayoutMayBeUsedWithoutItsMasks) {
  LoaderOptions o = options();
  o.sources[0].masks = false;
  const auto loader = open(o);
  EXPECT_EQ(list_photos(o.sources).value().items.size(), 12u);
  EXPECT_EQ(loader->next()->has_mask, std::vector<uint8_t>(4, 0));
}

TEST_F(LoaderTest, RareClassesComeMoreOften) {
  // Of 12 photos only p4 shows class 1.
  for (int i = 0; i < 12; ++i) {
    folder_.mask("p" + std::to_string(i), 30 + i, 40 - i, [i](int, int) { return i == 4 ? 1 : 0; });
  }
  LoaderOptions o = options();
  o.rare_class_power = 1;
  o.threads = 2;
  const auto loader = open(o);
  int rare = 0;
  for (int step = 0; step < 60; ++step) {
    const Result<Batch> batch = loader->next();
    ASSERT_TRUE(batch.ok());
    for (const int64_t item : batch->item) rare += item == 4 ? 1 : 0;
  }
  EXPECT_NEAR(rare, 120, 20);  // weight 11 of 22, instead of 20 of 240
}

TEST_F(LoaderTest, APhotoThatBreaksIsNamedWhenItsBatchIsDue) {
  const auto healthy = collect(*open(options()), 3);
  // The photo of sample 9, in the third batch.
  const int64_t item = healthy.at(9).item;
  const std::string path = folder_.photo_path("p" + std::to_string(item));
  std::filesystem::resize_file(path, 100);
  LoaderOptions o = options();
  o.threads = 3;
  const auto loader = open(o);
  for (int64_t step = 0; step < 3; ++step) {
    bool broken = false;
    for (int64_t i = 0; i < 4; ++i) broken = broken || healthy.at(step * 4 + i).item == item;
    const Result<Batch> batch = loader->next();
    ASSERT_EQ(batch.ok(), !broken) << step;
    if (!broken) continue;
    EXPECT_THAT(batch.status().message(), HasSubstr(path));
    EXPECT_EQ(loader->next().status().message(), batch.status().message());  // and it stays
    return;
  }
  FAIL() << "the broken photo never came";
}

TEST_F(LoaderTest, OfTwoBrokenPhotosTheFirstOfTheBatchIsNamed) {
  LoaderOptions o = options();
  o.batch = 12;  // all photos
  o.threads = 2;
  const std::vector<int64_t> items = open(o)->next()->item;
  // The first fails late, at the end of many pixels, and the second at once.
  const std::string first = "p" + std::to_string(items[3]);
  const std::string second = "p" + std::to_string(items[4]);
  folder_.photo(first, 600, 600, [](int x, int y) {
    return Rgb{static_cast<uint8_t>(x * y), static_cast<uint8_t>(x), 0};
  });
  const auto size = std::filesystem::file_size(folder_.photo_path(first));
  std::filesystem::resize_file(folder_.photo_path(first), size - 100);
  DataFolder::write_text(folder_.photo_path(second), "no picture");
  for (int run = 0; run < 5; ++run) {
    EXPECT_THAT(open(o)->next().status().message(), HasSubstr(folder_.photo_path(first)));
  }
}

TEST_F(LoaderTest, MasksAreCheckedAsTheyCome) {
  folder_.mask("p3", 33, 37, [](int, int) { return 2; });
  LoaderOptions o = options();
  std::string error;
  const auto loader = open(o);
  for (int step = 0; step < 3 && error.empty(); ++step) error = loader->next().status().message();
  EXPECT_THAT(error, HasSubstr(folder_.mask_path("p3") + ": class id 2"));

  folder_.mask("p3", 33, 36, [](int, int) { return 1; });
  const auto again = open(o);
  error.clear();
  for (int step = 0; step < 3 && error.empty(); ++step) error = again->next().status().message();
  EXPECT_EQ(error, folder_.mask_path("p3") + " has 33x36 pixels; its photo " +
                       folder_.photo_path("p3") + " has 33x37");
}

TEST_F(LoaderTest, DestructionDoesNotWaitForAConsumer) {
  LoaderOptions o = options();
  o.augment.crop_width = o.augment.crop_height = 300;
  o.threads = 4;
  o.cache_mib = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 40; ++i) {
    const auto loader = open(o);
    EXPECT_TRUE(i % 3 != 1 || loader->next().ok());
    if (i % 3 == 2) std::this_thread::sleep_for(std::chrono::milliseconds(20));  // queue is full
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}

TEST_F(LoaderTest, CountsTheTimeItIsWaitedFor) {
  LoaderOptions o = options();
  o.augment.crop_width = o.augment.crop_height = 257;
  const auto loader = open(o);
  // Taking is faster than making: some batch of twenty was not ready.
  for (int step = 0; step < 20; ++step) ASSERT_TRUE(loader->next().ok());
  const double hurried = loader->seconds_waited();
  EXPECT_GT(hurried, 0);
  // With time enough it is, sooner or later even if the machine is busy.
  bool ready = false;
  for (int step = 0; step < 50 && !ready; ++step) {
    const double before = loader->seconds_waited();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    ASSERT_TRUE(loader->next().ok());
    ready = loader->seconds_waited() == before;
  }
  EXPECT_TRUE(ready);
}

TEST_F(LoaderTest, SaysWhereThePaddingBegins) {
  LoaderOptions o = options();
  o.augment = deeplab::testing::no_augmentation(35, 35);
  const auto loader = open(o);
  for (int step = 0; step < 3; ++step) {
    const Result<Batch> batch = loader->next();
    ASSERT_TRUE(batch.ok());
    for (size_t i = 0; i < 4; ++i) {
      const auto photo = static_cast<int32_t>(batch->item[i]);  // 30 + photo by 40 - photo pixels
      EXPECT_EQ(batch->content_width[i], std::min(35, 30 + photo));
      EXPECT_EQ(batch->content_height[i], std::min(35, 40 - photo));
      const uint8_t* labels = batch->labels.data() + i * 35 * 35;
      for (int32_t x = 0; x < 35; ++x) EXPECT_EQ(labels[x] == 255, x >= batch->content_width[i]);
    }
  }
}

TEST_F(LoaderTest, RefusesOptionsOutOfRange) {
  const auto error = [&](const std::function<void(LoaderOptions&)>& change) {
    LoaderOptions o = options();
    change(o);
    return Loader::create(o).status().message();
  };
  EXPECT_THAT(error([](auto& o) { o.sources.clear(); }), HasSubstr("no source"));
  EXPECT_THAT(error([](auto& o) { o.sources[0].weight = 0; }), HasSubstr("weight 0"));
  EXPECT_THAT(error([](auto& o) { o.sources[0].root = "/no/such"; }), HasSubstr("/no/such"));
  EXPECT_THAT(error([](auto& o) { o.sources[0].split = "test"; }), HasSubstr("test"));
  EXPECT_THAT(error([](auto& o) { o.batch = 0; }), HasSubstr("batch 0"));
  EXPECT_THAT(error([](auto& o) { o.threads = 0; }), HasSubstr("0 loader threads"));
  EXPECT_THAT(error([](auto& o) { o.prefetch = 0; }), HasSubstr("prefetch 0"));
  EXPECT_THAT(error([](auto& o) { o.rank = 1; }), HasSubstr("rank 1 of 1"));
  EXPECT_THAT(error([](auto& o) { o.first_step = -1; }), HasSubstr("first step -1"));
  EXPECT_THAT(error([](auto& o) { o.class_count = 256; }), HasSubstr("256 classes"));
  EXPECT_THAT(error([](auto& o) { o.rare_class_power = -1; }), HasSubstr("rare class power -1"));
  EXPECT_THAT(error([](auto& o) { o.cache_mib = -1; }), HasSubstr("cache of -1 MiB"));
  EXPECT_THAT(error([](auto& o) { o.augment.crop_width = 0; }), HasSubstr("crop 0x29"));
  EXPECT_THAT(error([](auto& o) { o.augment.scale_min = 3; }), HasSubstr("scales 3 to 2"));
  EXPECT_THAT(error([](auto& o) { o.augment.scale_step = -1; }), HasSubstr("scale step -1"));
  EXPECT_THAT(error([](auto& o) { o.augment.flip = 2; }), HasSubstr("flip probability 2"));
  EXPECT_THAT(error([](auto& o) { o.augment.brightness = NAN; }), HasSubstr("brightness jitter"));
  EXPECT_THAT(error([](auto& o) { o.augment.hue = 0.6; }), HasSubstr("hue jitter 0.6"));
  EXPECT_THAT(error([](auto& o) { o.augment.jpeg_noise = -1; }), HasSubstr("JPEG noise"));
  EXPECT_THAT(error([](auto& o) { o.augment.jpeg_quality_min = 0; }), HasSubstr("JPEG qualities"));
  EXPECT_THAT(error([](auto& o) { o.augment.long_side = -1; }), HasSubstr("long side -1"));
  EXPECT_THAT(error([](auto& o) {
                o.sources[0].class_map = std::make_shared<const ClassMap>(
                    ClassMap::parse("0 = a\n1 = b\n2 = c\n", "classes.txt").value());
              }),
              HasSubstr("classes.txt has 3 classes and the network 2"));
}

TEST(LoaderRealData, SamplesOfRealPhotosAreTheSameOnFourThreads) {
  DEEPLAB_NEEDS_TEST_DATA();
  LoaderOptions o;
  o.sources.push_back({.root = deeplab::testing::test_data("voc2012"), .split = "train_aug"});
  o.sources.push_back({.root = deeplab::testing::test_data("coco_voc21"), .weight = 2});
  o.sources.push_back({.root = deeplab::testing::test_data("unlabeled"), .masks = false});
  o.augment.crop_width = o.augment.crop_height = 257;
  o.augment.contrast = 0.4;
  o.first_step = 100000;
  auto one = Loader::create(o);
  o.threads = 4;
  auto four = Loader::create(o);
  ASSERT_TRUE(one.ok() && four.ok()) << one.status().message() << four.status().message();
  const auto samples = collect(**one, 8);
  EXPECT_EQ(samples.size(), 64u);
  EXPECT_EQ(collect(**four, 8), samples);
}

}  // namespace
}  // namespace deeplab::train
