#include "photos/photos.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/file.h"
#include "imageio/file_kind.h"

namespace deeplab::photos {
namespace {

namespace fs = std::filesystem;

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

template <size_t kCount>
bool ends_with_any(const fs::path& path, const std::string_view (&ends)[kCount]) {
  const std::string name = lower_case(path.filename().string());
  return std::ranges::any_of(ends, [&](std::string_view end) { return name.ends_with(end); });
}

/// What every build reads. Such a file that turns out to be something else is an error.
bool is_named_like_photo(const fs::path& path) {
  static constexpr std::string_view kExtensions[] = {".jpg", ".jpeg", ".jfif", ".png", ".webp",
                                                     ".ppm", ".pgm",  ".pbm",  ".pnm", ".bmp"};
  return ends_with_any(path, kExtensions);
}

bool is_own_output(const fs::path& path) {
  static constexpr std::string_view kOwnOutputs[] = {".mask.png", ".overlay.jpg", ".cutout.png",
                                                     ".confidence.png", ".polygons.json"};
  return ends_with_any(path, kOwnOutputs);
}

Photo make_photo(const fs::path& path) {
  if (path == "-") return {"-", "stdin"};
  return {path.string(), path.stem().string()};
}

/// The first bytes of a regular file; an error if it cannot be read.
Result<imageio::FileKind> kind_of_file(const fs::path& path) {
  std::array<char, imageio::kKindBytes> bytes;
  std::ifstream in(path, std::ios::binary);
  in.read(bytes.data(), bytes.size());
  if (in.bad() || !in.is_open()) return io_error("cannot be read");
  return imageio::kind_of(std::as_bytes(std::span(bytes).first(static_cast<size_t>(in.gcount()))));
}

/// A file of a directory: to the photos, or to those passed over.
void sort_in(const fs::directory_entry& entry, const fs::path& folder, PhotoList& list) {
  std::error_code error;
  const bool is_file = entry.is_regular_file(error);
  // One that cannot be opened, or whose link leads nowhere, says so later if it is named as one.
  if (is_named_like_photo(entry.path()) && (is_file || error || !entry.exists(error))) {
    list.photos.push_back(make_photo(entry.path()));
    list.photos.back().folder = folder.string();
    return;
  }
  std::string kind = "special file";  // reading a pipe or a device might never end
  if (is_file) {
    const Result<imageio::FileKind> found = kind_of_file(entry.path());
    if (found.ok() && found->readable) {
      list.photos.push_back(make_photo(entry.path()));
      list.photos.back().folder = folder.string();
      return;
    }
    kind = found.ok() ? std::string(found->name) : "unreadable file";
  }
  list.passed_over.push_back({entry.path().string(), std::move(kind)});
}

void walk(const fs::path& directory, const fs::path& folder, PhotoList& list) {
  std::error_code error;
  std::vector<fs::directory_entry> entries;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    entries.push_back(*it);
  }
  if (error) {
    list.errors.push_back(
        io_error(directory.string(), ": cannot read the directory: ", error.message()));
  }
  std::ranges::sort(entries);
  for (const fs::directory_entry& entry : entries) {
    std::error_code ignored;  // what cannot be opened is not a photo
    if (entry.path().filename().string().starts_with('.')) continue;
    if (entry.is_directory(ignored)) {
      if (entry.is_symlink(ignored)) continue;  // links may run in circles
      walk(entry.path(), folder / entry.path().filename(), list);
    } else if (!is_own_output(entry.path())) {
      sort_in(entry, folder, list);
    }
  }
}

/// The least long side at which a photo still has a pixel for every canvas pixel it covers.
Result<int32_t> long_side_for_canvas(const imageio::ImageInfo& info, vision::Fit fit,
                                     int32_t canvas_width, int32_t canvas_height) {
  DEEPLAB_ASSIGN_OR_RETURN(
      const vision::Placement placement,
      vision::place(fit, info.width, info.height, canvas_width, canvas_height));
  const double scale = std::max(placement.scale_x, placement.scale_y);
  return static_cast<int32_t>(std::ceil(std::max(info.width, info.height) * std::min(scale, 1.0)));
}

}  // namespace

