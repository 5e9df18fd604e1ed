#include "vision/font.h"

#include <algorithm>
#include <cmath>

namespace deeplab::vision {
namespace {

struct Drawing {
  char character;
  const char* rows;  // top to bottom, 5 columns each, '#' is ink; rows below may be missing
};

// clang-format off
constexpr Drawing kDrawings[] = {
    {'A', ".###. #...# #...# ##### #...# #...# #...#"},
    {'B', "####. #...# #...# ####. #...# #...# ####."},
    {'C', ".###. #...# #.... #.... #.... #...# .###."},
    {'D', "####. #...# #...# #...# #...# #...# ####."},
    {'E', "##### #.... #.... ####. #.... #.... #####"},
    {'F', "##### #.... #.... ####. #.... #.... #...."},
    {'G', ".###. #...# #.... #.### #...# #...# .###."},
    {'H', "#...# #...# #...# ##### #...# #...# #...#"},
    {'I', "###.. .#... .#... .#... .#... .#... ###.."},
    {'J', "..### ...#. ...#. ...#. ...#. #..#. .##.."},
    {'K', "#...# #..#. #.#.. ##... #.#.. #..#. #...#"},
    {'L', "#.... #.... #.... #.... #.... #.... #####"},
    {'M', "#...# ##.## #.#.# #.#.# #...# #...# #...#"},
    {'N', "#...# ##..# ##..# #.#.# #..## #..## #...#"},
    {'O', ".###. #...# #...# #...# #...# #...# .###."},
    {'P', "####. #...# #...# ####. #.... #.... #...."},
    {'Q', ".###. #...# #...# #...# #.#.# #..#. .##.#"},
    {'R', "####. #...# #...# ####. #.#.. #..#. #...#"},
    {'S', ".#### #.... #.... .###. ....# ....# ####."},
    {'T', "##### ..#.. ..#.. ..#.. ..#.. ..#.. ..#.."},
    {'U', "#...# #...# #...# #...# #...# #...# .###."},
    {'V', "#...# #...# #...# #...# .#.#. .#.#. ..#.."},
    {'W', "#...# #...# #...# #.#.# #.#.# ##.## #...#"},
    {'X', "#...# #...# .#.#. ..#.. .#.#. #...# #...#"},
    {'Y', "#...# #...# .#.#. ..#.. ..#.. ..#.. ..#.."},
    {'Z', "##### ....# ...#. ..#.. .#... #.... #####"},
    {'a', "..... ..... .##.. ...#. .###. #..#. .####"},
    {'b', "#.... #.... ###.. #..#. #..#. #..#. ###.."},
    {'c', "..... ..... .##.. #.... #.... #.... .##.."},
    {'d', "...#. ...#. .###. #..#. #..#. #..#. .###."},
    {'e', "..... ..... .##.. #..#. ####. #.... .###."},
    {'f', "..#.. .#... ###.. .#... .#... .#... .#..."},
    {'g', "..... ..... .###. #..#. #..#. #..#. .###. ...#. .##.."},
    {'h', "#.... #.... ###.. #..#. #..#. #..#. #..#."},
    {'i', "#.... ..... #.... #.... #.... #.... #...."},
    {'j', ".#... ..... .#... .#... .#... .#... .#... .#... #...."},
    {'k', "#.... #.... #..#. #.#.. ##... #.#.. #..#."},
    {'l', "#.... #.... #.... #.... #.... #.... .#..."},
    {'m', "..... ..... ####. #.#.# #.#.# #.#.# #.#.#"},
    {'n', "..... ..... ###.. #..#. #..#. #..#. #..#."},
    {'o', "..... ..... .##.. #..#. #..#. #..#. .##.."},
    {'p', "..... ..... ###.. #..#. #..#. #..#. ###.. #.... #...."},
    {'q', "..... ..... .###. #..#. #..#. #..#. .###. ...#. ...#."},
    {'r', "..... ..... #.#.. ##... #.... #.... #...."},
    {'s', "..... ..... .###. #.... .##.. ...#. ###.."},
    {'t', ".#... .#... ###.. .#... .#... .#... ..#.."},
    {'u', "..... ..... #..#. #..#. #..#. #..#. .###."},
    {'v', "..... ..... #...# #...# #...# .#.#. ..#.."},
    {'w', "..... ..... #...# #.#.# #.#.# #.#.# .#.#."},
    {'x', "..... ..... #...# .#.#. ..#.. .#.#. #...#"},
    {'y', "..... ..... #..#. #..#. #..#. #..#. .###. ...#. .##.."},
    {'z', "..... ..... ####. ...#. .##.. #.... ####."},
    {'0', ".##.. #..#. #..#. #..#. #..#. #..#. .##.."},
    {'1', ".#... ##... .#... .#... .#... .#... ###.."},
    {'2', ".##.. #..#. ...#. ..#.. .#... #.... ####."},
    {'3', ".##.. #..#. ...#. .##.. ...#. #..#. .##.."},
    {'4', "..##. .#.#. #..#. #..#. ##### ...#. ...#."},
    {'5', "####. #.... ###.. ...#. ...#. #..#. .##.."},
    {'6', ".##.. #.... #.... ###.. #..#. #..#. .##.."},
    {'7', "####. ...#. ...#. ..#.. ..#.. .#... .#..."},
    {'8', ".##.. #..#. #..#. .##.. #..#. #..#. .##.."},
    {'9', ".##.. #..#. #..#. .###. ...#. ...#. .##.."},
    {'.', "..... ..... ..... ..... ..... ..... #...."},
    {',', "..... ..... ..... ..... ..... .#... .#... #...."},
    {':', "..... ..... #.... ..... ..... ..... #...."},
    {'-', "..... ..... ..... ###.. ..... ..... ....."},
    {'_', "..... ..... ..... ..... ..... ..... ####."},
    {'+', "..... ..... .#... ###.. .#... ..... ....."},
    {'/', "....# ...#. ...#. ..#.. .#... .#... #...."},
    {'(', ".#... #.... #.... #.... #.... #.... .#..."},
    {')', "#.... .#... .#... .#... .#... .#... #...."},
    {'<', "..... ...#. ..#.. .#... ..#.. ...#. ....."},
    {'%', "##..# ##.#. ...#. ..#.. .#... .#.## #..##"},
    {'&', ".##.. #..#. #..#. .##.. #.#.# #..#. .##.#"},
    {'\'', "#.... #.... ..... ..... ..... ..... ....."},
    {'?', ".##.. #..#. ...#. ..#.. .#... ..... .#..."},
};
// clang-format on

constexpr int kSpaceWidth = 2;

constexpr Glyph read(const char* rows) {
  Glyph g;
  for (int row = 0; row < kGlyphRows && *rows != '\0'; ++row) {
    for (int column = 0; column < kGlyphColumns; ++column) {
      const bool ink = *rows++ == '#';
      g.dots[static_cast<size_t>(row)][static_cast<size_t>(column)] = ink;
      if (ink && column >= g.width) g.width = column + 1;
    }
    if (*rows == ' ') ++rows;
  }
  return g;
}

constexpr std::array<Glyph, 128> make_font() {
  std::array<Glyph, 128> font{};
  for (const Drawing& d : kDrawings) font[static_cast<size_t>(d.character)] = read(d.rows);
  for (Glyph& g : font) {
    if (g.width == 0) g = font['?'];
  }
  font[' '] = Glyph{kSpaceWidth, {}};
  return font;
}
constexpr std::array<Glyph, 128> kFont = make_font();

}  // namespace

const Glyph& glyph(char character) {
  const auto code = static_cast<unsigned char>(character);
  return kFont[code < kFont.size() ? code : static_cast<unsigned char>('?')];
}

int text_columns(std::string_view text) {
  int columns = 0;
  for (char c : text) columns += glyph(c).width + 1;
  return text.empty() ? 0 : columns - 1;
}

float glyph_coverage(const Glyph& glyph, float x, float y, float dot) {
  // The dots as samples of a field, interpolated between their centres; the outline is where the
  // field passes a level a little under one half, so that dots that touch at a corner are joined.
  const float u = x / dot - 0.5f;
  const float v = y / dot - 0.5f;
  const float left = std::floor(u);
  const float top = std::floor(v);
  const auto ink = [&](int row, int column) -> float {
    if (row < 0 || row >= kGlyphRows || column < 0 || column >= kGlyphColumns) return 0;
    return glyph.dots[static_cast<size_t>(row)][static_cast<size_t>(column)];
  };
  const int row = static_cast<int>(top);
  const int column = static_cast<int>(left);
  const float upper = std::lerp(ink(row, column), ink(row, column + 1), u - left);
  const float lower = std::lerp(ink(row + 1, column), ink(row + 1, column + 1), u - left);
  const float field = std::lerp(upper, lower, v - top);
  constexpr float kLevel = 0.42f;
  constexpr float kContrast =
      1.25f;  // steep enough that no ink means none, at one dot per pixel, too
  return std::clamp((field - kLevel) * kContrast * dot + 0.5f, 0.0f, 1.0f);
}

}  // namespace deeplab::vision
