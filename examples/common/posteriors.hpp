#pragma once
// What an encoder makes of a whole data set: q(z|x) = N(mu, sigma^2) for each image, and all of them together.

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <functional>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <numbers>
#include <numeric>
#include <sstream>
#include <string>
#include <tapegrad/tapegrad.hpp>
#include <vector>

#include "statistics.hpp"

namespace examples {

namespace tg = tapegrad;

/// A row for each image, a column for each latent axis.
struct Posteriors {
  Eigen::ArrayXXd mu;
  Eigen::ArrayXXd log_var;  ///< empty for codes without noise

  bool noisy() const { return log_var.size() > 0; }
  /// Var(mu) over the images, of each axis.
  Eigen::ArrayXd variance_of_mu() const { return column_variances(mu); }
  /// KL(q(z|x) || N(0, 1)) of each axis, the mean over the images.
  Eigen::ArrayXd kl() const { return (mu.square() + log_var.exp() - 1 - log_var).colwise().mean().transpose() / 2; }
};

/// The posteriors of some images; `encode(x)` gives mu and log_var of a batch.
template <class Batches, class Encode>
Posteriors posteriors(Batches& batches, tg::Index images, tg::Index latent, bool noisy, const Encode& encode) {
  Posteriors result{Eigen::ArrayXXd(images, latent), Eigen::ArrayXXd(noisy ? images : 0, noisy ? latent : 0)};
  tg::Tape tape;
  tg::Index first = 0;
  for (const auto& batch : batches) {
    tape.reset();
    const auto guard = tape.no_grad();
    const auto [mu, log_var] = encode(tape.borrow(batch.images));
    result.mu.middleRows(first, batch.size()) = mu.value().matrix().template cast<double>();
    if (noisy) result.log_var.middleRows(first, batch.size()) = log_var.value().matrix().template cast<double>();
    first += batch.size();
  }
  return result;
}

/// Are codes "close to 0 and 1"? Of each image (mean_abs_mu, median_sigma), or of all together (mean_of_mu,
/// aggregated_variance)?
inline nlohmann::json describe(const Posteriors& q) {
  nlohmann::json codes = {{"mean_of_mu", q.mu.colwise().mean().abs().mean()},
                          {"mean_abs_mu", q.mu.abs().mean()},
                          {"variance_of_mu", q.variance_of_mu().mean()}};
  if (!q.noisy()) return codes;
  const double noise = q.log_var.exp().mean();
  codes.update({{"mean_sigma_squared", noise},
                {"aggregated_variance", q.variance_of_mu().mean() + noise},
                {"median_sigma", median((q.log_var / 2).exp())},
                {"posterior_radius", std::sqrt(noise * static_cast<double>(q.mu.cols()))},
                {"kl", q.kl().sum()}});
  return codes;
}

/// The rate E KL(q(z|x) || p(z)) in its two parts (Hoffman and Johnson 2016): what z tells of which image it is, and
/// how far the codes of all images together, q(z) = mean of q(z|x), are from the prior. By 1,000 draws from q(z); the
/// first part cannot exceed the logarithm of the number of images.
inline nlohmann::json rate(const Posteriors& q, tg::Rng rng) {
  constexpr tg::Index draws = 1000;
  const tg::Index images = q.mu.rows(), latent = q.mu.cols();
  const Eigen::ArrayXXd precision = (-q.log_var / 2).exp();
  const Eigen::ArrayXd height = -(q.log_var + std::log(2 * std::numbers::pi)).rowwise().sum() / 2;
  std::vector<tg::Index> from(draws);
  for (tg::Index& image : from) image = static_cast<tg::Index>(rng.below(static_cast<std::uint64_t>(images)));
  tg::Tensor noise({draws, latent});
  rng.normal(noise);

  const double sum = tg::parallel_sum(draws, 1, [&](tg::Index begin, tg::Index end) {
    double information = 0;
    for (tg::Index draw = begin; draw < end; ++draw) {
      const tg::Index own = from[static_cast<std::size_t>(draw)];
      Eigen::ArrayXd log_q = height;  // log q(z|x) of every image x
      for (tg::Index axis = 0; axis < latent; ++axis) {
        const double z = q.mu(own, axis) + static_cast<double>(noise(draw, axis)) / precision(own, axis);
        log_q -= ((z - q.mu.col(axis)) * precision.col(axis)).square() / 2;
      }
      const double largest = log_q.maxCoeff();
      information += log_q(own) - largest - std::log((log_q - largest).exp().mean());
    }
    return information;
  });
  const double total = q.kl().sum(), information = sum / draws;
  return {{"kl", total},
          {"information", information},
          {"aggregate_kl", total - information},
          {"information_bound", std::log(static_cast<double>(images))}};
}

/// KLs of the axes for the screen, the largest first; of more than eight axes, the sum of the others.
inline std::string kl_from_the_largest(std::vector<double> kl) {
  std::ranges::sort(kl, std::greater());
  const auto others = kl.begin() + std::min<std::ptrdiff_t>(8, std::ssize(kl));
  std::ostringstream text;
  text << std::fixed << std::setprecision(2);
  for (auto axis = kl.begin(); axis != others; ++axis) text << (axis == kl.begin() ? "" : " ") << *axis;
  if (others != kl.end())
    text << ", and " << std::accumulate(others, kl.end(), 0.0) << " in the other " << kl.end() - others;
  return text.str();
}

/// mu in a plane: the two axes themselves if there are two, else the first two principal components. (images, 2)
inline Eigen::MatrixXd in_a_plane(const Posteriors& q) {
  if (q.mu.cols() <= 2) return q.mu;
  const Eigen::MatrixXd centred = (q.mu.rowwise() - q.mu.colwise().mean()).matrix();
  const Eigen::MatrixXd covariance = centred.transpose().lazyProduct(centred);  // in one order, whatever the threads
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> axes(covariance);        // the least comes first
  return centred.lazyProduct(axes.eigenvectors().rightCols(2).rowwise().reverse());
}

}  // namespace examples
