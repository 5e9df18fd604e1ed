// What a file is, by its first bytes: for errors that say more than "not an image", and for the
// files that a directory run passes over.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace deeplab::imageio {

struct FileKind {
  /// "HEIC picture", "PDF document"; an "s" makes it the plural. Never empty.
  std::string_view name;
  /// A reader of this build takes it.
  bool readable = false;
  /// The optional codec that reads it and was not built in ("HEIC"); else empty.
  std::string_view missing_codec = {};
};

/// As many bytes as kind_of() looks at; of shorter files all.
inline constexpr size_t kKindBytes = 512;

/// `first` are the first bytes of a file. Stricter than the readers about formats whose signature
/// is two letters, since those begin texts as well.
FileKind kind_of(std::span<const std::byte> first);

/// "JPEG, PNG, WebP, ..." of this build, for sentences and for --version.
std::string readable_formats();
/// Optional parts that this build lacks, in the same form; empty if it has all.
std::string missing_formats();

}  // namespace deeplab::imageio
