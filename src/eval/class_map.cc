#include "eval/class_map.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/parse_rgb.h"
#include "eval/voc_dataset.h"
#include "imageio/reader.h"

namespace deeplab::eval {
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

bool is_colour(std::string_view text) { return parse_hex_rgb(text.substr(0, 7)).has_value(); }

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

/// As 0xRRGGBB.
std::optional<uint32_t> parse_rgb(std::string_view text) {
  const std::optional<Rgb> rgb = parse_decimal_rgb(text);
  if (!rgb) return std::nullopt;
  return uint32_t{rgb->red} << 16 | uint32_t{rgb->green} << 8 | rgb->blue;
}

/// The parts of a line of CVAT's labelmap.txt; the last two, which are of no use here, may be
/// missing.
struct CvatLine {
  std::string_view label;
  std::string_view colour;
};
std::optional<CvatLine> split_cvat(std::string_view line) {
  const size_t first = line.find(':');
  if (first == line.npos) return std::nullopt;
  const size_t second = std::min(line.find(':', first + 1), line.size());
  return CvatLine{trim(line.substr(0, first)), trim(line.substr(first + 1, second - first - 1))};
}

/// By the first line that is not empty: a comment with the names of the columns, or a label.
bool is_cvat(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with("#") && !is_colour(line)) {
      if (trim(line.substr(1)).starts_with("label:")) return true;
      continue;
    }
    if (line.empty()) continue;
    const auto parts = split_cvat(line);
    return parts && parse_rgb(parts->colour);
  }
  return false;
}

/// A label map of the mask's size.
imageio::Image empty_labels(const imageio::Image& mask) {
  imageio::Image labels;
  labels.width = labels.original_width = mask.width;
  labels.height = labels.original_height = mask.height;
  labels.channels = 1;
  labels.pixels.resize(mask.pixels.size() / static_cast<size_t>(mask.channels));
  return labels;
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
  Status parse_cvat_line(std::string_view line);
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
  map_.text_ = text;
  map_.by_id_.assign(ClassMap::kIds, ClassMap::kNoLine);
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const bool cvat = is_cvat(text);
  while (!text.empty()) {
    ++line_;
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trim(text.substr(0, end));
    DEEPLAB_RETURN_IF_ERROR(cvat ? parse_cvat_line(line) : parse_line(line));
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

Status ClassMapParser::parse_cvat_line(std::string_view line) {
  if (line.empty() || line.starts_with('#')) return {};
  const auto parts = split_cvat(line);
  const auto rgb = parts ? parse_rgb(parts->colour) : std::nullopt;
  if (!rgb || parts->label.empty()) {
    return error("'", line,
                 "' is not a label with its colour; expected 'LABEL:R,G,B:PARTS:ACTIONS'");
  }
  right_ = Right::kNamed;
  const std::string name = lower(std::string(parts->label));
  uint8_t label = ClassMap::kIgnore;
  if (name != "ignore" && name != "ignored") {
    DEEPLAB_ASSIGN_OR_RETURN(label, named_class(parts->label));
  }
  return add(colour_name(*rgb), label);
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
    if (map_.default_ != ClassMap::kNoLine) return error("'*' has a line already");
    map_.default_ = label;
    return {};
  }
  const bool colour = source.size() == 7 && is_colour(source);
  const size_t dash = std::min(source.find('-'), source.size());
  const std::optional<uint32_t> value =
      colour ? parse_number(source.substr(1), 16) : parse_number(trim(source.substr(0, dash)), 10);
  const std::optional<uint32_t> last =
      dash < source.size() ? parse_number(trim(source.substr(dash + 1)), 10) : value;
  if (!value || !last || *last < *value || (!colour && *last >= ClassMap::kIds)) {
    return error("'", source,
                 "' is not a mask value; expected 0 to 65535, a range such as 20-29, #RRGGBB or "
                 "'*'");
  }
  const Left kind = colour ? Left::kColours : Left::kIds;
  if (left_ != Left::kNone && left_ != kind) {
    return error("'", source, "' mixes ids and colours; expected one kind in all lines");
  }
  left_ = kind;
  if (colour && !map_.colours_.emplace(*value, label).second) {
    return error("'", source, "' has a line already");
  }
  for (uint32_t id = *value; !colour && id <= *last; ++id) {
    if (std::exchange(map_.by_id_[id], label) == ClassMap::kNoLine) continue;
    return error("'", id, "' has a line already");
  }
  return {};
}

Status ClassMapParser::finish() {
  if (left_ == Left::kNone) {
    return invalid_argument(map_.name_, " maps no mask value; expected lines 'ID = CLASS'");
  }
  if (map_.class_names_.empty()) {
    return invalid_argument(map_.name_, " names no class; every line says 'ignore'");
  }
  for (int32_t id = 0; id < map_.class_count() && map_.gap_ < 0; ++id) {
    if (!used_[static_cast<size_t>(id)]) map_.gap_ = id;
  }
  map_.by_colour_ = left_ == Left::kColours;
  map_.numbered_ = right_ == Right::kNumbered;
  ClassMap::Class& white = map_.by_id_[ClassMap::kIgnore];
  map_.explains_255_ = white != ClassMap::kNoLine;
  if (!map_.explains_255_) white = ClassMap::kIgnore;
  return {};
}

Result<ClassMap> ClassMap::parse(const std::string& text, const std::string& name) {
  return ClassMapParser(name).parse(text);
}

Result<ClassMap> ClassMap::read(const std::string& path) {
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, read_file(path, kMostBytes));
  return parse(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), path);
}

