// Any words as a program's options, one a line: options within their ranges, or one CLI::ParseError.

#include <cmath>
#include <common/checkpoints.hpp>
#include <common/mnist.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == '\n')
      words.emplace_back();
    else
      words.back() += static_cast<char>(data[i]);
  }
  CLI::App app("fuzz", "fuzz");
  examples::Options options;
  examples::add_options(app, options);
  examples::add_latent(app, options);
  examples::CheckpointOptions checkpoints;
  examples::add_checkpoints(app, checkpoints);
  auto binarize = tapegrad::data::Binarize::none;
  examples::add_binarize(app, binarize);
  double beta = 1;
  app.add_option("--beta", beta)->check(examples::nonnegative());
  try {
    app.parse(words);
  } catch (const CLI::ParseError&) {
    return 0;
  }
  const auto within = [](int value, int least, int most) { return value >= least && value <= most; };
  const auto is_finite = [](double value) { return std::isfinite(static_cast<tapegrad::Scalar>(value)); };
  const bool right = within(options.epochs, 1, 100000) && within(options.hidden, 1, 65536) &&
                     within(options.latent, 1, 1024) && within(options.batch, 1, 60000) &&
                     static_cast<tapegrad::Scalar>(options.lr) > 0 && is_finite(options.lr) && beta >= 0 &&
                     is_finite(beta) && within(options.threads, 0, 1024) && checkpoints.every >= 0 &&
                     !examples::name_of(binarize, examples::binarize_names()).empty();
  if (!right) std::abort();
  return 0;
}
