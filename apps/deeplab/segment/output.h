// The files that `segment` writes for a photo, and their names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/deeplab/common/photos.h"
#include "apps/deeplab/segment/report.h"
#include "base/file.h"
#include "deeplab/deeplab.hpp"
#include "deeplab/deeplab_draw.hpp"
#include "imageio/image.h"
#include "imageio/writer.h"

namespace deeplab::app {

/// Which files; the names are those of --write.
struct OutputSet {
  bool mask = false;      ///< STEM.mask.png: class ids in colours.
  bool overlay = false;   ///< STEM.overlay.jpg: the mask over the photo, with a legend.
  bool cutout = false;    ///< STEM.cutout.png: RGBA, alpha from the confidence.
  bool scores = false;    ///< STEM.CLASS.confidence.png: 16-bit grey, 65535 is probability 1.
  bool polygons = false;  ///< STEM.polygons.json: COCO.

  /// By the names in the comma-separated `list`. Error: another name.
  static Result<OutputSet> parse(std::string_view list);
  /// Whether one of the files is made of the mask; the others are made of the scores.
  bool uses_mask() const { return mask || overlay || polygons; }
  /// Whether one of the files depends on --class.
  bool uses_classes() const { return cutout || scores || polygons; }
};

struct OutputOptions {
  std::string directory;
  OutputSet write;
  std::vector<std::string> labels;  ///< By class id.
  /// For the cut-out, the polygons and the scores. Empty: every class but the background, and,
  /// for the scores, those that the photo holds.
  std::vector<int32_t> classes;
  Palette palette{};             ///< Of masks and overlays.
  photos::DecodeOptions decode;  ///< As the photo was decoded for the network.
  int jpeg_quality = 90;
  int64_t min_area = 1;
  double tolerance = 1;
};

/// A photo after the network.
struct SegmentedPhoto {
  const Photo* photo = nullptr;
  const PhotoFile* file = nullptr;
  const DecodedPhoto* decoded = nullptr;
  MaskView mask;  ///< Without ids if OutputSet::uses_mask() says no.
  std::span<const ClassShare> shares;
};

/// The names of the files of one run: below the output directory as the photos lie below the
/// directory that the user named. Several threads may call the const methods.
class OutputNames {
 public:
  /// `inputs` are the photos of the whole run; none of them is ever written over.
  OutputNames(std::string directory, std::span<const Photo> inputs);

  /// Reserves the names of a photo's files. Error: an earlier photo of this run has them.
  Status claim(const Photo& photo);
  /// DIR/FOLDER/STEM.SUFFIX. Error: a photo of this run has this path.
  Result<std::string> path(const Photo& photo, std::string_view suffix) const;

 private:
  std::string directory_;
  std::set<std::string> inputs_;                // canonical paths
  std::map<std::string, std::string> claimed_;  // FOLDER/STEM -> path of the photo that has it
};

/// Writes the files of photos, each whole or not at all. Keeps its buffers between photos; one per
/// thread.
class OutputWriter {
 public:
  /// Both must outlive the writer.
  OutputWriter(const OutputOptions& options, const OutputNames& names);

  /// All files of one photo; `segmenter` has just run on it. Errors name the file.
  Status write(const SegmentedPhoto& segmented, Segmenter& segmenter);

  /// Whether all files of a photo are there already: whole, of the photo's size, and not older than
  /// the photo. What they were made with is not known. Scores count as missing if no class
  /// was named, since only the network could say which files there should be.
  bool is_written(const Photo& photo, const imageio::ImageInfo& info) const;

 private:
  Status write_mask(const SegmentedPhoto& segmented);
  Status write_overlay(const SegmentedPhoto& segmented);
  Result<imageio::EncodedImage> encode_overlay(const SegmentedPhoto& segmented);
  Status write_cutout(const SegmentedPhoto& segmented, Segmenter& segmenter);
  Status write_scores(const SegmentedPhoto& segmented, Segmenter& segmenter);
  Status write_score(int32_t id, const SegmentedPhoto& segmented, Segmenter& segmenter);
  Status write_polygons(const SegmentedPhoto& segmented);
  /// Leaves in confidence_ the probability of a pixel being of any class of `ids`, for a block of
  /// rows that begins with y; gives the row after the block.
  Result<int32_t> sum_confidence(std::span<const int32_t> ids, const MaskView& mask, int32_t y,
                                 Segmenter& segmenter);
  /// The file for a photo's output, in a folder that is there.
  Result<AtomicFile> create_file(const Photo& photo, std::string_view suffix) const;
  Status write_file(const Photo& photo, std::string_view suffix, std::span<const std::byte> bytes);
  Status write_file(const Photo& photo, std::string_view suffix,
                    const Result<imageio::EncodedImage>& image);

  const OutputOptions& options_;
  const OutputNames& names_;
  std::vector<int32_t> chosen_;           // options_.classes, or all but the background
  std::vector<std::string> file_labels_;  // by class id, fit for a file name, all different
  std::vector<uint8_t> pixels_;
  std::vector<uint16_t> gray16_;
  std::vector<float> confidence_;
};

}  // namespace deeplab::app
