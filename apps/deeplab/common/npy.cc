#include "apps/deeplab/common/npy.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <string>
#include <string_view>

namespace deeplab::app {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are written as they lie");

using graph::DataType;

/// NumPy's array-protocol type string; one-byte types have no byte order.
std::string_view type_string(DataType type) {
  switch (type) {
    case DataType::kFloat32:
      return "<f4";
    case DataType::kInt8:
      return "|i1";
    case DataType::kUInt8:
      return "|u1";
    case DataType::kInt32:
      return "<i4";
    case DataType::kInt64:
      return "<i8";
  }
  return "";
}

/// A Python tuple: "()", "(3,)", "(1, 513, 513)".
std::string tuple_text(const graph::Shape& shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  if (shape.size() == 1) text += ',';
  return text + ')';
}

}  // namespace

std::vector<std::byte> encode_npy(DataType type, const graph::Shape& shape,
                                  std::span<const std::byte> elements) {
  constexpr std::string_view kMagic("\x93NUMPY\x01\x00", 8);
  constexpr size_t kPrefix = kMagic.size() + 2;  // and the header's length in two bytes
  constexpr size_t kAlignment = 64;

  std::string header = "{'descr': '";
  header += type_string(type);
  header += "', 'fortran_order': False, 'shape': " + tuple_text(shape) + ", }";
  const size_t with_newline = kPrefix + header.size() + 1;
  const size_t data_offset = (with_newline + kAlignment - 1) / kAlignment * kAlignment;
  header.append(data_offset - with_newline, ' ');
  header += '\n';
  assert(header.size() <= 0xffff);

  std::string prefix(kMagic);
  prefix += static_cast<char>(header.size() & 0xff);
  prefix += static_cast<char>(header.size() >> 8);
  std::vector<std::byte> file(data_offset + elements.size());
  const auto bytes_of = [](const std::string& text) { return std::as_bytes(std::span(text)); };
  auto end = std::ranges::copy(bytes_of(prefix), file.begin()).out;
  end = std::ranges::copy(bytes_of(header), end).out;
  std::ranges::copy(elements, end);
  return file;
}

}  // namespace deeplab::app
