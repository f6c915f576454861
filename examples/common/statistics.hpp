#pragma once

#include <Eigen/Core>
#include <algorithm>

namespace examples {

/// The variance of each column of a table over its rows.
inline Eigen::ArrayXd column_variances(const Eigen::ArrayXXd& table) {
  return (table.rowwise() - table.colwise().mean()).square().colwise().mean().transpose();
}

/// Of the numbers of a table, the one in the middle.
inline double median(Eigen::ArrayXXd values) {
  double* const middle = values.data() + values.size() / 2;
  std::nth_element(values.data(), middle, values.data() + values.size());
  return *middle;
}

}  // namespace examples
