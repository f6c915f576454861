#pragma once
// The header of a safetensors file, whose every word is doubted.

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io::detail {

using Json = nlohmann::json;

TAPEGRAD_BODY std::string quoted(const std::string& name) {
  constexpr std::size_t longest = 200;
  return Json(name.size() > longest ? name.substr(0, longest) + "..." : name)
      .dump(-1, ' ', true, Json::error_handler_t::replace);
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

}  // namespace tapegrad::inline TAPEGRAD_ABI::io::detail
