#pragma once
// What a program says while it trains, and what it leaves in its folder: metrics.csv, steps.csv and summary.json.

#include <chrono>
#include <cstdio>
#include <fstream>
#include <stdexcept>

#include "nats.hpp"
#include "options.hpp"

namespace examples {

inline nlohmann::json to_json(const Nats& nats) {
  return {{"loss", nats.loss()}, {"reconstruction", nats.reconstruction}, {"kl", nats.kl}};
}

/// The file NAME in the folder of a run, open for writing.
inline std::ofstream open_output(const Options& options, const std::string& name) {
  const std::string path = output_path(options, name);
  std::ofstream file(path);
  if (!file) throw std::runtime_error("cannot write " + path + "; choose another folder with --out");
  return file;
}

/// One training run, told epoch by epoch.
class Report {
 public:
  explicit Report(const Options& options)
      : options_(options), metrics_(open_output(options, "metrics.csv")), steps_(open_output(options, "steps.csv")) {
    metrics_ << "epoch,train_loss,train_reconstruction,train_kl,test_loss,test_reconstruction,test_kl\n";
    steps_ << "step,loss\n";
    summary["options"] = to_json(options);
    summary["build"] = tg::build_info();
  }

  /// Measures the time of an epoch of training from here to `trained`.
  void start() { started_ = Clock::now(); }
  void trained(tg::Index steps, int images) {
    seconds_ += std::chrono::duration<double>(Clock::now() - started_).count();
    step_count_ += static_cast<double>(steps);
    images_ += images;
  }

  /// A line of steps.csv: the loss of a batch, per image, before its step. Only the first epoch's are kept.
  void step(double loss) {
    if (steps_.is_open()) steps_ << first_epoch_steps_++ << ',' << loss << '\n';
  }

  /// The epoch's line on the screen and in metrics.csv.
  void epoch(int number, const Nats& train, const Nats& test) {
    steps_.close();
    metrics_ << number << ',' << train.loss() << ',' << train.reconstruction << ',' << train.kl << ',' << test.loss()
             << ',' << test.reconstruction << ',' << test.kl << std::endl;
    if (!options_.quiet)
      std::printf("epoch %2d/%d   train %7.2f = %6.2f reconstruction + %5.2f KL   test %7.2f = %6.2f + %5.2f\n", number,
                  options_.epochs, train.loss(), train.reconstruction, train.kl, test.loss(), test.reconstruction,
                  test.kl);
    summary["train_running"] = to_json(train);
    std::fflush(stdout);
  }

  /// Writes summary.json, with the losses on both whole sets after the last epoch.
  void finish(const Nats& train, const Nats& test) {
    summary["train"] = to_json(train);
    summary["test"] = to_json(test);
    summary["ms_per_step"] = 1e3 * seconds_ / step_count_;
    summary["images_per_second"] = images_ / seconds_;
    open_output(options_, "summary.json") << summary.dump(2) << '\n';
    if (!options_.quiet)
      std::printf(
          "%.2f ms a step, %.0f images/s; pictures, metrics.csv, summary.json and model.safetensors are in %s\n",
          1e3 * seconds_ / step_count_, images_ / seconds_, options_.out.c_str());
  }

  nlohmann::json summary;  ///< what a program adds is written by finish()

 private:
  using Clock = std::chrono::steady_clock;

  const Options& options_;
  std::ofstream metrics_;
  std::ofstream steps_;
  int first_epoch_steps_ = 0;
  Clock::time_point started_;
  double seconds_ = 0;
  double step_count_ = 0;
  double images_ = 0;
};

/// Reads the options and runs the program; errors are one line on stderr and exit code 1.
template <class Program>
int run_main(CLI::App& app, int argc, char** argv, const Program& program) {
  try {
    app.parse(argc, argv);
    program();
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
    return 1;
  }
}

}  // namespace examples
