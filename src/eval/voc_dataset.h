// Photos with masks in the layout of PASCAL VOC:
//
//     ROOT/ImageSets/Segmentation/SPLIT.txt   one id per line
//     ROOT/JPEGImages/ID.jpg                  or .jpeg, .png, .webp
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
#include "imageio/image.h"
#include "imageio/reader.h"

namespace deeplab::eval {

struct VocItem {
  std::string id;  ///< As the split lists it; may hold '/', never leaves its folder.
  std::string image_path;
  std::string mask_path;  ///< Empty: no mask.
};

struct VocDataset {
  std::string root;
  std::string split;
  std::vector<VocItem> items;  ///< In the split's order; an id listed twice is there twice.
};

enum class MaskRequirement : uint8_t {
  kRequired,  ///< A photo without a mask is an error.
  kOptional,  ///< It gets an empty mask_path.
};

/// Finds the files of a split; opens none but the list. Of a line only the first word counts, since
/// VOC's other lists carry a second column. Errors: no such directory or split (the splits that
/// exist are named), an empty split, a photo or a required mask that is missing, an id that leaves
/// its folder.
Result<VocDataset> open_voc_dataset(const std::string& root, const std::string& split,
                                    MaskRequirement masks);

/// A mask as class ids: channels = 1, one byte per pixel, 255 = ignore. An indexed or grey PNG (at
/// most 8 bits) holds the ids themselves, whatever its palette; in a colour PNG every pixel must
/// have a colour of the VOC palette, whose id it becomes (224, 224, 192 is 255). Errors: any other
/// file, or a colour that is not in the palette, with its place.
Result<imageio::Image> read_mask(const std::string& path);
/// The same from memory; `name` stands for the file in messages.
Result<imageio::Image> decode_mask(std::span<const std::byte> bytes, const std::string& name,
                                   const imageio::ReadOptions& options = {});

/// read_mask() for a photo of width x height pixels. Error: the mask has another size.
Result<imageio::Image> read_mask_of(const VocItem& item, int32_t width, int32_t height);
/// Error: a mask that has not the size of its photo, width x height pixels.
Status check_mask_size(const imageio::Image& mask, const VocItem& item, int32_t width,
                       int32_t height);

/// Error, with id and place: a pixel that is neither 255 nor in 0..classes-1. `path` names the
/// mask.
Status check_class_ids(const imageio::Image& mask, const std::string& path, int32_t classes);

}  // namespace deeplab::eval
