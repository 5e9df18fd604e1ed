#include "apps/deeplab/common/palette.h"

#include <algorithm>
#include <string_view>

#include "base/file.h"
#include "base/parse_rgb.h"

namespace deeplab::app {
namespace {

Result<Palette> read_palette(const std::string& path) {
  constexpr int64_t kMaxBytes = 1 << 16;
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, read_file(path, kMaxBytes));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  DEEPLAB_ASSIGN_OR_RETURN(Palette palette, deeplab::palette("voc"));
  size_t id = 0;
  for (size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    line.remove_suffix(line.size() - (line.find_last_not_of(" \t\r") + 1));
    if (line.empty() && end == text.size()) break;
    const auto hex = parse_hex_rgb(line);
    const auto color = hex ? hex : parse_decimal_rgb(line);
    if (!color) {
      return invalid_argument(path, ": line ", id + 1, ": expected R,G,B of 0 to 255 or #RRGGBB");
    }
    if (id == palette.size() / 3) return invalid_argument(path, ": more than 256 colours");
    uint8_t* rgb = palette.data() + 3 * id++;
    rgb[0] = color->red;
    rgb[1] = color->green;
    rgb[2] = color->blue;
  }
  if (id == 0) return invalid_argument(path, ": no colours, expected one per line");
  return palette;
}

}  // namespace

Result<Palette> find_palette(const std::string& name, int32_t class_count) {
  Result<Palette> known = deeplab::palette(name);
  if (!known.ok()) {
    Result<Palette> read = read_palette(name);
    if (read.ok()) return read;
    return Status(read.status().code(),
                  str_cat("--palette: ", read.status().message(),
                          read.status().code() == StatusCode::kIoError
                              ? "; expected voc, cityscapes, ade20k or a file of colours"
                              : ""));
  }
  if (name == "ade20k" && class_count == 151) {
    std::shift_right(known->begin(), known->end(), 3);
    std::fill_n(known->begin(), 3, uint8_t{0});
  }
  return known;
}

}  // namespace deeplab::app
