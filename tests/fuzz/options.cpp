// Any words as a program's options, one a line: options within their ranges, or one CLI::ParseError.

#include <cmath>
#include <common/options.hpp>
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
  try {
    app.parse(words);
  } catch (const CLI::ParseError&) {
    return 0;
  }
  const auto within = [](int value, int least, int most) { return value >= least && value <= most; };
  const auto lr = static_cast<tapegrad::Scalar>(options.lr);
  const bool right = within(options.epochs, 1, 100000) && within(options.hidden, 1, 65536) &&
                     within(options.latent, 1, 65536) && within(options.batch, 1, 60000) && lr > 0 &&
                     std::isfinite(lr) && within(options.threads, 0, 1024);
  if (!right) std::abort();
  return 0;
}
