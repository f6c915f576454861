#pragma once
// A chain of ops on 4x4 tensors, x = relu(x * w + b) over and over: what it costs is the tape.

#include <tapegrad/ops/activations.hpp>
#include <tapegrad/ops/arithmetic.hpp>
#include <vector>

namespace bench {

namespace tg = tapegrad;

inline constexpr int chain_links = 300;
inline constexpr int chain_ops = 3 * chain_links;

class Chain {
 public:
  void forward() {
    tape.reset();
    y_ = tape.variable(x_);
    const tg::Var w = tape.variable(w_), b = tape.variable(b_);
    for (int link = 0; link < chain_links; ++link) y_ = relu(y_ * w + b);
  }
  void backward() { y_.backward(seed_); }

  tg::Tape tape;

 private:
  tg::Tensor x_{{4, 4}, 1}, w_{{4, 4}, tg::Scalar(0.9)}, b_{{4, 4}, tg::Scalar(0.1)}, seed_{{4, 4}, 1};
  tg::Var y_;
};

/// The arithmetic of the chain and nothing else.
class BareChain {
 public:
  void forward() {
    for (std::size_t link = 0; link < chain_links; ++link) {
      product_[link] = y_[link] * w_;
      sum_[link] = product_[link] + b_;
      y_[link + 1] = (sum_[link] > 0).select(sum_[link], Array::Zero());
    }
  }
  void backward() {
    dy_[chain_links] = Array::Ones();
    dw_ = db_ = Array::Zero();
    for (std::size_t link = chain_links; link-- > 0;) {
      dsum_[link] = (y_[link + 1] > 0).select(dy_[link + 1], Array::Zero());
      db_ += dsum_[link];
      dw_ += dsum_[link] * y_[link];
      dy_[link] = dsum_[link] * w_;
    }
  }

 private:
  using Array = Eigen::Array<tg::Scalar, 4, 4>;
  std::vector<Array> y_{chain_links + 1, Array::Ones()}, dy_ = y_, product_ = y_, sum_ = y_, dsum_ = y_;
  Array w_ = Array::Constant(tg::Scalar(0.9)), b_ = Array::Constant(tg::Scalar(0.1)), dw_, db_;
};

}  // namespace bench
