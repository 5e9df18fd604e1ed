#include "imageio/color.h"

#include <array>
#include <cstdlib>
#include <new>
#include <utility>

#include "imageio/codec.h"

#ifdef DEEPLAB_WITH_LCMS
#include <lcms2.h>

namespace deeplab::imageio {
namespace {

/// Everything of lcms2 that a conversion owns.
template <auto kClose, typename Handle>
class Owned {
 public:
  explicit Owned(Handle handle) : handle_(handle) {}
  ~Owned() {
    if (handle_ != nullptr) kClose(handle_);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  Handle get() const { return handle_; }

 private:
  Handle handle_;
};
using Context = Owned<cmsDeleteContext, cmsContext>;
using Profile = Owned<cmsCloseProfile, cmsHPROFILE>;
using Transform = Owned<cmsDeleteTransform, cmsHTRANSFORM>;

constexpr cmsUInt32Number kIntent = INTENT_PERCEPTUAL;  // what browsers and viewers take for photos

}  // namespace

/// Grey samples to sRGB.
using GrayTable = std::array<std::array<uint8_t, 3>, 256>;

class ToSrgb::Transforms {
 public:
  Context context{cmsCreateContext(nullptr, nullptr)};  // first, since the transforms use it
  std::unique_ptr<Transform> rgb;
  std::unique_ptr<Transform> rgba;
  std::unique_ptr<GrayTable> gray;  // instead of the two, if the profile is of grey
};

namespace {

std::unique_ptr<Transform> make_transform(const Context& context, const Profile& from,
                                          const Profile& to, cmsUInt32Number in,
                                          cmsUInt32Number out) {
  auto transform = std::make_unique<Transform>(cmsCreateTransformTHR(
      context.get(), from.get(), in, to.get(), out, kIntent, cmsFLAGS_NOCACHE));
  return transform->get() == nullptr ? nullptr : std::move(transform);
}

/// Steps between the colours that decide whether a conversion is worth its time.
constexpr int kProbeStep = 51;
/// A profile of sRGB itself gives differences of 1, which are lcms2's rounding.
constexpr int kRounding = 1;

bool changes_colours(cmsHTRANSFORM transform) {
  for (int r = 0; r < 256; r += kProbeStep) {
    for (int g = 0; g < 256; g += kProbeStep) {
      for (int b = 0; b < 256; b += kProbeStep) {
        const uint8_t in[3] = {static_cast<uint8_t>(r), static_cast<uint8_t>(g),
                               static_cast<uint8_t>(b)};
        uint8_t out[3] = {};
        cmsDoTransform(transform, in, out, 1);
        for (int c = 0; c < 3; ++c) {
          if (std::abs(in[c] - out[c]) > kRounding) return true;
        }
      }
    }
  }
  return false;
}

/// The table of a grey profile; null if it would change nothing or cannot be used.
std::unique_ptr<GrayTable> make_gray(const Context& context, const Profile& from,
                                     const Profile& to) {
  const auto transform = make_transform(context, from, to, TYPE_GRAY_8, TYPE_RGB_8);
  if (transform == nullptr) return nullptr;
  auto table = std::make_unique<GrayTable>();
  bool changes = false;
  for (int value = 0; value < 256; ++value) {
    const auto in = static_cast<uint8_t>(value);
    auto& out = (*table)[static_cast<size_t>(value)];
    cmsDoTransform(transform->get(), &in, out.data(), 1);
    for (const uint8_t sample : out) changes = changes || std::abs(sample - value) > kRounding;
  }
  return changes ? std::move(table) : nullptr;
}

}  // namespace

std::optional<ToSrgb> ToSrgb::make(std::span<const std::byte> profile) {
  if (profile.empty() || profile.size() > kMostMetadataBytes) return std::nullopt;
  auto transforms = std::make_unique<Transforms>();
  const Context& context = transforms->context;
  if (context.get() == nullptr) throw std::bad_alloc();
  const Profile from(cmsOpenProfileFromMemTHR(context.get(), profile.data(),
                                              static_cast<cmsUInt32Number>(profile.size())));
  const Profile to(cmsCreate_sRGBProfileTHR(context.get()));
  if (from.get() == nullptr || to.get() == nullptr) return std::nullopt;
  const cmsColorSpaceSignature space = cmsGetColorSpace(from.get());
  if (space == cmsSigGrayData) {
    transforms->gray = make_gray(context, from, to);
    if (transforms->gray == nullptr) return std::nullopt;
  } else if (space == cmsSigRgbData) {
    transforms->rgb = make_transform(context, from, to, TYPE_RGB_8, TYPE_RGB_8);
    transforms->rgba = make_transform(context, from, to, TYPE_RGBA_8, TYPE_RGBA_8);
    if (transforms->rgb == nullptr || transforms->rgba == nullptr ||
        !changes_colours(transforms->rgb->get())) {
      return std::nullopt;
    }
  } else {
    return std::nullopt;  // CMYK is RGB by now
  }
  return ToSrgb(std::move(transforms));
}

void ToSrgb::run(uint8_t* pixels, size_t count, int channels) const {
  if (transforms_->gray != nullptr) {
    for (size_t i = 0; i < count; ++i, pixels += channels) {
      if (pixels[0] != pixels[1] || pixels[1] != pixels[2]) continue;  // not the profile's kind
      const auto& to = (*transforms_->gray)[pixels[0]];
      for (size_t c = 0; c < 3; ++c) pixels[c] = to[c];
    }
    return;
  }
  const cmsHTRANSFORM transform = (channels == 4 ? transforms_->rgba : transforms_->rgb)->get();
  constexpr size_t kMost = size_t{1} << 24;  // lcms2 counts pixels in 32 bits
  while (count > 0) {
    const size_t part = count < kMost ? count : kMost;
    cmsDoTransform(transform, pixels, pixels, static_cast<cmsUInt32Number>(part));
    pixels += part * static_cast<size_t>(channels);
    count -= part;
  }
}

#else

namespace deeplab::imageio {

class ToSrgb::Transforms {};

std::optional<ToSrgb> ToSrgb::make(std::span<const std::byte>) { return std::nullopt; }
void ToSrgb::run(uint8_t*, size_t, int) const {}

#endif

ToSrgb::ToSrgb(std::unique_ptr<Transforms> transforms) : transforms_(std::move(transforms)) {}
ToSrgb::ToSrgb(ToSrgb&&) noexcept = default;
ToSrgb& ToSrgb::operator=(ToSrgb&&) noexcept = default;
ToSrgb::~ToSrgb() = default;

}  // namespace deeplab::imageio
