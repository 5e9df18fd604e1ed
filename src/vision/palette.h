// PASCAL VOC's classes and colours, and Cityscapes' colours.
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

/// In the order of the ids that TensorFlow's DeepLab and the VOC masks use.
inline constexpr std::array<std::string_view, 21> kVocClassNames = {
    "background", "aeroplane", "bicycle",     "bird",  "boat",        "bottle", "bus",
    "car",        "cat",       "chair",       "cow",   "diningtable", "dog",    "horse",
    "motorbike",  "person",    "pottedplant", "sheep", "sofa",        "train",  "tvmonitor"};

}  // namespace deeplab::vision
