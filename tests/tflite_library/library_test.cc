// Opening TensorFlow Lite: what is looked for, and what is said if it is not there.
#include "tflite_library/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/lite_runner.h"
#include "deeplab/deeplab.hpp"
#include "tests/api/test_models.h"
#include "tests/tflite/model_builder.h"
#include "tests/tflite_library/library.h"
#include "tflite_library/delegate.h"

namespace deeplab::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using tflite_library::Library;

std::string error_of(const std::string& path) {
  const auto library = Library::open(path);
  EXPECT_FALSE(library.ok());
  return library.status().message();
}

TEST(LiteLibrary, OpensTheRealOne) {
  DEEPLAB_NEEDS_TFLITE();
  const auto library = Library::open(tflite_library_path());
  ASSERT_TRUE(library.ok()) << library.status().message();
  EXPECT_THAT((*library)->version(), HasSubstr("."));
  EXPECT_EQ((*library)->path(), tflite_library_path());
}

TEST(LiteLibrary, SaysWhatTheLoaderSays) {
  EXPECT_THAT(
      error_of("/nowhere/libtensorflowlite_c.so"),
      AllOf(HasSubstr("/nowhere/libtensorflowlite_c.so"), HasSubstr("No such file or directory")));
  EXPECT_THAT(error_of(kCatPhoto), AllOf(HasSubstr("cat.jpg"), HasSubstr("ELF")));
}

TEST(LiteLibrary, SaysWhatItLookedFor) {
  if (Library::open("").ok()) GTEST_SKIP() << "skipped: the loader finds a TensorFlow Lite";
  EXPECT_THAT(error_of(""),
              AllOf(HasSubstr("libtensorflowlite_c.so"), HasSubstr("libtensorflow-lite.so"),
                    HasSubstr("No such file or directory")));
}

TEST(LiteLibrary, NamesTheFunctionThatIsNotThere) {
  EXPECT_THAT(error_of(delegate_path("all")),
              AllOf(HasSubstr("has no function TfLiteVersion"), HasSubstr("test_delegate_all")));
}

TEST(CacheOptions, AreThoseOfTheDelegatesThatHaveOne) {
  using tflite_library::cache_options;
  using Options = std::vector<std::pair<std::string, std::string>>;
  const auto vx = cache_options("/usr/lib/libvx_delegate.so", "/var/cache", 0x1234);
  ASSERT_TRUE(vx.ok());
  EXPECT_EQ(*vx, (Options{{"cache_file_path", "/var/cache/deeplab-0000000000001234.cache"},
                          {"allowed_cache_mode", "true"}}));
  const auto ethos = cache_options("libethosu_delegate.so", "c", 1);
  ASSERT_TRUE(ethos.ok());
  EXPECT_EQ(*ethos, (Options{{"cache_file_path", "c/deeplab-0000000000000001.cache"}}));
  const auto none = cache_options("libedgetpu.so.1", "c", 1);
  EXPECT_THAT(none.status().message(), HasSubstr("nobody knows what libedgetpu.so.1 calls"));
}

// ---- Through the public interface

TEST(PublicInterface, RunsTensorFlowLite) {
  DEEPLAB_NEEDS_TFLITE();
  auto model = Model::load(kInt8Labels);
  ASSERT_TRUE(model.ok()) << model.status().message();
  Options options;
  options.threads = 1;
  options.tflite = TfLiteOptions{.library = tflite_library_path()};
  const auto estimate = Segmenter::estimate(*model, options);
  auto segmenter = Segmenter::create(*model, options);
  ASSERT_TRUE(segmenter.ok()) << segmenter.status().message();
  ASSERT_TRUE(estimate.ok()) << estimate.status().message();
  const SegmenterInfo info = segmenter->info();
  EXPECT_EQ(info.backend, DEEPLAB_BACKEND_TFLITE);
  EXPECT_EQ(info.delegated, 0);
  EXPECT_EQ(info.own_bytes, estimate->own_bytes);
  const std::vector<uint8_t> pixels = synthetic_photo(100, 80);
  auto mask = segmenter->segment({pixels.data(), 100, 80, 300});
  ASSERT_TRUE(mask.ok()) << mask.status().message();
  EXPECT_EQ(mask->category_mask.size(), 8000u);
  const auto scores = segmenter->scores();
  ASSERT_TRUE(scores.ok());
  EXPECT_EQ(scores->classes, 21);
}

