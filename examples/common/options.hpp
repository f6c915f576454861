#pragma once
// What all programs let their user choose.

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tapegrad/core/config.hpp>

namespace examples {

struct Options {
  std::string data = "data/mnist";
  int epochs = 10;
  int hidden = 512;
  int latent = 32;
  int batch = 128;
  double lr = 1e-3;
  std::uint64_t seed = 1;
  int threads = 0;
  int samples_out = 10000;
  std::string out = "";
  bool quiet = false;
};

/// A check for options that are whole numbers: CLI takes 010 for 8, and -1 for the last number that there is.
template <class T>
CLI::Validator whole(T least, T most = std::numeric_limits<T>::max()) {
  const std::string range = std::to_string(least) + " to " + std::to_string(most);
  return CLI::Validator(
      [least, most, range](const std::string& text) {
        T number{};
        std::from_chars(text.data(), text.data() + text.size(), number);
        const bool right = std::to_string(number) == text && number >= least && number <= most;
        return right ? std::string() : text + " is not a whole number from " + range;
      },
      most == std::numeric_limits<T>::max() ? "" : range);
}
/// Checks for options that are real numbers, as the library will have them: 1e-50 is 0 as a float, and 1e39 infinite.
/// NaN and infinity pass CLI's own checks, and those of a range without an end tell that end in three hundred digits.
inline CLI::Validator finite(
    const std::string& rule = "", bool (*holds)(double) = [](double) { return true; }) {
  return CLI::Validator(
      [rule, holds](const std::string& text) {
        const auto right = [holds](double number) { return std::isfinite(number) && holds(number); };
        double number = std::nan("");  // left as it is by what is no number
        const char* const end = text.data() + text.size();
        if (std::from_chars(text.data(), end, number).ptr != end) number = std::nan("");
        if (right(static_cast<tapegrad::Scalar>(number))) return std::string();
        return text + (right(number) ? " as a float" : "") + " is not a finite number" + rule;
      },
      "");
}
inline CLI::Validator positive() {
  return finite(" above 0", [](double number) { return number > 0; });
}
inline CLI::Validator nonnegative() {
  return finite(" of 0 or more", [](double number) { return number >= 0; });
}

/// A check for files that need not be given: "" would pass for none, and is a shell variable that is not set.
inline CLI::Validator file_path() {
  return CLI::Validator(
      [](const std::string& path) {
        return path.empty() ? std::string("got \"\" (a shell variable that is not set?); it must be a file's path")
                            : std::string();
      },
      "");
}

/// Where a program reads and writes, and on how many threads. It writes to out/ and its name unless told otherwise.
inline void add_place(CLI::App& app, Options& options) {
  options.out = "out/" + app.get_name();
  app.option_defaults()->always_capture_default()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--data", options.data, "folder of MNIST's four IDX files, plain or .gz");
  app.add_option("--threads", options.threads, "threads to use; 0: as many as there are")->check(whole(0, 1024));
  app.add_option("--out", options.out, "folder to write to");
  app.add_flag("--quiet", options.quiet, "print nothing but errors");
}

inline void add_seed(CLI::App& app, Options& options) {
  app.add_option("--seed", options.seed, "the same seed gives the same bits")->check(whole<std::uint64_t>(0));
}

/// The options of all programs that train.
inline void add_options(CLI::App& app, Options& options) {
  add_place(app, options);
  app.add_option("--epochs", options.epochs, "passes over the training set")->check(whole(1, 100000));
  app.add_option("--hidden", options.hidden, "units of the hidden layers")->check(whole(1, 65536));
  app.add_option("--batch", options.batch, "images a step")->check(whole(1, 60000));
  app.add_option("--lr", options.lr, "Adam's learning rate")->check(positive());
  add_seed(app, options);
}

inline void add_latent(CLI::App& app, Options& options) {
  app.add_option("--latent", options.latent, "length of the code z; with 2, a manifold.png is drawn")
      ->check(whole(1, 1024));
}

/// The name by which an option's value is given.
template <class Value>
std::string name_of(Value value, const std::map<std::string, Value>& names) {
  for (const auto& [name, named] : names)
    if (named == value) return name;
  return "";
}

/// An option whose value is one of a few names. CLI's own transformers also take the numbers behind them.
template <class Value>
void add_choice(CLI::App& app, const std::string& option, Value& value, const std::map<std::string, Value>& names,
                const std::string& help) {
  const auto all = [names](const std::string& between) {
    std::string text;
    for (const auto& [name, named] : names) text += (text.empty() ? "" : between) + name;
    return text;
  };
  const auto check = [names, all](const std::string& name) {
    return names.contains(name) ? std::string() : "got \"" + name + "\"; it is one of " + all(", ");
  };
  const auto choose = [names, &value](const std::string& name) { value = names.at(name); };
  app.add_option_function<std::string>(option, choose, help)
      ->check(CLI::Validator(check, ""))
      ->type_name(all("|"))
      ->default_str(name_of(value, names));
}

/// The end of --help: command lines to copy, each with what it is for, and what the exit code says.
inline void add_examples(CLI::App& app, std::initializer_list<std::pair<const char*, const char*>> examples) {
  std::string text = "Examples:\n";
  for (const auto& [arguments, purpose] : examples)
    text += "  " + app.get_name() + " " + arguments + "\n      " + purpose + "\n";
  app.footer(text + "\nExit code: 0 if all went well, 1 for an error, above 100 for wrong options.");
}

/// The path of a file in the folder of a run, which is made if it is not there.
inline std::string output_path(const Options& options, const std::string& name) {
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (error)
    throw std::runtime_error((options.out.empty() ? "\"\"" : options.out) +
                             ": cannot be made a folder: " + error.message());
  return (std::filesystem::path(options.out) / name).string();
}

/// The options by name, for summary.json.
inline nlohmann::json to_json(const Options& options) {
  return {{"data", options.data},
          {"epochs", options.epochs},
          {"hidden", options.hidden},
          {"latent", options.latent},
          {"batch", options.batch},
          {"lr", options.lr},
          {"seed", options.seed},
          {"threads", options.threads},
          {"out", options.out},
          {"quiet", options.quiet},
          {"samples_out", options.samples_out}};
}

}  // namespace examples
