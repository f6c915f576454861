#pragma once
// Four ways to find the code of an image without an encoder.

#include <Eigen/Cholesky>
#include <map>
#include <memory>
#include <string>

#include "decoder.hpp"

namespace examples {

/// Where codes come from in training.
enum class Codes {
  redrawn,  ///< drawn from N(0, I) whenever they are needed
  fixed,    ///< drawn once for each image, and kept
  learned,  ///< trained with the decoder, one for each image: GLO (Bojanowski et al. 2018)
  nearest,  ///< of many draws that which makes the image best: IMLE (Li and Malik 2018)
};

/// Whether each image has a code of its own.
inline bool has_table(Codes codes) { return codes == Codes::fixed || codes == Codes::learned; }

inline const std::map<std::string, Codes>& codes_names() {
  static const std::map<std::string, Codes> names{
      {"redrawn", Codes::redrawn}, {"fixed", Codes::fixed}, {"learned", Codes::learned}, {"nearest", Codes::nearest}};
  return names;
}

/// log p(x_b|z_k) of every image b, (images, 784), and the logits that the decoder makes of every code k: one product
/// of matrices, x_b . a_k - sum softplus(a_k). Shape (images, codes).
inline tg::Var log_likelihoods(tg::Var images, tg::Var logits) {
  return matmul(images, logits, {.transpose_b = true}) - sum(softplus(logits), -1);
}

/// Minus log of the mean of p(x_b|z_k) over the codes, summed over the images.
inline tg::Var loss_of_mean_likelihood(tg::Var log_p) {
  const auto images = log_p.shape()[0], codes = log_p.shape()[1];
  return static_cast<double>(images) * std::log(codes) - sum(logsumexp(log_p, -1));
}

/// A code for each image of a data set: a parameter of its own, so that an optimizer passes over those which are not in
/// a batch, and each has Adam's moments and count of steps for itself.
class CodeTable {
 public:
  /// Codes drawn from N(0, std^2).
  CodeTable(int images, int latent, tg::Rng& rng, double std) {
    for (int i = 0; i < images; ++i) {
      tg::Tensor code({1, latent});
      rng.normal(code, 0, std);
      rows_.push_back(std::make_unique<tg::Parameter>(std::move(code)));
    }
  }

  /// The codes of some images, (count, latent).
  tg::Var operator()(tg::Tape& tape, std::span<const tg::Index> images) {
    found_.clear();
    for (const tg::Index i : images) found_.push_back(tape.parameter(*rows_[static_cast<std::size_t>(i)]));
    return concat(found_, 0);
  }

  std::vector<tg::Parameter*> parameters() {
    std::vector<tg::Parameter*> all;
    for (const auto& row : rows_) all.push_back(row.get());
    return all;
  }
  void freeze() {
    for (const auto& row : rows_) row->set_requires_grad(false);
  }

  /// Moves the codes so that their mean is 0 and their covariance I, and the decoder's first layer with them: it makes
  /// the same images of them as before, and N(0, I) is now the Gaussian that fits them (GLO, section 3.2).
  void whiten(Decoder& decoder) {
    const auto latent = rows_.front()->size();
    Eigen::MatrixXd codes(rows_.size(), latent);
    for (std::size_t i = 0; i < rows_.size(); ++i)
      codes.row(static_cast<tg::Index>(i)) = rows_[i]->value().matrix().cast<double>();
    const Eigen::RowVectorXd mean = codes.colwise().mean();
    codes.rowwise() -= mean;
    constexpr double ridge = 1e-9;  // for an axis that is not used
    const Eigen::MatrixXd covariance = product(codes.transpose(), codes) / static_cast<double>(rows_.size()) +
                                       ridge * Eigen::MatrixXd::Identity(latent, latent);
    const Eigen::MatrixXd root = covariance.llt().matrixL();  // code = mean + root * white code

    auto weight = decoder.expand.weight.mutable_value().matrix();
    auto bias = decoder.expand.bias->mutable_value().matrix();
    const Eigen::MatrixXd before = weight.cast<double>();
    bias += product(mean, before.transpose()).cast<tg::Scalar>();
    weight = product(before, root).cast<tg::Scalar>();
    const Eigen::MatrixXd white = root.triangularView<Eigen::Lower>().solve(codes.transpose()).transpose();
    for (std::size_t i = 0; i < rows_.size(); ++i)
      rows_[i]->mutable_value().matrix() = white.row(static_cast<tg::Index>(i)).cast<tg::Scalar>();
  }

 private:
  /// One sum after another, whatever the number of threads: Eigen's own product may cut them.
  static Eigen::MatrixXd product(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) { return a.lazyProduct(b); }

  std::vector<std::unique_ptr<tg::Parameter>> rows_;
  std::vector<tg::Var> found_;
};

/// For each of some images, of 4,096 draws from the prior the code that the decoder makes it of best.
inline tg::Tensor nearest_codes(Decoder& decoder, tg::Index latent, tg::ConstTensorView images, tg::Rng& rng) {
  const tg::Tensor draws = draw_codes(4096, latent, rng);
  tg::Tape tape;
  const auto guard = tape.no_grad();
  const tg::Var log_p = log_likelihoods(tape.borrow(images), decoder(tape.borrow(draws)));
  tg::Tensor codes({images.shape().rows(), latent});
  for (tg::Index i = 0; i < codes.shape().rows(); ++i) {
    tg::Index best = 0;
    log_p.value().matrix().row(i).maxCoeff(&best);
    codes.matrix().row(i) = draws.matrix().row(best);
  }
  return codes;
}

/// The auto-decoder's way to the codes of new images (DeepSDF: Park et al. 2019): the decoder is left as it is, and z
/// is trained to maximise log p(x|z) + log p(z), from `start` on.
inline tg::Tensor auto_decode(Decoder& decoder, tg::ConstTensorView images, tg::Tensor start, int steps) {
  tg::Parameter codes(std::move(start));
  tg::optim::Adam adam({&codes}, {.lr = 0.1});
  for (tg::Parameter* parameter : decoder.parameters()) parameter->set_requires_grad(false);
  tg::Tape tape;
  for (int step = 0; step < steps; ++step) {
    tape.reset();
    const tg::Var z = tape.parameter(codes);
    adam.zero_grad();
    (bce_with_logits(decoder(z), tape.borrow(images)) + 0.5 * sum(square(z))).backward();
    adam.step();
  }
  for (tg::Parameter* parameter : decoder.parameters()) parameter->set_requires_grad(true);
  return tg::Tensor(codes.value());
}

}  // namespace examples
