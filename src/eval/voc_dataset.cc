#include "eval/voc_dataset.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "imageio/reader.h"
#include "vision/image_view.h"
#include "vision/palette.h"

namespace deeplab::eval {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMaxListBytes = int64_t{1} << 28;
/// What a photo's file may be called; what it is, is found when it is read. Of two files with the
/// same id the first in this order is taken.
constexpr std::string_view kPhotoExtensions[] = {
    ".jpg", ".jpeg", ".png", ".webp", ".bmp",  ".ppm",  ".pgm",  ".pnm",
    ".pbm", ".jfif", ".tif", ".tiff", ".heic", ".heif", ".avif", ".gif"};
constexpr std::string_view kMaskExtensions[] = {".png"};
using Extensions = std::span<const std::string_view>;

fs::path photos_folder(const std::string& root) { return fs::path(root) / "JPEGImages"; }
fs::path masks_folder(const std::string& root) { return fs::path(root) / "SegmentationClass"; }

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

/// The place of a file's extension in the list, in any case; the list's size if it is not there.
size_t extension_rank(const fs::path& path, Extensions extensions) {
  const std::string extension = lower(path.extension().string());
  return static_cast<size_t>(std::ranges::find(extensions, extension) - extensions.begin());
}

/// "sub/0001.JPG" -> "sub/0001".
std::string without_extension(const fs::path& path) {
  return (path.parent_path() / path.stem()).string();
}

/// The files of a folder at any depth by their path without extension, relative to the folder. A
/// folder that is not there has none.
class FolderIndex {
 public:
  FolderIndex(const fs::path& folder, Extensions extensions) {
    std::error_code error;
    fs::recursive_directory_iterator entry(folder, fs::directory_options::skip_permission_denied,
                                           error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      const size_t rank = extension_rank(entry->path(), extensions);
      std::error_code gone;
      if (rank == extensions.size() || !entry->is_regular_file(gone)) continue;
      if (entry->path().filename().string().starts_with('.')) continue;
      std::pair found(rank, entry->path().string());
      const std::string id = without_extension(entry->path().lexically_relative(folder));
      const auto [it, is_new] = files_.try_emplace(id, found);
      // The order in which a folder lists its files is not to matter.
      if (!is_new) it->second = std::min(it->second, found);
    }
  }

  /// By id; the file with its folder.
  const std::map<std::string, std::pair<size_t, std::string>>& files() const { return files_; }
  std::optional<std::string> find(const std::string& id) const {
    const auto it = files_.find(fs::path(id).lexically_normal().string());
    if (it == files_.end()) return std::nullopt;
    return it->second.second;
  }

 private:
  std::map<std::string, std::pair<size_t, std::string>> files_;
};

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

/// "JPEGImages, masks, train.txt and 12 more"; "nothing" for an empty folder.
std::string list_entries(const std::string& folder) {
  constexpr size_t kMost = 8;
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  std::ranges::sort(names);
  std::string list;
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    list += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kMost) list += str_cat(" and ", names.size() - kMost, " more");
  return names.empty() ? "nothing" : list;
}

std::string counted(size_t n, const char* what) { return str_cat(n, " ", what, n == 1 ? "" : "s"); }

/// A line of a list.
struct Line {
  std::string first;  ///< Its first word...
  std::string whole;  ///< ...and all of it, without blanks at both ends.
};

/// The lines that have a word.
std::vector<Line> split_lines(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  constexpr std::string_view kSpace = " \t\r";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<Line> lines;
  while (!text.empty()) {
    const size_t newline = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, newline);
    text.remove_prefix(std::min(newline + 1, text.size()));
    const size_t begin = line.find_first_not_of(kSpace);
    if (begin == line.npos) continue;
    const size_t end = std::min(line.find_first_of(kSpace, begin), line.size());
    lines.push_back({std::string(line.substr(begin, end - begin)),
                     std::string(line.substr(begin, line.find_last_not_of(kSpace) + 1 - begin))});
  }
  return lines;
}

