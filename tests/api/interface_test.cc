// What deeplab.h promises beyond a picture and its mask: structs that grow, the built-in model,
// pictures as they come, masks of sets and of all classes. Needs no file but the committed model.
#include "tests/api/interface.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "base/file.h"
#include "deeplab/deeplab.h"
#include "deeplab/deeplab.hpp"
#include "tests/api/test_models.h"

namespace deeplab::testing {
namespace {

using ::testing::HasSubstr;

// ---- Structs and names ------------------------------------------------------------------------

TEST(Structs, InitWritesNoMoreThanItsSize) {
  unsigned char memory[sizeof(deeplab_segmenter_options) + 16];
  for (const size_t size : {size_t{0}, size_t{4}, sizeof(size_t), size_t{24},
                            sizeof(deeplab_segmenter_options), sizeof(memory)}) {
    std::memset(memory, 0xAB, sizeof(memory));
    deeplab_segmenter_options_init(reinterpret_cast<deeplab_segmenter_options*>(memory), size);
    for (size_t i = size; i < sizeof(memory); ++i) ASSERT_EQ(memory[i], 0xAB) << size;
    if (size < sizeof(size_t)) continue;
    size_t stored = 0;
    std::memcpy(&stored, memory, sizeof(stored));
    EXPECT_EQ(stored, size);
  }
}

TEST_F(Interface, AnOlderProgramsOptionsAreAccepted) {
  deeplab_segmenter_options options;
  deeplab_segmenter_options_init(&options, sizeof(options));
  options.threads = 1;
  options.width = options.height = kSide;
  options.isa = "no such thing";  // after what the older program has
  options.struct_size = offsetof(deeplab_segmenter_options, isa);
  deeplab_segmenter* segmenter = nullptr;
  ASSERT_EQ(deeplab_segmenter_create(model_->handle(), &options, &segmenter), DEEPLAB_OK)
      << deeplab_last_error();
  deeplab_segmenter_free(segmenter);
}

TEST_F(Interface, ANewerProgramsOptionsAreAcceptedWhereTheyAreNotSet) {
  struct Newer {
    deeplab_segmenter_options known;
    int64_t added;
  } newer;
  deeplab_segmenter_options_init(&newer.known, sizeof(newer));
  EXPECT_EQ(newer.added, 0);
  newer.known.threads = 1;
  newer.known.width = newer.known.height = kSide;
  deeplab_segmenter* segmenter = nullptr;
  EXPECT_EQ(deeplab_segmenter_create(model_->handle(), &newer.known, &segmenter), DEEPLAB_OK)
      << deeplab_last_error();
  deeplab_segmenter_free(segmenter);
  newer.added = 1;
  EXPECT_EQ(deeplab_segmenter_create(model_->handle(), &newer.known, &segmenter),
            DEEPLAB_UNSUPPORTED);
  EXPECT_THAT(deeplab_last_error(), HasSubstr("does not know"));
}

TEST_F(Interface, ResultsAreCutToTheProgramsSize) {
  deeplab_model_info info;
  std::memset(static_cast<void*>(&info), 0xAB, sizeof(info));
  info.struct_size = offsetof(deeplab_model_info, height);
  ASSERT_EQ(deeplab_model_get_info(model_->handle(), &info), DEEPLAB_OK);
  EXPECT_EQ(info.width, 513);
  EXPECT_EQ(static_cast<uint32_t>(info.height), 0xABABABABu);
  info.struct_size = 0;
  EXPECT_EQ(deeplab_model_get_info(model_->handle(), &info), DEEPLAB_INVALID_ARGUMENT);
}

TEST(Names, OfStatusesVersionsAndIsas) {
  EXPECT_STREQ(deeplab_status_name(DEEPLAB_OK), "OK");
  EXPECT_STREQ(deeplab_status_name(DEEPLAB_RESOURCE_EXHAUSTED), "RESOURCE_EXHAUSTED");
  EXPECT_STREQ(deeplab_status_name(DEEPLAB_DEADLINE_EXCEEDED), "DEADLINE_EXCEEDED");
  for (const int32_t number : {-1, 12, 1 << 30}) {
    EXPECT_STREQ(deeplab_status_name(number), "UNKNOWN");
  }
  EXPECT_EQ(status_name(StatusCode::kCancelled), "CANCELLED");
  EXPECT_EQ(deeplab_version_number(), DEEPLAB_VERSION_NUMBER);
  ASSERT_FALSE(isa_names().empty());
  EXPECT_EQ(isa_names().front(), "scalar");
  EXPECT_EQ(deeplab_isa_name(-1), nullptr);
  EXPECT_EQ(deeplab_isa_name(99), nullptr);
}

// ---- Models -----------------------------------------------------------------------------------

TEST_F(Interface, TheBuiltinModelSaysWhatItIs) {
  const ModelInfo info = model_->info();
  EXPECT_STREQ(info.source, "the built-in model");
  EXPECT_EQ(info.width, 513);
  EXPECT_EQ(info.class_count, 21);
  EXPECT_EQ(info.weights, DEEPLAB_WEIGHTS_PER_CHANNEL);
  EXPECT_NE(std::string(info.license), "");
  EXPECT_NE(std::string(info.description), "");
  EXPECT_EQ(info.labels_given, 1);
  EXPECT_GT(info.file_macs, 1000000);
  EXPECT_FLOAT_EQ(info.stddev[2], 127.5f);
  EXPECT_EQ(model_->label(12), "dog");
}

TEST_F(Interface, TheBuiltinModelIsTheCommittedFile) {
  const auto file = Model::load(kInt8FloatIo);
  ASSERT_TRUE(file.ok());
  auto segmenter = Segmenter::create(*file, small_options());
  ASSERT_TRUE(segmenter.ok());
  EXPECT_EQ(segmenter->segment(photo_)->category_mask, mask_of(photo_));
  EXPECT_EQ(file->info().source, kInt8FloatIo);
}

TEST_F(Interface, BorrowedBytesAreGivenBackOnceNobodyReadsThem) {
  const auto bytes = read_file(kInt8FloatIo, 1 << 24);
  ASSERT_TRUE(bytes.ok());
  int released = 0;
  {
    auto borrowed = Model::borrow(*bytes, [&] { ++released; });
    ASSERT_TRUE(borrowed.ok()) << borrowed.status().message();
    std::optional<Model> model(*borrowed);
    borrowed = Status(StatusCode::kInternal, "dropped");
    auto segmenter = Segmenter::create(*model, small_options());
    ASSERT_TRUE(segmenter.ok());
    model.reset();
    EXPECT_EQ(released, 0);
    EXPECT_EQ(segmenter->segment(photo_)->category_mask, mask_of(photo_));
  }
  EXPECT_EQ(released, 1);
  EXPECT_FALSE(Model::borrow(std::span(*bytes).first(1000), [&] { ++released; }).ok());
  EXPECT_EQ(released, 2);
  EXPECT_EQ(deeplab_model_load_borrowed(
                bytes->data(), bytes->size(), [](void* n) { ++*static_cast<int*>(n); }, &released,
                nullptr),
            DEEPLAB_INVALID_ARGUMENT);
  EXPECT_EQ(released, 3);
  EXPECT_TRUE(Model::borrow(*bytes, {}).ok());
}

TEST_F(Interface, TheEstimateIsWhatTheSegmenterThenTakes) {
  const auto estimate = Segmenter::estimate(*model_, small_options());
  ASSERT_TRUE(estimate.ok()) << estimate.status().message();
  const SegmenterInfo info = make().info();
  EXPECT_EQ(estimate->canvas_width, kSide);
  EXPECT_EQ(estimate->class_count, 21);
  EXPECT_EQ(estimate->own_bytes, info.own_bytes);
  EXPECT_EQ(estimate->shared_bytes, info.shared_bytes);
  EXPECT_EQ(estimate->macs, info.macs);
  EXPECT_EQ(info.threads, 1);
  EXPECT_EQ(info.isa, isa_names().back());
  EXPECT_GT(info.shared_bytes, 100000);
  Options options = small_options();
  options.max_memory_bytes = 1000;
  EXPECT_EQ(Segmenter::estimate(*model_, options).status().code(), StatusCode::kResourceExhausted);
}

// ---- Pictures ---------------------------------------------------------------------------------

/// The upright picture, pixel by pixel, as the header defines it.
std::vector<uint8_t> upright(const std::vector<uint8_t>& rgb, int32_t width, Rect region,
                             bool mirror, int32_t rotation) {
  std::vector<uint8_t> out;
  const bool turned = rotation % 180 != 0;
  const int32_t w = turned ? region.height : region.width;
  const int32_t h = turned ? region.width : region.height;
  for (int32_t y = 0; y < h; ++y) {
    for (int32_t x = 0; x < w; ++x) {
      int32_t from_x = x, from_y = y;
      if (rotation == 90) from_x = y, from_y = region.height - 1 - x;
      if (rotation == 180) from_x = region.width - 1 - x, from_y = region.height - 1 - y;
      if (rotation == 270) from_x = region.width - 1 - y, from_y = x;
      if (mirror) from_x = region.width - 1 - from_x;
      const auto at = static_cast<size_t>(((region.y + from_y) * width + region.x + from_x) * 3);
      out.insert(out.end(), rgb.begin() + at, rgb.begin() + at + 3);
    }
  }
  return out;
}

TEST_F(Interface, RegionsMirrorsAndRotations) {
  for (const Rect region : {Rect{0, 0, 90, 70}, Rect{11, 7, 60, 41}, Rect{89, 0, 1, 70}}) {
    for (const bool mirror : {false, true}) {
      for (const int32_t rotation : {0, 90, 180, 270}) {
        ImageView view = photo_;
        view.region = region;
        view.mirror = mirror;
        view.rotation = static_cast<Rotation>(rotation);
        const auto size = picture_size(view);
        ASSERT_TRUE(size.ok());
        const auto turned = upright(pixels_, 90, region, mirror, rotation);
        const ImageView same{turned.data(), size->first, size->second, ptrdiff_t{3} * size->first};
        EXPECT_EQ(mask_of(view), mask_of(same)) << region.x << " " << mirror << " " << rotation;
      }
    }
  }
}

TEST_F(Interface, WrongPicturesAreNamed) {
  const auto refused = [&](auto change, const char* what) {
    deeplab_image image = rgb_image(pixels_, 90, 70);
    change(image);
    int32_t width = 0, height = 0;
    EXPECT_EQ(deeplab_image_size(&image, &width, &height), DEEPLAB_INVALID_ARGUMENT) << what;
    EXPECT_THAT(deeplab_last_error(), HasSubstr(what));
  };
  refused([](auto& i) { i.rotation = 45; }, "rotation");
  refused([](auto& i) { i.rotation = -90; }, "rotation");
  refused([](auto& i) { i.mirror = 2; }, "mirror");
  refused([](auto& i) { i.format = 7; }, "format");
  refused([](auto& i) { i.yuv_matrix = 2; }, "yuv_matrix");
  refused([](auto& i) { i.region_x = 3; }, "region");
  refused([](auto& i) { i.region_width = 91, i.region_height = 1; }, "region");
  refused([](auto& i) { i.region_x = INT32_MAX, i.region_width = i.region_height = 1; }, "region");
  refused([](auto& i) { i.region_width = -1, i.region_height = 1; }, "region");
  refused([](auto& i) { i.format = DEEPLAB_NV12, i.strides[0] = 90; }, "plane 1");
  refused([](auto& i) { i.planes[0] = nullptr; }, "plane 0");
  refused([](auto& i) { i.struct_size = 0; }, "struct_size");
}

/// RGB of one YUV pixel by ITU-R's formulas, in double.
std::array<double, 3> rgb_of(int y, int u, int v, bool bt709, bool full) {
  const double kr = bt709 ? 0.2126 : 0.299, kb = bt709 ? 0.0722 : 0.114, kg = 1 - kr - kb;
  const double luma = full ? y : (y - 16) * 255.0 / 219;
  const double scale = full ? 1 : 255.0 / 224;
  const double cb = (u - 128) * scale, cr = (v - 128) * scale;
  const double red = luma + 2 * (1 - kr) * cr, blue = luma + 2 * (1 - kb) * cb;
  return {red, (luma - kr * red - kb * blue) / kg, blue};
}

TEST_F(Interface, Nv12AndI420AreTheSamePictureAsTheirRgb) {
  const int32_t width = 45, height = 31, half_width = 23, half_height = 16;
  std::vector<uint8_t> luma, u, v, nv, rgb;
  for (int32_t i = 0; i < width * height; ++i) luma.push_back(static_cast<uint8_t>(i * 7 % 256));
  for (int32_t i = 0; i < half_width * half_height; ++i) {
    u.push_back(static_cast<uint8_t>(i * 13 % 256));
    v.push_back(static_cast<uint8_t>(255 - i * 5 % 256));
    nv.push_back(u.back());
    nv.push_back(v.back());
  }
  for (const YuvMatrix matrix : {YuvMatrix::kBt601, YuvMatrix::kBt709}) {
    for (const YuvRange range : {YuvRange::kLimited, YuvRange::kFull}) {
      rgb.clear();
      for (int32_t y = 0; y < height; ++y) {
        for (int32_t x = 0; x < width; ++x) {
          const size_t at = static_cast<size_t>(y / 2 * half_width + x / 2);
          for (const double value : rgb_of(luma[static_cast<size_t>(y * width + x)], u[at], v[at],
                                           matrix == YuvMatrix::kBt709, range == YuvRange::kFull)) {
            rgb.push_back(static_cast<uint8_t>(std::lround(std::clamp(value, 0.0, 255.0))));
          }
        }
      }
      ImageView view{luma.data(), width, height, width, PixelFormat::kI420};
      view.chroma = u.data();
      view.chroma_v = v.data();
      view.chroma_stride = half_width;
      view.matrix = matrix;
      view.range = range;
      // Fixed point differs from double by a step at most: the scores, hardly at all.
      Segmenter segmenter = make();
      ASSERT_TRUE(segmenter.run({rgb.data(), width, height, 3 * width}).ok());
      const auto scores = segmenter.scores();
      const std::vector<float> expected(scores->values.begin(), scores->values.end());
      ASSERT_TRUE(segmenter.run(view).ok());
      double difference = 0, size = 0;
      for (size_t i = 0; i < expected.size(); ++i) {
        difference += std::abs(expected[i] - segmenter.scores()->values[i]);
        size += std::abs(expected[i]);
      }
      EXPECT_LT(difference, 0.02 * size);
      const std::vector<uint8_t> mask = segmenter.segment(view)->category_mask;
      ImageView nv12 = view;
      nv12.format = PixelFormat::kNv12;
      nv12.chroma = nv.data();
      nv12.chroma_v = nullptr;
      nv12.chroma_stride = 2 * half_width;
      EXPECT_EQ(segmenter.segment(nv12)->category_mask, mask);
    }
  }
}

TEST_F(Interface, ThePlacementIsWhereThePictureLies) {
  Options options = small_options();
  options.fit = Fit::kLetterbox;
  Segmenter segmenter = make(options);
  EXPECT_EQ(segmenter.placement().status().code(), StatusCode::kInvalidArgument);
  ImageView view = photo_;
  view.rotation = Rotation::k90;
  ASSERT_TRUE(segmenter.run(view).ok());
  const auto placement = segmenter.placement();
  ASSERT_TRUE(placement.ok());
  EXPECT_EQ(placement->picture_width, 70);
  EXPECT_EQ(placement->picture_height, 90);
  EXPECT_EQ(placement->content.height, kSide);
  EXPECT_EQ(placement->content.width, 51);  // 70 * 65 / 90
  EXPECT_EQ(placement->content.x, 7);
  const auto alone = place(Fit::kLetterbox, 70, 90, kSide, kSide);
  ASSERT_TRUE(alone.ok());
  EXPECT_EQ(alone->content.x, placement->content.x);
  EXPECT_FALSE(place(Fit::kPad, 0, 1, 1, 1).ok());
  EXPECT_FALSE(place(static_cast<Fit>(3), 1, 1, 1, 1).ok());
}

// ---- Masks ------------------------------------------------------------------------------------

TEST_F(Interface, ConfidencesOfSetsAndOfAllClassesAgree) {
  for (const int32_t threads : {1, 3}) {
    Options options = small_options();
    options.threads = threads;
    Segmenter segmenter = make(options);
    ASSERT_TRUE(segmenter.run(photo_).ok());
    constexpr int32_t kWidth = 51, kHeight = 77;
    constexpr size_t kPixels = size_t{kWidth} * kHeight;
    std::vector<float> all(kPixels * 21), one(kPixels), sure(kPixels);
    ASSERT_TRUE(segmenter.all_confidences(kWidth, kHeight, 0, kHeight, all).ok());
    for (int32_t id : {0, 9, 20}) {
      ASSERT_TRUE(segmenter.confidence_mask(id, kWidth, kHeight, one).ok());
      EXPECT_TRUE(std::equal(one.begin(), one.end(), all.begin() + ptrdiff_t(kPixels) * id));
    }
    ASSERT_TRUE(segmenter.certainty_mask(kWidth, kHeight, sure).ok());
    std::vector<int32_t> set;
    for (int32_t id = 20; id >= 0; id -= 2) {
      set.push_back(id);
      ASSERT_TRUE(segmenter.confidence_mask(set, kWidth, kHeight, one).ok());
      for (size_t i = 0; i < kPixels; ++i) {
        float sum = 0;
        for (int32_t chosen : set) sum += all[static_cast<size_t>(chosen) * kPixels + i];
        ASSERT_NEAR(one[i], sum, 1e-6);
      }
    }
    // `one` is of the whole set now; the same by rows.
    std::vector<float> part(kPixels);
    for (const auto& [begin, end] : {std::pair(0, kHeight), {0, 1}, {30, 52}, {76, 77}}) {
      ASSERT_TRUE(segmenter.confidence_mask(set, kWidth, kHeight, begin, end, part).ok());
      EXPECT_TRUE(std::equal(part.begin(), part.begin() + ptrdiff_t{end - begin} * kWidth,
                             one.begin() + ptrdiff_t{begin} * kWidth));
    }
    for (const auto& [begin, end] : {std::pair(-1, 1), {0, 0}, {5, 4}, {0, kHeight + 1}}) {
      EXPECT_FALSE(segmenter.confidence_mask(set, kWidth, kHeight, begin, end, part).ok());
    }
    for (size_t i = 0; i < kPixels; ++i) {
      float highest = 0;
      for (size_t c = 0; c < 21; ++c) highest = std::max(highest, all[c * kPixels + i]);
      ASSERT_NEAR(sure[i], highest, 1e-6);
    }
    // Rows of pixels of classes, as numpy's height, classes, width; and a part of the rows.
    constexpr ptrdiff_t kFloat = sizeof(float);
    std::vector<float> rows(kPixels * 21);
    const auto masks = [&](int32_t begin, int32_t end, ptrdiff_t stride, ptrdiff_t class_stride) {
      return deeplab_segmenter_all_confidences(segmenter.handle(), kWidth, kHeight, begin, end,
                                               rows.data(), stride, class_stride);
    };
    ASSERT_EQ(masks(10, 20, kFloat * kWidth * 21, kFloat * kWidth), DEEPLAB_OK);
    for (size_t y = 0; y < 10; ++y) {
      for (size_t c = 0; c < 21; ++c) {
        for (size_t x = 0; x < kWidth; ++x) {
          ASSERT_EQ(rows[(y * 21 + c) * kWidth + x], all[c * kPixels + (y + 10) * kWidth + x]);
        }
      }
    }
    for (const auto& [stride, class_stride] :
         {std::pair<ptrdiff_t, ptrdiff_t>{kFloat * kWidth, kFloat * kWidth},
          {kFloat * kWidth, kFloat * kWidth * 9},
          {kFloat * kWidth + 1, kFloat * kWidth * 10},
          {kFloat * kWidth, kFloat * kWidth * 10 + 2},
          {kFloat * kWidth, -kFloat * kWidth * 10},
          {kFloat * (kWidth - 1), kFloat * kWidth * 10}}) {
      EXPECT_EQ(masks(10, 20, stride, class_stride), DEEPLAB_INVALID_ARGUMENT) << stride;
    }
    // One row is apart from nothing by its stride.
    EXPECT_EQ(masks(76, 77, kFloat * kWidth * (ptrdiff_t{1} << 40), kFloat * kWidth), DEEPLAB_OK);
    EXPECT_EQ(rows[5 * kWidth + 7], all[5 * kPixels + 76 * kWidth + 7]);
    EXPECT_EQ(masks(20, 10, kFloat * kWidth, kFloat * kWidth * 10), DEEPLAB_INVALID_ARGUMENT);
  }
}

}  // namespace
}  // namespace deeplab::testing
