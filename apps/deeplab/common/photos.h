// Names of the photos room that the commands use.
#pragma once

#include "deeplab/deeplab.hpp"
#include "photos/photos.h"

namespace deeplab::app {

using photos::decode_photo;
using photos::DecodedPhoto;
using photos::find_photos;
using photos::for_each_row;
using photos::Photo;
using photos::PhotoFile;
using photos::PhotoList;
using photos::read_photo;
using photos::view_of;

/// A decoded photo for the public interface.
inline ImageView picture_of(const imageio::Image& image) {
  return {image.pixels.data(), image.width, image.height, ptrdiff_t{image.width} * image.channels};
}

}  // namespace deeplab::app
