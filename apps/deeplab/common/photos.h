// Names of the photos room that the commands use.
#pragma once

#include <string>

#include "apps/deeplab/common/command.h"
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

/// A warning about a damaged photo that was read nevertheless, on standard error.
void print_warning(const std::string& photo, const std::string& warning);
void print_warning(const Photo& photo, const std::string& warning);

/// The line about the files of directories that were passed over, on standard error; not if
/// `quiet`, unless it is an error. kFailed if there are any and `strict`.
ExitCode report_passed_over(const std::vector<photos::PassedOver>& files, bool strict, bool quiet);

/// A decoded photo for the public interface.
inline ImageView picture_of(const imageio::Image& image) {
  return {image.pixels.data(), image.width, image.height, ptrdiff_t{image.width} * image.channels};
}

}  // namespace deeplab::app
