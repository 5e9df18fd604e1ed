// Which mask values stand for which classes: one reader for `deeplab evaluate`, `quantize
// --validate` and the trainer.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "imageio/image.h"

namespace deeplab::eval {

/// Read from a text file with one line per mask value:
///
///     # what the annotation tool wrote    what it stands for
///     0       = background
///     38      = leaf
///     75      = leaf              # two values may become one class
///     200-249 = leaf              # a range, both ends included
///     113     = spots
///     255     = ignore            # 255 is ignored anyway, unless a line says otherwise
///     *       = ignore            # every value without a line; without this line: an error
///
/// The left side is an id (0 to 65535, for masks of 16 bits), a range of them or a colour
/// (#RRGGBB), all lines of a file the same kind. The right side is `ignore`, or a class: a name,
/// which gets the next free id if it is new; or an id, or an id and a name ("2 spots"), in all
/// lines of the file or in none. `#` followed by six hex digits at the start of a line is a colour,
/// any other `#` starts a comment.
///
/// Or CVAT's labelmap.txt, one class per line, whose name gets the next free id; `ignore` and
/// `ignored` are not classes:
///
///     # label:color_rgb:parts:actions
///     background:0,0,0::
///     cat:250,50,83::
class ClassMap {
 public:
  static constexpr uint8_t kIgnore = 255;

  /// Errors name the file, and the line if there is one.
  static Result<ClassMap> read(const std::string& path);
  static Result<ClassMap> parse(const std::string& text, const std::string& name);

  /// The same with classes that have only a name as those of the same name in `labels`, a model's,
  /// whatever their order and the case of their letters. Of the others a mask may show no pixel.
  /// Classes that the file gives an id keep it. Error: the model has none of the file's names.
  Result<ClassMap> for_model(const std::vector<std::string>& labels) const;

  const std::string& name() const { return name_; }
  /// What it was made of.
  const std::string& text() const { return text_; }
  /// By class id; empty if the file gives an id no name.
  const std::vector<std::string>& class_names() const { return class_names_; }
  int32_t class_count() const { return static_cast<int32_t>(class_names_.size()); }
  /// Error: a class below the highest one that no line gives. A network that is to be trained has
  /// none.
  Status expect_no_gap() const;
  /// Whether the file itself says what a mask value of 255 is; always true of a file of colours.
  bool explains_255() const { return by_colour_ || explains_255_; }

  /// The mask in the file at `path` as class ids, channels = 1. Errors: not a PNG that fits the
  /// kind of the left sides, a value that no line covers (with its place).
  Result<imageio::Image> read_mask(const std::string& path) const;

 private:
  friend class ClassMapParser;
  /// An id, kIgnore, kNoLine, or kNotInModel plus a position in lost_.
  using Class = int16_t;
  static constexpr Class kNoLine = -1;
  static constexpr Class kNotInModel = 256;
  static constexpr size_t kIds = 65536;

  Result<imageio::Image> map_ids(const imageio::Image& mask, const std::string& path) const;
  Result<imageio::Image> map_colours(const imageio::Image& mask, const std::string& path) const;
  Status check(Class label, const std::string& path, const std::string& value, size_t at,
               int32_t width) const;

  std::string name_;
  std::string text_;
  bool by_colour_ = false;
  bool numbered_ = false;  ///< The lines give ids.
  bool explains_255_ = false;
  int32_t gap_ = -1;  ///< The first class that no line gives; -1: there is none.
  Class default_ = kNoLine;
  std::vector<Class> by_id_;                     ///< kIds of them.
  std::unordered_map<uint32_t, Class> colours_;  ///< By 0xRRGGBB.
  std::vector<std::string> class_names_;
  std::vector<std::string> lost_;  ///< Classes that for_model() did not find.
};

}  // namespace deeplab::eval
