#include "apps/deeplab/segment/palette.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

#include "apps/deeplab/common/options.h"
#include "base/file.h"

namespace deeplab::app {
namespace {

using Color = std::array<uint8_t, 3>;

std::optional<uint8_t> byte_of(std::string_view text, int base) {
  uint8_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::optional<Color> color_of(const std::string& line) {
  Color color;
  if (line.size() == 7 && line[0] == '#') {
    for (size_t i = 0; i < 3; ++i) {
      const auto byte = byte_of(std::string_view(line).substr(1 + 2 * i, 2), 16);
      if (!byte) return {};
      color[i] = *byte;
    }
    return color;
  }
  const std::vector<std::string> parts = split_list(line);
  if (parts.size() != 3) return {};
  for (size_t i = 0; i < 3; ++i) {
    const auto byte = byte_of(parts[i], 10);
    if (!byte) return {};
    color[i] = *byte;
  }
  return color;
}

Result<Palette> read_palette(const std::string& path) {
  constexpr int64_t kMaxBytes = 1 << 16;
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, read_file(path, kMaxBytes));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  DEEPLAB_ASSIGN_OR_RETURN(Palette palette, deeplab::palette("voc"));
  size_t id = 0;
  for (size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    end = std::min(text.find('\n', begin), text.size());
    std::string line(text.substr(begin, end - begin));
    std::erase_if(line, [](char c) { return c == ' ' || c == '\r' || c == '\t'; });
    if (line.empty() && end == text.size()) break;
    const auto color = color_of(line);
    if (!color) {
      return invalid_argument(path, ": line ", id + 1, ": expected R,G,B of 0 to 255 or #RRGGBB");
    }
    if (id == palette.size() / 3) return invalid_argument(path, ": more than 256 colours");
    std::ranges::copy(*color, palette.begin() + static_cast<ptrdiff_t>(3 * id++));
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
