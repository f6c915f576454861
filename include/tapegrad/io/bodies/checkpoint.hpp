#pragma once

#include "../checkpoint.hpp"
#include "file.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::io {

namespace detail {

using tapegrad::detail::Listing;

TAPEGRAD_BODY void CheckpointArchive::text(const std::string& name, std::string& value) {
  const std::string* const found = entry(name, value);
  if (found) once_all_fits([&value, read = *found]() mutable { value.swap(read); });
}

TAPEGRAD_BODY void CheckpointArchive::same(const std::string& name, const std::string& value) {
  const std::string* const found = entry(name, value);
  if (found && *found != value)
    misfits_.add(concat(quoted(name), " is ", quoted(*found), " there, ", quoted(value), " here"));
}

TAPEGRAD_BODY void CheckpointArchive::restore() {
  Listing unexpected;
  for (const auto& [name, tensor] : file_->tensors)
    if (!tensors_.contains(name)) unexpected.add(quoted(name));
  for (const auto& [name, value] : file_->metadata)
    if (!texts_.contains(name)) unexpected.add(quoted(name));
  // Misfits first, as an optimizer of another kind is why others are missing.
  const std::string all =
      tapegrad::detail::joined({{"", &misfits_}, {"it lacks ", &missing_}, {"it also has ", &unexpected}});
  require_file(all.empty(), *path_, "is a checkpoint of another run: ", all);
  for (const auto& restore : restores_) restore();
}

TAPEGRAD_BODY void CheckpointArchive::add(bool added, const std::string& name) {
  require<ValueError>(!name.empty(), "checkpoint: a part has the name \"\"; it must have one");
  require<ValueError>(added, "checkpoint: the name ", quoted(name), " is there twice; each part has its own");
}

TAPEGRAD_BODY const Tensor* CheckpointArchive::entry(const std::string& name, ConstTensorView value) {
  add(tensors_.emplace(name, value).second && !texts_.contains(name), name);
  if (!file_) {
    require_no_nan("checkpoint", name, value);
    return nullptr;
  }
  const auto found = file_->tensors.find(name);
  if (found == file_->tensors.end()) {
    missing_.add(quoted(name));
    return nullptr;
  }
  const Tensor& there = found->second;
  require_no_nan(*path_, name, there);
  if (there.shape() == value.shape()) return &there;
  misfits_.add(concat(quoted(name), " is ", there.shape(), " there, ", value.shape(), " here"));
  return nullptr;
}

TAPEGRAD_BODY const std::string* CheckpointArchive::entry(const std::string& name, const std::string& value) {
  add(texts_.emplace(name, value).second && !tensors_.contains(name), name);
  if (!file_) return nullptr;
  const auto found = file_->metadata.find(name);
  if (found != file_->metadata.end()) return &found->second;
  missing_.add(quoted(name));
  return nullptr;
}

}  // namespace detail

TAPEGRAD_BODY void Checkpoint::save(const Path& path) const {
  detail::require<ValueError>(!parts_.empty(), "checkpoint: no part was added; there is nothing to save");
  Archive archive;
  for (const Part& part : parts_) part(archive);
  std::map<std::string, std::string> texts = archive.texts();
  const std::string version = std::to_string(archive.version());
  for (const auto& [name, text] : {std::pair{"format", detail::checkpoint_format},
                                   {"format_version", version.c_str()},
                                   {"dtype", detail::dtype_name}})
    detail::require<ValueError>(texts.emplace(name, text).second, "checkpoint: a part is called ", name,
                                ", which the file itself has; call it otherwise");
  write_safetensors(path, archive.tensors(), texts);
}

TAPEGRAD_BODY void Checkpoint::load(const Path& path) {
  Safetensors file = read_safetensors(path);
  const auto take = [&](const char* name) {
    const auto entry = file.metadata.extract(name);
    return entry ? entry.mapped() : std::string();
  };
  const std::string found_format = take("format"), found_version = take("format_version"), found_dtype = take("dtype");
  detail::require_file(found_format != detail::module_format, path,
                       "is a model's file, and no checkpoint of a run: io::load reads it");
  detail::require_file(found_format == detail::checkpoint_format, path, "is no checkpoint of tapegrad: its format is ",
                       detail::quoted(found_format), ", not ", detail::quoted(detail::checkpoint_format));
  int version = detail::checkpoint_version;
  while (version > 0 && found_version != std::to_string(version)) --version;
  detail::require_file(version > 0, path, "has format_version ", detail::quoted(found_version),
                       "; this tapegrad reads those up to ", detail::checkpoint_version);
  detail::require_file(found_dtype == detail::dtype_name, path, "was saved by a program of ",
                       detail::quoted(found_dtype), "; this one is of ", detail::quoted(detail::dtype_name),
                       " and could not go on with the same bits");
  Archive archive(path, file, version);
  for (const Part& part : parts_) part(archive);
  archive.restore();
}

TAPEGRAD_BODY void Checkpoint::visit(Archive& archive, const std::string& name, Rng& rng) {
  const Rng::State now = rng.state();
  const Rng::State state{archive.number(name + ".key", now.key), archive.number(name + ".counter", now.counter)};
  archive.once_all_fits([&rng, state] { rng = Rng(state); });
}

TAPEGRAD_BODY void Checkpoint::visit(Archive& archive, const std::string& name, Parameter& parameter) {
  archive.tensor(name, std::as_const(parameter).value(), [&parameter] { return parameter.mutable_value(); });
}

TAPEGRAD_BODY void Checkpoint::visit(Archive& archive, const std::string& name, nn::Module& module) {
  for (const auto& [path, parameter] : module.named_parameters()) visit(archive, name + "." + path, *parameter);
  visit_rngs(archive, name, module);
}

TAPEGRAD_BODY void Checkpoint::visit_rngs(Archive& archive, const std::string& name, nn::Module& module) {
  visit(archive, name + ".rng", module.rng());
  for (nn::Module* child : module.children()) visit_rngs(archive, name + "." + child->name(), *child);
}

TAPEGRAD_BODY void Checkpoint::visit(Archive& archive, const std::string& name, optim::Optimizer& optimizer) {
  if (archive.version() >= 2) archive.same(name + ".optimizer", optimizer.name());
  for (std::size_t group = 0; group < optimizer.groups(); ++group) {
    const double lr = rate(archive, detail::concat(name, ".lr.", group), optimizer.lr(group));
    archive.once_all_fits([&optimizer, lr, group] { optimizer.set_lr(lr, group); });
  }
  for (std::size_t i = 0; optim::ParameterState & state : optimizer.states()) {
    const std::string prefix = detail::concat(name, ".", i++, ".");
    archive.once_all_fits([&state, steps = archive.count(prefix + "steps", state.steps)] { state.steps = steps; });
    for (auto& buffer : state.buffers)
      archive.tensor(prefix + buffer.name, buffer.value, [&buffer] { return buffer.value; });
  }
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::io
