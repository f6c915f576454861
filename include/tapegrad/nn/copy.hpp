#pragma once

#include <map>

#include "module.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::nn {

/// What keeps named tensors (a std::map from names to anything with a shape) from being the parameters of a module, all
/// of it in one line; empty if names and shapes are the same.
template <class Tensors>
std::string misfit(const Tensors& tensors, const Module& module) {
  std::string missing, unexpected, different;
  const auto list = [](std::string& names, const std::string& name, const std::string& more = "") {
    names += (names.empty() ? "\"" : ", \"") + name + "\"" + more;
  };
  std::map<std::string, Shape> wanted;
  for (const auto& [name, parameter] : module.named_parameters()) wanted.emplace(name, parameter->shape());
  for (const auto& [name, shape] : wanted) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) {
      list(missing, name);
    } else if (found->second.shape() != shape) {
      list(different, name, detail::concat(" (", found->second.shape(), " given, ", shape, " in the model)"));
    }
  }
  for (const auto& [name, tensor] : tensors)
    if (!wanted.contains(name)) list(unexpected, name);

  std::string all;
  const auto add = [&](const char* what, const std::string& names) {
    if (!names.empty()) all += (all.empty() ? "" : "; ") + (what + names);
  };
  add("not given: ", missing);
  add("not in the model: ", unexpected);
  add("shapes differ: ", different);
  return all;
}

/// Copies all parameters of one module into those of another with the same names and shapes. Throws ValueError that
/// lists all that does not fit, and has changed nothing then.
inline void copy_parameters(const Module& from, Module& to) {
  std::map<std::string, ConstTensorView> values;
  for (const auto& [name, parameter] : from.named_parameters()) values.emplace(name, parameter->value());
  const std::string problem = misfit(values, to);
  detail::require<ValueError>(problem.empty(), "copy_parameters: the modules have different parameters: ", problem);
  for (const auto& [name, parameter] : to.named_parameters()) parameter->mutable_value().copy_from(values.at(name));
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::nn
