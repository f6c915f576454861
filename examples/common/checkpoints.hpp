#pragma once
// Runs that can be stopped at any moment and resumed: Ctrl-C finishes the step, saves, and says how to go on.

#include <csignal>
#include <string>
#include <tapegrad/io.hpp>

#include "options.hpp"

namespace examples {

namespace tg = tapegrad;

struct CheckpointOptions {
  std::string resume;
  tg::Index every = 0;
};

inline void add_checkpoints(CLI::App& app, CheckpointOptions& options) {
  app.add_option("--resume", options.resume, "go on where this checkpoint was saved, with the same options")
      ->check(file_path());
  app.add_option("--checkpoint-every", options.every,
                 "save OUT/checkpoint.safetensors after every so many steps; 0: only when interrupted")
      ->check(whole<tg::Index>(0));
}

/// A word to be pasted into a shell, in quotes where it needs them.
inline std::string shell_word(const std::string& text) {
  const char* const harmless = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+,:@%";
  if (text.find_first_not_of(harmless) == std::string::npos) return text;
  std::string quoted = "'";
  for (const char letter : text) {
    if (letter == '\'') quoted += "'\\'";
    quoted += letter;
  }
  return quoted + "'";
}

/// Saves a run's state now and then. Until it ends, an interrupt (Ctrl-C) or SIGTERM waits for the end of a step; a
/// second one ends the program at once.
class Checkpoints {
 public:
  Checkpoints(const CheckpointOptions& checkpoints, const Options& options)
      : options_(checkpoints), path_(output_path(options, "checkpoint.safetensors")) {
    asked_to_stop() = 0;
    struct sigaction stop {};
    stop.sa_handler = [](int) { asked_to_stop() = 1; };
    stop.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(SIGINT, &stop, &before_interrupt_);
    ::sigaction(SIGTERM, &stop, &before_terminate_);
  }
  Checkpoints(const Checkpoints&) = delete;
  Checkpoints& operator=(const Checkpoints&) = delete;
  ~Checkpoints() {
    ::sigaction(SIGINT, &before_interrupt_, nullptr);
    ::sigaction(SIGTERM, &before_terminate_, nullptr);
  }

  tg::io::Checkpoint state;  ///< what the program adds is saved

  /// The run that goes on must have been given the same values of these options.
  void require_same(const nlohmann::json& options, std::initializer_list<const char*> names) {
    for (const char* name : names) state.require_same(name, options[name].dump());
  }

  /// Loads what --resume names. False where there is nothing to resume.
  bool resume() {
    if (options_.resume.empty()) return false;
    state.load(options_.resume);
    return true;
  }

  /// To be called after each step, within the loop over batches. Throws, once it has saved, where an interrupt came.
  void after_step() {
    ++steps_;
    stop_if_asked();
    if (options_.every > 0 && steps_ % options_.every == 0) state.save(path_);
  }

  /// The same for what takes long between the last step of an epoch and its end, where epochs are counted up.
  void stop_if_asked() const {
    if (!asked_to_stop()) return;
    state.save(path_);
    throw std::runtime_error("interrupted; to go on, give the same options and --resume " + shell_word(path_));
  }

 private:
  /// All that a signal handler may write.
  static volatile std::sig_atomic_t& asked_to_stop() {
    static volatile std::sig_atomic_t asked = 0;
    return asked;
  }

  CheckpointOptions options_;
  std::string path_;
  tg::Index steps_ = 0;
  struct sigaction before_interrupt_ {};
  struct sigaction before_terminate_ {};
};

}  // namespace examples
