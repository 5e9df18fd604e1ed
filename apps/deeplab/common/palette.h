// The colours that --palette names.
#pragma once

#include <cstdint>
#include <string>

#include "deeplab/deeplab_draw.hpp"

namespace deeplab::app {

/// By name: voc, cityscapes or ade20k; or a file with a colour per line, for the ids from 0 on:
/// R,G,B of 0 to 255 or #RRGGBB, the rest as VOC's. A network of 151 classes has ADE20K's after its
/// background. Errors: no such file, not a colour, more than 256 of them.
Result<Palette> find_palette(const std::string& name, int32_t class_count);

}  // namespace deeplab::app
