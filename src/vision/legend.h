// The overlay's legend: its content, its place and its pixels.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "vision/image_view.h"
#include "vision/palette.h"
#include "vision/placement.h"

namespace deeplab::vision {

/// A line of the legend.
struct LegendEntry {
  int32_t id;  ///< -1: a line of text without a swatch.
  Rgb colour;
  std::string name;
  std::string share;
};

/// All lengths in pixels, from the size of a dot of the font.
struct LegendLayout {
  float dot = 0;
  int32_t cap = 0;      ///< Height of a capital, side of a swatch.
  int32_t pitch = 0;    ///< From line to line.
  int32_t padding = 0;  ///< Panel's edge to content, and swatch to text.
  int32_t margin = 0;   ///< Picture's edge to panel.
  int32_t names_width = 0;
  int32_t shares_width = 0;

  LegendLayout() = default;
  explicit LegendLayout(float dot_size);
  int32_t pixels(int dots) const;
  int32_t text_width(std::string_view text) const;
  int32_t width() const;
  int32_t height(size_t lines) const;
};

/// Swatch, name and share of each class of a mask, in the corner of the picture where it covers
/// least of the classes, sized by the picture. It is empty if the picture is under 64 pixels on
/// one side, if no class but the background occurs, or if the longest name does not fit.
class Legend {
 public:
  Legend() = default;  ///< An empty one.
  /// `names` by id; ids without a name are called "class 7". Errors: an invalid mask, no memory.
  static Result<Legend> create(const MaskView& mask, const Palette& palette,
                               std::span<const std::string> names);

  /// Draws the part of the legend in row y over the RGB pixels of that row.
  void paint_row(int32_t y, uint8_t* rgb) const;

 private:
  void arrange(const MaskView& mask, std::vector<LegendEntry> entries);

  LegendLayout layout_;
  Rect panel_;
  std::vector<LegendEntry> entries_;
};

}  // namespace deeplab::vision
