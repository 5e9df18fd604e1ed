#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/tflite/metadata_builder.h"
#include "tests/tflite/zip_writer.h"
#include "tflite/reader.h"

namespace deeplab::tflite {
namespace {

using ::deeplab::testing::append_zip;
using ::deeplab::testing::ModelBuilder;
using ::deeplab::testing::sample_metadata;
using ::deeplab::testing::set_metadata;
using ::deeplab::testing::small_int8_model;
using ::deeplab::testing::ZipEntry;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::byte> model_with_metadata() {
  ModelBuilder b = small_int8_model();
  set_metadata(b, sample_metadata("labels.txt"));
  return b.build();
}

Result<ModelFile> read(const std::vector<std::byte>& bytes) { return read_model(bytes, "m"); }

std::vector<std::string> labels_of(const std::vector<std::byte>& bytes) {
  const auto file = read(bytes);
  EXPECT_TRUE(file.ok()) << file.status().message();
  return file.ok() ? file->metadata.labels : std::vector<std::string>{"refused"};
}

TEST(Metadata, IsEmptyWhereThereIsNone) {
  const auto file = read(small_int8_model().build());
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->metadata.name, "");
  EXPECT_THAT(file->metadata.labels, IsEmpty());
  EXPECT_FALSE(file->metadata.normalization.has_value());
}

TEST(Metadata, TextsAndNormalization) {
  const auto file = read(model_with_metadata());
  ASSERT_TRUE(file.ok()) << file.status().message();
  const Metadata& m = file->metadata;
  EXPECT_EQ(m.name, "DeepLab");
  EXPECT_EQ(m.description, "Finds things.\nAnd draws them.");
  EXPECT_EQ(m.author, "somebody");
  EXPECT_EQ(m.license, "Apache-2.0");
  EXPECT_EQ(m.version, "v1");
  ASSERT_TRUE(m.normalization.has_value());
  EXPECT_THAT(m.normalization->mean, ElementsAre(127.5f));
  EXPECT_THAT(m.normalization->stddev, ElementsAre(127.5f));
}

TEST(Metadata, NormalizationPerChannel) {
  ModelBuilder b = small_int8_model();
  set_metadata(b, sample_metadata("labels.txt", {1, 2, 3}, {4, 5, 6}));
  const auto file = read(b.build());
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_THAT(file->metadata.normalization->mean, ElementsAre(1, 2, 3));
  EXPECT_THAT(file->metadata.normalization->stddev, ElementsAre(4, 5, 6));
}

TEST(Metadata, NormalizationThatCannotBe) {
  const auto message = [](std::vector<float> mean, std::vector<float> stddev) {
    ModelBuilder b = small_int8_model();
    set_metadata(b, sample_metadata("labels.txt", std::move(mean), std::move(stddev)));
    return read(b.build()).status().message();
  };
  EXPECT_THAT(message({1, 2}, {1}), HasSubstr("expected 1 or 3 values of mean, found 2"));
  EXPECT_THAT(message({1}, {}), HasSubstr("expected 1 or 3 values of std, found 0"));
  EXPECT_THAT(message({1}, {0}), HasSubstr("expected std above 0, found 0"));
  EXPECT_THAT(message({std::numeric_limits<float>::infinity()}, {1}), HasSubstr("mean is inf"));
}

TEST(Metadata, Labels) {
  for (const bool deflated : {false, true}) {
    for (const bool absolute : {false, true}) {
      auto bytes = model_with_metadata();
      append_zip(bytes,
                 {{"readme.txt", "nothing"},
                  {"labels.txt", "background\r\ndog  \n\npotted plant\n\n", deflated}},
                 absolute);
      EXPECT_THAT(labels_of(bytes), ElementsAre("background", "dog", "", "potted plant"));
    }
  }
}

TEST(Metadata, LabelsWithoutLastNewlineAndWithByteOrderMark) {
  auto bytes = model_with_metadata();
  append_zip(bytes, {{"labels.txt", "\xEF\xBB\xBFs\xC3\xA4ge\nrad"}});
  EXPECT_THAT(labels_of(bytes), ElementsAre("s\xC3\xA4ge", "rad"));
}

TEST(Metadata, LabelsOfLinesThatAreNotText) {
  auto bytes = model_with_metadata();
  append_zip(bytes, {{"labels.txt", std::string("a\0b\x1b[0m\nc\xff\n", 11)}});
  EXPECT_THAT(labels_of(bytes), ElementsAre("a?b?[0m", "c?"));
}

TEST(Metadata, NoLabelsWithoutTheArchiveOrTheEntry) {
  auto bytes = model_with_metadata();
  EXPECT_THAT(labels_of(bytes), IsEmpty());
  append_zip(bytes, {{"other.txt", "a\nb\n"}});
  EXPECT_THAT(labels_of(bytes), IsEmpty());
}

TEST(Metadata, AnArchiveWithoutMetadataIsNotLookedInto) {
  auto bytes = small_int8_model().build();
  append_zip(bytes, {{"labels.txt", "a\nb\n"}});
  EXPECT_THAT(labels_of(bytes), IsEmpty());
}

TEST(Metadata, ALabelFileOfMoreThanAMegabyte) {
  auto bytes = model_with_metadata();
  append_zip(bytes, {{"labels.txt", std::string((1 << 20) + 1, 'a'), true}});
  const Status status = read(bytes).status();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), HasSubstr("m: the ZIP archive after the model: an entry has"));
}

