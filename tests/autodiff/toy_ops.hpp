#pragma once
// Ops that are just enough to test the tape with.

#include <stdexcept>
#include <string>

#include "tapegrad/autodiff/apply.hpp"

namespace toy {

using namespace tapegrad;

/// y = a * b, element by element.
struct Product {
  static constexpr const char* name = "product";
  Shape shape(const Shape& a, const Shape& b) const {
    detail::require<ShapeError>(a == b, "product: ", a, " times ", b, "; the shapes must be equal");
    return a;
  }
  void forward(ConstTensorView a, ConstTensorView b, TensorView y) const { y.assign(a.array() * b.array()); }
  void backward(ConstTensorView a, ConstTensorView b, ConstTensorView, ConstTensorView dy, Gradient da,
                Gradient db) const {
    if (da) da += dy.array() * b.array();
    if (db) db += dy.array() * a.array();
  }
};
inline Var product(Var a, Var b) { return apply(Product{}, a, b); }

/// The sum of any number of inputs.
struct Total {
  static constexpr const char* name = "total";
  Shape shape(std::span<const Shape> shapes) const { return shapes[0]; }
  void forward(std::span<const ConstTensorView> inputs, TensorView y) const {
    y.fill(0);
    for (ConstTensorView x : inputs) y.add(x.array());
  }
  void backward(std::span<const ConstTensorView>, ConstTensorView, ConstTensorView dy,
                std::span<Gradient> gradients) const {
    for (Gradient& dx : gradients)
      if (dx) dx += dy.array();
  }
};
inline Var total(std::initializer_list<Var> inputs) { return apply_span(Total{}, {inputs.begin(), inputs.size()}); }

/// Multiplies by a factor that forward works out and backward reads.
struct Doubled {
  static constexpr const char* name = "doubled";
  Shape shape(const Shape& x) const { return x; }
  Shape saved(const Shape&) const { return {1}; }
  void forward(ConstTensorView x, TensorView y, TensorView factor) const {
    factor[0] = 2;
    y.assign(x.array() * factor[0]);
  }
  void backward(ConstTensorView, ConstTensorView, ConstTensorView factor, ConstTensorView dy, Gradient dx) const {
    if (dx) dx += dy.array() * factor[0];
  }
};

/// The mean of any number of inputs, which saves by what it divides.
struct Average {
  static constexpr const char* name = "average";
  Shape shape(std::span<const Shape> shapes) const { return shapes[0]; }
  Shape saved(std::span<const Shape>) const { return {1}; }
  void forward(std::span<const ConstTensorView> inputs, TensorView y, TensorView count) const {
    Total{}.forward(inputs, y);
    count[0] = static_cast<Scalar>(inputs.size());
    y.array() /= count[0];
  }
  void backward(std::span<const ConstTensorView>, ConstTensorView, ConstTensorView count, ConstTensorView dy,
                std::span<Gradient> gradients) const {
    for (Gradient& dx : gradients)
      if (dx) dx += dy.array() / count[0];
  }
};

/// Asks for the memory of its gradient, wanted or not, and throws or leaves the gradient.
struct Careless {
  static constexpr const char* name = "careless";
  bool throws;
  Shape shape(const Shape& x) const { return x; }
  void forward(ConstTensorView x, TensorView y) const { y.copy_from(x); }
  void backward(ConstTensorView, ConstTensorView, ConstTensorView dy, Gradient dx) const {
    if (throws) {
      dx.target();
      throw std::runtime_error("backward failed");
    }
    dx += dy.array();
  }
};

/// Knows nothing of sizes: writes three numbers, to its result or to its gradient.
struct Unaware {
  static constexpr const char* name = "unaware";
  bool in_backward;
  Shape shape(const Shape& x) const { return x; }
  void forward(ConstTensorView x, TensorView y) const {
    in_backward ? y.assign(x.array()) : y.assign(Tensor({3}).array());
  }
  void backward(ConstTensorView, ConstTensorView, ConstTensorView, Gradient dx) const { dx += Tensor({3}).array(); }
};

/// Throws while it works in chunks, on whatever thread has the seventh.
struct Failing {
  static constexpr const char* name = "failing";
  bool in_backward;
  Shape shape(const Shape& x) const { return x; }
  void forward(ConstTensorView x, TensorView y) const {
    if (!in_backward) fail("forward failed");
    y.assign(x.array());
  }
  void backward(ConstTensorView, ConstTensorView, ConstTensorView, Gradient) const { fail("backward failed"); }

  static void fail(const char* what) {
    parallel_for(100, 10, [&](Index begin, Index) {
      if (begin == 70) throw std::runtime_error(what);
    });
  }
};

struct Layer {
  std::string name = "encoder.fc1";
  std::string path() const { return name; }
};

inline const Tensor two({1}, Scalar(2)), three({1}, Scalar(3));

}  // namespace toy
