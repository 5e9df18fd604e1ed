#include "eval/voc_dataset.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>

#include "base/file.h"
#include "imageio/reader.h"
#include "vision/image_view.h"
#include "vision/palette.h"

namespace deeplab::eval {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxListBytes = int64_t{1} << 28;
constexpr std::string_view kImageExtensions[] = {".jpg", ".jpeg", ".png", ".webp"};

fs::path splits_folder(const std::string& root) {
  return fs::path(root) / "ImageSets" / "Segmentation";
}

/// "train, val"; empty if there is no split at all.
std::string list_splits(const std::string& root) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(splits_folder(root), error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() == ".txt") names.push_back(it->path().stem().string());
  }
  std::ranges::sort(names);
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

/// The first word of each line that has one.
std::vector<std::string> first_words(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t newline = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, newline);
    text.remove_prefix(std::min(newline + 1, text.size()));
    const size_t begin = line.find_first_not_of(" \t\r");
    if (begin == line.npos) continue;
    const size_t end = std::min(line.find_first_of(" \t\r", begin), line.size());
    words.emplace_back(line.substr(begin, end - begin));
  }
  return words;
}

Result<std::vector<std::string>> read_split(const std::string& root, const std::string& split,
                                            std::string& list_path) {
  std::error_code ignored;
  if (!fs::is_directory(root, ignored)) {
    return io_error(root, " is not a directory; expected a dataset in VOC layout");
  }
  list_path = (splits_folder(root) / (split + ".txt")).string();
  if (!fs::exists(list_path, ignored)) {
    const std::string splits = list_splits(root);
    return io_error("no split '", split, "': ", list_path, " does not exist",
                    splits.empty() ? "" : "; there are: ", splits);
  }
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, read_file(list_path, kMaxListBytes));
  std::vector<std::string> ids =
      first_words({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (ids.empty()) return invalid_argument(list_path, " lists no photo");
  return ids;
}

bool leaves_its_folder(const fs::path& id) {
  return id.is_absolute() || std::ranges::find(id, fs::path("..")) != id.end();
}

std::optional<std::string> find_photo(const std::string& root, const std::string& id) {
  std::error_code ignored;
  for (const std::string_view extension : kImageExtensions) {
    std::string path = (fs::path(root) / "JPEGImages" / id).string().append(extension);
    if (fs::exists(path, ignored)) return path;
  }
  return std::nullopt;
}

/// The id whose bits make up the colour, or nothing if no id has that colour. The palette deals
/// an id's bits to the channels in turn, highest channel bit first; this collects them again.
std::optional<uint8_t> voc_id(Rgb colour) {
  unsigned id = 0;
  for (unsigned bit = 0; bit < 8; ++bit) {
    const unsigned channel[3] = {colour.red, colour.green, colour.blue};
    id |= (channel[bit % 3] >> (7 - bit / 3) & 1u) << bit;
  }
  if (!(vision::kVocPalette[id] == colour)) return std::nullopt;
  return static_cast<uint8_t>(id);
}

/// What a PNG's header says of its pixels; decode_image() finds all that may be wrong with it.
bool is_colour_png(std::span<const std::byte> bytes) {
  constexpr size_t kColourTypeAt = 25;
  if (bytes.size() <= kColourTypeAt) return false;
  const auto type = std::to_integer<int>(bytes[kColourTypeAt]);
  return type == 2 || type == 6;
}

Result<imageio::Image> ids_of_colours(const imageio::Image& rgb, const std::string& path) {
  imageio::Image mask = rgb;
  mask.channels = 1;
  const size_t count = rgb.pixels.size() / 3;
  mask.pixels.resize(count);
  // Neighbours mostly agree.
  Rgb last = vision::kVocPalette[0];
  uint8_t last_id = 0;
  for (size_t i = 0; i < count; ++i) {
    const Rgb colour{rgb.pixels[3 * i], rgb.pixels[3 * i + 1], rgb.pixels[3 * i + 2]};
    if (!(colour == last)) {
      const std::optional<uint8_t> id = voc_id(colour);
      if (!id) {
        const auto width = static_cast<size_t>(rgb.width);
        return invalid_image(path, ": colour (", int{colour.red}, ", ", int{colour.green}, ", ",
                             int{colour.blue}, ") at x ", i % width, ", y ", i / width,
                             " is not in the VOC palette; expected class ids as an indexed or "
                             "grey PNG, or VOC colours");
      }
      last = colour;
      last_id = *id;
    }
    mask.pixels[i] = last_id;
  }
  return mask;
}

}  // namespace

