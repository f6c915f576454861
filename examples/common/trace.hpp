#pragma once

#include <map>
#include <stdexcept>
#include <tapegrad/io.hpp>
#include <utility>

#include "options.hpp"

namespace examples {

namespace tg = tapegrad;

/// The first steps of a run with all that went into them, so that another program can take the same: tests/pytorch.
class Trace {
 public:
  Trace(tg::Index steps, const tg::nn::Module& model) : steps_(steps) {
    if (!wanted()) return;
    for (const auto& [name, parameter] : model.named_parameters()) keep("initial." + name, parameter->value());
  }

  bool wanted() const { return steps_ > 0; }
  bool full() const { return wanted() && next_ == steps_; }

  /// What a step saw and gave: row `step` of the tensor of that name. The shapes are the same in all steps.
  void step(std::initializer_list<std::pair<const char*, tg::Var>> values) {
    if (!wanted()) return;
    for (const auto& [name, var] : values) {
      const tg::ConstTensorView value = var.value();
      const auto [found, first] = tensors_.try_emplace(name);
      if (first) found->second = tg::Tensor({steps_, value.size()});
      if (value.size() != found->second.shape().cols())
        throw std::runtime_error(
            "a trace needs whole batches; the images of an epoch must fill them, or take fewer steps");
      tg::TensorView(found->second.data() + next_ * value.size(), value.shape()).copy_from(value);
    }
    ++next_;
  }

  /// Anything else.
  void keep(const std::string& name, tg::ConstTensorView value) { tensors_.emplace(name, tg::Tensor(value)); }

  /// Writes trace.safetensors to the folder of the run.
  void save(const Options& options) const {
    tg::io::write_safetensors(output_path(options, "trace.safetensors"), {tensors_.begin(), tensors_.end()});
  }

 private:
  tg::Index steps_, next_ = 0;
  std::map<std::string, tg::Tensor> tensors_;
};

}  // namespace examples
