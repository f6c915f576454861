// expect: saved\(\) must be const
#include <tapegrad/autodiff/apply.hpp>
namespace tg = tapegrad;
struct Op {
  static constexpr const char* name = "op";
  tg::Shape shape(const tg::Shape& x) const { return x; }
  tg::Shape saved(const tg::Shape& x) { return x; }
  void forward(tg::ConstTensorView, tg::TensorView, tg::TensorView) const {}
  void backward(tg::ConstTensorView, tg::ConstTensorView, tg::ConstTensorView, tg::ConstTensorView,
                tg::Gradient) const {}
};
tg::Var op(tg::Var x) { return apply(Op{}, x); }
