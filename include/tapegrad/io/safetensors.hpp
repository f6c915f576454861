#pragma once
// safetensors: the length of a header as 8 little-endian bytes, the header in JSON, the tensors' data.
// (https://github.com/huggingface/safetensors, "Format"; Python's package of that name reads and writes it.)

#include <map>
#include <string>
#include <type_traits>

#include "../core/tensor.hpp"
#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

/// What a safetensors file holds.
struct Safetensors {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;  ///< free texts

  /// The tensor of that name. Throws IoError, which lists those there are, if there is none.
  const Tensor& tensor(const std::string& name) const;
};

/// Reads all tensors of a safetensors file. Floats of 2, 4 and 8 bytes, whole numbers and booleans become the build's
/// scalar. Throws IoError for every other type, a number that no scalar is, and a file that is damaged in any way.
Safetensors read_safetensors(const Path& path);

/// Writes tensors, in the order of their names, and texts for `__metadata__`. Throws IoError if it cannot be written,
/// ValueError for a tensor called `__metadata__` or a text that is not UTF-8: what was there then stays.
void write_safetensors(const Path& path, const std::map<std::string, ConstTensorView>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

namespace detail {

/// A name out of a file, fit for a message of one line.
std::string quoted(const std::string& name);

/// Throws ValueError where a tensor that is to be saved holds NaN: the file that is there may be the last good one.
void require_no_nan(const char* what, const std::string& name, ConstTensorView value);
/// Throws IoError where a tensor of a file that is to be loaded does.
void require_no_nan(const Path& path, const std::string& name, ConstTensorView value);

/// The "format" in the metadata of io::Checkpoint's files, and of io::save's.
inline constexpr const char* checkpoint_format = "tapegrad checkpoint";
inline constexpr const char* module_format = "tapegrad";
inline constexpr const char* dtype_name = std::is_same_v<Scalar, float> ? "F32" : "F64";

}  // namespace detail

}  // namespace tapegrad::inline TAPEGRAD_ABI::io

#ifndef TAPEGRAD_COMPILED
#include "bodies/safetensors.hpp"
#endif
