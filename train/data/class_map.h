// A user's own classes: which mask values stand for which training ids.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "imageio/image.h"

namespace deeplab::train {

/// Read from a text file with one line per mask value:
///
///     # what the annotation tool wrote    what we train
///     0       = background
///     38      = leaf
///     75      = leaf              # two values may become one class
///     113     = spots
///     255     = ignore            # 255 is ignored anyway, unless a line says otherwise
///     *       = ignore            # every value without a line; without this line: an error
///
/// The left side is an id (0-255) or a colour (#RRGGBB), all lines of a file the same kind. The
/// right side is `ignore`, or a class: a name, which gets the next free id if it is new; or an
/// id, or an id and a name ("2 spots"), in all lines of the file or in none. `#` followed by six
/// hex digits at the start of a line is a colour, any other `#` starts a comment.
class ClassMap {
 public:
  static constexpr uint8_t kIgnore = 255;

  /// Errors name the file, and the line if there is one.
  static Result<ClassMap> read(const std::string& path);
  static Result<ClassMap> parse(const std::string& text, const std::string& name);

  const std::string& name() const { return name_; }
  /// By training id; empty if the file gives an id no name.
  const std::vector<std::string>& class_names() const { return class_names_; }
  int32_t class_count() const { return static_cast<int32_t>(class_names_.size()); }

  /// The mask in the file at `path` as training ids, channels = 1. Errors: not a PNG that fits the
  /// kind of the left sides, a value that no line covers (with its place).
  Result<imageio::Image> read_mask(const std::string& path) const;

 private:
  friend class ClassMapParser;
  Result<imageio::Image> map_ids(imageio::Image mask, const std::string& path) const;
  Result<imageio::Image> map_colours(const imageio::Image& mask, const std::string& path) const;

  std::string name_;
  bool by_colour_ = false;
  bool has_default_ = false;
  uint8_t default_ = kIgnore;
  std::array<int16_t, 256> by_id_ = {};            ///< -1: no line.
  std::unordered_map<uint32_t, uint8_t> colours_;  ///< 0xRRGGBB -> training id.
  std::vector<std::string> class_names_;
};

}  // namespace deeplab::train