/// What there is instead of a split's list, and what to write.
Status no_split(const std::string& root, const std::string& split, const std::string& list_path) {
  const std::string splits = list_splits(root);
  if (!splits.empty()) {
    return io_error("no split '", split, "': ", list_path,
                    " does not exist; name another one, or '", kEverySplit,
                    "' for every photo with a mask; there are: ", splits);
  }
  std::error_code ignored;
  if (!fs::is_directory(photos_folder(root), ignored)) {
    return io_error(root, " has no folder JPEGImages; there is ", list_entries(root),
                    "; expected photos JPEGImages/ID.jpg, masks SegmentationClass/ID.png and a "
                    "list of ids ",
                    list_path);
  }
  const FolderIndex photos(photos_folder(root), kPhotoExtensions);
  const FolderIndex masks(masks_folder(root), kMaskExtensions);
  return io_error("no split '", split, "': ", list_path, " does not exist; there are ",
                  counted(photos.files().size(), "photo"), " in JPEGImages and ",
                  counted(masks.files().size(), "mask"),
                  " in SegmentationClass: write the photos' names to that file, one per line, or "
                  "name the split '",
                  kEverySplit, "' for every photo with a mask");
}

/// Every pair of photo and mask.
Result<VocDataset> open_every_pair(const std::string& root) {
  const FolderIndex photos(photos_folder(root), kPhotoExtensions);
  const FolderIndex masks(masks_folder(root), kMaskExtensions);
  VocDataset dataset{root, kEverySplit, {}};
  for (const auto& [id, photo] : photos.files()) {
    if (auto mask = masks.find(id)) dataset.items.push_back({id, photo.second, std::move(*mask)});
  }
  const size_t pairs = dataset.items.size();
  dataset.photos_without_mask = photos.files().size() - pairs;
  dataset.masks_without_photo = masks.files().size() - pairs;
  if (pairs > 0) return dataset;
  std::string example;
  if (!photos.files().empty() && !masks.files().empty()) {
    example = str_cat(", such as ", photos.files().begin()->second.second, " and ",
                      masks.files().begin()->second.second);
  }
  return io_error(root, " has no photo with a mask: ", counted(photos.files().size(), "photo"),
                  " in JPEGImages and ", counted(masks.files().size(), "mask"),
                  " in SegmentationClass", example,
                  "; expected JPEGImages/ID.jpg and SegmentationClass/ID.png with the same ID");
}

bool leaves_its_folder(const fs::path& id) {
  return id.is_absolute() || std::ranges::find(id, fs::path("..")) != id.end();
}

/// Finds the files of ids. The folders are listed only if an id has not the usual name.
class Finder {
 public:
  explicit Finder(const std::string& root) : root_(root) {}

  /// The photo of a line and its id; nothing if there is none.
  std::optional<std::pair<std::string, std::string>> photo_of(const Line& line) {
    std::vector<std::string> names = {line.first, line.whole};
    constexpr std::string_view kFolder = "JPEGImages/";
    if (const size_t at = line.first.rfind(kFolder); at != std::string::npos) {
      names.push_back(line.first.substr(at + kFolder.size()));
    }
    for (const std::string& name : names) {
      if (leaves_its_folder(name)) continue;
      if (auto photo = find_photo(name)) return std::pair(name, std::move(*photo));
      if (extension_rank(name, kPhotoExtensions) == std::size(kPhotoExtensions)) continue;
      const std::string id = without_extension(name);
      const std::string path = (photos_folder(root_) / name).string();
      std::error_code ignored;
      if (fs::is_regular_file(path, ignored)) return std::pair(id, path);
      if (auto photo = find_photo(id)) return std::pair(id, std::move(*photo));
    }
    return std::nullopt;
  }

  std::optional<std::string> mask(const std::string& id) {
    std::string path = (masks_folder(root_) / (id + ".png")).string();
    std::error_code ignored;
    if (fs::exists(path, ignored)) return path;
    if (!masks_) masks_.emplace(masks_folder(root_), kMaskExtensions);
    return masks_->find(id);
  }

 private:
  std::optional<std::string> find_photo(const std::string& id) {
    std::error_code ignored;
    for (const std::string_view extension : kPhotoExtensions) {
      std::string path = (photos_folder(root_) / id).string().append(extension);
      if (fs::exists(path, ignored)) return path;
    }
    if (!photos_) photos_.emplace(photos_folder(root_), kPhotoExtensions);
    return photos_->find(id);
  }

  const std::string& root_;
  std::optional<FolderIndex> photos_;
  std::optional<FolderIndex> masks_;
};

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

