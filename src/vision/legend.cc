#include "vision/legend.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <new>

#include "vision/font.h"
#include "vision/statistics.h"

namespace deeplab::vision {
namespace {

constexpr int32_t kSmallestSide = 64;
constexpr Rgb kPanel{16, 16, 16};
constexpr float kPanelOpacity = 0.6f;
constexpr Rgb kText{245, 245, 245};

std::string percent(double fraction) {
  const auto tenths = static_cast<int>(std::lround(fraction * 1000));
  if (tenths == 0) return "<0.1%";
  return str_cat(tenths / 10, ".", tenths % 10, "%");
}

std::vector<LegendEntry> make_entries(const MaskView& mask, const Palette& palette,
                                      std::span<const std::string> names) {
  std::vector<LegendEntry> entries;
  for (const ClassShare& share : class_shares(mask)) {
    if (share.id == 0 || share.id == kIgnoreLabel) continue;
    const auto id = static_cast<size_t>(share.id);
    const bool named = id < names.size() && !names[id].empty();
    entries.push_back({share.id, palette[id], named ? names[id] : str_cat("class ", share.id),
                       percent(share.fraction)});
  }
  return entries;
}

/// A capital is 1/48 of the shorter side high, but never less than its seven dots.
LegendLayout make_layout(const MaskView& mask) {
  const auto side = static_cast<float>(std::min(mask.width, mask.height));
  return LegendLayout(std::max(1.0f, side / (48 * kCapRows)));
}

void measure(const std::vector<LegendEntry>& entries, LegendLayout& layout) {
  for (const LegendEntry& e : entries) {
    layout.names_width = std::max(layout.names_width, layout.text_width(e.name));
    layout.shares_width = std::max(layout.shares_width, layout.text_width(e.share));
  }
}

/// Of the four corners the one with the fewest pixels of any class beneath; bottom left if equal.
Rect choose_corner(const MaskView& mask, int32_t width, int32_t height, int32_t margin) {
  const int32_t right = mask.width - margin - width;
  const int32_t bottom = mask.height - margin - height;
  Rect best;
  int64_t fewest = -1;
  for (Rect r : {Rect{margin, bottom, width, height}, Rect{right, bottom, width, height},
                 Rect{margin, margin, width, height}, Rect{right, margin, width, height}}) {
    const std::array<int64_t, 256> counts =
        histogram({mask.row(r.y) + r.x, r.width, r.height, mask.stride});
    const int64_t covered = int64_t{r.width} * r.height - counts[0];
    if (fewest < 0 || covered < fewest) {
      fewest = covered;
      best = r;
    }
  }
  return best;
}

/// As many lines as three fifths of the picture's height hold; what is left out is counted.
void cut_to_height(const MaskView& mask, const LegendLayout& layout,
                   std::vector<LegendEntry>& entries) {
  size_t lines = entries.size();
  while (lines > 1 && layout.height(lines) > mask.height / 5 * 3) --lines;
  if (lines == entries.size()) return;
  lines = std::max<size_t>(lines, 2);  // a class and the count
  const size_t hidden = entries.size() - (lines - 1);
  entries.resize(lines - 1);
  entries.push_back({-1, {}, str_cat("+", hidden, " more"), ""});
}

void blend(uint8_t* pixel, Rgb colour, float share) {
  const uint8_t to[3] = {colour.red, colour.green, colour.blue};
  for (int c = 0; c < 3; ++c) {
    pixel[c] =
        static_cast<uint8_t>(std::lround(pixel[c] + share * static_cast<float>(to[c] - pixel[c])));
  }
}

// What follows draws the part of a shape that lies in row y; `rgb` is that row.

void fill(const Rect& r, Rgb colour, float share, int32_t y, uint8_t* rgb) {
  if (y < r.y || y >= r.y + r.height) return;
  for (int32_t x = r.x; x < r.x + r.width; ++x) blend(rgb + ptrdiff_t{x} * 3, colour, share);
}

void draw_text(const LegendLayout& layout, int32_t text_x, int32_t text_y, std::string_view text,
               int32_t y, uint8_t* rgb) {
  // One dot more on each side than the glyph has: the smooth outline reaches there.
  const int32_t border = static_cast<int32_t>(std::ceil(layout.dot));
  const int32_t row = y - text_y;
  if (row < -border || row >= layout.pixels(kGlyphRows) + border) return;
  int columns = 0;
  for (char c : text) {
    const Glyph& g = glyph(c);
    const int32_t left = text_x + layout.pixels(columns);
    for (int32_t column = -border; column < layout.pixels(g.width) + border; ++column) {
      const float covered = glyph_coverage(g, static_cast<float>(column) + 0.5f,
                                           static_cast<float>(row) + 0.5f, layout.dot);
      if (covered > 0) blend(rgb + ptrdiff_t{left + column} * 3, kText, covered);
    }
    columns += g.width + 1;
  }
}

}  // namespace

LegendLayout::LegendLayout(float dot_size)
    : dot(dot_size),
      cap(pixels(kCapRows)),
      pitch(pixels(kCapRows + 5)),
      padding(pixels(5)),
      margin(pixels(4)) {}

int32_t LegendLayout::pixels(int dots) const {
  return static_cast<int32_t>(std::lround(dot * static_cast<float>(dots)));
}

int32_t LegendLayout::text_width(std::string_view text) const { return pixels(text_columns(text)); }

int32_t LegendLayout::width() const { return 4 * padding + cap + names_width + shares_width; }

int32_t LegendLayout::height(size_t lines) const {
  return 2 * padding + cap + pitch * (static_cast<int32_t>(lines) - 1);
}

Result<Legend> Legend::create(const MaskView& mask, const Palette& palette,
                              std::span<const std::string> names) {
  DEEPLAB_RETURN_IF_ERROR(validate(mask));
  Legend legend;
  if (std::min(mask.width, mask.height) < kSmallestSide) return legend;
  try {
    legend.arrange(mask, make_entries(mask, palette, names));
  } catch (const std::bad_alloc&) {
    return resource_exhausted("no memory for the legend");
  }
  return legend;
}

void Legend::arrange(const MaskView& mask, std::vector<LegendEntry> entries) {
  if (entries.empty()) return;
  LegendLayout layout = make_layout(mask);
  cut_to_height(mask, layout, entries);
  measure(entries, layout);
  const int32_t width = layout.width();
  const int32_t height = layout.height(entries.size());
  if (width + 2 * layout.margin > mask.width || height + 2 * layout.margin > mask.height) return;
  panel_ = choose_corner(mask, width, height, layout.margin);
  layout_ = layout;
  entries_ = std::move(entries);
}

void Legend::paint_row(int32_t y, uint8_t* rgb) const {
  if (y < panel_.y || y >= panel_.y + panel_.height) return;  // text keeps off the panel's edge
  fill(panel_, kPanel, kPanelOpacity, y, rgb);
  const int32_t cap = layout_.cap;
  const int32_t rim = std::max(1, cap / 12);  // sets dark colours off from the panel
  const int32_t inner = cap - 2 * rim;
  const int32_t x = panel_.x + layout_.padding;
  const int32_t right = panel_.x + panel_.width - layout_.padding;
  int32_t top = panel_.y + layout_.padding;
  for (const LegendEntry& e : entries_) {
    if (e.id >= 0) {
      fill({x, top, cap, cap}, kText, 0.5f, y, rgb);
      fill({x + rim, top + rim, inner, inner}, e.colour, 1, y, rgb);
    }
    draw_text(layout_, x + cap + layout_.padding, top, e.name, y, rgb);
    draw_text(layout_, right - layout_.text_width(e.share), top, e.share, y, rgb);
    top += layout_.pitch;
  }
}

}  // namespace deeplab::vision
