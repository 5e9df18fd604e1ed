#include "photos/photos.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/file.h"

namespace deeplab::photos {
namespace {

namespace fs = std::filesystem;

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool is_named_like_image(const fs::path& path) {
  static constexpr std::string_view kExtensions[] = {".jpg", ".jpeg", ".png", ".webp",
                                                     ".ppm", ".pgm",  ".pnm", ".bmp"};
  static constexpr std::string_view kOwnOutputs[] = {".mask.png", ".overlay.jpg", ".cutout.png",
                                                     ".confidence.png"};
  const std::string name = lower_case(path.filename().string());
  const auto ends_name = [&name](std::string_view end) { return name.ends_with(end); };
  return std::ranges::any_of(kExtensions, ends_name) &&
         std::ranges::none_of(kOwnOutputs, ends_name);
}

Photo make_photo(const fs::path& path) {
  if (path == "-") return {"-", "stdin"};
  return {path.string(), path.stem().string()};
}

void walk(const fs::path& directory, PhotoList& list) {
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
      if (!entry.is_symlink(ignored)) walk(entry.path(), list);  // links may run in circles
    } else if (is_named_like_image(entry.path())) {
      list.photos.push_back(make_photo(entry.path()));
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
    walk(argument, list);
    if (list.photos.size() + list.errors.size() == before) {
      list.errors.push_back(io_error(argument, ": no photo in this directory"));
    }
  }
  return list;
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
                                  int32_t canvas_height, bool with_own_size) {
  imageio::ReadOptions options;
  DEEPLAB_ASSIGN_OR_RETURN(options.target_side,
                           long_side_for_canvas(file.info, fit, canvas_width, canvas_height));
  DecodedPhoto decoded;
  DEEPLAB_ASSIGN_OR_RETURN(decoded.small, imageio::decode_image(file.bytes, file.name, options));
  if (with_own_size && !decoded.has_own_size()) {
    options.target_side = 0;
    DEEPLAB_ASSIGN_OR_RETURN(decoded.full, imageio::decode_image(file.bytes, file.name, options));
  }
  return decoded;
}

Result<DecodedPhoto> decode_photo(const Photo& photo, vision::Fit fit, int32_t canvas_width,
                                  int32_t canvas_height, bool with_own_size) {
  DEEPLAB_ASSIGN_OR_RETURN(const PhotoFile file, read_photo(photo));
  return decode_photo(file, fit, canvas_width, canvas_height, with_own_size);
}

Status for_each_row(const PhotoFile& file, const DecodedPhoto& decoded,
                    const imageio::RowSink& sink) {
  if (!decoded.has_own_size()) return imageio::decode_rows(file.bytes, file.name, {}, sink);
  const vision::ImageView pixels = view_of(decoded.own_size());
  for (int32_t y = 0; y < pixels.height; ++y) DEEPLAB_RETURN_IF_ERROR(sink(pixels.row(y)));
  return {};
}

vision::ImageView view_of(const imageio::Image& image) {
  return {image.pixels.data(), image.width, image.height, ptrdiff_t{image.width} * image.channels,
          vision::PixelFormat::kRgb8};
}

}  // namespace deeplab::photos
