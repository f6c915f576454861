#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
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

/// Reads a header in JSON and keeps nothing of it, to refuse what Json::parse would not: equal keys, of which that
/// keeps the last, and what is nested deeper than a tensor's shape, before it costs memory. (Its callbacks could refuse
/// them too, but take time that grows with the square of the number of tensors.)
class HeaderDoubts final : public nlohmann::json_sax<Json> {
 public:
  HeaderDoubts(const Path& path, std::uint64_t length) : path_(path), length_(length) {}

  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    require_file(keys_.back().insert(name).second, path_, "has ", detail::quoted(name),
                 " twice in its header; names must differ");
    return true;
  }
  bool parse_error(std::size_t byte, const std::string&, const Json::exception& error) override {
    require_file(dynamic_cast<const Json::out_of_range*>(&error) == nullptr, path_,
                 "has a header with a number that is too large");
    fail_file(path_, {"has a header that is not JSON (at byte ", byte, " of ", length_,
                      "): it is damaged or no safetensors file"});
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(Json::number_integer_t) override { return true; }
  bool number_unsigned(Json::number_unsigned_t) override { return true; }
  bool number_float(Json::number_float_t, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(Json::binary_t&) override { return true; }

 private:
  bool open() {
    keys_.emplace_back();
    require_file(keys_.size() <= 3, path_, "has a header with brackets nested ", keys_.size(),
                 " deep; a tensor's shape is the third");
    return true;
  }
  bool close() {
    keys_.pop_back();
    return true;
  }

  const Path& path_;
  std::uint64_t length_;
  std::vector<std::set<std::string>> keys_;  // of each open bracket
};

/// Reads one file whose every word is doubted.
class SafetensorsReader {
 public:
  explicit SafetensorsReader(const Path& path) : path_(path), bytes_(read_file(path)) {
    const Json header = parse_header();
    for (const auto& [name, entry] : header.items()) name == "__metadata__" ? read_metadata(entry) : read(name, entry);
    check_layout();
  }

  Safetensors take() { return std::move(result_); }

 private:
  struct Place {
    std::size_t begin, end;
    std::string name;
    friend auto operator<=>(const Place&, const Place&) = default;
  };

  template <class... Parts>
  void check(bool condition, const Parts&... parts) const {
    require_file(condition, path_, parts...);
  }

  Json parse_header() {
    check(bytes_.size() >= 8, "has ", bytes_.size(), " bytes; a safetensors file begins with 8, its header's length");
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), 8);
    check(length <= bytes_.size() - 8, "says that its header has ", length, " bytes; ", bytes_.size() - 8,
          " follow: it is truncated or no safetensors file");
    const auto* text = reinterpret_cast<const char*>(bytes_.data()) + 8;
    data_ = std::span(bytes_).subspan(8 + static_cast<std::size_t>(length));

    HeaderDoubts doubts(path_, length);
    Json::sax_parse(text, text + length, &doubts);
    Json header = Json::parse(text, text + length);
    check(header.is_object(), "has a header that is a JSON ", header.type_name(), "; it must be an object");
    return header;
  }

  void read_metadata(const Json& entry) {
    check(entry.is_object(), "has __metadata__ that is a JSON ", entry.type_name(), "; it must be an object");
    for (const auto& [key, value] : entry.items()) {
      check(value.is_string(), "has __metadata__ with ", quoted(key), " that is a JSON ", value.type_name(),
            "; all of it must be strings");
      result_.metadata.emplace(key, value.get<std::string>());
    }
  }

  void read(const std::string& name, const Json& entry) {
    const std::string tensor = "tensor " + quoted(name) + " ";
    const auto is = [&](const char* key, Json::value_t type) {
      return entry.contains(key) && entry[key].type() == type;
    };
    check(entry.is_object() && entry.size() == 3 && is("dtype", Json::value_t::string) &&
              is("shape", Json::value_t::array) && is("data_offsets", Json::value_t::array),
          tensor, "is not described by dtype (a string), shape (an array) and data_offsets (an array), and no more");

    const auto dtype = entry["dtype"].get<std::string>();
    check(dtype == "F32" || dtype == "F64", tensor, "has dtype ", quoted(dtype), "; \"F32\" and \"F64\" can be read");
    const std::size_t width = dtype == "F32" ? 4 : 8;
    const Shape shape = read_shape(tensor, entry["shape"]);
    const Json& offsets = entry["data_offsets"];
    check(offsets.size() == 2 && offsets[0].is_number_unsigned() && offsets[1].is_number_unsigned(), tensor,
          "has data_offsets that are not two whole numbers");
    const auto begin = offsets[0].get<std::uint64_t>(), end = offsets[1].get<std::uint64_t>();
    check(begin <= end && end <= data_.size(), tensor, "has data_offsets ", begin, " to ", end, "; the file has ",
          data_.size(), " bytes of data: it is truncated or damaged");
    const std::size_t needed = static_cast<std::size_t>(shape.size()) * width;
    check(end - begin == needed, tensor, "has ", end - begin, " bytes; shape ", shape, " of ", dtype, " needs ",
          needed);

    Tensor value = Tensor::uninitialized(shape);
    const std::byte* from = data_.data() + begin;
    width == 4 ? convert<float>(from, value) : convert<double>(from, value);
    result_.tensors.emplace(name, std::move(value));
    places_.push_back({static_cast<std::size_t>(begin), static_cast<std::size_t>(end), tensor});
  }

  Shape read_shape(const std::string& tensor, const Json& lengths) const {
    check(lengths.size() <= Shape::max_rank, tensor, "has ", lengths.size(), " axes; at most ", Shape::max_rank,
          " are supported");
    std::vector<Index> axes;
    for (const Json& length : lengths) {
      check(length.is_number_unsigned() && length.get<std::uint64_t>() <= std::numeric_limits<Index>::max(), tensor,
            "has an axis of length ", quoted(length.dump()), "; lengths are whole numbers");
      axes.push_back(length.get<Index>());
    }
    try {
      return Shape(std::span<const Index>(axes));
    } catch (const ShapeError& error) {
      throw IoError(concat(path_.string(), ": ", tensor, "has an impossible shape: ", error.what()));
    }
  }

  /// The data are the tensors, one after another, and nothing else.
  void check_layout() {
    std::sort(places_.begin(), places_.end());
    std::size_t end = 0;
    for (const Place& place : places_) {
      check(place.begin >= end, place.name, "begins at byte ", place.begin, " of the data, within another");
      check(place.begin == end, "has bytes ", end, " to ", place.begin, " of its data in no tensor; it is damaged");
      end = place.end;
    }
    check(end == data_.size(), "has ", data_.size() - end, " bytes after the last tensor; it is damaged");
  }

  const Path& path_;
  std::vector<std::byte> bytes_;
  std::span<const std::byte> data_;
  std::vector<Place> places_;
  Safetensors result_;
};

}  // namespace detail

TAPEGRAD_BODY Safetensors read_safetensors(const Path& path) { return detail::SafetensorsReader(path).take(); }

TAPEGRAD_BODY void write_safetensors(const Path& path, const std::map<std::string, ConstTensorView>& tensors,
                                     const std::map<std::string, std::string>& metadata) {
  detail::Json header = detail::Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    detail::require<ValueError>(name != "__metadata__", "write_safetensors: a tensor is called __metadata__, the name ",
                                "of what is no tensor in the file");
    const std::size_t end = offset + static_cast<std::size_t>(tensor.size()) * sizeof(Scalar);
    header[name] = {{"dtype", detail::dtype_name},
                    {"shape", std::vector(tensor.shape().begin(), tensor.shape().end())},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const detail::Json::type_error&) {
    throw ValueError("write_safetensors: a name or a text is not UTF-8");
  }
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
