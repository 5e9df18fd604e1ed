#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "imageio/codec.h"
#include "imageio/jpeg_error.h"
#include "imageio/orientation.h"

namespace deeplab::imageio {
namespace {

// A progressive photo has about ten scans and each costs a pass over the whole picture; a file
// with hundreds is made to waste time.
constexpr int kMostScans = 100;

constexpr int kExifMarker = JPEG_APP0 + 1;
constexpr int kIccMarker = JPEG_APP0 + 2;

// Data that end early, by the file's end or by a marker, are read if a sixteenth of the rows is
// there, or if the picture is small: a few bytes must not become gigapixels of grey.
constexpr int64_t kLeastPart = 16;
constexpr int64_t kSmallPixels = int64_t{1} << 22;

/// Damage that other readers show a picture for: a wrong code, lost data, an early end.
bool tolerates(j_common_ptr common, int code) {
  const auto* jpeg = reinterpret_cast<j_decompress_ptr>(common);
  if (code != JWRN_JPEG_EOF && code != JWRN_HIT_MARKER) return true;
  const int64_t all = jpeg->total_iMCU_rows;
  // Of several scans the first one has to be there; it has all of the picture, if coarsely.
  const int64_t there = jpeg->input_scan_number > 1 ? all : int64_t{jpeg->input_iMCU_row};
  if (there < 1) return false;
  return there * kLeastPart >= all ||
         int64_t{jpeg->image_width} * jpeg->image_height <= kSmallPixels;
}

class JpegDecoder {
 public:
  JpegDecoder() { jpeg_.err = init_jpeg_errors(errors_); }
  ~JpegDecoder() { jpeg_destroy_decompress(&jpeg_); }
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  Status read_header(Bytes bytes);
  std::vector<std::byte> profile(Bytes bytes);
  /// From here on damage is a warning.
  void tolerate_damage() { errors_.tolerates = tolerates; }
  /// Empty, or what is wrong with the file.
  std::string warning() const {
    return errors_.warning[0] == '\0' ? std::string() : str_cat("damaged JPEG: ", errors_.warning);
  }
  /// Chooses the scale (ReadOptions::target_side); then as many read_row() as output_height().
  Status start(int32_t target_side);
  /// One row of RGB. The last one also looks whether the file ends as it should.
  Status read_row(uint8_t* rgb);

  int64_t width() const { return jpeg_.image_width; }
  int64_t height() const { return jpeg_.image_height; }
  int64_t output_width() const { return jpeg_.output_width; }
  int64_t output_height() const { return jpeg_.output_height; }
  int orientation() const;

 private:
  void choose_scale(int32_t target_side);
  Status failure() const {
    return {errors_.error.code, str_cat(blame(errors_.error), "JPEG: ", errors_.error.message)};
  }

