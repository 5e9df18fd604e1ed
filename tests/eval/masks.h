// Masks drawn as text, and files for them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vision/image_view.h"

namespace deeplab::eval::testing {

/// One letter per pixel, one string per row: '.' is 0, '#' is 255, 'a' is 1, 'b' is 2, ...
struct Drawn {
  explicit Drawn(const std::vector<std::string>& rows)
      : width(static_cast<int32_t>(rows[0].size())), height(static_cast<int32_t>(rows.size())) {
    for (const std::string& row : rows) {
      for (const char c : row) {
        ids.push_back(c == '.' ? 0 : c == '#' ? 255 : static_cast<uint8_t>(c - 'a' + 1));
      }
    }
  }
  vision::MaskView view() const { return {ids.data(), width, height, width}; }

  int32_t width;
  int32_t height;
  std::vector<uint8_t> ids;
};

}  // namespace deeplab::eval::testing
