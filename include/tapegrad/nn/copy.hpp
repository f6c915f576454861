#pragma once

#include <map>
#include <string>

#include "module.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// What keeps named tensors (a std::map from names to anything with a shape) from being the parameters of a module, in
/// one line; empty if names and shapes are the same. `quoted` makes of a name what fits into that line, which says of
/// the tensors that they are `here`, of the module's parameters that they are `there`.
template <class Tensors, class Quoted>
std::string misfit(const Tensors& tensors, const char* here, const nn::Module& module, const char* there,
                   const Quoted& quoted) {
  Listing missing, unexpected, different;
  std::map<std::string, Shape> wanted;
  for (const auto& [name, parameter] : module.named_parameters()) wanted.emplace(name, parameter->shape());
  for (const auto& [name, shape] : wanted) {
    const auto found = tensors.find(name);
    if (found == tensors.end())
      missing.add(quoted(name));
    else if (found->second.shape() != shape)
      different.add(concat(quoted(name), " (", found->second.shape(), ' ', here, ", ", shape, ' ', there, ')'));
  }
  for (const auto& [name, tensor] : tensors)
    if (!wanted.contains(name)) unexpected.add(quoted(name));
  return joined({{concat("not ", here, ": "), &missing},
                 {concat("not ", there, ": "), &unexpected},
                 {"shapes differ: ", &different}});
}

}  // namespace detail

namespace nn {

/// Copies all parameters of one module into those of another with the same names and shapes. Throws ValueError that
/// lists what does not fit, and has changed nothing then.
inline void copy_parameters(const Module& from, Module& to) {
  std::map<std::string, ConstTensorView> values;
  for (const auto& [name, parameter] : from.named_parameters()) values.emplace(name, parameter->value());
  const std::string problem =
      detail::misfit(values, "in `from`", to, "in `to`", [](const std::string& name) { return '"' + name + '"'; });
  detail::require<ValueError>(problem.empty(), "copy_parameters: the modules have different parameters: ", problem);
  for (const auto& [name, parameter] : to.named_parameters()) parameter->mutable_value().copy_from(values.at(name));
}

}  // namespace nn

}  // namespace tapegrad::inline TAPEGRAD_ABI