PhotoList find_photos(const std::vector<std::string>& arguments) {
  PhotoList list;
  for (const std::string& argument : arguments) {
    std::error_code ignored;  // a file that is not there says so when it is opened
    if (!fs::is_directory(argument, ignored)) {
      list.photos.push_back(make_photo(argument));
      continue;
    }
    const size_t before = list.photos.size() + list.errors.size();
    walk(argument, {}, list);
    if (list.photos.size() + list.errors.size() == before) {
      list.errors.push_back(io_error(argument, ": no photo in this directory"));
    }
  }
  return list;
}

std::string passed_over_line(const std::vector<PassedOver>& files) {
  constexpr size_t kMostNames = 3;
  std::map<std::string, std::vector<std::string>> kinds;
  for (const PassedOver& file : files) {
    kinds[file.kind].push_back(fs::path(file.path).filename().string());
  }
  std::vector<std::pair<std::string, std::vector<std::string>>> sorted(kinds.begin(), kinds.end());
  std::ranges::stable_sort(
      sorted, [](const auto& a, const auto& b) { return a.second.size() > b.second.size(); });
  std::string line;
  for (const auto& [kind, names] : sorted) {
    line += str_cat(line.empty() ? "" : ", ", names.size(), " ", kind, names.size() == 1 ? "" : "s",
                    " (");
    for (size_t i = 0; i < std::min(names.size(), kMostNames); ++i) {
      line += str_cat(i == 0 ? "" : ", ", names[i]);
    }
    if (names.size() > kMostNames) line += str_cat(" and ", names.size() - kMostNames, " more");
    line += ")";
  }
  if (line.empty()) return line;
  return str_cat("passed over ", files.size(), files.size() == 1 ? " file: " : " files: ", line);
}

Result<PhotoFile> read_photo(const Photo& photo) {
  PhotoFile file;
  file.name = photo.name();
  DEEPLAB_ASSIGN_OR_RETURN(file.bytes,
                           read_file(photo.path, imageio::ReadOptions().max_file_bytes));
  DEEPLAB_ASSIGN_OR_RETURN(file.info, imageio::probe_image(file.bytes, file.name));
  return file;
}

Result<DecodedPhoto> decode_photo(const PhotoFile& file, vision::Fit fit, int32_t canvas_width,
                                  int32_t canvas_height, const DecodeOptions& options) {
  imageio::ReadOptions read;
  read.strict = options.strict;
  read.to_srgb = options.color == ColorManagement::kAll;
  DEEPLAB_ASSIGN_OR_RETURN(read.target_side,
                           long_side_for_canvas(file.info, fit, canvas_width, canvas_height));
  DecodedPhoto decoded;
  DEEPLAB_ASSIGN_OR_RETURN(decoded.small, imageio::decode_image(file.bytes, file.name, read));
  const imageio::Image& image = decoded.small;
  decoded.is_complete =
      image.width == image.original_width && image.height == image.original_height &&
      !(options.color == ColorManagement::kView && imageio::has_color_profile(file.bytes));
  return decoded;
}

Result<DecodedPhoto> decode_photo(const Photo& photo, vision::Fit fit, int32_t canvas_width,
                                  int32_t canvas_height, const DecodeOptions& options) {
  DEEPLAB_ASSIGN_OR_RETURN(const PhotoFile file, read_photo(photo));
  return decode_photo(file, fit, canvas_width, canvas_height, options);
}

Status for_each_row(const PhotoFile& file, const DecodedPhoto& decoded,
                    const DecodeOptions& options, const imageio::RowSink& sink) {
  if (!decoded.is_complete) {
    imageio::ReadOptions read;
    read.strict = options.strict;
    read.to_srgb = options.color != ColorManagement::kOff;
    return imageio::decode_rows(file.bytes, file.name, read, sink);
  }
  const vision::ImageView pixels = view_of(decoded.small);
  for (int32_t y = 0; y < pixels.height; ++y) DEEPLAB_RETURN_IF_ERROR(sink(pixels.row(y)));
  return {};
}

vision::ImageView view_of(const imageio::Image& image) {
  return {image.pixels.data(), image.width, image.height, ptrdiff_t{image.width} * image.channels,
          vision::PixelFormat::kRgb8};
}

}  // namespace deeplab::photos
