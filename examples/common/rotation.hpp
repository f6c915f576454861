#pragma once
// Do near images have near codes? A turned image is near to itself, another image is not.

#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>
#include <tapegrad/tapegrad.hpp>

namespace examples {

namespace tg = tapegrad;

/// Images of 28 x 28 pixels, a row an image, turned counterclockwise about their centres; bilinear, black from beyond.
inline tg::Tensor rotated(tg::ConstTensorView images, double degrees) {
  constexpr tg::Index side = 28;
  constexpr double centre = (side - 1) / 2.0;
  const double sine = std::sin(degrees * std::numbers::pi / 180), cosine = std::cos(degrees * std::numbers::pi / 180);
  tg::Tensor result(images.shape());
  tg::parallel_for(images.shape().rows(), 16, [&](tg::Index begin, tg::Index end) {
    for (tg::Index row = 0; row < side; ++row) {
      for (tg::Index col = 0; col < side; ++col) {
        const double down = static_cast<double>(row) - centre, right = static_cast<double>(col) - centre;
        const double from_row = centre + cosine * down + sine * right;
        const double from_col = centre - sine * down + cosine * right;
        const double top = std::floor(from_row), left = std::floor(from_col);
        for (const double r : {top, top + 1}) {
          for (const double c : {left, left + 1}) {
            if (r < 0 || r >= side || c < 0 || c >= side) continue;
            const auto share = static_cast<tg::Scalar>((1 - std::abs(r - from_row)) * (1 - std::abs(c - from_col)));
            const auto pixel = static_cast<tg::Index>(r) * side + static_cast<tg::Index>(c);
            for (tg::Index i = begin; i < end; ++i)
              result.data()[i * side * side + row * side + col] += share * images.data()[i * side * side + pixel];
          }
        }
      }
    }
  });
  return result;
}

/// The mean distance of rows.
inline double mean_distance(const Eigen::ArrayXXd& a, const Eigen::ArrayXXd& b) {
  return (a - b).square().rowwise().sum().sqrt().mean();
}

/// How far images of a set move when they are turned by 1, 5, 15 and 45 degrees, in codes and in pixels, beside how far
/// two of them are apart. `encode(images)` gives their codes, a row an image.
template <class Encode>
nlohmann::json rotation_distances(const tg::Tensor& images, const Encode& encode) {
  const Eigen::ArrayXXd pixels = images.matrix().cast<double>(), codes = encode(images);
  const auto other = [](const Eigen::ArrayXXd& rows) {  // each row's partner: half the set away
    Eigen::ArrayXXd turned(rows.rows(), rows.cols());
    const tg::Index half = rows.rows() / 2;
    turned << rows.bottomRows(rows.rows() - half), rows.topRows(half);
    return turned;
  };
  const double code_pair = mean_distance(codes, other(codes)), pixel_pair = mean_distance(pixels, other(pixels));
  nlohmann::json by_degrees;
  for (const int degrees : {1, 5, 15, 45}) {
    const tg::Tensor turned = rotated(images, degrees);
    const double code = mean_distance(codes, encode(turned));
    const double pixel = mean_distance(pixels, turned.matrix().cast<double>());
    by_degrees.push_back({{"degrees", degrees},
                          {"code", code},
                          {"pixel", pixel},
                          {"code_ratio", code / code_pair},
                          {"pixel_ratio", pixel / pixel_pair}});
  }
  return {{"random_pair", {{"code", code_pair}, {"pixel", pixel_pair}}}, {"by_degrees", by_degrees}};
}

}  // namespace examples
