#pragma once
// What a program says while it trains, and what it leaves in its folder: metrics.csv, steps.csv and summary.json.

#include <cmath>
#include <cstdio>
#include <new>
#include <sstream>
#include <stdexcept>
#include <tapegrad/io.hpp>

#include "nats.hpp"
#include "options.hpp"
#include "pace.hpp"

namespace examples {

inline nlohmann::json to_json(const Nats& nats) {
  return {{"loss", nats.loss()}, {"reconstruction", nats.reconstruction}, {"kl", nats.kl}};
}

/// Writes the file NAME in the folder of a run; what was there stays if that fails.
inline void write_output(const Options& options, const std::string& name, const std::string& text) {
  tg::io::AtomicFile file(output_path(options, name));
  file.write(text.data(), text.size());
  file.commit();
}

/// Throws where training has gone astray.
inline void require_number(double loss) {
  if (!std::isfinite(loss)) throw std::runtime_error("the loss is no longer a number; try a lower --lr");
}
/// Throws where a run that goes on is further than it is to go.
inline void require_epochs_left(int epoch, int epochs) {
  if (epoch > epochs)
    throw std::runtime_error("the checkpoint is of epoch " + std::to_string(epoch) + "; --epochs " +
                             std::to_string(epochs) + " is less");
}

/// summary.json: the build, and what the program found. Throws where something of that is no number.
inline void write_summary(const Options& options, nlohmann::json summary) {
  const nlohmann::json flat = summary.flatten();
  for (const auto& [key, value] : flat.items())
    if (value.is_number_float() && !std::isfinite(value.get<double>()))
      throw std::runtime_error("summary.json: " + key + " is " + std::to_string(value.get<double>()) +
                               "; a figure must be a number");
  summary["build"] = tg::build_info();
  write_output(options, "summary.json", summary.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

/// A .csv file. It is written as a whole, with what it had before the run was stopped; and not before there is a line,
/// as it may stand where an earlier run left its own.
class Csv {
 public:
  Csv(const Options& options, std::string name, const std::string& columns)
      : options_(options), name_(std::move(name)), text_(columns + "\n") {}

  template <class First, class... Rest>
  void add(const First& first, const Rest&... rest) {
    std::ostringstream line;
    line << first;
    ((line << ',' << rest), ...);
    text_ += line.str() + "\n";
  }
  void write() const { write_output(options_, name_, text_); }

  /// Its part of an io::Checkpoint.
  template <class Checkpoint>
  void add_to(Checkpoint& state) {
    state.add(name_, text_);
  }

 private:
  const Options& options_;
  std::string name_, text_;
};

/// The end of a program that trained: metrics.csv, summary.json with its pace, and a line that says where all is.
inline void finish(const Options& options, const Pace& pace, const Csv& metrics, nlohmann::json summary) {
  metrics.write();
  summary["ms_per_step"] = 1e3 * pace.seconds_per_step();
  summary["images_per_second"] = pace.images_per_second();
  write_summary(options, std::move(summary));
  if (!options.quiet)
    std::printf("%.2f ms a step, %.0f images/s; pictures, metrics.csv, summary.json and model.safetensors are in %s\n",
                1e3 * pace.seconds_per_step(), pace.images_per_second(), options.out.c_str());
}

/// One training run, told epoch by epoch.
class Report {
 public:
  explicit Report(const Options& options) : options_(options) { summary["options"] = to_json(options); }

  /// Its part of a checkpoint: the run that goes on tells all of it, from the beginning.
  template <class Checkpoint>
  void add_to(Checkpoint& state) {
    mean_.add_to(state, "mean");
    state.add("epoch", epoch_);
    metrics_.add_to(state);
    steps_.add_to(state);
    pace_.add_to(state, "pace");
  }

  /// The number of the epoch that is going on, from 1.
  int epoch() const { return epoch_; }
  /// The mean of the losses of the epoch's batches so far, each before its step.
  Nats mean() const { return mean_.value(); }

  /// Measures the time of training from here to each `step`.
  void start() { pace_.start(); }
  /// A step has been made on `images` images, which had these losses. steps.csv has those of the first epoch.
  void step(const Elbo& elbo, int images) {
    if (epoch_ == 1) steps_.add(pace_.steps(), (elbo.reconstruction.item() + elbo.kl.item()) / images);
    mean_.add(elbo, images);
    pace_.step(images);
  }

  /// The epoch's line on the screen and in metrics.csv. Throws if the last step spoilt the model.
  void end_epoch(const Nats& test) {
    require_number(test.loss());
    const Nats train = mean();
    metrics_.add(epoch_, train.loss(), train.reconstruction, train.kl, test.loss(), test.reconstruction, test.kl);
    metrics_.write();
    steps_.write();
    if (!options_.quiet)
      std::printf("epoch %2d/%d   train %7.2f = %6.2f reconstruction + %5.2f KL   test %7.2f = %6.2f + %5.2f\n", epoch_,
                  options_.epochs, train.loss(), train.reconstruction, train.kl, test.loss(), test.reconstruction,
                  test.kl);
    summary["train_running"] = to_json(train);
    std::fflush(stdout);
    ++epoch_;
    mean_ = {};
  }

  /// Writes all, with the losses on both whole sets after the last epoch in summary.json.
  void finish(const Nats& train, const Nats& test) {
    summary["train"] = to_json(train);
    summary["test"] = to_json(test);
    steps_.write();
    examples::finish(options_, pace_, metrics_, summary);
  }

  nlohmann::json summary;  ///< what a program adds is written by finish()

 private:
  const Options& options_;
  Csv metrics_{options_, "metrics.csv",
               "epoch,train_loss,train_reconstruction,train_kl,test_loss,test_reconstruction,test_kl"};
  Csv steps_{options_, "steps.csv", "step,loss"};
  int epoch_ = 1;
  Mean mean_;
  Pace pace_;
};

/// What to try where memory has run out, of the options that the program has.
inline std::string out_of_memory(const CLI::App& app) {
  std::vector<std::string> smaller;
  for (const char* option : {"--hidden", "--latent", "--batch"})
    if (app.get_option_no_throw(option)) smaller.push_back(option);
  std::string text = "not enough memory";
  for (std::size_t i = 0; i < smaller.size(); ++i)
    text += (i == 0 ? "; try a smaller " : i + 1 < smaller.size() ? ", " : " or ") + smaller[i];
  return text;
}

/// Reads the options and runs the program; errors are one line on stderr and exit code 1.
template <class Program>
int run_main(CLI::App& app, int argc, char** argv, const Program& program) {
  const auto fail = [&app](const char* what) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), what);
    return 1;
  };
  int code = 0;
  try {
    app.parse(argc, argv);
    program();
  } catch (const CLI::ParseError& error) {
    code = app.exit(error);  // 0 after --help
  } catch (const std::bad_alloc&) {
    return fail(out_of_memory(app).c_str());
  } catch (const std::exception& error) {
    return fail(error.what());
  }
  const bool printed = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  return code == 0 && !printed ? fail("standard output could not be written (is its disk full?)") : code;
}

}  // namespace examples
