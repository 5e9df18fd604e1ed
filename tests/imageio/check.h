// What every failure of the readers owes its user.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "imageio/reader.h"
#include "tests/imageio/sample_files.h"

namespace deeplab::imageio::testing {

/// A failure of the given code whose sentence is one line, names the file and says `words`.
inline void expect_error(const Status& status, const std::string& name, const std::string& words,
                         StatusCode code) {
  EXPECT_EQ(status.code(), code) << status.message();
  EXPECT_THAT(status.message(), ::testing::HasSubstr(name));
  EXPECT_THAT(status.message(), ::testing::HasSubstr(words));
  EXPECT_THAT(status.message(), ::testing::Not(::testing::HasSubstr("\n")));
  EXPECT_GT(status.message().size(), name.size() + 10);
}

/// Decodes a file that must be good; an empty image (and a failed test) if it is not.
inline Image decode_ok(const File& file, const ReadOptions& options = {}) {
  Result<Image> image = decode_image(file, "sample", options);
  EXPECT_TRUE(image.ok()) << image.status().message();
  if (!image.ok()) return {};
  EXPECT_EQ(image->pixels.size(), static_cast<size_t>(image->width) *
                                      static_cast<size_t>(image->height) *
                                      static_cast<size_t>(image->channels));
  return std::move(image).value();
}

/// The largest difference of any sample; 256 if the counts differ.
inline int worst_difference(const Samples& a, const Samples& b) {
  if (a.size() != b.size()) return 256;
  int worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

}  // namespace deeplab::imageio::testing