  JpegErrorManager errors_;
  jpeg_progress_mgr progress_ = {};
  jpeg_decompress_struct jpeg_ = {};
  bool wants_profile_ = false;
  std::vector<uint8_t> cmyk_row_;  // empty unless the file is CMYK
};

void limit_scans(j_common_ptr common) {
  const auto* jpeg = reinterpret_cast<j_decompress_ptr>(common);
  if (jpeg->input_scan_number <= kMostScans) return;
  reinterpret_cast<JpegErrorManager*>(common->err)
      ->error.raise(StatusCode::kResourceExhausted, "more than 100 scans, the limit");
}

Status JpegDecoder::read_header(Bytes bytes) {
  const bool done = guarded(errors_.error, [&] {
    jpeg_create_decompress(&jpeg_);
    progress_.progress_monitor = limit_scans;
    jpeg_.progress = &progress_;
    jpeg_mem_src(&jpeg_, reinterpret_cast<const unsigned char*>(bytes.data()),
                 static_cast<unsigned long>(bytes.size()));
    jpeg_save_markers(&jpeg_, kExifMarker, 0xFFFF);
    if (wants_profile_) jpeg_save_markers(&jpeg_, kIccMarker, 0xFFFF);
    jpeg_read_header(&jpeg_, TRUE);
  });
  return done ? Status() : failure();
}

int JpegDecoder::orientation() const {
  OrientationFinder finder;
  for (const jpeg_marker_struct* m = jpeg_.marker_list; m != nullptr; m = m->next) {
    if (m->marker == kExifMarker) finder.app1(std::as_bytes(std::span(m->data, m->data_length)));
  }
  return finder.orientation();
}

std::vector<std::byte> JpegDecoder::profile(Bytes bytes) {
  wants_profile_ = true;
  if (!read_header(bytes).ok()) return {};
  JOCTET* data = nullptr;
  unsigned size = 0;
  std::vector<std::byte> profile;
  // It allocates all that the markers have, which are in memory already.
  if (!guarded(errors_.error, [&] { jpeg_read_icc_profile(&jpeg_, &data, &size); })) return {};
  const std::unique_ptr<JOCTET, decltype(&std::free)> owner(data, std::free);
  if (size > kMostMetadataBytes) return {};
  const auto* first = reinterpret_cast<const std::byte*>(data);
  if (data != nullptr) profile.assign(first, first + size);
  return profile;
}

void JpegDecoder::choose_scale(int32_t target_side) {
  jpeg_.scale_num = jpeg_.scale_denom = 8;
  if (target_side <= 0) return;
  const int64_t side = std::max(width(), height());
  for (unsigned k = 1; k < 8; ++k) {
    // libjpeg rounds up: jpeg_calc_output_dimensions().
    if ((side * k + 7) / 8 >= target_side) {
      jpeg_.scale_num = k;
      return;
    }
  }
}

/// One row of CMYK to RGB without colour management. Adobe's files store ink inverted.
void cmyk_to_rgb(const uint8_t* cmyk, int64_t width, bool inverted, uint8_t* rgb) {
  const unsigned flip = inverted ? 0 : 255;
  for (int64_t x = 0; x < width; ++x, cmyk += 4) {
    const unsigned black = cmyk[3] ^ flip;
    for (int c = 0; c < 3; ++c) {
      *rgb++ = static_cast<uint8_t>(((cmyk[c] ^ flip) * black + 127) / 255);
    }
  }
}

Status JpegDecoder::start(int32_t target_side) {
  if (jpeg_.jpeg_color_space == JCS_UNKNOWN) {
    return unsupported("a JPEG of ", jpeg_.num_components,
                       " colour components; expected grey, RGB, YCbCr, CMYK or YCCK");
  }
  const bool cmyk = jpeg_.jpeg_color_space == JCS_CMYK || jpeg_.jpeg_color_space == JCS_YCCK;
  choose_scale(target_side);
  jpeg_.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  // The slow, accurate settings: the stored label maps of the tests were made with them.
  jpeg_.dct_method = JDCT_ISLOW;
  jpeg_.do_fancy_upsampling = TRUE;
  if (!guarded(errors_.error, [&] { jpeg_start_decompress(&jpeg_); })) return failure();
  if (cmyk) cmyk_row_.resize(static_cast<size_t>(output_width()) * 4);
  return {};
}

Status JpegDecoder::read_row(uint8_t* rgb) {
  JSAMPROW row = cmyk_row_.empty() ? rgb : cmyk_row_.data();
  const bool done = guarded(errors_.error, [&] {
    jpeg_read_scanlines(&jpeg_, &row, 1);
    if (jpeg_.output_scanline == jpeg_.output_height) jpeg_finish_decompress(&jpeg_);
  });
  if (!done) return failure();
  if (!cmyk_row_.empty()) cmyk_to_rgb(row, output_width(), jpeg_.saw_Adobe_marker, rgb);
  return {};
}

bool recognizes(Bytes bytes) {
  return bytes.size() >= 3 && load_be16(bytes, 0) == 0xFFD8 && load_u8(bytes, 2) == 0xFF;
}

Result<ImageInfo> probe(Bytes bytes) {
  JpegDecoder decoder;
  DEEPLAB_RETURN_IF_ERROR(decoder.read_header(bytes));
  return ImageInfo{ImageFormat::kJpeg, static_cast<int32_t>(decoder.width()),
                   static_cast<int32_t>(decoder.height()), decoder.orientation()};
}

/// Up to the first row.
Status open(JpegDecoder& decoder, Bytes bytes, const ReadOptions& options) {
  DEEPLAB_RETURN_IF_ERROR(decoder.read_header(bytes));
  DEEPLAB_RETURN_IF_ERROR(check_size(decoder.width(), decoder.height(), options.max_pixels));
  if (!options.strict) decoder.tolerate_damage();
  return decoder.start(options.target_side);
}

Result<Decoded> decode(Bytes bytes, const ReadOptions& options) {
  JpegDecoder decoder;
  DEEPLAB_RETURN_IF_ERROR(open(decoder, bytes, options));
  Decoded decoded{make_empty_image(decoder.output_width(), decoder.output_height(), 3),
                  decoder.orientation()};
  Image& image = decoded.image;
  image.original_width = static_cast<int32_t>(decoder.width());
  image.original_height = static_cast<int32_t>(decoder.height());
  for (int32_t y = 0; y < image.height; ++y) {
    DEEPLAB_RETURN_IF_ERROR(decoder.read_row(add_row(image)));
  }
  image.warning = decoder.warning();
  return decoded;
}

Status decode_rows(Bytes bytes, const ReadOptions& options, const RowSink& sink) {
  JpegDecoder decoder;
  DEEPLAB_RETURN_IF_ERROR(open(decoder, bytes, options));
  std::vector<uint8_t> row(static_cast<size_t>(decoder.output_width()) * 3);
  for (int64_t y = 0; y < decoder.output_height(); ++y) {
    DEEPLAB_RETURN_IF_ERROR(decoder.read_row(row.data()));
    DEEPLAB_RETURN_IF_ERROR(sink(row.data()));
  }
  return {};
}

}  // namespace

const Codec kJpegCodec = {recognizes, probe, decode, decode_rows,
                          [](Bytes bytes) { return JpegDecoder().profile(bytes); }};

}  // namespace deeplab::imageio
