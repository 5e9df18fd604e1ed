// libjpeg's error manager, tied to CError. Shared by the JPEG reader and writer.
#pragma once

// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>  // uses size_t and FILE without including them
#include <jerror.h>
// clang-format on

#include "imageio/c_error.h"

namespace deeplab::imageio {

struct JpegErrorManager {
  jpeg_error_mgr base;  // first, so that libjpeg's pointer to it is also a pointer to this
  CError error;
  /// Decides, if not null, whether libjpeg may continue after a warning that costs pixels.
  bool (*tolerates)(j_common_ptr jpeg, int code) = nullptr;
  char warning[JMSG_LENGTH_MAX] = "";  ///< The first one that was tolerated.
};

inline void format_jpeg_message(j_common_ptr jpeg, char* text) {
  if (jpeg->err->msg_code == JWRN_JPEG_EOF) {
    std::strcpy(text, "the data ends early (truncated file)");
  } else {
    (*jpeg->err->format_message)(jpeg, text);
  }
}

[[noreturn]] inline void jpeg_raise(j_common_ptr jpeg) {
  static_assert(sizeof(CError::message) > JMSG_LENGTH_MAX);
  char text[JMSG_LENGTH_MAX];
  format_jpeg_message(jpeg, text);
  reinterpret_cast<JpegErrorManager*>(jpeg->err)->error.raise(
      jpeg->err->msg_code == JERR_OUT_OF_MEMORY ? StatusCode::kResourceExhausted
                                                : StatusCode::kInvalidImage,
      text);
}

/// libjpeg continues after a warning (level -1), with grey for lost pixels. The warnings that cost
/// no pixels are let pass without a word.
inline void jpeg_message(j_common_ptr jpeg, int level) {
  if (level >= 0) return;
  switch (jpeg->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_BOGUS_ICC:
    case JWRN_BOGUS_PROGRESSION:
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_JFIF_MAJOR:
    case JWRN_NOT_SEQUENTIAL:
      return;
    default:
      break;
  }
  auto* manager = reinterpret_cast<JpegErrorManager*>(jpeg->err);
  if (manager->tolerates == nullptr || !manager->tolerates(jpeg, jpeg->err->msg_code)) {
    jpeg_raise(jpeg);
  }
  if (manager->warning[0] == '\0') format_jpeg_message(jpeg, manager->warning);
}

/// The manager for jpeg_decompress_struct::err or jpeg_compress_struct::err; prints nothing.
inline jpeg_error_mgr* init_jpeg_errors(JpegErrorManager& manager) {
  jpeg_std_error(&manager.base);
  manager.base.error_exit = jpeg_raise;
  manager.base.emit_message = jpeg_message;
  manager.base.output_message = [](j_common_ptr) {};
  return &manager.base;
}

}  // namespace deeplab::imageio
