// A ZIP archive after a model file, as the TFLite metadata tools append it.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace deeplab::testing {

struct ZipEntry {
  std::string name;
  std::string content;
  bool deflated = false;
};

/// Appends an archive of `entries` to `file`. `absolute`: offsets count from the start of `file`
/// (Python's zipfile in append mode), otherwise from the archive's own.
inline void append_zip(std::vector<std::byte>& file, const std::vector<ZipEntry>& entries,
                       bool absolute = true) {
  const size_t origin = absolute ? 0 : file.size();
  const auto put = [&](size_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) file.push_back(static_cast<std::byte>(value >> (8 * i)));
  };
  const auto put_text = [&](std::string_view text) {
    for (char c : text) file.push_back(static_cast<std::byte>(c));
  };
  struct Placed {
    size_t offset, crc, packed;
  };
  std::vector<Placed> placed;
  const auto put_common = [&](const ZipEntry& entry, const Placed& at) {
    put(20, 2), put(0, 2), put(entry.deflated ? 8 : 0, 2), put(0, 4);
    put(at.crc, 4), put(at.packed, 4), put(entry.content.size(), 4);
    put(entry.name.size(), 2), put(0, 2);
  };
  for (const ZipEntry& entry : entries) {
    std::string packed = entry.content;
    const auto* content = reinterpret_cast<const Bytef*>(entry.content.data());
    if (entry.deflated) {
      z_stream stream{};
      deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
      packed.resize(deflateBound(&stream, entry.content.size()));
      stream.next_in = const_cast<Bytef*>(content);
      stream.avail_in = static_cast<uInt>(entry.content.size());
      stream.next_out = reinterpret_cast<Bytef*>(packed.data());
      stream.avail_out = static_cast<uInt>(packed.size());
      deflate(&stream, Z_FINISH);
      packed.resize(stream.total_out);
      deflateEnd(&stream);
    }
    placed.push_back({file.size() - origin,
                      crc32(0, content, static_cast<uInt>(entry.content.size())), packed.size()});
    put(0x04034b50, 4);
    put_common(entry, placed.back());
    put_text(entry.name);
    put_text(packed);
  }
  const size_t directory = file.size();
  for (size_t i = 0; i < entries.size(); ++i) {
    put(0x02014b50, 4), put(20, 2);
    put_common(entries[i], placed[i]);
    put(0, 2), put(0, 2), put(0, 2), put(0, 4), put(placed[i].offset, 4);
    put_text(entries[i].name);
  }
  const size_t end = file.size();
  put(0x06054b50, 4), put(0, 2), put(0, 2), put(entries.size(), 2), put(entries.size(), 2);
  put(end - directory, 4), put(directory - origin, 4), put(0, 2);
}

}  // namespace deeplab::testing
