#pragma once
// How alike two sets of images are, by their features: rows of a matrix, whoever computed them. Eigen's products are
// lazy here: each sum in one order, whatever the number of threads.

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <tapegrad/tapegrad.hpp>
#include <vector>

namespace examples {

namespace tg = tapegrad;

/// A normal distribution fitted to rows.
struct Normal {
  explicit Normal(tg::ConstTensorView rows) {
    if (rows.shape().rows() < 2) throw std::runtime_error("a covariance needs two samples at least");
    const Eigen::MatrixXd all = rows.matrix().cast<double>();
    mean = all.colwise().mean();
    const Eigen::MatrixXd centred = all.rowwise() - mean;
    covariance = centred.transpose().lazyProduct(centred) / static_cast<double>(all.rows() - 1);
  }

  Eigen::RowVectorXd mean;
  Eigen::MatrixXd covariance;
};

/// The square root of a symmetric matrix without negative eigenvalues (those that rounding made are taken as 0).
inline Eigen::MatrixXd square_root(const Eigen::MatrixXd& matrix) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(matrix);
  const Eigen::VectorXd roots = eigen.eigenvalues().cwiseMax(0).cwiseSqrt();
  const Eigen::MatrixXd scaled = eigen.eigenvectors() * roots.asDiagonal();
  return scaled.lazyProduct(eigen.eigenvectors().transpose());
}

/// |mean difference|^2 + tr(A + B - 2 (A^1/2 B A^1/2)^1/2): Heusel et al. 2017, where the features are an Inception
/// network's. Its square root is a distance (Frechet's, Wasserstein's); the figure goes by the name without the root.
inline double frechet_distance(const Normal& a, const Normal& b) {
  const Eigen::MatrixXd root = square_root(a.covariance);
  const Eigen::MatrixXd half = root.lazyProduct(b.covariance), product = half.lazyProduct(root);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(product, Eigen::EigenvaluesOnly);
  const double cross = eigen.eigenvalues().cwiseMax(0).cwiseSqrt().sum();
  return (a.mean - b.mean).squaredNorm() + a.covariance.trace() + b.covariance.trace() - 2 * cross;
}

using Distances = Eigen::Array<tg::Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Calls body(first, squares) for blocks of rows of `a`: squared distances from rows first, first + 1, ... to all of
/// `b`.
template <class Body>
void for_squared_distances(tg::ConstTensorView a, tg::ConstTensorView b, const Body& body) {
  const auto squared_norms = [](tg::ConstTensorView rows) { return rows.matrix().rowwise().squaredNorm().eval(); };
  const auto norms_a = squared_norms(a), norms_b = squared_norms(b);
  const tg::Index width = a.shape().cols();
  constexpr tg::Index at_a_time = 500;
  tg::Tape tape;
  const auto guard = tape.no_grad();
  for (tg::Index first = 0; first < a.shape().rows(); first += at_a_time) {
    tape.reset();
    const tg::Index count = std::min(at_a_time, a.shape().rows() - first);
    const tg::ConstTensorView rows(a.data() + first * width, {count, width});
    const tg::Var products = matmul(tape.borrow(rows), tape.borrow(b), {.transpose_b = true});
    Distances squares = -2 * products.value().matrix().array();
    squares.colwise() += norms_a.segment(first, count).array();
    squares.rowwise() += norms_b.transpose().array();
    body(first, squares.max(0).eval());
  }
}

/// Of each row: squared distances to the others of its set.
struct Neighbours {
  Eigen::ArrayXd nearest;  ///< to the nearest other row
  Eigen::ArrayXd radius;   ///< to the k-th nearest
};

inline Neighbours neighbours(tg::ConstTensorView rows, int k) {
  const tg::Index count = rows.shape().rows();
  if (k < 1 || count <= k) throw std::runtime_error("k-th neighbours need more than k samples");
  Neighbours found{Eigen::ArrayXd(count), Eigen::ArrayXd(count)};
  for_squared_distances(rows, rows, [&](tg::Index first, Distances squares) {
    for (tg::Index i = 0; i < squares.rows(); ++i) {
      tg::Scalar* row = squares.row(i).data();
      row[first + i] = std::numeric_limits<tg::Scalar>::infinity();  // not to itself
      std::nth_element(row, row + k - 1, row + count);
      found.radius[first + i] = static_cast<double>(row[k - 1]);
      found.nearest[first + i] = static_cast<double>(*std::min_element(row, row + k));
    }
  });
  return found;
}

/// Made images beside real ones.
struct Likeness {
  double precision = 0;  ///< share of the made that are within reach of a real one: how good they are
  double recall = 0;     ///< share of the real that are within reach of a made one: how much of it all they cover
  /// Share of all images, real and made, whose nearest neighbour is of their own kind: 0.5 where nothing tells them
  /// apart, 1 where everything does. Of ties half.
  double own_kind = 0;
};

/// Precision and recall are those of Kynkaanniemi et al. 2019, "within reach" being as near as its k-th neighbour of
/// its own kind; the last is the two-sample test of Lopez-Paz and Oquab 2017. For the last there should be as many of
/// each.
inline Likeness compare(tg::ConstTensorView real, const Neighbours& of_real, tg::ConstTensorView made,
                        const Neighbours& of_made) {
  const tg::Index real_count = real.shape().rows(), made_count = made.shape().rows();
  Eigen::ArrayXd to_made = Eigen::ArrayXd::Zero(real_count);
  Eigen::ArrayXd to_real = Eigen::ArrayXd::Constant(made_count, std::numeric_limits<double>::infinity());
  Eigen::Array<bool, Eigen::Dynamic, 1> good = Eigen::Array<bool, Eigen::Dynamic, 1>::Constant(made_count, false);
  tg::Index covered = 0;
  for_squared_distances(real, made, [&](tg::Index first, const Distances& squares) {
    for (tg::Index i = 0; i < squares.rows(); ++i) {
      const Eigen::ArrayXd row = squares.row(i).cast<double>();
      to_made[first + i] = row.minCoeff();
      to_real = to_real.min(row);
      good = good || row <= of_real.radius[first + i];
      covered += (row <= of_made.radius).any();
    }
  });
  const auto own_kind = [](const Eigen::ArrayXd& own, const Eigen::ArrayXd& other) {
    return static_cast<double>((own < other).count()) + static_cast<double>((own == other).count()) / 2;
  };
  const double same = own_kind(of_real.nearest, to_made) + own_kind(of_made.nearest, to_real);
  return {static_cast<double>(good.count()) / static_cast<double>(made_count),
          static_cast<double>(covered) / static_cast<double>(real_count),
          same / static_cast<double>(real_count + made_count)};
}

/// In nats, of how often each class comes; ln(classes) where all come equally often.
inline double entropy(const Eigen::ArrayXd& shares) {
  return 0 - (shares > 0).select(shares * shares.max(std::numeric_limits<double>::min()).log(), 0.0).sum();
}

}  // namespace examples
