// GIF by giflib: the first frame, on its canvas.
#include <gif_lib.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "imageio/codec.h"

namespace deeplab::imageio {
namespace {

int on_read(GifFileType* gif, GifByteType* out, int size) {
  auto* rest = static_cast<Bytes*>(gif->UserData);
  const size_t count = std::min(static_cast<size_t>(std::max(size, 0)), rest->size());
  std::memcpy(out, rest->data(), count);
  *rest = rest->subspan(count);
  return static_cast<int>(count);
}

struct Close {
  void operator()(GifFileType* gif) const { DGifCloseFile(gif, nullptr); }
};
using File = std::unique_ptr<GifFileType, Close>;

Status failure(int code) {
  if (code == D_GIF_ERR_NOT_ENOUGH_MEM) {
    return resource_exhausted("not enough memory to decode the GIF");
  }
  const char* text = GifErrorString(code);
  return invalid_image("damaged GIF: ", text != nullptr ? text : "the file contradicts itself");
}

Result<File> open(Bytes& rest) {
  int code = 0;
  File gif(DGifOpen(&rest, on_read, &code));
  if (gif == nullptr) return failure(code);
  return gif;
}

/// Up to the first frame's pixels; the transparent colour of it, or -1.
Result<int> read_frame_header(GifFileType* gif) {
  int transparent = -1;
  while (true) {
    GifRecordType type = UNDEFINED_RECORD_TYPE;
    if (DGifGetRecordType(gif, &type) == GIF_ERROR) return failure(gif->Error);
    if (type == IMAGE_DESC_RECORD_TYPE) {
      if (DGifGetImageDesc(gif) == GIF_ERROR) return failure(gif->Error);
      return transparent;
    }
    if (type != EXTENSION_RECORD_TYPE) return invalid_image("damaged GIF: it has no frame");
    int code = 0;
    GifByteType* block = nullptr;
    if (DGifGetExtension(gif, &code, &block) == GIF_ERROR) return failure(gif->Error);
    while (block != nullptr) {
      GraphicsControlBlock control;
      if (code == GRAPHICS_EXT_FUNC_CODE &&
          DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK) {
        transparent = control.TransparentColor;
      }
      if (DGifGetExtensionNext(gif, &block) == GIF_ERROR) return failure(gif->Error);
    }
  }
}

/// Some files have a canvas of 0x0, or a frame beyond it: viewers then take the frame's extent.
struct Canvas {
  int64_t width;
  int64_t height;
};
Canvas canvas_of(const GifFileType& gif) {
  const GifImageDesc& frame = gif.Image;
  return {std::max<int64_t>(gif.SWidth, int64_t{frame.Left} + frame.Width),
          std::max<int64_t>(gif.SHeight, int64_t{frame.Top} + frame.Height)};
}

/// Colour indices of the frame, rows from the top whatever their order in the file.
Result<std::vector<uint8_t>> read_indices(GifFileType* gif) {
  const auto width = static_cast<size_t>(gif->Image.Width);
  const auto height = static_cast<size_t>(gif->Image.Height);
  std::vector<uint8_t> indices;
  indices.reserve(width * height);
  // Memory is taken by rows that come; an interlaced frame's are put in order afterwards.
  for (size_t y = 0; y < height; ++y) {
    indices.resize(indices.size() + width);
    if (DGifGetLine(gif, indices.data() + y * width, gif->Image.Width) == GIF_ERROR) {
      return failure(gif->Error);
    }
  }
  if (!gif->Image.Interlace) return indices;
  std::vector<uint8_t> ordered(indices.size());
  size_t from = 0;
  for (const auto& [start, step] : {std::pair<size_t, size_t>{0, 8}, {4, 8}, {2, 4}, {1, 2}}) {
    for (size_t y = start; y < height; y += step, ++from) {
      std::memcpy(ordered.data() + y * width, indices.data() + from * width, width);
    }
  }
  return ordered;
}

bool recognizes(Bytes bytes) {
  return bytes.size() >= 6 && (std::memcmp(bytes.data(), "GIF87a", 6) == 0 ||
                               std::memcmp(bytes.data(), "GIF89a", 6) == 0);
}

Result<ImageInfo> probe(Bytes bytes) {
  DEEPLAB_ASSIGN_OR_RETURN(const File gif, open(bytes));
  DEEPLAB_RETURN_IF_ERROR(read_frame_header(gif.get()).status());
  const Canvas canvas = canvas_of(*gif);
  DEEPLAB_RETURN_IF_ERROR(check_size(canvas.width, canvas.height, INT64_MAX));
  return ImageInfo{ImageFormat::kGif, static_cast<int32_t>(canvas.width),
                   static_cast<int32_t>(canvas.height), 1};
}

Result<Decoded> decode(Bytes bytes, const ReadOptions& options) {
  DEEPLAB_ASSIGN_OR_RETURN(const File gif, open(bytes));
  DEEPLAB_ASSIGN_OR_RETURN(const int transparent, read_frame_header(gif.get()));
  const GifImageDesc& frame = gif->Image;
  const Canvas canvas = canvas_of(*gif);
  DEEPLAB_RETURN_IF_ERROR(check_size(canvas.width, canvas.height, options.max_pixels));
  DEEPLAB_RETURN_IF_ERROR(check_size(frame.Width, frame.Height, options.max_pixels));
  const ColorMapObject* colors = frame.ColorMap != nullptr ? frame.ColorMap : gif->SColorMap;
  if (colors == nullptr || colors->ColorCount < 1) {
    return invalid_image("damaged GIF: it has no colour table");
  }
  DEEPLAB_ASSIGN_OR_RETURN(const std::vector<uint8_t> indices, read_indices(gif.get()));

  const bool covers = frame.Width == canvas.width && frame.Height == canvas.height;
  const int32_t channels = covers && transparent < 0 ? 3 : 4;
  Image image = make_image(canvas.width, canvas.height, channels);
  const uint8_t* from = indices.data();
  for (int64_t y = 0; y < frame.Height; ++y) {
    uint8_t* to = image.pixels.data() +
                  static_cast<size_t>(((frame.Top + y) * canvas.width + frame.Left) * channels);
    for (int32_t x = 0; x < frame.Width; ++x, ++from, to += channels) {
      if (*from == transparent) continue;  // stays all zero
      if (*from >= colors->ColorCount) {
        return invalid_image("damaged GIF: colour ", int{*from}, " of a table of ",
                             colors->ColorCount);
      }
      const GifColorType& color = colors->Colors[*from];
      to[0] = color.Red;
      to[1] = color.Green;
      to[2] = color.Blue;
      if (channels == 4) to[3] = 255;
    }
  }
  return Decoded{std::move(image), 1};
}

}  // namespace

const Codec kGifCodec = {recognizes, probe, decode};

}  // namespace deeplab::imageio
