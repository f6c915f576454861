#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "../npy.hpp"
#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

namespace detail {

/// What stands in the header behind 'key': and the blanks after it; nothing if the key is not there.
inline std::string_view npy_value(std::string_view header, const std::string& key) {
  const std::size_t at = header.find("'" + key + "':");
  if (at == std::string_view::npos) return {};
  header.remove_prefix(at + key.size() + 3);
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  return header;
}

/// "(3, 4)", "(3,)" or "()".
inline Shape npy_shape(const Path& path, std::string_view text) {
  const std::size_t close = text.find(')');
  require_file(text.starts_with('(') && close != std::string_view::npos, path, "has a header without 'shape': (...)");
  std::vector<Index> axes;
  for (const char *at = text.data() + 1, *end = text.data() + close; at != end;) {
    Index length = -1;
    const auto [after, error] = std::from_chars(at, end, length);
    axes.push_back(length);
    const bool comma = after != end && *after == ',';  // which the last may lack, unless it is the only one
    require_file(
        error == std::errc() && length >= 0 && (comma || (after == end && axes.size() > 1)), path,
        "has a shape that is no list of whole numbers: ", text.substr(0, std::min<std::size_t>(close + 1, 100)));
    at = std::find_if_not(after + comma, end, [](char c) { return c == ' '; });
  }
  return file_shape(path, "the header", axes);
}

}  // namespace detail

TAPEGRAD_BODY Tensor load_npy(const Path& path) {
  using detail::require_file;
  const std::vector<std::byte> bytes = read_file(path);
  std::string_view rest = detail::as_text(bytes);
  require_file(rest.size() >= 10 && rest.starts_with(detail::npy_magic), path,
               "is no .npy file; they begin with \\x93NUMPY (an .npz is a zip archive of such files)");
  const int version = static_cast<unsigned char>(rest[6]);
  require_file(version >= 1 && version <= 3, path, "is of .npy version ", version, "; 1 to 3 can be read");

  const std::size_t length_bytes = version == 1 ? 2 : 4;
  std::uint32_t length = 0;
  std::memcpy(&length, rest.data() + 8, std::min(length_bytes, rest.size() - 8));
  require_file(rest.size() >= 8 + length_bytes && length <= rest.size() - 8 - length_bytes, path,
               "is truncated: its header has ", length, " bytes, the whole file ", rest.size());
  const std::string_view header = rest.substr(8 + length_bytes, length);
  rest.remove_prefix(8 + length_bytes + length);

  require_file(std::all_of(header.begin(), header.end(), [](char c) { return (c >= ' ' && c <= '~') || c == '\n'; }) &&
                   header.find('\n') >= header.size() - 1,
               path, "has a header that is no line of text; it is damaged");

  const std::string_view dtype = detail::npy_value(header, "descr");
  const bool is_float = dtype.starts_with("'<f4'"), is_double = dtype.starts_with("'<f8'");
  require_file(is_float || is_double, path, "has dtype ", dtype.substr(0, std::min<std::size_t>(dtype.find(','), 20)),
               "; '<f4' and '<f8' can be read (numpy: array.astype('<f4'))");
  require_file(detail::npy_value(header, "fortran_order").starts_with("False"), path,
               "is not in C order; numpy.ascontiguousarray makes it so");
  const Shape shape = detail::npy_shape(path, detail::npy_value(header, "shape"));
  const std::size_t needed = static_cast<std::size_t>(shape.size()) * (is_float ? 4 : 8);
  require_file(rest.size() == needed, path, "has ", rest.size(), " bytes of data; shape ", shape, " needs ", needed);

  Tensor tensor = Tensor::uninitialized(shape);
  const std::byte* data = bytes.data() + (bytes.size() - needed);
  const bool fits = is_float ? detail::convert<float>(data, tensor) : detail::convert<double>(data, tensor);
  require_file(fits, path, detail::does_not_fit);
  return tensor;
}

TAPEGRAD_BODY void save_npy(const Path& path, ConstTensorView tensor) {
  std::string axes;
  for (const Index length : tensor.shape()) axes += std::to_string(length) + ",";
  std::string header =
      detail::concat("{'descr': '<f", sizeof(Scalar), "', 'fortran_order': False, 'shape': (", axes, "), }");
  const std::size_t before = detail::npy_magic.size() + 4;
  header.append(63 - (before + header.size()) % 64, ' ');  // so that the data are aligned
  header += '\n';

  AtomicFile file(path);
  const auto length = static_cast<std::uint16_t>(header.size());
  file.write(detail::npy_magic.data(), detail::npy_magic.size());
  file.write("\1\0", 2);
  file.write(&length, 2);
  file.write(header.data(), header.size());
  file.write(tensor.data(), static_cast<std::size_t>(tensor.size()) * sizeof(Scalar));
  file.commit();
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::io
