// Pictures written by the optional codecs' own libraries, as far as they are built in.
#pragma once

#include "tests/imageio/sample_files.h"

#ifdef DEEPLAB_WITH_LCMS
#define DEEPLAB_TEST_HAS_LCMS true
#else
#define DEEPLAB_TEST_HAS_LCMS false
#endif

namespace deeplab::imageio::testing {

struct GifSpec {
  int width = 0;
  int height = 0;
  Samples palette = {};  ///< 16 RGB triples.
  struct {
    int left, top, width, height;
  } frame = {};
  Samples indices = {};  ///< Of the frame; later frames have none of them.
  bool interlaced = false;
  int transparent = -1;
  int frames = 1;
};
File gif_file(const GifSpec& spec);

struct TiffSpec {
  int width = 0;
  int height = 0;
  int channels = 3;
  int bits = 8;
  Samples samples = {};
  int orientation = 1;
  bool tiled = false;
  bool is_float = false;
};
File tiff_file(const TiffSpec& spec);
/// Another size in the file's first directory.
File with_tiff_size(const File& tiff, uint32_t width, uint32_t height);

struct HeifSpec {
  int width = 0;
  int height = 0;
  Samples samples = {};
  bool avif = false;
};
/// Empty if libheif has no encoder for it.
File heif_file(const HeifSpec& spec);

/// ICC profiles: of colours much wider than sRGB's with another tone curve, and of sRGB itself.
File wide_profile();
File srgb_profile();
/// The profile in an APP2 marker.
File with_jpeg_profile(const File& jpeg, const File& profile);

/// One small valid file of each optional format of this build, for the fuzzers' seeds.
std::vector<NamedFile> optional_flavours();

}  // namespace deeplab::imageio::testing