/// Red = green = blue = id; nothing if a pixel is not grey.
std::optional<imageio::Image> ids_of_greys(const imageio::Image& rgb) {
  imageio::Image mask = rgb;
  mask.channels = 1;
  mask.pixels.resize(rgb.pixels.size() / 3);
  for (size_t i = 0; i < mask.pixels.size(); ++i) {
    const uint8_t* p = rgb.pixels.data() + 3 * i;
    if (p[0] != p[1] || p[1] != p[2]) return std::nullopt;
    mask.pixels[i] = p[0];
  }
  return mask;
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
        if (auto greys = ids_of_greys(rgb)) return std::move(*greys);
        const auto width = static_cast<size_t>(rgb.width);
        return invalid_image(path, ": colour (", int{colour.red}, ", ", int{colour.green}, ", ",
                             int{colour.blue}, ") at x ", i % width, ", y ", i / width,
                             " is not in the VOC palette; expected class ids as an indexed or "
                             "grey PNG, VOC colours, or --mask-map FILE with the class of each "
                             "colour");
      }
      last = colour;
      last_id = *id;
    }
    mask.pixels[i] = last_id;
  }
  return mask;
}

/// Whether all samples of 16 bits are those of 8 bits, scaled.
bool has_8_bit_samples(const imageio::Image& wide) {
  for (size_t i = 0; i + 1 < wide.pixels.size(); i += 2) {
    if (wide.pixels[i] != wide.pixels[i + 1]) return false;
  }
  return true;
}

/// RGBA without its alpha. Error: a pixel that is not opaque, since nobody knows its class.
Status drop_alpha(imageio::Image& image, const std::string& path) {
  if (image.channels != 4) return {};
  const size_t count = image.pixels.size() / 4;
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* pixel = image.pixels.data() + 4 * i;
    if (pixel[3] != 255) {
      const auto width = static_cast<size_t>(image.width);
      return invalid_image(path, ": the pixel at x ", i % width, ", y ", i / width,
                           " is transparent; expected a mask without transparency");
    }
    std::copy_n(pixel, 3, image.pixels.begin() + static_cast<ptrdiff_t>(3 * i));
  }
  image.pixels.resize(3 * count);
  image.channels = 3;
  return {};
}

}  // namespace

