#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "module.hpp"

namespace tapegrad::inline TAPEGRAD_ABI::nn {

/// Layers one after another. It owns them; their names are "0", "1", ..., as in PyTorch:
///   nn::Sequential net(rng);
///   net.add<nn::Linear>(784, 512);
///   net.add<nn::ReLU>();
class Sequential : public Layer {
 public:
  using Layer::Layer;

  /// Appends an `L(*this, name, arguments...)` and returns it.
  template <std::derived_from<Layer> L, class... Arguments>
  L& add(Arguments&&... arguments) {
    auto layer = std::make_unique<L>(*this, std::to_string(layers_.size()), std::forward<Arguments>(arguments)...);
    L& added = *layer;
    layers_.push_back(std::move(layer));
    return added;
  }

  Index size() const { return static_cast<Index>(layers_.size()); }
  /// Throws ValueError beyond the end.
  Layer& operator[](Index i) {
    detail::require<ValueError>(i >= 0 && i < size(), "sequential: layer ", i, " of ", size(), "; layers count from 0");
    return *layers_[static_cast<std::size_t>(i)];
  }

  Var forward(Var x) override {
    for (const auto& layer : layers_) x = (*layer)(x);
    return x;
  }

 private:
  std::vector<std::unique_ptr<Layer>> layers_;
};

}  // namespace tapegrad::inline TAPEGRAD_ABI::nn