Result<VocDataset> open_voc_dataset(const std::string& root, const std::string& split,
                                    MaskRequirement masks) {
  std::string list_path;
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<std::string> ids, read_split(root, split, list_path));
  VocDataset dataset{root, split, {}};
  dataset.items.reserve(ids.size());
  std::error_code ignored;
  for (const std::string& id : ids) {
    if (leaves_its_folder(id)) {
      return invalid_argument(list_path, ": id '", id, "' leaves the dataset's folders");
    }
    std::optional<std::string> photo = find_photo(root, id);
    if (!photo) {
      return io_error("no photo ", (fs::path(root) / "JPEGImages" / id).string(),
                      ".{jpg,jpeg,png,webp}, which ", list_path, " lists");
    }
    std::string mask = (fs::path(root) / "SegmentationClass" / (id + ".png")).string();
    if (!fs::exists(mask, ignored)) {
      if (masks == MaskRequirement::kRequired) {
        return io_error("no mask ", mask, " of the photo ", *photo);
      }
      mask.clear();
    }
    dataset.items.push_back({id, std::move(*photo), std::move(mask)});
  }
  return dataset;
}

Result<imageio::Image> read_mask(const std::string& path) {
  const imageio::ReadOptions options;
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes,
                           read_file(path, options.max_file_bytes));
  return decode_mask(bytes, path, options);
}

Result<imageio::Image> decode_mask(std::span<const std::byte> bytes, const std::string& name,
                                   const imageio::ReadOptions& options) {
  Result<imageio::Image> mask = imageio::decode_label_png(bytes, name, options);
  // Other PNGs that hold no ids (16-bit grey) must not be read as pictures: scaled to 8 bits, all
  // their ids would be 0.
  if (mask.status().code() != StatusCode::kUnsupported || !is_colour_png(bytes)) return mask;
  DEEPLAB_ASSIGN_OR_RETURN(const imageio::Image rgb, imageio::decode_image(bytes, name, options));
  return ids_of_colours(rgb, name);
}

Result<imageio::Image> read_mask_of(const VocItem& item, int32_t width, int32_t height) {
  DEEPLAB_ASSIGN_OR_RETURN(imageio::Image mask, read_mask(item.mask_path));
  DEEPLAB_RETURN_IF_ERROR(check_mask_size(mask, item, width, height));
  return mask;
}

Status check_mask_size(const imageio::Image& mask, const VocItem& item, int32_t width,
                       int32_t height) {
  if (mask.width == width && mask.height == height) return {};
  return invalid_image(item.mask_path, " has ", mask.width, "x", mask.height, " pixels; its photo ",
                       item.image_path, " has ", width, "x", height);
}

Status check_class_ids(const imageio::Image& mask, const std::string& path, int32_t classes) {
  const auto wrong = std::ranges::find_if(
      mask.pixels, [classes](uint8_t id) { return id >= classes && id != vision::kIgnoreLabel; });
  if (wrong == mask.pixels.end()) return {};
  const auto at = wrong - mask.pixels.begin();
  return invalid_image(path, ": class id ", int{*wrong}, " at x ", at % mask.width, ", y ",
                       at / mask.width, "; expected 0 to ", classes - 1, ", or ",
                       int{vision::kIgnoreLabel}, " for pixels that do not count");
}

}  // namespace deeplab::eval
