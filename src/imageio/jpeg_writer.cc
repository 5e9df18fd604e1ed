#include <new>

#include "imageio/jpeg_error.h"
#include "imageio/writer.h"

namespace deeplab::imageio {
namespace {

/// libjpeg's destination: a fixed buffer that is appended to `out` whenever it is full.
struct Destination {
  jpeg_destination_mgr base;  // first, so that libjpeg's pointer to it is also a pointer to this
  EncodedImage* out;
  JOCTET buffer[16384];
};

void rewind_buffer(j_compress_ptr jpeg) {
  auto* to = reinterpret_cast<Destination*>(jpeg->dest);
  to->base.next_output_byte = to->buffer;
  to->base.free_in_buffer = sizeof(to->buffer);
}

void flush(j_compress_ptr jpeg, size_t size) {
  auto* to = reinterpret_cast<Destination*>(jpeg->dest);
  if (!append_bytes(*to->out, to->buffer, size)) ERREXIT1(jpeg, JERR_OUT_OF_MEMORY, 0);
  rewind_buffer(jpeg);
}

boolean on_full(j_compress_ptr jpeg) {
  flush(jpeg, sizeof(Destination::buffer));
  return TRUE;
}

void on_end(j_compress_ptr jpeg) {
  flush(jpeg, sizeof(Destination::buffer) - jpeg->dest->free_in_buffer);
}

Status check_arguments(int32_t width, int32_t height, int quality) {
  if (quality < 1 || quality > 100) {
    return invalid_argument("cannot encode a JPEG: quality ", quality, "; expected 1 to 100");
  }
  if (width < 1 || height < 1 || width > JPEG_MAX_DIMENSION || height > JPEG_MAX_DIMENSION) {
    return invalid_argument("cannot encode a JPEG of ", width, "x", height,
                            " pixels; sides may be 1 to ", JPEG_MAX_DIMENSION);
  }
  return {};
}

}  // namespace

class JpegWriter::Encoder {
 public:
  Encoder() { jpeg_.err = init_jpeg_errors(errors_); }
  ~Encoder() { jpeg_destroy_compress(&jpeg_); }
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  Status start(int32_t width, int32_t height, int quality);
  Status write_row(const uint8_t* rgb);
  Result<EncodedImage> finish();

 private:
  void set_header(int32_t width, int32_t height, int quality);
  Status failure() const noexcept;

  JpegErrorManager errors_;
  Destination destination_;
  jpeg_compress_struct jpeg_ = {};
  EncodedImage out_;
};

void JpegWriter::Encoder::set_header(int32_t width, int32_t height, int quality) {
  jpeg_.image_width = static_cast<JDIMENSION>(width);
  jpeg_.image_height = static_cast<JDIMENSION>(height);
  jpeg_.input_components = 3;
  jpeg_.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg_);
  jpeg_set_quality(&jpeg_, quality, TRUE);
  jpeg_.comp_info[0].h_samp_factor = 1;  // luma as coarse as chroma: 4:4:4
  jpeg_.comp_info[0].v_samp_factor = 1;
}

Status JpegWriter::Encoder::failure() const noexcept try {
  const StatusCode code = errors_.error.code == StatusCode::kResourceExhausted
                              ? StatusCode::kResourceExhausted
                              : StatusCode::kInvalidArgument;
  return {code, str_cat("cannot encode a JPEG: ", errors_.error.message)};
} catch (const std::bad_alloc&) {
  return out_of_memory();
}

Status JpegWriter::Encoder::start(int32_t width, int32_t height, int quality) {
  destination_.base.init_destination = rewind_buffer;
  destination_.base.empty_output_buffer = on_full;
  destination_.base.term_destination = on_end;
  destination_.out = &out_;
  // At quality 90 a photo takes 2 to 4 bits per pixel. What is reserved and not used costs nothing;
  // growing would copy, and hold both copies meanwhile.
  out_.reserve(static_cast<size_t>(width) * static_cast<size_t>(height) / 2);
  const bool done = guarded(errors_.error, [&] {
    jpeg_create_compress(&jpeg_);
    jpeg_.dest = &destination_.base;
    set_header(width, height, quality);
    jpeg_start_compress(&jpeg_, TRUE);
  });
  return done ? Status() : failure();
}

Status JpegWriter::Encoder::write_row(const uint8_t* rgb) {
  auto row = const_cast<JSAMPROW>(rgb);  // libjpeg only reads
  const bool done = guarded(errors_.error, [&] { jpeg_write_scanlines(&jpeg_, &row, 1); });
  return done ? Status() : failure();
}

Result<EncodedImage> JpegWriter::Encoder::finish() {
  if (!guarded(errors_.error, [&] { jpeg_finish_compress(&jpeg_); })) return failure();
  return std::move(out_);
}

JpegWriter::JpegWriter(std::unique_ptr<Encoder> encoder) : encoder_(std::move(encoder)) {}
JpegWriter::JpegWriter(JpegWriter&&) noexcept = default;
JpegWriter& JpegWriter::operator=(JpegWriter&&) noexcept = default;
JpegWriter::~JpegWriter() = default;

Result<JpegWriter> JpegWriter::start(int32_t width, int32_t height, int quality) {
  DEEPLAB_RETURN_IF_ERROR(check_arguments(width, height, quality));
  try {
    auto encoder = std::make_unique<Encoder>();
    DEEPLAB_RETURN_IF_ERROR(encoder->start(width, height, quality));
    return JpegWriter(std::move(encoder));
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

Status JpegWriter::write_row(const uint8_t* rgb) { return encoder_->write_row(rgb); }

Result<EncodedImage> JpegWriter::finish() { return encoder_->finish(); }

Result<EncodedImage> encode_jpeg(int32_t width, int32_t height, std::span<const uint8_t> rgb,
                                 int quality) {
  DEEPLAB_ASSIGN_OR_RETURN(JpegWriter writer, JpegWriter::start(width, height, quality));
  const size_t stride = static_cast<size_t>(width) * 3;
  if (rgb.size() != stride * static_cast<size_t>(height)) {
    return invalid_argument("cannot encode a JPEG: ", rgb.size(), " samples for ", width, "x",
                            height, " pixels of 3 channels");
  }
  for (; !rgb.empty(); rgb = rgb.subspan(stride)) {
    DEEPLAB_RETURN_IF_ERROR(writer.write_row(rgb.data()));
  }
  return writer.finish();
}

}  // namespace deeplab::imageio
