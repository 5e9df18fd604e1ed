// PASCAL VOC's classes and colours, and the colours of Cityscapes and ADE20K.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "base/rgb.h"

namespace deeplab::vision {

using Palette = std::array<Rgb, 256>;

/// The colour map of the VOC development kit: the bits of the id are dealt to red, green and blue
/// in turn, each channel filled from its highest bit down, so that near ids get far colours.
constexpr Palette make_voc_palette() {
  Palette palette{};
  for (unsigned id = 0; id < palette.size(); ++id) {
    unsigned channel[3] = {0, 0, 0};
    for (unsigned bit = 0; bit < 8; ++bit) {
      channel[bit % 3] |= (id >> bit & 1u) << (7 - bit / 3);
    }
    palette[id] = {static_cast<uint8_t>(channel[0]), static_cast<uint8_t>(channel[1]),
                   static_cast<uint8_t>(channel[2])};
  }
  return palette;
}
inline constexpr Palette kVocPalette = make_voc_palette();

/// Cityscapes' 19 training classes; the ids after them as VOC's.
constexpr Palette make_cityscapes_palette() {
  Palette palette = kVocPalette;
  constexpr Rgb kColours[] = {{128, 64, 128},  {244, 35, 232},  {70, 70, 70},   {102, 102, 156},
                              {190, 153, 153}, {153, 153, 153}, {250, 170, 30}, {220, 220, 0},
                              {107, 142, 35},  {152, 251, 152}, {70, 130, 180}, {220, 20, 60},
                              {255, 0, 0},     {0, 0, 142},     {0, 0, 70},     {0, 60, 100},
                              {0, 80, 100},    {0, 0, 230},     {119, 11, 32}};
  for (size_t id = 0; id < std::size(kColours); ++id) palette[id] = kColours[id];
  return palette;
}
inline constexpr Palette kCityscapesPalette = make_cityscapes_palette();

/// ADE20K's 150 classes of the scene parsing benchmark, 0 is the wall; the ids after them as VOC's.
constexpr Palette make_ade20k_palette() {
  Palette palette = kVocPalette;
  constexpr uint32_t kColours[150] = {
      0x787878, 0xb47878, 0x06e6e6, 0x503232, 0x04c803, 0x787850, 0x8c8c8c, 0xcc05ff, 0xe6e6e6,
      0x04fa07, 0xe005ff, 0xebff07, 0x96053d, 0x787846, 0x08ff33, 0xff0652, 0x8fff8c, 0xccff04,
      0xff3307, 0xcc4603, 0x0066c8, 0x3de6fa, 0xff0633, 0x0b66ff, 0xff0747, 0xff09e0, 0x0907e6,
      0xdcdcdc, 0xff095c, 0x7009ff, 0x08ffd6, 0x07ffe0, 0xffb806, 0x0aff47, 0xff290a, 0x07ffff,
      0xe0ff08, 0x6608ff, 0xff3d06, 0xffc207, 0xff7a08, 0x00ff14, 0xff0829, 0xff0599, 0x0633ff,
      0xeb0cff, 0xa09614, 0x00a3ff, 0x8c8c8c, 0xfa0a0f, 0x14ff00, 0x1fff00, 0xff1f00, 0xffe000,
      0x99ff00, 0x0000ff, 0xff4700, 0x00ebff, 0x00adff, 0x1f00ff, 0x0bc8c8, 0xff5200, 0x00fff5,
      0x003dff, 0x00ff70, 0x00ff85, 0xff0000, 0xffa300, 0xff6600, 0xc2ff00, 0x008fff, 0x33ff00,
      0x0052ff, 0x00ff29, 0x00ffad, 0x0a00ff, 0xadff00, 0x00ff99, 0xff5c00, 0xff00ff, 0xff00f5,
      0xff0066, 0xffad00, 0xff0014, 0xffb8b8, 0x001fff, 0x00ff3d, 0x0047ff, 0xff00cc, 0x00ffc2,
      0x00ff52, 0x000aff, 0x0070ff, 0x3300ff, 0x00c2ff, 0x007aff, 0x00ffa3, 0xff9900, 0x00ff0a,
      0xff7000, 0x8fff00, 0x5200ff, 0xa3ff00, 0xffeb00, 0x08b8aa, 0x8500ff, 0x00ff5c, 0xb800ff,
      0xff001f, 0x00b8ff, 0x00d6ff, 0xff0070, 0x5cff00, 0x00e0ff, 0x70e0ff, 0x46b8a0, 0xa300ff,
      0x9900ff, 0x47ff00, 0xff00a3, 0xffcc00, 0xff008f, 0x00ffeb, 0x85ff00, 0xff00eb, 0xf500ff,
      0xff007a, 0xfff500, 0x0abed4, 0xd6ff00, 0x00ccff, 0x1400ff, 0xffff00, 0x0099ff, 0x0029ff,
      0x00ffcc, 0x2900ff, 0x29ff00, 0xad00ff, 0x00f5ff, 0x4700ff, 0x7a00ff, 0x00ffb8, 0x005cff,
      0xb8ff00, 0x0085ff, 0xffd600, 0x19c2c2, 0x66ff00, 0x5c00ff};
  for (size_t id = 0; id < std::size(kColours); ++id) {
    const uint32_t rgb = kColours[id];
    palette[id] = {static_cast<uint8_t>(rgb >> 16), static_cast<uint8_t>(rgb >> 8),
                   static_cast<uint8_t>(rgb)};
  }
  return palette;
}
inline constexpr Palette kAde20kPalette = make_ade20k_palette();

/// In the order of the ids that TensorFlow's DeepLab and the VOC masks use.
inline constexpr std::array<std::string_view, 21> kVocClassNames = {
    "background", "aeroplane", "bicycle",     "bird",  "boat",        "bottle", "bus",
    "car",        "cat",       "chair",       "cow",   "diningtable", "dog",    "horse",
    "motorbike",  "person",    "pottedplant", "sheep", "sofa",        "train",  "tvmonitor"};

}  // namespace deeplab::vision
