#pragma once
// Modules: named parameters and modules within modules. Children and parameters register themselves with the module
// that they are members of, so none can be forgotten.

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../autodiff/tape.hpp"
#include "init.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::nn {

class Module;

/// A parameter that is a member of a module:
///   nn::Parameter scale{*this, "scale", Shape{512}, nn::init::ones()};
/// `tape.parameter(scale)` reads it in a forward pass.
class Parameter : public tapegrad::Parameter {
 public:
  /// Starts at what `init` draws. Throws ValueError for a name that is empty, has a dot, or is taken in `owner`, and
  /// for an empty `init`.
  Parameter(Module& owner, const std::string& name, const Shape& shape, const Init& init);
  /// Starts at `value`. Throws the same for the name.
  Parameter(Module& owner, std::string name, Tensor value);
  ~Parameter() override;

  const std::string& name() const { return name_; }
  std::string path() const override;

 private:
  friend class Module;

  static Tensor initialized(const std::string& name, const Shape& shape, const Init& init, Rng& rng);

  Module* owner_;  // null once the owner is gone
  std::string name_;
};

/// A parameter and its name below some module: "encoder.fc1.weight".
struct NamedParameter {
  std::string name;
  tapegrad::Parameter* parameter;
};

/// What models and layers derive from. Parents and optimizers hold its address, so it is neither copied nor moved.
///
///   struct Model : nn::Module {
///     using Module::Module;                     // Model model(rng), or Model part{*this, "part"} in another module
///     nn::Linear hidden{*this, "hidden", 784, 512};
///     nn::Linear output{*this, "output", 512, 10};
///     Var logits(Var x) { return output(relu(hidden(x))); }
///   };
class Module {
 public:
  /// A module of its own. Everything random in it and below it is drawn from a stream that `rng` forks.
  explicit Module(Rng& rng) : rng_(rng.fork()) {}
  /// A part of another module. Throws ValueError for a name that is empty, has a dot, or is taken in `parent`.
  Module(Module& parent, std::string name);
  Module(const Module&) = delete;  // make another of the same kind, and copy_parameters(from, to)
  Module& operator=(const Module&) = delete;
  virtual ~Module();

  /// Its own name in its parent; empty for a root.
  const std::string& name() const { return name_; }
  /// Its names from the root down: "encoder.fc1"; empty for the root.
  std::string path() const;

  /// Its parts, in the order in which they were made.
  const std::vector<Module*>& children() const& { return children_; }
  const std::vector<Module*>& children() const&& = delete;  // of a module that dies before they are used; as below
  /// This module and all below it, parents before children.
  std::vector<Module*> modules() &;
  std::vector<Module*> modules() && = delete;
  /// All parameters in it and below it, in PyTorch's order: a module's own before those of its children.
  std::vector<tapegrad::Parameter*> parameters() const&;
  std::vector<tapegrad::Parameter*> parameters() const&& = delete;
  /// The same with their names, relative to this module.
  std::vector<NamedParameter> named_parameters() const&;
  std::vector<NamedParameter> named_parameters() const&& = delete;

  /// Says to it and to all below it that they are being trained (Dropout acts then only), or used.
  void train(bool on = true);
  void eval() { train(false); }
  bool training() const { return training_; }

  /// Forgets the gradients of all parameters.
  void zero_grad();
  /// Freezes all parameters (false), or thaws them: see Parameter::set_requires_grad.
  void set_requires_grad(bool on);

  /// A table of all parameters: name, shape, number of elements, and the total.
  std::string summary() const;

  /// The stream of what is random in this module: initial values, Dropout's masks. Each module has its own.
  Rng& rng() { return rng_; }

 private:
  friend class Parameter;

  /// Throws ValueError unless a child or parameter can have this name.
  void check_name(const std::string& name) const;
  void collect(const std::string& prefix, std::vector<NamedParameter>& found) const;

  Module* parent_ = nullptr;
  std::string name_;
  std::vector<Module*> children_;
  std::vector<Parameter*> parameters_;
  Rng rng_;
  bool training_ = true;
};

/// A module that makes one tensor of another: what `Sequential` is made of.
class Layer : public Module {
 public:
  using Module::Module;
  /// What the layer makes of x: to be written, while `operator()` is to be called.
  virtual Var forward(Var x) = 0;
  /// Calls `forward`; errors within say where they happened.
  Var operator()(Var x) {
    try {
      const Tape::Scope scope(x.tape(), *this);
      return forward(x);
    } catch (Error& error) {  // of no op: an option's, say
      error.locate(path());
      throw;
    }
  }
};

// ---- implementation -------------------------------------------------------------------------------------------------

