#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "../core/tensor.hpp"

namespace tapegrad::inline TAPEGRAD_ABI {

namespace detail {

/// A gradient's memory, and what is in it. `stamp` is 0 for nothing; else the last backward call that wrote it (1 if it
/// was the user), so that the first contribution assigns and nobody has to write zeros.
struct GradientSlot {
  Scalar* data = nullptr;
  std::uint64_t stamp = 0;

  /// Whether there is a gradient for that backward call to add to: a leaf's stays from call to call.
  bool holds(std::uint64_t backward_call, bool of_leaf) const {
    return stamp != 0 && (of_leaf || stamp == backward_call);
  }
};

struct Recorder;
struct AnomalyCheck;

/// A number that was never given before: what is told by it is told from what lay at the same address earlier, too.
inline std::uint64_t new_serial() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace detail

/// A tensor that is trained: its value, and the gradient that backward passes add to. Tapes and optimizers hold its
/// address, so it is neither copied nor moved.
///
/// Forward passes only read it: several tapes, on several threads, may share one. (A Dropout layer that trains draws
/// from an Rng of its own, and is not to be shared.) A backward pass writes its gradient.
class Parameter {
 public:
  explicit Parameter(Tensor value) : value_(std::move(value)), grad_(Tensor::uninitialized(value_.shape())) {
    slot_.data = grad_.data();
  }
  Parameter(const Parameter&) = delete;
  Parameter& operator=(const Parameter&) = delete;
  virtual ~Parameter() = default;

  /// What error messages call it: a module's parameter has a path, "encoder.fc1.weight".
  virtual std::string path() const { return ""; }
  const Shape& shape() const { return value_.shape(); }
  Index size() const { return value_.size(); }
  ConstTensorView value() const { return value_; }
  /// To write; the shape is fixed. A backward pass through what was computed before then throws TapeError.
  TensorView mutable_value() {
    version_ = detail::new_serial();
    return value_;
  }

  /// Whether a backward pass or `mutable_grad()` has given it one since `zero_grad()`; optimizers skip it otherwise.
  bool has_grad() const { return slot_.stamp != 0; }
  /// The sum of the gradients since `zero_grad()`; zeros if there were none, which are written then: two threads may
  /// not ask for those at the same time.
  ConstTensorView grad() const {
    if (!has_grad()) TensorView(slot_.data, shape()).fill(0);
    return grad_;
  }
  /// To write, as gradient clipping does; or to put a gradient there that no backward pass made.
  TensorView mutable_grad() {
    grad();
    if (!has_grad()) slot_.stamp = 1;
    return grad_;
  }
  /// Forgets the gradient. It writes nothing: the next contribution assigns.
  void zero_grad() { slot_.stamp = 0; }

  /// Whether backward passes give it a gradient; switch it off to freeze it, from the next backward pass on, and on
  /// again for what is computed afterwards. It keeps the gradient that it has.
  bool requires_grad() const { return requires_grad_; }
  void set_requires_grad(bool on) { requires_grad_ = on; }

 private:
  friend class Tape;
  friend struct detail::Recorder;
  friend struct detail::AnomalyCheck;

  Tensor value_;
  Tensor grad_;
  detail::GradientSlot slot_;
  std::uint64_t version_ = detail::new_serial();  // another one each time that it is opened for writing
  bool requires_grad_ = true;
};

namespace detail {

/// "parameter 2 (encoder.weight, 512x784)".
inline std::string described(const Parameter& parameter, std::size_t i) {
  const std::string path = parameter.path();
  return concat("parameter ", i, " (", path, path.empty() ? "" : ", ", parameter.shape(), ")");
}

inline void require_no_null(const char* function, std::span<Parameter* const> parameters) {
  for (std::size_t i = 0; i < parameters.size(); ++i)
    require<ValueError>(parameters[i] != nullptr, function, ": parameter ", i, " is a null pointer");
}

}  // namespace detail

}  // namespace tapegrad::inline TAPEGRAD_ABI
