#include "apps/deeplab/segment/output.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <utility>

#include "apps/deeplab/common/options.h"
#include "apps/deeplab/segment/json_polygons.h"
#include "base/file.h"
#include "base/status.h"
#include "vision/palette.h"

namespace deeplab::app {
namespace {

namespace fs = std::filesystem;

struct OutputName {
  std::string_view name;
  bool OutputSet::*member;
};
constexpr OutputName kOutputNames[] = {{"mask", &OutputSet::mask},
                                       {"overlay", &OutputSet::overlay},
                                       {"cutout", &OutputSet::cutout},
                                       {"scores", &OutputSet::scores},
                                       {"polygons", &OutputSet::polygons}};

/// The path with its directory resolved; the file itself may be a link, or not there at all.
std::string canonical_path(const fs::path& path) {
  std::error_code error;
  const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const fs::path resolved = fs::canonical(parent, error);
  return ((error ? parent : resolved) / path.filename()).string();
}

/// Labels as parts of file names: no separators, no dots. A label that another one already
/// turned into gets its id, too.
std::vector<std::string> make_file_labels(const std::vector<std::string>& labels) {
  std::vector<std::string> names;
  std::set<std::string> used;
  for (size_t id = 0; id < labels.size(); ++id) {
    std::string name = labels[id];
    for (char& c : name) {
      const bool is_control = static_cast<unsigned char>(c) < 0x20;
      if (is_control || c == '/' || c == '\\' || c == '.' || c == ' ') c = '_';
    }
    if (!used.insert(name).second) name = str_cat(name, "-", id);
    names.push_back(std::move(name));
  }
  return names;
}

// Probabilities at a time: 4 MB, whatever the photo's size.
constexpr int32_t kConfidenceBlock = 1 << 20;

}  // namespace

Result<OutputSet> OutputSet::parse(std::string_view list) {
  OutputSet set;
  for (const std::string& item : split_list(list)) {
    const auto* known = std::ranges::find(kOutputNames, item, &OutputName::name);
    if (known == std::end(kOutputNames)) {
      return invalid_argument("unknown output '", item,
                              "'; expected mask, overlay, cutout, scores or polygons");
    }
    set.*known->member = true;
  }
  return set;
}

OutputNames::OutputNames(std::string directory, std::span<const Photo> inputs)
    : directory_(std::move(directory)) {
  for (const Photo& photo : inputs) inputs_.insert(canonical_path(photo.path));
}

Status OutputNames::claim(const Photo& photo) {
  const std::string stem = (fs::path(photo.folder) / photo.stem).string();
  const auto [it, is_new] = claimed_.try_emplace(stem, photo.name());
  if (is_new) return {};
  return invalid_argument(photo.name(), ": its outputs would have the same names as those of ",
                          it->second, " (", stem, ".*); segment it in a call with another -o");
}

Result<std::string> OutputNames::path(const Photo& photo, std::string_view suffix) const {
  std::string path =
      (fs::path(directory_) / photo.folder / str_cat(photo.stem, ".", suffix)).string();
  if (!inputs_.contains(canonical_path(path))) return path;
  return invalid_argument(photo.name(), ": its output ", path,
                          " is itself a photo of this call; choose another -o");
}

OutputWriter::OutputWriter(const OutputOptions& options, const OutputNames& names)
    : options_(options),
      names_(names),
      chosen_(options_.classes),
      file_labels_(make_file_labels(options_.labels)) {
  for (int32_t id = 1; options_.classes.empty() && id < std::ssize(options_.labels); ++id) {
    chosen_.push_back(id);
  }
}

Status OutputWriter::write(const SegmentedPhoto& segmented, Segmenter& segmenter) {
  const OutputSet& set = options_.write;
  if (set.mask) DEEPLAB_RETURN_IF_ERROR(write_mask(segmented));
  if (set.overlay) DEEPLAB_RETURN_IF_ERROR(write_overlay(segmented));
  if (set.cutout) DEEPLAB_RETURN_IF_ERROR(write_cutout(segmented, segmenter));
  if (set.scores) DEEPLAB_RETURN_IF_ERROR(write_scores(segmented, segmenter));
  if (set.polygons) DEEPLAB_RETURN_IF_ERROR(write_polygons(segmented));
  return {};
}

Status OutputWriter::write_mask(const SegmentedPhoto& segmented) {
  const MaskView& mask = segmented.mask;
  vision::Palette palette;
  for (size_t id = 0; id < palette.size(); ++id) {
    const uint8_t* rgb = options_.palette.data() + 3 * id;
    palette[id] = {rgb[0], rgb[1], rgb[2]};
  }
  return write_file(*segmented.photo, "mask.png",
                    imageio::encode_png_indexed(mask.width, mask.height, mask.ids, palette));
}

Status OutputWriter::write_overlay(const SegmentedPhoto& segmented) {
  Result<imageio::EncodedImage> jpeg = encode_overlay(segmented);
  return write_file(*segmented.photo, "overlay.jpg", jpeg);
}

Result<imageio::EncodedImage> OutputWriter::encode_overlay(const SegmentedPhoto& segmented) {
  const MaskView& mask = segmented.mask;
  OverlayOptions options;
  options.labels = options_.labels;
  options.palette = &options_.palette;
  DEEPLAB_ASSIGN_OR_RETURN(const Overlay overlay, Overlay::create(mask, options));
  DEEPLAB_ASSIGN_OR_RETURN(
      imageio::JpegWriter jpeg,
      imageio::JpegWriter::start(mask.width, mask.height, options_.jpeg_quality));
  pixels_.resize(static_cast<size_t>(mask.width) * 3);  // from the decoder to the encoder by rows
  int32_t y = 0;
  DEEPLAB_RETURN_IF_ERROR(
      for_each_row(*segmented.file, *segmented.decoded, options_.decode, [&](const uint8_t* rgb) {
        std::copy_n(rgb, pixels_.size(), pixels_.data());
        if (Status drawn = overlay.draw_row(y++, pixels_.data()); !drawn.ok()) return drawn;
        return jpeg.write_row(pixels_.data());
      }));
  return jpeg.finish();
}

Status OutputWriter::write_cutout(const SegmentedPhoto& segmented, Segmenter& segmenter) {
  const MaskView& mask = segmented.mask;
  const auto width = static_cast<size_t>(mask.width);
  DEEPLAB_ASSIGN_OR_RETURN(AtomicFile file, create_file(*segmented.photo, "cutout.png"));
  DEEPLAB_ASSIGN_OR_RETURN(
      imageio::PngWriter png,
      imageio::PngWriter::start_rgba(mask.width, mask.height, [&](std::span<const std::byte> part) {
        return file.write(part);
      }));
  pixels_.resize(width * 4);
  int32_t y = 0, block_begin = 0, block_end = 0;
  const Status drawn = for_each_row(
      *segmented.file, *segmented.decoded, options_.decode, [&](const uint8_t* rgb) -> Status {
        if (y == block_end) {
          block_begin = y;
          DEEPLAB_ASSIGN_OR_RETURN(block_end, sum_confidence(chosen_, mask, y, segmenter));
        }
        const ImageView row = {rgb, mask.width, 1, ptrdiff_t{mask.width} * 3};
        const auto confidence =
            std::span(confidence_).subspan(static_cast<size_t>(y++ - block_begin) * width, width);
        DEEPLAB_RETURN_IF_ERROR(cut_out(row, confidence, pixels_));
        return png.write_row(pixels_.data());
      });
  DEEPLAB_RETURN_IF_ERROR(drawn);
  DEEPLAB_RETURN_IF_ERROR(png.finish());
  return annotate(file.commit(), segmented.photo->name());
}

Status OutputWriter::write_scores(const SegmentedPhoto& segmented, Segmenter& segmenter) {
  std::vector<int32_t> ids = options_.classes;
  if (ids.empty()) {
    for (const ClassShare& share : segmented.shares) ids.push_back(share.id);
  }
  for (const int32_t id : ids) DEEPLAB_RETURN_IF_ERROR(write_score(id, segmented, segmenter));
  return {};
}

Status OutputWriter::write_score(int32_t id, const SegmentedPhoto& segmented,
                                 Segmenter& segmenter) {
  const MaskView& mask = segmented.mask;
  const auto width = static_cast<size_t>(mask.width);
  DEEPLAB_ASSIGN_OR_RETURN(
      AtomicFile file,
      create_file(*segmented.photo, file_labels_[static_cast<size_t>(id)] + ".confidence.png"));
  DEEPLAB_ASSIGN_OR_RETURN(imageio::PngWriter png,
                           imageio::PngWriter::start_gray16(
                               mask.width, mask.height,
                               [&](std::span<const std::byte> part) { return file.write(part); }));
  gray16_.resize(width);
  for (int32_t begin = 0; begin < mask.height;) {
    DEEPLAB_ASSIGN_OR_RETURN(const int32_t end, sum_confidence({&id, 1}, mask, begin, segmenter));
    for (const float* row = confidence_.data(); begin < end; ++begin, row += width) {
      std::transform(row, row + width, gray16_.begin(), [](float p) {
        return static_cast<uint16_t>(std::lround(65535 * std::clamp(p, 0.0f, 1.0f)));
      });
      DEEPLAB_RETURN_IF_ERROR(png.write_row(gray16_.data()));
    }
  }
  DEEPLAB_RETURN_IF_ERROR(png.finish());
  return annotate(file.commit(), segmented.photo->name());
}

Status OutputWriter::write_polygons(const SegmentedPhoto& segmented) {
  CocoOptions options;
  options.classes = chosen_;
  options.labels = options_.labels;
  options.min_area = options_.min_area;
  options.tolerance = options_.tolerance;
  const Photo& photo = *segmented.photo;
  DEEPLAB_ASSIGN_OR_RETURN(
      const std::string document,
      coco_polygons((fs::path(photo.folder) / fs::path(photo.path).filename()).string(),
                    segmented.mask, options));
  return write_file(photo, "polygons.json", std::as_bytes(std::span(document)));
}

Result<int32_t> OutputWriter::sum_confidence(std::span<const int32_t> ids, const MaskView& mask,
                                             int32_t y, Segmenter& segmenter) {
  const int32_t rows = std::clamp(kConfidenceBlock / mask.width, 1, mask.height - y);
  confidence_.resize(static_cast<size_t>(rows) * static_cast<size_t>(mask.width));
  DEEPLAB_RETURN_IF_ERROR(
      segmenter.confidence_mask(ids, mask.width, mask.height, y, y + rows, confidence_));
  return y + rows;
}

Result<AtomicFile> OutputWriter::create_file(const Photo& photo, std::string_view suffix) const {
  DEEPLAB_ASSIGN_OR_RETURN(const std::string path, names_.path(photo, suffix));
  if (!photo.folder.empty()) {
    std::error_code ignored;  // the file says what is wrong
    fs::create_directories(fs::path(path).parent_path(), ignored);
  }
  Result<AtomicFile> file = AtomicFile::create(path);
  if (!file.ok()) return annotate(file.status(), photo.name());
  return file;
}

Status OutputWriter::write_file(const Photo& photo, std::string_view suffix,
                                std::span<const std::byte> bytes) {
  DEEPLAB_ASSIGN_OR_RETURN(AtomicFile file, create_file(photo, suffix));
  DEEPLAB_RETURN_IF_ERROR(annotate(file.write(bytes), photo.name()));
  return annotate(file.commit(), photo.name());
}

Status OutputWriter::write_file(const Photo& photo, std::string_view suffix,
                                const Result<imageio::EncodedImage>& image) {
  if (!image.ok()) return annotate(image.status(), str_cat(photo.name(), ": ", suffix));
  return write_file(photo, suffix, std::span<const std::byte>(*image));
}

}  // namespace deeplab::app
