// The codecs of this build. This is the one place that knows what CMake left out.
#pragma once

#include <array>

#include "imageio/codec.h"

namespace deeplab::imageio {

#ifdef DEEPLAB_WITH_HEIF
inline constexpr bool kHasHeif = true;
#else
inline constexpr bool kHasHeif = false;
#endif
#ifdef DEEPLAB_WITH_TIFF
inline constexpr bool kHasTiff = true;
#else
inline constexpr bool kHasTiff = false;
#endif
#ifdef DEEPLAB_WITH_GIF
inline constexpr bool kHasGif = true;
#else
inline constexpr bool kHasGif = false;
#endif

/// The codec that takes a file that begins like this; null if none does.
inline const Codec* find_codec(Bytes bytes) {
  static constexpr const Codec* kCodecs[] = {
      &kJpegCodec, &kPngCodec, &kWebpCodec, &kBmpCodec, &kPnmCodec,
#ifdef DEEPLAB_WITH_HEIF
      &kHeifCodec,
#endif
#ifdef DEEPLAB_WITH_TIFF
      &kTiffCodec,
#endif
#ifdef DEEPLAB_WITH_GIF
      &kGifCodec,
#endif
  };
  for (const Codec* codec : kCodecs) {
    if (codec->recognizes(bytes)) return codec;
  }
  return nullptr;
}

}  // namespace deeplab::imageio
