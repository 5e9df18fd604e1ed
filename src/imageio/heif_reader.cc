// HEIC and AVIF by libheif, which turns them upright itself (irot and imir; EXIF's tag is for
// information only, ISO/IEC 23008-12) and undoes their own colour encoding.
#include <libheif/heif.h>

#include <algorithm>
#include <memory>
#include <string>

#include "imageio/codec.h"
#include "imageio/file_kind.h"

namespace deeplab::imageio {
namespace {

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Context = std::unique_ptr<heif_context, Freed<heif_context_free>>;
using Handle = std::unique_ptr<const heif_image_handle, Freed<heif_image_handle_release>>;
using Picture = std::unique_ptr<const heif_image, Freed<heif_image_release>>;
using Options = std::unique_ptr<heif_decoding_options, Freed<heif_decoding_options_free>>;

Status failure(const heif_error& error) {
  std::string text = error.message != nullptr ? error.message : "unknown error";
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  while (text.ends_with(' ')) text.pop_back();
  switch (error.code) {
    case heif_error_Memory_allocation_error:
      return resource_exhausted("cannot decode the HEIC or AVIF: ", text);
    case heif_error_Unsupported_feature:
    case heif_error_Unsupported_filetype:
    case heif_error_Plugin_loading_error:
      return unsupported("a HEIC or AVIF that libheif cannot decode: ", text);
    default:
      return invalid_image("damaged HEIC or AVIF: ", text);
  }
}

/// A file's primary picture; both pointers stay together, and `bytes` under them.
struct Opened {
  Context context;
  Handle handle;

  int64_t width() const { return heif_image_handle_get_width(handle.get()); }
  int64_t height() const { return heif_image_handle_get_height(handle.get()); }
};

// libheif refuses larger pictures and tiles while it reads the file, whatever their ispe box says.
constexpr int kMostSide = 32768;

Result<Opened> open(Bytes bytes) {
  Opened opened;
  opened.context.reset(heif_context_alloc());
  if (opened.context == nullptr) return resource_exhausted("not enough memory for libheif");
  heif_context_set_maximum_image_size_limit(opened.context.get(), kMostSide);
  heif_error error = heif_context_read_from_memory_without_copy(opened.context.get(), bytes.data(),
                                                                bytes.size(), nullptr);
  if (error.code != heif_error_Ok) return failure(error);
  heif_image_handle* handle = nullptr;
  error = heif_context_get_primary_image_handle(opened.context.get(), &handle);
  if (error.code != heif_error_Ok) return failure(error);
  opened.handle.reset(handle);
  return opened;
}

bool recognizes(Bytes bytes) {
  const std::string_view name = kind_of(bytes).name;
  return name == "HEIC picture" || name == "AVIF picture";
}

Result<ImageInfo> probe(Bytes bytes) {
  DEEPLAB_ASSIGN_OR_RETURN(const Opened opened, open(bytes));
  DEEPLAB_RETURN_IF_ERROR(check_size(opened.width(), opened.height(), INT64_MAX));
  return ImageInfo{ImageFormat::kHeif, static_cast<int32_t>(opened.width()),
                   static_cast<int32_t>(opened.height()), 1};
}

Result<Decoded> decode(Bytes bytes, const ReadOptions& options) {
  DEEPLAB_ASSIGN_OR_RETURN(const Opened opened, open(bytes));
  DEEPLAB_RETURN_IF_ERROR(check_size(opened.width(), opened.height(), options.max_pixels));
  const bool has_alpha = heif_image_handle_has_alpha_channel(opened.handle.get()) != 0;
  const int32_t channels = has_alpha ? 4 : 3;
  const Options decoding(heif_decoding_options_alloc());
  if (decoding == nullptr) return resource_exhausted("not enough memory for libheif");
  decoding->convert_hdr_to_8bit = 1;
  heif_image* raw = nullptr;
  const heif_error error = heif_decode_image(
      opened.handle.get(), &raw, heif_colorspace_RGB,
      has_alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, decoding.get());
  const Picture picture(raw);
  if (error.code != heif_error_Ok) return failure(error);

  int stride = 0;
  const uint8_t* plane =
      heif_image_get_plane_readonly(picture.get(), heif_channel_interleaved, &stride);
  const int64_t width = heif_image_get_width(picture.get(), heif_channel_interleaved);
  const int64_t height = heif_image_get_height(picture.get(), heif_channel_interleaved);
  // The coded picture has the last word; it may disagree with the header.
  DEEPLAB_RETURN_IF_ERROR(check_size(width, height, options.max_pixels));
  if (plane == nullptr || width != opened.width() || height != opened.height() ||
      stride < width * channels) {
    return invalid_image("damaged HEIC or AVIF: the header says ", opened.width(), "x",
                         opened.height(), " pixels, the picture has ", width, "x", height);
  }
  Image image = make_empty_image(width, height, channels);
  for (int64_t y = 0; y < height; ++y) {
    const uint8_t* row = plane + y * stride;
    std::copy_n(row, width * channels, add_row(image));
  }
  return Decoded{std::move(image), 1};
}

std::vector<std::byte> profile(Bytes bytes) {
  const auto opened = open(bytes);
  if (!opened.ok()) return {};
  const heif_color_profile_type type =
      heif_image_handle_get_color_profile_type(opened->handle.get());
  if (type != heif_color_profile_type_rICC && type != heif_color_profile_type_prof) return {};
  const size_t size = heif_image_handle_get_raw_color_profile_size(opened->handle.get());
  if (size == 0 || size > kMostMetadataBytes) return {};
  std::vector<std::byte> profile(size);
  const heif_error error =
      heif_image_handle_get_raw_color_profile(opened->handle.get(), profile.data());
  if (error.code != heif_error_Ok) return {};
  return profile;
}

}  // namespace

const Codec kHeifCodec = {recognizes, probe, decode, nullptr, profile};

}  // namespace deeplab::imageio
