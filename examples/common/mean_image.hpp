#pragma once

#include <cmath>
#include <nlohmann/json.hpp>

#include "decoder.hpp"
#include "options.hpp"
#include "statistics.hpp"

namespace examples {

/// What the decoder makes of 2,000 draws of z, against the mean image; per pixel, in units of full white.
inline void compare_with_mean_image(const Options& options, Decoder& decoder, const Eigen::ArrayXd& mean, tg::Rng rng,
                                    nlohmann::json& summary) {
  const Eigen::ArrayXXd outputs = decoder.images(draw_codes(2000, options.latent, rng)).matrix().cast<double>().array();
  const Eigen::ArrayXd average = outputs.colwise().mean().transpose();
  summary["distance_to_mean_image"] = std::sqrt((average - mean).square().mean());
  summary["output_std_over_z"] = std::sqrt(column_variances(outputs).mean());
}

}  // namespace examples
