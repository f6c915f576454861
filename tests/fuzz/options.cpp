// Any words as a program's options, one a line: options within their ranges, or one CLI::ParseError.

#include <common/options.hpp>
#include <string>
#include <vector>

#include "memory_file.hpp"

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
  const bool right = options.epochs >= 1 && options.hidden >= 1 && options.latent >= 1 && options.batch >= 1 &&
                     options.lr > 0 && options.threads >= 0;
  if (!right) std::abort();
  return 0;
}
