// Photos with masks in the layout of PASCAL VOC:
//
//     ROOT/ImageSets/Segmentation/SPLIT.txt   one id per line
//     ROOT/JPEGImages/ID.jpg                  or .jpeg, .png, .webp, .bmp, ..., in any case
//     ROOT/SegmentationClass/ID.png           class ids, 255 = ignore
//
// Every error is one sentence that names the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "eval/class_map.h"
#include "imageio/image.h"
#include "imageio/reader.h"

namespace deeplab::eval {

struct VocItem {
  /// As the split lists it, without a photo's extension; may hold '/', never leaves its folder.
  std::string id;
  std::string image_path;
  std::string mask_path;  ///< Empty: no mask.
};

struct VocDataset {
  std::string root;
  std::string split;
  std::vector<VocItem> items;  ///< In the split's order; an id listed twice is there twice.
  /// What kEverySplit left out: photos without a mask, and masks without a photo.
  size_t photos_without_mask = 0;
  size_t masks_without_photo = 0;
};

/// The split that needs no list: every pair of photo and mask, in the order of their ids. A list of
/// that name goes first.
inline constexpr const char* kEverySplit = "all";

enum class MaskRequirement : uint8_t {
  kRequired,  ///< A photo without a mask is an error.
  kOptional,  ///< It gets an empty mask_path.
};

/// Finds the files of a split; opens none but the list. Of a line the first word counts, since
/// VOC's other lists carry a second column, or all of it if only that is a photo: names may have
/// blanks. An id may have its photo's extension, and JPEGImages/ in front. Errors: no such
/// directory or split (what there is is named, and what to write), an empty split, a photo or a
/// required mask that is missing, an id that leaves its folder.
Result<VocDataset> open_voc_dataset(const std::string& root, const std::string& split,
                                    MaskRequirement masks);

/// A mask as class ids: channels = 1, one byte per pixel, 255 = ignore. An indexed or grey PNG of 8
/// or 16 bits holds the ids themselves, whatever its palette. In a colour PNG every pixel has a
/// colour of the VOC palette, whose id it becomes (224, 224, 192 is 255); or, if one has not, every
/// pixel is a grey, red = green = blue = id. Errors: any other file, an id above 255 (which only a
/// class map explains), a pixel that is not opaque, a colour that is neither, with its place.
Result<imageio::Image> read_mask(const std::string& path);
/// The same from memory; `name` stands for the file in messages.
Result<imageio::Image> decode_mask(std::span<const std::byte> bytes, const std::string& name,
                                   const imageio::ReadOptions& options = {});

/// The same with ids above 255 for a class map: of a PNG of 16 bits channels = 2, the higher byte
/// first.
Result<imageio::Image> decode_wide_mask(std::span<const std::byte> bytes, const std::string& name,
                                        const imageio::ReadOptions& options = {});

/// The mask of a photo through `classes` or, if null, as read_mask() has it.
Result<imageio::Image> read_mask(const VocItem& item, const ClassMap* classes);
/// That for a photo of width x height pixels. Error: the mask has another size.
Result<imageio::Image> read_mask_of(const VocItem& item, const ClassMap* classes, int32_t width,
                                    int32_t height);
/// Error: a mask that has not the size of its photo, width x height pixels.
Status check_mask_size(const imageio::Image& mask, const VocItem& item, int32_t width,
                       int32_t height);

/// Error: masks that hold only 0 and 255. They are black-and-white pictures of an object, of which
/// nothing would be left but background and ignored pixels: every model would score 1. Reads masks
/// until one has another value; those that cannot be read are somebody else's error. A class map
/// that explains 255 is never wrong in this way.
Status check_not_black_and_white(const VocDataset& dataset, const ClassMap* classes);
/// That sentence, for `masks` masks. `subject`: the dataset and its split.
std::string black_and_white_text(const std::string& subject, size_t masks, const ClassMap* classes);

/// Error, with id and place: a pixel that is neither 255 nor in 0..classes-1. `path` names the
/// mask.
Status check_class_ids(const imageio::Image& mask, const std::string& path, int32_t classes);

}  // namespace deeplab::eval
