#include "train/data/class_map.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "eval/voc_dataset.h"
#include "imageio/reader.h"

namespace deeplab::train {
namespace {

constexpr int64_t kMostBytes = int64_t{1} << 20;  // a class map has at most some hundred lines

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::optional<uint32_t> parse_number(std::string_view text, int base) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

bool is_colour(std::string_view text) {
  return text.size() >= 7 && text[0] == '#' && parse_number(text.substr(1, 6), 16).has_value();
}

std::string colour_name(uint32_t rgb) {
  char text[8];
  std::snprintf(text, sizeof(text), "#%06X", rgb);
  return text;
}

}  // namespace

/// Line by line; errors carry "FILE:LINE: ".
class ClassMapParser {
 public:
  explicit ClassMapParser(std::string name) { map_.name_ = std::move(name); }
  Result<ClassMap> parse(std::string_view text);

 private:
  enum class Left : uint8_t { kNone, kIds, kColours };
  enum class Right : uint8_t { kNone, kNumbered, kNamed };

  template <typename... Parts>
  Status error(const Parts&... parts) const {
    return invalid_argument(map_.name_, ":", line_, ": ", parts...);
  }
  Status parse_line(std::string_view line);
  Result<uint8_t> parse_class(std::string_view text);
  Result<uint8_t> numbered_class(std::string_view number, std::string_view name);
  Result<uint8_t> named_class(std::string_view name);
  Status add(std::string_view source, uint8_t label);
  Status finish();

  ClassMap map_;
  int line_ = 0;
  Left left_ = Left::kNone;
  Right right_ = Right::kNone;
  std::array<bool, 256> used_ = {};  ///< Ids that some line gives.
};

Result<ClassMap> ClassMapParser::parse(std::string_view text) {
  map_.by_id_.fill(-1);
  while (!text.empty()) {
    ++line_;
    const size_t end = std::min(text.find('\n'), text.size());
    DEEPLAB_RETURN_IF_ERROR(parse_line(trim(text.substr(0, end))));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  DEEPLAB_RETURN_IF_ERROR(finish());
  return std::move(map_);
}

Status ClassMapParser::parse_line(std::string_view line) {
  // A colour at the start of a line is not a comment.
  const size_t from = is_colour(line) ? 7 : 0;
  line = trim(line.substr(0, std::min(line.find('#', from), line.size())));
  if (line.empty()) return {};
  const size_t equals = line.find('=');
  if (equals == std::string_view::npos) {
    return error("'", line, "' has no '='; expected 'ID = CLASS' or '#RRGGBB = CLASS'");
  }
  DEEPLAB_ASSIGN_OR_RETURN(const uint8_t label, parse_class(trim(line.substr(equals + 1))));
  return add(trim(line.substr(0, equals)), label);
}

Result<uint8_t> ClassMapParser::parse_class(std::string_view text) {
  if (text.empty()) return error("nothing follows the '='; expected a class or 'ignore'");
  if (text == "ignore") return ClassMap::kIgnore;
  const size_t space = std::min(text.find_first_of(" \t"), text.size());
  const bool numbered = parse_number(text.substr(0, space), 10).has_value();
  const Right kind = numbered ? Right::kNumbered : Right::kNamed;
  if (right_ != Right::kNone && right_ != kind) {
    return error("'", text, "' ", numbered ? "has an id" : "has no id",
                 " and the classes of the lines before ", numbered ? "have none" : "have one",
                 "; expected ids in all lines or in none");
  }
  right_ = kind;
  return numbered ? numbered_class(text.substr(0, space), trim(text.substr(space)))
                  : named_class(text);
}

Result<uint8_t> ClassMapParser::numbered_class(std::string_view number, std::string_view name) {
  const uint32_t id = *parse_number(number, 10);
  if (id >= ClassMap::kIgnore) {
    return error("class id ", number, " is out of range; expected 0 to 254, or 'ignore'");
  }
  auto& names = map_.class_names_;
  if (names.size() <= id) names.resize(id + 1);
  std::string& known = names[id];
  if (!name.empty() && !known.empty() && known != name) {
    return error("class ", id, " is called '", name, "' here and '", known, "' before");
  }
  if (!name.empty()) known = name;
  used_[id] = true;
  return static_cast<uint8_t>(id);
}

Result<uint8_t> ClassMapParser::named_class(std::string_view name) {
  auto& names = map_.class_names_;
  const auto known = std::find(names.begin(), names.end(), name);
  const auto id = static_cast<size_t>(known - names.begin());
  if (id >= ClassMap::kIgnore) return error("class '", name, "' is one too many; the most is 255");
  if (known == names.end()) names.emplace_back(name);
  used_[id] = true;
  return static_cast<uint8_t>(id);
}

Status ClassMapParser::add(std::string_view source, uint8_t label) {
  if (source == "*") {
    if (map_.has_default_) return error("'*' has a line already");
    map_.has_default_ = true;
    map_.default_ = label;
    return {};
  }
  const bool colour = source.size() == 7 && is_colour(source);
  const std::optional<uint32_t> value =
      parse_number(source.substr(colour ? 1 : 0), colour ? 16 : 10);
  if (!value || (!colour && *value > 255)) {
    return error("'", source, "' is not a mask value; expected 0 to 255, #RRGGBB or '*'");
  }
  const Left kind = colour ? Left::kColours : Left::kIds;
  if (left_ != Left::kNone && left_ != kind) {
    return error("'", source, "' mixes ids and colours; expected one kind in all lines");
  }
  left_ = kind;
  const bool is_new = colour ? map_.colours_.emplace(*value, label).second
                             : std::exchange(map_.by_id_[*value], label) < 0;
  if (!is_new) return error("'", source, "' has a line already");
  return {};
}

Status ClassMapParser::finish() {
  if (left_ == Left::kNone) {
    return invalid_argument(map_.name_, " maps no mask value; expected lines 'ID = CLASS'");
  }
  if (map_.class_names_.empty()) {
    return invalid_argument(map_.name_, " names no class; every line says 'ignore'");
  }
  for (size_t id = 0; id < map_.class_names_.size(); ++id) {
    if (!used_[id]) {
      return invalid_argument(map_.name_, ": no line gives class ", id, ", though class ",
                              map_.class_names_.size() - 1, " exists; expected ids without a gap");
    }
  }
  map_.by_colour_ = left_ == Left::kColours;
  if (map_.by_id_[ClassMap::kIgnore] < 0) map_.by_id_[ClassMap::kIgnore] = ClassMap::kIgnore;
  return {};
}

Result<ClassMap> ClassMap::parse(const std::string& text, const std::string& name) {
  return ClassMapParser(name).parse(text);
}

Result<ClassMap> ClassMap::read(const std::string& path) {
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, read_file(path, kMostBytes));
  return parse(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), path);
}

