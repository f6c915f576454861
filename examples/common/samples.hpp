#pragma once
// samples.npy: what every generative program leaves for `judge`.

#include <algorithm>
#include <tapegrad/io.hpp>

#include "decoder.hpp"
#include "options.hpp"

namespace examples {

inline void add_samples_out(CLI::App& app, Options& options) {
  app.add_option("--samples-out", options.samples_out, "images to write to samples.npy, for judge; 0: no file")
      ->check(whole(0, 1000000));
}

/// Writes samples.npy, (options.samples_out, 784) in [0, 1]. `images(count)` makes some, (count, 784).
template <class Images>
void write_samples(const Options& options, const Images& images) {
  const std::string path = output_path(options, "samples.npy");
  std::filesystem::remove(path);  // an earlier run's
  if (options.samples_out == 0) return;
  tg::Tensor all = tg::Tensor::uninitialized({options.samples_out, 784});
  constexpr tg::Index at_a_time = 1000;
  for (tg::Index first = 0; first < options.samples_out; first += at_a_time) {
    const tg::Index count = std::min(at_a_time, options.samples_out - first);
    all.matrix().middleRows(first, count) = images(count).matrix();
  }
  tg::io::save_npy(path, all);
}

/// The same of a decoder, for codes drawn from N(0, I).
inline void write_samples(const Options& options, Decoder& decoder, tg::Rng rng) {
  write_samples(options, [&](tg::Index count) { return decoder.images(draw_codes(count, options.latent, rng)); });
}

}  // namespace examples
