#pragma once

#include <map>
#include <stdexcept>
#include <tapegrad/io.hpp>
#include <tapegrad/tapegrad.hpp>

#include "options.hpp"

namespace examples {

namespace tg = tapegrad;

/// What every program begins with: MNIST from the folder that the options name, the number of threads, and a trial
/// whether the folder of the run can be written to, which nobody wants to learn after an hour.
inline tg::io::Mnist begin(const Options& options) {
  if (options.threads > 0) tg::set_num_threads(options.threads);
  tg::io::Mnist mnist = tg::io::mnist(options.data);
  for (const tg::data::ImageDataset* images : {&mnist.train, &mnist.test}) {
    if (images->size() == 0) throw std::runtime_error(options.data + ": one of its sets has no images");
    if (images->rows() != 28 || images->cols() != 28)
      throw std::runtime_error(options.data + ": its images are " + std::to_string(images->rows()) + "x" +
                               std::to_string(images->cols()) + ", and MNIST's are 28x28");
  }
  const tg::io::AtomicFile trial(output_path(options, "summary.json"));
  return mnist;
}

/// The first `count` images of a set; all for 0, or if there are fewer.
inline tg::data::ImageDataset first_images(const tg::data::ImageDataset& images, int count) {
  if (count == 0 || count >= images.size()) return images;
  const auto pixels = images.pixels().first(static_cast<std::size_t>(count * images.rows() * images.cols()));
  const auto labels = images.labels().first(static_cast<std::size_t>(count));
  return {{pixels.begin(), pixels.end()}, count, images.rows(), images.cols(), {labels.begin(), labels.end()}};
}

/// A stream of random numbers for each purpose, so that one does not depend on how much another draws.
struct Streams {
  explicit Streams(std::uint64_t seed) : Streams(tg::Rng(seed)) {}

  tg::Rng weights, order, noise, evaluation;

 private:
  explicit Streams(tg::Rng root)
      : weights(root.fork()), order(root.fork()), noise(root.fork()), evaluation(root.fork()) {}
};

inline const std::map<std::string, tg::data::Binarize>& binarize_names() {
  static const std::map<std::string, tg::data::Binarize> names{{"none", tg::data::Binarize::none},
                                                               {"threshold", tg::data::Binarize::threshold},
                                                               {"bernoulli", tg::data::Binarize::bernoulli}};
  return names;
}

inline void add_binarize(CLI::App& app, tg::data::Binarize& binarize) {
  add_choice(app, "--binarize", binarize, binarize_names(),
             "none: grey pixels as they are; threshold: 1 above one half, else 0; bernoulli: 1 with the pixel as its "
             "probability");
}

}  // namespace examples
