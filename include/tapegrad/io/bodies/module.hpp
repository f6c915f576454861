#pragma once

#include "../../nn/copy.hpp"
#include "../module.hpp"
#include "../safetensors.hpp"
#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

TAPEGRAD_BODY void save(const Path& path, const nn::Module& module) {
  std::map<std::string, ConstTensorView> tensors;
  for (const auto& [name, parameter] : module.named_parameters()) {
    detail::require_no_nan("save", name, parameter->value());
    tensors.emplace(name, parameter->value());
  }
  write_safetensors(path, tensors, {{"format", detail::module_format}, {"format_version", "1"}});
}

TAPEGRAD_BODY void load(const Path& path, nn::Module& module) {
  Safetensors file = read_safetensors(path);
  detail::require_file(file.metadata["format"] != detail::checkpoint_format, path,
                       "is a checkpoint of a run; load it by io::Checkpoint, or take tensors from read_safetensors");
  const std::string version = file.metadata["format"] == detail::module_format ? file.metadata["format_version"] : "1";
  detail::require_file(version == "1", path, "has format_version ", detail::quoted(version),
                       "; this tapegrad reads \"1\"");

  const std::string misfit =
      tapegrad::detail::misfit(file.tensors, "in the file", module, "in the model", detail::quoted);
  detail::require_file(misfit.empty(), path, "is not of this model: ", misfit);
  for (const auto& [name, tensor] : file.tensors) detail::require_no_nan(path, name, tensor);
  for (const auto& [name, parameter] : module.named_parameters())
    parameter->mutable_value().copy_from(file.tensors.at(name));
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::io
