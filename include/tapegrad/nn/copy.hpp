#pragma once

#include "module.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::nn {

/// A value and the name of the parameter that it is for.
struct NamedTensor {
  std::string name;
  ConstTensorView value;
};

/// Copies values into the parameters of the same names. Throws ValueError that begins with `what` and names every value
/// that is missing, unexpected or of another shape; nothing is copied then.
inline void copy_parameters(const std::vector<NamedTensor>& from, Module& to, const std::string& what) {
  const std::vector<NamedParameter> parameters = to.named_parameters();
  std::vector<const NamedTensor*> sources;
  std::string missing, unexpected, mismatched;
  const auto list = [](std::string& names, const std::string& name) { names += (names.empty() ? "" : ", ") + name; };
  for (const auto& [name, parameter] : parameters) {
    const auto same_name = [&, &name = name](const NamedTensor& tensor) { return tensor.name == name; };
    const auto source = std::find_if(from.begin(), from.end(), same_name);
    sources.push_back(source == from.end() ? nullptr : &*source);
    if (source == from.end()) {
      list(missing, name);
    } else if (source->value.shape() != parameter->shape()) {
      list(mismatched, name + " (" + source->value.shape().str() + " for " + parameter->shape().str() + ")");
    }
  }
  for (const NamedTensor& tensor : from) {
    const auto same_name = [&](const NamedParameter& named) { return named.name == tensor.name; };
    if (std::none_of(parameters.begin(), parameters.end(), same_name)) list(unexpected, tensor.name);
  }
  detail::require<ValueError>(missing.empty() && unexpected.empty() && mismatched.empty(), what,
                              missing.empty() ? "" : "; missing: " + missing,
                              unexpected.empty() ? "" : "; unexpected: " + unexpected,
                              mismatched.empty() ? "" : "; of another shape: " + mismatched);
  for (std::size_t i = 0; i < parameters.size(); ++i)
    parameters[i].parameter->mutable_value().copy_from(sources[i]->value);
}

/// Copies all parameters of one module into those of another with the same names and shapes. Throws ValueError that
/// lists all that do not match; nothing is copied then.
inline void copy_parameters(const Module& from, Module& to) {
  std::vector<NamedTensor> values;
  for (const auto& [name, parameter] : from.named_parameters())
    values.push_back({name, std::as_const(*parameter).value()});
  copy_parameters(values, to, "copy_parameters: the two modules do not have the same parameters");
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::nn