Result<imageio::Image> ClassMap::read_mask(const std::string& path) const {
  if (by_colour_) {
    DEEPLAB_ASSIGN_OR_RETURN(const imageio::Image mask, imageio::read_image(path));
    return map_colours(mask, path);
  }
  DEEPLAB_ASSIGN_OR_RETURN(imageio::Image mask, eval::read_mask(path));
  return map_ids(std::move(mask), path);
}

Result<imageio::Image> ClassMap::map_ids(imageio::Image mask, const std::string& path) const {
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    const uint8_t id = mask.pixels[i];
    const int16_t label = by_id_[id] >= 0 || !has_default_ ? by_id_[id] : default_;
    if (label < 0) {
      const auto width = static_cast<size_t>(mask.width);
      return invalid_image(path, ": value ", int{id}, " at x ", i % width, ", y ", i / width,
                           " has no line in ", name_);
    }
    mask.pixels[i] = static_cast<uint8_t>(label);
  }
  return mask;
}

Result<imageio::Image> ClassMap::map_colours(const imageio::Image& mask,
                                             const std::string& path) const {
  imageio::Image labels;
  labels.width = labels.original_width = mask.width;
  labels.height = labels.original_height = mask.height;
  labels.channels = 1;
  labels.pixels.resize(mask.pixels.size() / 3);
  // Neighbours mostly share a colour: look it up when it changes.
  uint32_t last = 1u << 24;
  uint8_t label = kIgnore;
  for (size_t i = 0; i < labels.pixels.size(); ++i) {
    const uint8_t* p = mask.pixels.data() + 3 * i;
    const uint32_t rgb =
        static_cast<uint32_t>(p[0]) << 16 | static_cast<uint32_t>(p[1]) << 8 | p[2];
    if (rgb != last) {
      const auto known = colours_.find(rgb);
      if (known == colours_.end() && !has_default_) {
        const auto width = static_cast<size_t>(mask.width);
        return invalid_image(path, ": colour ", colour_name(rgb), " at x ", i % width, ", y ",
                             i / width, " has no line in ", name_);
      }
      label = known == colours_.end() ? default_ : known->second;
      last = rgb;
    }
    labels.pixels[i] = label;
  }
  return labels;
}

}  // namespace deeplab::train