TEST(Metadata, DamagedFlatBuffer) {
  ModelBuilder b = small_int8_model();
  set_metadata(b, {1, 2, 3, 4, 'M', '0', '0', '1', 9, 9});
  EXPECT_THAT(read(b.build()).status().message(), HasSubstr("the metadata entry is damaged"));
  ModelBuilder tiny = small_int8_model();
  set_metadata(tiny, std::vector<uint8_t>{1});
  EXPECT_THAT(read(tiny.build()).status().message(), HasSubstr("the metadata entry is damaged"));
  ModelBuilder range = small_int8_model();
  set_metadata(range, std::vector<uint8_t>{});
  range.model.metadata[0]->buffer = 999;
  EXPECT_THAT(read(range.build()).status().message(), HasSubstr("buffer 999 is named"));
}

/// `bytes` of the archive after the model, changed at `offset` from its end.
Status status_with(size_t offset_from_end, uint8_t value) {
  auto bytes = model_with_metadata();
  append_zip(bytes, {{"labels.txt", "a\nb\nc\n", true}});
  bytes[bytes.size() - offset_from_end] = std::byte{value};
  return read(bytes).status();
}

// The end record has 22 bytes; before it, one directory entry of 46 + 10 ("labels.txt").
TEST(Metadata, DamagedArchive) {
  constexpr size_t kEnd = 22;
  constexpr size_t kEntry = kEnd + 56;
  EXPECT_TRUE(status_with(kEnd, 0x50).ok());  // unchanged
  EXPECT_THAT(status_with(kEnd - 15, 0x7F).message(), HasSubstr("directory lies outside"));
  EXPECT_THAT(status_with(kEntry, 0).message(), HasSubstr("its directory is cut off"));
  EXPECT_THAT(status_with(kEntry - 8, 1).message(), HasSubstr("encrypted"));
  EXPECT_THAT(status_with(kEntry - 10, 12).message(), HasSubstr("found method 12"));
  EXPECT_THAT(status_with(kEntry - 16, 0x77).message(), HasSubstr("checksum"));
  EXPECT_THAT(status_with(kEntry - 23, 0x7F).message(), HasSubstr("an entry is cut off"));
  EXPECT_THAT(status_with(kEntry - 24, 200).message(), HasSubstr("does not inflate"));
  EXPECT_THAT(status_with(kEntry - 45, 0x7F).message(), HasSubstr("header is missing"));
}

}  // namespace
}  // namespace deeplab::tflite
