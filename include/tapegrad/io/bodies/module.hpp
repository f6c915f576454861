#pragma once

#include <set>

#include "../module.hpp"
#include "../safetensors.hpp"
#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

TAPEGRAD_BODY void save(const Path& path, const nn::Module& module) {
  std::map<std::string, ConstTensorView> tensors;
  for (const auto& [name, parameter] : module.named_parameters()) tensors.emplace(name, parameter->value());
  write_safetensors(path, tensors, {{"format", "tapegrad"}, {"format_version", "1"}});
}

TAPEGRAD_BODY void load(const Path& path, nn::Module& module) {
  Safetensors file = read_safetensors(path);
  const std::string version = file.metadata["format"] == "tapegrad" ? file.metadata["format_version"] : "1";
  detail::require_file(version == "1", path, "has format_version ", detail::quoted(version),
                       "; this tapegrad reads \"1\"");

  std::string missing, unexpected, different;
  const auto list = [](std::string& names, const std::string& name) { names += (names.empty() ? "" : ", ") + name; };
  const std::vector<nn::NamedParameter> parameters = module.named_parameters();
  std::set<std::string> wanted;
  for (const auto& [name, parameter] : parameters) {
    wanted.insert(name);
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end()) {
      list(missing, detail::quoted(name));
    } else if (found->second.shape() != parameter->shape()) {
      list(different, detail::concat(detail::quoted(name), " (", found->second.shape(), " in the file, ",
                                     parameter->shape(), " in the model)"));
    }
  }
  for (const auto& [name, tensor] : file.tensors)
    if (!wanted.contains(name)) list(unexpected, detail::quoted(name));

  std::string misfit;
  if (!missing.empty()) list(misfit, "it lacks " + missing);
  if (!unexpected.empty()) misfit += (misfit.empty() ? "" : "; ") + ("the model lacks " + unexpected);
  if (!different.empty()) misfit += (misfit.empty() ? "" : "; ") + ("shapes differ: " + different);
  detail::require_file(misfit.empty(), path, "is not of this model: ", misfit);

  for (const auto& [name, parameter] : parameters) parameter->mutable_value().copy_from(file.tensors.at(name));
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::io