Result<VocDataset> open_voc_dataset(const std::string& root, const std::string& split,
                                    MaskRequirement masks) {
  std::error_code ignored;
  if (!fs::is_directory(root, ignored)) {
    return io_error(root, " is not a directory; expected a dataset in VOC layout");
  }
  const std::string list_path = (splits_folder(root) / (split + ".txt")).string();
  if (!fs::exists(list_path, ignored)) {
    const bool has_photos = fs::is_directory(photos_folder(root), ignored);
    if (split == kEverySplit && has_photos) return open_every_pair(root);
    return no_split(root, split, list_path);
  }
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, read_file(list_path, kMaxListBytes));
  const std::vector<Line> lines =
      split_lines({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (lines.empty()) return invalid_argument(list_path, " lists no photo");
  VocDataset dataset{root, split, {}};
  dataset.items.reserve(lines.size());
  Finder finder(root);
  for (const Line& line : lines) {
    auto found = finder.photo_of(line);
    if (!found && leaves_its_folder(line.first)) {
      return invalid_argument(list_path, ": id '", line.first, "' leaves the dataset's folders");
    }
    if (!found) {
      return io_error("no photo ", (photos_folder(root) / line.first).string(),
                      ".{jpg,jpeg,png,webp,bmp,...}, which ", list_path, " lists");
    }
    auto& [id, photo] = *found;
    std::optional<std::string> mask = finder.mask(id);
    if (!mask && masks == MaskRequirement::kRequired) {
      return io_error("no mask ", (masks_folder(root) / (id + ".png")).string(), " of the photo ",
                      photo);
    }
    dataset.items.push_back({std::move(id), std::move(photo), std::move(mask).value_or("")});
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
  DEEPLAB_ASSIGN_OR_RETURN(imageio::Image mask, decode_wide_mask(bytes, name, options));
  if (mask.channels == 1) return mask;
  const size_t count = mask.pixels.size() / 2;
  for (size_t i = 0; i < count; ++i) {
    if (mask.pixels[2 * i] != 0) {
      const auto width = static_cast<size_t>(mask.width);
      return unsupported(name, ": the 16-bit value ",
                         mask.pixels[2 * i] << 8 | mask.pixels[2 * i + 1], " at x ", i % width,
                         ", y ", i / width,
                         " is out of range; expected labels from 0 to 255; --mask-map FILE says "
                         "what other values mean");
    }
    mask.pixels[i] = mask.pixels[2 * i + 1];
  }
  mask.channels = 1;
  mask.pixels.resize(count);
  return mask;
}

Result<imageio::Image> decode_wide_mask(std::span<const std::byte> bytes, const std::string& name,
                                        const imageio::ReadOptions& options) {
  Result<imageio::Image> mask = imageio::decode_wide_label_png(bytes, name, options);
  if (mask.ok() && is_colour_png(bytes) && has_8_bit_samples(*mask)) {
    mask = unsupported("colours");  // greys among VOC's colours
  }
  // Other PNGs that hold no ids must not be read as pictures: scaled to 8 bits, their ids would be
  // others.
  if (mask.status().code() != StatusCode::kUnsupported || !is_colour_png(bytes)) return mask;
  imageio::ReadOptions with_alpha = options;
  with_alpha.keep_alpha = true;
  DEEPLAB_ASSIGN_OR_RETURN(imageio::Image rgb, imageio::decode_image(bytes, name, with_alpha));
  DEEPLAB_RETURN_IF_ERROR(drop_alpha(rgb, name));
  return ids_of_colours(rgb, name);
}

Result<imageio::Image> read_mask(const VocItem& item, const ClassMap* classes) {
  return classes != nullptr ? classes->read_mask(item.mask_path) : read_mask(item.mask_path);
}

Result<imageio::Image> read_mask_of(const VocItem& item, const ClassMap* classes, int32_t width,
                                    int32_t height) {
  DEEPLAB_ASSIGN_OR_RETURN(imageio::Image mask, read_mask(item, classes));
  DEEPLAB_RETURN_IF_ERROR(check_mask_size(mask, item, width, height));
  return mask;
}

Status check_mask_size(const imageio::Image& mask, const VocItem& item, int32_t width,
                       int32_t height) {
  if (mask.width == width && mask.height == height) return {};
  return invalid_image(item.mask_path, " has ", mask.width, "x", mask.height, " pixels; its photo ",
                       item.image_path, " has ", width, "x", height);
}

std::string black_and_white_text(const std::string& subject, size_t masks,
                                 const ClassMap* classes) {
  const std::string lines = "'0 = background' and '255 = NAME'";
  return str_cat(
      subject, ": ", masks == 1 ? "the mask holds" : str_cat("all ", masks, " masks hold"),
      " 0 and 255 only, and 255 means 'not counted', so nothing but background is left; ",
      classes != nullptr ? str_cat("say in ", classes->name(), " which class 255 is: ")
                         : "say with --mask-map FILE which class 255 is: lines ",
      classes != nullptr ? "'255 = NAME'" : lines);
}

Status check_not_black_and_white(const VocDataset& dataset, const ClassMap* classes) {
  if (classes != nullptr && classes->explains_255()) return {};
  size_t masks = 0;
  bool has_255 = false;
  for (const VocItem& item : dataset.items) {
    if (item.mask_path.empty()) continue;
    const Result<imageio::Image> mask = read_mask(item, classes);
    if (!mask.ok()) continue;
    ++masks;
    for (const uint8_t id : mask->pixels) {
      if (id != 0 && id != vision::kIgnoreLabel) return {};
      has_255 = has_255 || id != 0;
    }
  }
  if (!has_255) return {};
  return invalid_argument(
      black_and_white_text(str_cat(dataset.root, " (", dataset.split, ")"), masks, classes));
}

Status check_class_ids(const imageio::Image& mask, const std::string& path, int32_t classes) {
  const auto wrong = std::ranges::find_if(
      mask.pixels, [classes](uint8_t id) { return id >= classes && id != vision::kIgnoreLabel; });
  if (wrong == mask.pixels.end()) return {};
  const auto at = wrong - mask.pixels.begin();
  return invalid_image(
      path, ": class id ", int{*wrong}, " at x ", at % mask.width, ", y ", at / mask.width,
      "; expected 0 to ", classes - 1, ", or ", int{vision::kIgnoreLabel},
      " for pixels that do not count; --mask-map FILE says what other values mean");
}

}  // namespace deeplab::eval