Result<ClassMap> ClassMap::for_model(const std::vector<std::string>& labels) const {
  if (numbered_) return *this;
  ClassMap map = *this;
  std::vector<Class> ids;
  std::string names;
  for (const std::string& name : class_names_) {
    auto found = std::ranges::find(labels, name);
    if (found == labels.end()) found = std::ranges::find(labels, lower(name), lower);
    if (found == labels.end()) {
      ids.push_back(static_cast<Class>(kNotInModel + std::ssize(map.lost_)));
      map.lost_.push_back(name);
    } else {
      ids.push_back(static_cast<Class>(found - labels.begin()));
    }
    names += (names.empty() ? "" : ", ") + name;
  }
  if (map.lost_.size() == ids.size()) {
    return invalid_argument(name_, ": the model has none of the classes ", names,
                            "; write the model's own names or ids, as in '38 = 1'");
  }
  const auto translate = [&ids](Class& label) {
    if (label != kNoLine && label != kIgnore) label = ids[static_cast<size_t>(label)];
  };
  translate(map.default_);
  for (Class& label : map.by_id_) translate(label);
  for (auto& [rgb, label] : map.colours_) translate(label);
  map.class_names_ = labels;
  return map;
}

Result<imageio::Image> ClassMap::read_mask(const std::string& path) const {
  if (by_colour_) {
    DEEPLAB_ASSIGN_OR_RETURN(const imageio::Image mask, imageio::read_image(path));
    return map_colours(mask, path);
  }
  const imageio::ReadOptions options;
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes,
                           read_file(path, options.max_file_bytes));
  DEEPLAB_ASSIGN_OR_RETURN(const imageio::Image mask, decode_wide_mask(bytes, path, options));
  return map_ids(mask, path);
}

/// Error: a label that is not a class. `value` is what the mask has at pixel `at`.
Status ClassMap::check(Class label, const std::string& path, const std::string& value, size_t at,
                       int32_t width) const {
  if (label != kNoLine && label < kNotInModel) return {};
  const auto row = static_cast<size_t>(width);
  const std::string place = str_cat(value, " at x ", at % row, ", y ", at / row);
  if (label == kNoLine) return invalid_image(path, ": ", place, " has no line in ", name_);
  return invalid_image(path, ": ", place, " is '", lost_[static_cast<size_t>(label - kNotInModel)],
                       "' in ", name_,
                       ", a class that the model does not have; expected one of "
                       "the model's classes, or 'ignore'");
}

Result<imageio::Image> ClassMap::map_ids(const imageio::Image& mask,
                                         const std::string& path) const {
  const bool wide = mask.channels == 2;
  imageio::Image labels = empty_labels(mask);
  for (size_t i = 0; i < labels.pixels.size(); ++i) {
    const size_t id =
        wide ? size_t{mask.pixels[2 * i]} << 8 | mask.pixels[2 * i + 1] : size_t{mask.pixels[i]};
    const Class label = by_id_[id] != kNoLine ? by_id_[id] : default_;
    if (label < 0 || label >= kNotInModel) {
      return check(label, path, str_cat("value ", id), i, mask.width);
    }
    labels.pixels[i] = static_cast<uint8_t>(label);
  }
  return labels;
}

Result<imageio::Image> ClassMap::map_colours(const imageio::Image& mask,
                                             const std::string& path) const {
  imageio::Image labels = empty_labels(mask);
  // Neighbours mostly share a colour: look it up when it changes.
  uint32_t last = 1u << 24;
  uint8_t label = kIgnore;
  for (size_t i = 0; i < labels.pixels.size(); ++i) {
    const uint8_t* p = mask.pixels.data() + 3 * i;
    const uint32_t rgb =
        static_cast<uint32_t>(p[0]) << 16 | static_cast<uint32_t>(p[1]) << 8 | p[2];
    if (rgb != last) {
      const auto known = colours_.find(rgb);
      const Class found = known == colours_.end() ? default_ : known->second;
      DEEPLAB_RETURN_IF_ERROR(check(found, path, "colour " + colour_name(rgb), i, mask.width));
      label = static_cast<uint8_t>(found);
      last = rgb;
    }
    labels.pixels[i] = label;
  }
  return labels;
}

Status ClassMap::expect_no_gap() const {
  if (gap_ < 0) return {};
  return invalid_argument(name_, ": no line gives class ", gap_, ", though class ",
                          class_count() - 1, " exists; expected ids without a gap");
}

}  // namespace deeplab::eval
