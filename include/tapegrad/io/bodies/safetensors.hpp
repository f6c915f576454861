#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "../safetensors.hpp"
#include "file.hpp"
#include "safetensors_header.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

namespace detail {

/// The number of the first element that is NaN, or of all elements if none is.
inline Index first_nan(ConstTensorView value) {
  const auto numbers = value.span();
  return std::ranges::find_if(numbers, [](Scalar x) { return std::isnan(x); }) - numbers.begin();
}
TAPEGRAD_BODY void require_no_nan(const char* what, const std::string& name, ConstTensorView value) {
  const Index nan = first_nan(value);
  tapegrad::detail::require<ValueError>(nan == value.size(), what, ": ", quoted(name), " has NaN as its element ", nan,
                                        "; nothing is saved");
}
TAPEGRAD_BODY void require_no_nan(const Path& path, const std::string& name, ConstTensorView value) {
  const Index nan = first_nan(value);
  require_file(nan == value.size(), path, "has NaN as element ", nan, " of ", quoted(name), "; nothing is loaded");
}

/// A type of numbers that can be read.
struct Dtype {
  std::string_view name;
  std::size_t width;
  bool (*convert)(const std::byte* from, TensorView to);
};
template <class Number>
constexpr Dtype dtype(std::string_view name) {
  return {name, sizeof(Number), convert<Number>};
}
inline constexpr Dtype dtypes[] = {
    dtype<float>("F32"),        dtype<double>("F64"),        dtype<Eigen::half>("F16"),  dtype<Eigen::bfloat16>("BF16"),
    dtype<std::int64_t>("I64"), dtype<std::uint64_t>("U64"), dtype<std::int32_t>("I32"), dtype<std::uint32_t>("U32"),
    dtype<std::int16_t>("I16"), dtype<std::uint16_t>("U16"), dtype<std::int8_t>("I8"),   dtype<std::uint8_t>("U8"),
    dtype<std::uint8_t>("BOOL")};

/// Reads one file whose every word is doubted. Before it takes memory for numbers, all that is said of them is checked.
class SafetensorsReader {
 public:
  explicit SafetensorsReader(const Path& path) : path_(path), bytes_(read_file(path)) {
    SafetensorsHeader header(path, split());
    for (const Entry& entry : header.entries) check_entry(entry);
    check_layout(header.entries);
    for (const Entry& entry : header.entries) read(entry);
    result_.metadata = std::move(header.metadata);
  }

  Safetensors take() { return std::move(result_); }

 private:
  using Entry = SafetensorsHeader::Entry;

  template <class... Parts>
  void check(bool condition, const Parts&... parts) const {
    require_file(condition, path_, parts...);
  }
  static std::string tensor(const Entry& entry) { return "tensor " + quoted(entry.name) + " "; }
  static const Dtype* dtype_of(const Entry& entry) { return std::ranges::find(dtypes, entry.dtype, &Dtype::name); }