inline Tensor Parameter::initialized(const std::string& name, const Shape& shape, const Init& init, Rng& rng) {
  detail::require<ValueError>(init != nullptr, "parameter ", name, ": its init is empty; give one of nn::init");
  Tensor value(shape);
  init(value, rng);
  return value;
}
inline Parameter::Parameter(Module& owner, std::string name, Tensor value)
    : tapegrad::Parameter(std::move(value)), owner_(&owner), name_(std::move(name)) {
  owner.check_name(name_);
  owner.parameters_.push_back(this);
}
inline Parameter::Parameter(Module& owner, const std::string& name, const Shape& shape, const Init& init)
    : Parameter(owner, name, initialized(name, shape, init, owner.rng())) {}
inline std::string Parameter::path() const {
  const std::string above = owner_ ? owner_->path() : "";
  return above.empty() ? name_ : detail::concat(above, ".", name_);
}
inline Parameter::~Parameter() {
  if (owner_) std::erase(owner_->parameters_, this);
}

inline Module::Module(Module& parent, std::string name)
    : parent_(&parent), name_(std::move(name)), rng_(parent.rng_.fork()), training_(parent.training_) {
  parent.check_name(name_);
  parent.children_.push_back(this);
}
inline Module::~Module() {
  for (Parameter* parameter : parameters_) parameter->owner_ = nullptr;
  for (Module* child : children_) child->parent_ = nullptr;
  if (parent_) std::erase(parent_->children_, this);
}

inline std::string Module::path() const {
  const std::string above = parent_ ? parent_->path() : "";
  return above.empty() ? name_ : detail::concat(above, ".", name_);
}

inline std::vector<Module*> Module::modules() & {
  std::vector<Module*> all{this};
  for (Module* child : children_) {
    const std::vector<Module*> below = child->modules();
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

inline std::vector<NamedParameter> Module::named_parameters() const& {
  std::vector<NamedParameter> found;
  collect("", found);
  return found;
}
inline std::vector<tapegrad::Parameter*> Module::parameters() const& {
  std::vector<tapegrad::Parameter*> found;
  for (const NamedParameter& named : named_parameters()) found.push_back(named.parameter);
  return found;
}
inline void Module::collect(const std::string& prefix, std::vector<NamedParameter>& found) const {
  for (Parameter* parameter : parameters_) found.push_back({prefix + parameter->name(), parameter});
  for (const Module* child : children_) child->collect(prefix + child->name() + ".", found);
}

inline void Module::train(bool on) {
  training_ = on;
  for (Module* child : children_) child->train(on);
}
inline void Module::zero_grad() {
  for (Parameter* parameter : parameters_) parameter->zero_grad();
  for (Module* child : children_) child->zero_grad();
}
inline void Module::set_requires_grad(bool on) {
  for (Parameter* parameter : parameters_) parameter->set_requires_grad(on);
  for (Module* child : children_) child->set_requires_grad(on);
}

inline void Module::check_name(const std::string& name) const {
  using detail::require;
  require<ValueError>(!name.empty(), "module: a part with an empty name; names are paths in checkpoints and messages");
  require<ValueError>(name.find('.') == std::string::npos, "module: the name \"", name,
                      "\" has a dot; dots stand between the names of a path");
  const auto same = [&](const auto* part) { return part->name() == name; };
  const bool taken = std::any_of(children_.begin(), children_.end(), same) ||
                     std::any_of(parameters_.begin(), parameters_.end(), same);
  if (!taken) return;
  const std::string place = path();
  detail::fail<ValueError>({"module: the name \"", name, "\" is taken in ", place.empty() ? "the root module" : place,
                            "; names of siblings must differ"});
}

inline std::string Module::summary() const {
  const std::vector<NamedParameter> all = named_parameters();
  std::size_t name_width = std::string_view("parameter").size(), shape_width = std::string_view("shape").size();
  Index total = 0;
  for (const auto& [name, parameter] : all) {
    name_width = std::max(name_width, name.size());
    shape_width = std::max(shape_width, parameter->shape().str().size());
    total += parameter->size();
  }
  const std::size_t number_width = std::max(std::string_view("elements").size(), std::to_string(total).size());
  std::string table;
  const auto padding = [](std::size_t width, std::string_view text) { return std::string(width - text.size(), ' '); };
  const auto row = [&](std::string_view name, std::string_view shape, std::string_view elements) {
    table += detail::concat(name, padding(name_width, name), "  ", shape, padding(shape_width, shape), "  ",
                            padding(number_width, elements), elements, "\n");
  };
  row("parameter", "shape", "elements");
  for (const auto& [name, parameter] : all) row(name, parameter->shape().str(), std::to_string(parameter->size()));
  row("total", "", std::to_string(total));
  return table;
}

}  // namespace tapegrad::inline TAPEGRAD_ABI::nn
