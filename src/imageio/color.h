// From the colours of an ICC profile to sRGB, by lcms2 if it is built in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace deeplab::imageio {

#ifdef DEEPLAB_WITH_LCMS
inline constexpr bool kHasColorManagement = true;
#else
inline constexpr bool kHasColorManagement = false;
#endif

class ToSrgb {
 public:
  /// Nothing if there is no profile, if lcms2 cannot use it, if it is neither of RGB nor of grey,
  /// or if no colour would change by more than rounding.
  static std::optional<ToSrgb> make(std::span<const std::byte> profile);
  ToSrgb(ToSrgb&&) noexcept;
  ToSrgb& operator=(ToSrgb&&) noexcept;
  ~ToSrgb();

  /// `count` pixels of RGB (3 channels) or RGBA (4), in place; alpha stays.
  void run(uint8_t* pixels, size_t count, int channels) const;

 private:
  class Transforms;
  explicit ToSrgb(std::unique_ptr<Transforms> transforms);

  std::unique_ptr<Transforms> transforms_;
};

}  // namespace deeplab::imageio