TEST(PublicInterface, MemoryIsLimitedToWhatTheModelNeedsAtLeast) {
  DEEPLAB_NEEDS_TFLITE();
  const auto model = Model::load(kInt8Labels);
  ASSERT_TRUE(model.ok()) << model.status().message();
  Options options;
  options.threads = 1;
  options.tflite = TfLiteOptions{.library = tflite_library_path()};
  options.max_memory_bytes = 32 << 20;
  EXPECT_TRUE(Segmenter::create(*model, options).ok());
  options.width = options.height = 2049;
  const auto refused = Segmenter::create(*model, options);
  EXPECT_EQ(refused.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(refused.status().message(),
              AllOf(HasSubstr(kInt8Labels), HasSubstr("bytes that TensorFlow Lite takes at least"),
                    HasSubstr("the limit of 33554432")));
}

TEST(LeastBytes, AreConstantsAndWhatIsAliveTogether) {
  using Type = ModelBuilder::TensorType;
  ModelBuilder b;
  const auto op = [&](int32_t from) {
    return b.add(ModelBuilder::BuiltinOperator::RELU, {from},
                 b.activation(Type::FLOAT32, {1, 9, 9, 3}));
  };
  const int32_t first = op(b.input(Type::FLOAT32, {1, 9, 9, 3}));
  const auto model = api::Model::parse(b.build({op(op(first))}), "file");
  ASSERT_TRUE(model.ok()) << model.status().message();
  // The picture, which stays, and what an op reads and writes, each from a multiple of 64 bytes on.
  EXPECT_EQ(api::least_bytes((*model)->graph()), 3 * 1024);
  const auto real = api::Model::load(kInt8Labels);
  ASSERT_TRUE(real.ok());
  int64_t constants = 0;
  for (const graph::Tensor& tensor : (*real)->graph().tensors) {
    if (tensor.is_constant()) constants += static_cast<int64_t>(tensor.byte_size());
  }
  const int64_t least = api::least_bytes((*real)->graph());
  EXPECT_GT(least, constants + 513 * 513 * 3);
  EXPECT_LT(least, constants + (16 << 20));
}

TEST(PublicInterface, ChecksItsStruct) {
  deeplab_model* model = nullptr;
  ASSERT_EQ(deeplab_model_load_file(kInt8Labels.c_str(), &model), DEEPLAB_OK);
  const auto error = [&](const auto& change) {
    deeplab_tflite_options tflite;
    deeplab_tflite_options_init(&tflite, sizeof(tflite));
    deeplab_segmenter_options options;
    deeplab_segmenter_options_init(&options, sizeof(options));
    options.backend = DEEPLAB_BACKEND_TFLITE;
    options.tflite = &tflite;
    change(options, tflite);
    deeplab_segmenter* segmenter = nullptr;
    EXPECT_NE(deeplab_segmenter_create(model, &options, &segmenter), DEEPLAB_OK);
    EXPECT_EQ(segmenter, nullptr);
    return std::string(deeplab_last_error());
  };
  EXPECT_THAT(error([](auto& o, auto&) { o.backend = 2; }), HasSubstr("backend 2 is unknown"));
  EXPECT_THAT(error([](auto& o, auto&) { o.backend = 0; }), HasSubstr("tflite is set, but"));
  EXPECT_THAT(error([](auto&, auto& t) { t.struct_size = 0; }), HasSubstr("struct_size is 0"));
  EXPECT_THAT(error([](auto&, auto& t) { t.delegate_option_count = 1; }),
              HasSubstr("delegate_option_count 1"));
  EXPECT_THAT(error([](auto&, auto& t) { t.required_delegated_percent = 101; }),
              HasSubstr("required_delegated_percent 101; expected 0 to 100"));
  EXPECT_THAT(error([](auto&, auto& t) { t.required_delegated_percent = 50; }),
              HasSubstr("options of a delegate, but no delegate"));
  EXPECT_THAT(error([](auto&, auto& t) { t.library = "/nowhere.so"; }), HasSubstr("/nowhere.so"));
  deeplab_model_free(model);
}

}  // namespace
}  // namespace deeplab::testing