  /// The header; data_ is what follows it.
  std::string_view split() {
    check(bytes_.size() >= 8, "has ", bytes_.size(), " bytes; a safetensors file begins with 8, its header's length");
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), 8);
    if (length > bytes_.size() - 8) refuse_length(length);
    const auto size = static_cast<std::size_t>(length);
    data_ = std::span(bytes_).subspan(8 + size);
    return as_text(bytes_).substr(8, size);
  }

  /// Of a header that is longer than the file, as that of a file of another kind seems to be.
  [[noreturn]] void refuse_length(std::uint64_t length) const {
    const std::string_view text = as_text(bytes_);
    check(!text.starts_with(zip_magic), "is a zip archive, as PyTorch's torch.save and NumPy's savez write; save its ",
          "tensors with safetensors.torch.save_file");
    check(!text.starts_with(npy_magic), "is a NumPy array; load_npy reads it");
    check(!text.starts_with(gzip_magic), "is compressed by gzip; gunzip it first");
    fail_file(path_, {"says that its header has ", length, " bytes; ", bytes_.size() - 8,
                      " follow: it is truncated or no safetensors file"});
  }

  void check_entry(const Entry& entry) const {
    const auto& [name, dtype, lengths, offsets] = entry;
    check(dtype_of(entry) != std::end(dtypes), tensor(entry), "has dtype ", quoted(dtype),
          "; floats of 2 to 8 bytes, whole numbers and \"BOOL\" can be read");
    const Shape shape = shape_of(entry);
    check(offsets.size() == 2, tensor(entry), "has data_offsets that are not two whole numbers");
    const std::uint64_t begin = offsets[0], end = offsets[1];
    check(begin <= end && end <= data_.size(), tensor(entry), "has data_offsets ", begin, " to ", end,
          "; the file has ", data_.size(), " bytes of data: it is truncated or damaged");
    const std::size_t needed = static_cast<std::size_t>(shape.size()) * dtype_of(entry)->width;
    check(end - begin == needed, tensor(entry), "has ", end - begin, " bytes; shape ", shape, " of ", dtype, " needs ",
          needed);
  }

  Shape shape_of(const Entry& entry) const {
    const auto& lengths = entry.shape;
    check(lengths.size() <= Shape::max_rank, tensor(entry), "has ", lengths.size(), " axes; at most ", Shape::max_rank,
          " are supported");
    std::vector<Index> axes;
    for (const std::uint64_t length : lengths) {
      check(length <= std::numeric_limits<Index>::max(), tensor(entry), "has an axis of length ", length,
            "; it is damaged");
      axes.push_back(static_cast<Index>(length));
    }
    return file_shape(path_, "tensor " + quoted(entry.name), axes);
  }

  /// The data are the tensors, one after another, and nothing else. Puts them into that order.
  void check_layout(std::vector<Entry>& entries) const {
    std::ranges::sort(entries, {}, [](const Entry& entry) { return std::tie(entry.data_offsets, entry.name); });
    std::size_t end = 0;
    for (const Entry& entry : entries) {
      const std::uint64_t begin = entry.data_offsets[0];
      check(begin >= end, tensor(entry), "begins at byte ", begin, " of the data, within another");
      check(begin == end, "has bytes ", end, " to ", begin, " of its data in no tensor; it is damaged");
      end = static_cast<std::size_t>(entry.data_offsets[1]);
    }
    check(end == data_.size(), "has ", data_.size() - end, " bytes after the last tensor; it is damaged");
  }

  void read(const Entry& entry) {
    Tensor value = Tensor::uninitialized(shape_of(entry));
    const std::byte* from = data_.data() + entry.data_offsets[0];
    check(dtype_of(entry)->convert(from, value), tensor(entry), does_not_fit);
    result_.tensors.emplace(entry.name, std::move(value));
  }

  const Path& path_;
  std::vector<std::byte> bytes_;
  std::span<const std::byte> data_;
  Safetensors result_;
};

/// A text in JSON.
inline std::string to_json(const std::string& text) {
  try {
    return Json(text).dump();
  } catch (const Json::type_error&) {
    throw ValueError(concat("write_safetensors: ", quoted(text), " is not UTF-8; names and texts must be"));
  }
}

}  // namespace detail

TAPEGRAD_BODY const Tensor& Safetensors::tensor(const std::string& name) const {
  const auto found = tensors.find(name);
  if (found != tensors.end()) return found->second;
  tapegrad::detail::Listing there;
  for (const auto& entry : tensors) there.add(detail::quoted(entry.first));
  throw IoError(tapegrad::detail::concat("safetensors: there is no tensor ", detail::quoted(name), "; there are ",
                                         there.empty() ? "none" : there.str()));
}

TAPEGRAD_BODY Safetensors read_safetensors(const Path& path) { return detail::SafetensorsReader(path).take(); }

TAPEGRAD_BODY void write_safetensors(const Path& path, const std::map<std::string, ConstTensorView>& tensors,
                                     const std::map<std::string, std::string>& metadata) {
  using detail::to_json;
  std::string header;
  const auto add = [](std::string& object, const std::string& key, const std::string& value) {
    object += (object.empty() ? "" : ",") + to_json(key) + ":" + value;
  };
  if (!metadata.empty()) {
    std::string texts;
    for (const auto& [key, text] : metadata) add(texts, key, to_json(text));
    add(header, "__metadata__", "{" + texts + "}");
  }
  std::size_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    detail::require<ValueError>(name != "__metadata__", "write_safetensors: a tensor is called __metadata__, the name ",
                                "of what is no tensor in the file");
    const std::size_t end = offset + static_cast<std::size_t>(tensor.size()) * sizeof(Scalar);
    std::string axes;
    for (const Index length : tensor.shape()) axes += (axes.empty() ? "" : ",") + std::to_string(length);
    add(header, name,
        detail::concat(R"({"data_offsets":[)", offset, ",", end, R"(],"dtype":")", detail::dtype_name, R"(","shape":[)",
                       axes, "]}"));
    offset = end;
  }
  std::string text = "{" + header + "}";
  text.append((8 - text.size() % 8) % 8, ' ');  // so that the data are aligned

  AtomicFile file(path);
  const std::uint64_t length = text.size();
  file.write(&length, 8);
  file.write(text.data(), text.size());
  for (const auto& [name, tensor] : tensors)
    file.write(tensor.data(), static_cast<std::size_t>(tensor.size()) * sizeof(Scalar));
  file.commit();
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::io
