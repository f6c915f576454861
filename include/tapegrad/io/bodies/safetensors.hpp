#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <vector>

#include "../safetensors.hpp"
#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

namespace detail {

using Json = nlohmann::json;

TAPEGRAD_BODY std::string quoted(const std::string& name) {
  constexpr std::size_t longest = 200;
  return Json(name.size() > longest ? name.substr(0, longest) + "..." : name)
      .dump(-1, ' ', true, Json::error_handler_t::replace);
}

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

/// Takes a header's tensors and texts as the parser comes by them, and refuses the first thing that is not as it must
/// be. (A tree of Json would take the last of equal keys, nest as deeply as a file likes, and end the program if memory
/// does while it is destroyed.)
class SafetensorsHeader final : public nlohmann::json_sax<Json> {
 public:
  struct Entry {
    std::string name, dtype;
    std::vector<std::uint64_t> shape, data_offsets;
  };

  SafetensorsHeader(const Path& path, std::string_view text) : path_(path), length_(text.size()) {
    Json::sax_parse(text, this);
    // The parser takes a zero for the end, and more kinds of blanks.
    const bool strict = text.starts_with('{') && text.find_last_not_of(' ') == text.rfind('}') &&
                        text.find('\0') == std::string_view::npos;
    require_file(strict, path, "has a header that does not begin with { and end with } and blanks; it is damaged");
  }

  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;

  bool start_object(std::size_t) override {
    if (depth() > 1) refuse("object", "{");
    if (depth() == 1 && !in_metadata()) entries.push_back({key_[0], {}, {}, {}});
    return open();
  }
  bool start_array(std::size_t) override {
    const bool in_entry = depth() == 2 && !in_metadata();
    if (in_entry && key_[1] == "shape")
      list_ = &entries.back().shape;
    else if (in_entry && key_[1] == "data_offsets")
      list_ = &entries.back().data_offsets;
    else
      refuse("array", "[");
    return open();
  }
  bool key(std::string& name) override {
    require_file(keys_.back().insert(name).second, path_, "has ", detail::quoted(name),
                 " twice in its header; names must differ");
    key_[depth() - 1] = name;
    return true;
  }
  bool string(std::string& value) override {
    if (depth() == 2 && in_metadata())
      metadata.emplace(key_[1], value);
    else if (depth() == 2 && key_[1] == "dtype")
      entries.back().dtype = value;
    else
      refuse("string", value);
    return true;
  }
  bool number_unsigned(Json::number_unsigned_t value) override {
    if (depth() != 3) refuse("number", std::to_string(value));
    list_->push_back(value);
    return true;
  }
  bool end_object() override {
    if (depth() == 2 && !in_metadata() && keys_.back().size() != 3) refuse_entry();
    return close();
  }
  bool end_array() override { return close(); }
  bool null() override { refuse("null", "null"); }
  bool boolean(bool value) override { refuse("boolean", value ? "true" : "false"); }
  bool number_integer(Json::number_integer_t value) override { refuse("number", std::to_string(value)); }
  bool number_float(Json::number_float_t, const std::string& text) override { refuse("number", text); }
  bool binary(Json::binary_t&) override { refuse("binary", "binary"); }
  bool parse_error(std::size_t byte, const std::string&, const Json::exception& error) override {
    constexpr int number_overflow = 406;  // as nlohmann/json documents it: its type would need RTTI
    require_file(error.id != number_overflow, path_, "has a header with a number that is too large");
    fail_file(path_, {"has a header that is not JSON (at byte ", byte, " of ", length_,
                      "): it is damaged or no safetensors file"});
  }

 private:
  std::size_t depth() const { return keys_.size(); }
  bool in_metadata() const { return key_[0] == "__metadata__"; }
  bool open() {
    keys_.emplace_back();
    return true;
  }
  bool close() {
    keys_.pop_back();
    return true;
  }

  /// A value of that type stands where it must not.
  [[noreturn]] void refuse(const char* type, const std::string& value) const {
    if (depth() == 0) fail_file(path_, {"has a header that is a JSON ", type, "; it must be an object"});
    if (depth() == 1 && in_metadata())
      fail_file(path_, {"has __metadata__ that is a JSON ", type, "; it must be an object"});
    if (in_metadata())
      fail_file(path_,
                {"has __metadata__ with ", quoted(key_[1]), " that is a JSON ", type, "; all of it must be strings"});
    if (depth() < 3) refuse_entry();
    if (list_ == &entries.back().data_offsets)
      fail_file(path_, {"tensor ", quoted(key_[0]), " has data_offsets that are not two whole numbers"});
    fail_file(path_,
              {"tensor ", quoted(key_[0]), " has an axis of length ", quoted(value), "; lengths are whole numbers"});
  }
  [[noreturn]] void refuse_entry() const {
    fail_file(path_, {"tensor ", quoted(key_[0]), " is not described by dtype (a string), shape (an array) and ",
                      "data_offsets (an array), and no more"});
  }

  const Path& path_;
  std::size_t length_;
  std::vector<std::set<std::string>> keys_;     // of each open bracket
  std::string key_[2];                          // the last one in the header, and in what stands there
  std::vector<std::uint64_t>* list_ = nullptr;  // what an open [ fills
};

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
    check(length <= bytes_.size() - 8, "says that its header has ", length, " bytes; ", bytes_.size() - 8,
          " follow: it is truncated or no safetensors file");
    const auto size = static_cast<std::size_t>(length);
    data_ = std::span(bytes_).subspan(8 + size);
    return {reinterpret_cast<const char*>(bytes_.data()) + 8, size};
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
