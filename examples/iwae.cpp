// Importance-weighted autoencoders: Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders, 2015 (ICLR
// 2016), one stochastic layer, by the protocol of the authors' code.
//
// The ELBO of k samples is E log 1/k sum_i p(x, z_i) / q(z_i | x): k = 1 is the VAE's, and as k grows it comes nearer
// to log p(x). Test figures are that bound for k = 5000, in nats per image. The paper's after all 8 stages (3,280
// epochs, 9.8 million steps): 86.76 for k = 1; for k = 5 86.47 (VAE) and 85.54 (IWAE). Expect 90.1 for k = 1, and
// 88.8 for k = 5, after `--stages 5`, which are 121 epochs.

#include "common/iwae.hpp"
#include "common/checkpoints.hpp"
#include "common/mnist.hpp"
#include "common/progress.hpp"
#include "common/report.hpp"
#include "common/trace.hpp"

namespace tg = tapegrad;
using namespace examples;

namespace {

constexpr int train_images = 59600, batch_size = 20, all_stages = 8;

/// Stage i lasts 3^i epochs.
constexpr double learning_rates[all_stages] = {10e-4, 7.2e-4, 5.2e-4, 3.7e-4, 2.7e-4, 1.9e-4, 1.4e-4, 1e-4};
int epochs_until(int stage) {
  int epochs = 0;
  for (int i = 0, length = 1; i < stage; ++i, length *= 3) epochs += length;
  return epochs;
}

enum class Objective { iwae, vae };
const std::map<std::string, Objective>& objective_names() {
  static const std::map<std::string, Objective> names{{"iwae", Objective::iwae}, {"vae", Objective::vae}};
  return names;
}

struct IwaeOptions {
  int k = 1;
  Objective objective = Objective::iwae;
  int stages = 5;
  double beta1 = 0.99;
  double initial_v = 1;
  int eval_samples = 5000;
  int trace = 0;
  std::string weights = "";
};

/// Minus the bound, summed over the batch. The gradient of logsumexp weighs the samples by their normalised importance;
/// the VAE's mean weighs them alike.
tg::Var objective(const IwaeOptions& options, tg::Var log_weights) {
  if (options.objective == Objective::vae) return -sum(mean(log_weights, 0));
  return -sum(logsumexp(log_weights, 0) - std::log(options.k));
}

class Training {
 public:
  Training(const Options& options, const IwaeOptions& iwae, const CheckpointOptions& checkpoints)
      : options_(options), iwae_(iwae), mnist_(begin(options)), checkpoints_(checkpoints, options) {
    model_.show_mean_image(train_);
    tg::Rng pixels = tg::Rng(rng_.evaluation).fork();
    for (const auto& all : tg::data::batches(
             mnist_.test, {.size = mnist_.test.size(), .binarize = tg::data::Binarize::bernoulli, .noise = &pixels}))
      test_ = tg::Tensor(all.images);
    tg::io::Checkpoint& state = checkpoints_.state;
    checkpoints_.require_same(options_json(),
                              {"k", "objective", "beta1", "initial_v", "seed", "weights", "eval_samples"});
    state.add("model", model_).add("adam", adam_).add("pixels", rng_.order).add("noise", rng_.noise);
    state.add("batches", batches_).add("epoch", epoch_).add("step", step_).add("total", total_);
    metrics_.add_to(state);
    pace_.add_to(state, "pace");
    whole_.add_to(state, "whole");
    cut_.add_to(state, "cut");
  }

  void run() {
    if (!iwae_.weights.empty()) tg::io::load(iwae_.weights, model_);
    const bool resumed = checkpoints_.resume();
    if (iwae_.weights.empty()) {
      if (resumed) begin_new_stages();
      train();
      if (iwae_.trace > 0) return;
      tg::io::save(output_path(options_, "model.safetensors"), model_);
    }
    finish();
  }

 private:
  /// A run that had ended may go on with more stages; its last epoch is over, and its figures are of no use.
  void begin_new_stages() {
    if (step_ != epoch_ * batches_.count() || epoch_ >= epochs_until(iwae_.stages)) return;
    batches_.restore({.key = rng_.order.bits(), .next = 0});
    whole_ = cut_ = {rng_.evaluation};
  }

  void train() {
    const int epochs = epochs_until(iwae_.stages);
    if (step_ > epochs * batches_.count())
      throw std::runtime_error("the checkpoint is of epoch " + std::to_string(epoch_ + 1) + "; --stages " +
                               std::to_string(iwae_.stages) + " ends with epoch " + std::to_string(epochs));
    const auto steps_left = static_cast<double>(epochs * batches_.count() - step_);
    Projection projection("steps", steps_left, options_.quiet);
    Trace trace(iwae_.trace, model_);
    trace.keep("test", test_);
    tg::Tape tape;
    for (tg::Index first_step = step_; epoch_ < epochs; ++epoch_, total_ = 0) {
      int stage = 0;
      while (epochs_until(stage + 1) <= epoch_) ++stage;
      adam_.set_lr(learning_rates[stage]);
      Progress progress(epoch_ + 1, train_.size(), options_.quiet, images_had(batches_, batch_size));
      pace_.start();
      for (const auto& batch : batches_) {
        tape.reset();
        const tg::Var x = tape.constant(batch.images);
        const tg::Var noise = tape.randn({iwae_.k, batch.size(), Iwae::latent}, rng_.noise);
        const tg::Var loss = objective(iwae_, model_.log_weights(x, model_.posterior(x), noise));
        adam_.zero_grad();
        loss.backward();
        adam_.step();
        total_ += loss.item();
        trace.step({{"images", x}, {"noise", noise}, {"losses", loss}});
        ++step_;
        pace_.step(batch.size());
        if (trace.full()) return trace.save(options_);
        require_number(total_);
        progress.add(batch.size());
        projection.at(static_cast<double>(step_ - first_step));
        checkpoints_.after_step();
      }
      say_epoch(stage, epochs);
    }
    if (trace.wanted()) throw std::runtime_error("training ended before --trace had so many steps; nothing is kept");
  }

  void say_epoch(int stage, int epochs) {
    const double loss = total_ / train_.size();
    metrics_.add(epoch_ + 1, stage + 1, adam_.lr(), loss);
    metrics_.write();
    if (options_.quiet) return;
    const auto steps_left = static_cast<double>((epochs - epoch_ - 1) * batches_.count());
    const double minutes = pace_.seconds_per_step() * steps_left / 60;
    std::printf("epoch %4d/%d   stage %d, lr %.1e   train %.3f   %s left\n", epoch_ + 1, epochs, stage + 1, adam_.lr(),
                loss, Projection::duration(minutes).c_str());
    std::fflush(stdout);
  }

  /// Test figures, of the model and of one without the units that say nothing.
  void finish() {
    const std::vector<bool> active = active_units(model_, {test_.data(), {std::min(500, mnist_.test.size()), 784}});
    const auto units = std::count(active.begin(), active.end(), true);
    if (!options_.quiet) std::printf("%td of %d units of z are active\n", units, Iwae::latent);
    const double whole = negative_log_likelihood(model_, whole_);
    double cut = whole;
    if (units < Iwae::latent) {
      tg::Rng rng(0);
      Iwae without(rng);
      tg::nn::copy_parameters(model_, without);
      cut_units(without, active);
      cut = negative_log_likelihood(without, cut_);
    }
    nlohmann::json summary{{"options", options_json()}};
    if (!iwae_.weights.empty())  // trained by another run, with options of its own
      for (const char* name : {"k", "objective", "stages", "beta1", "initial_v"}) summary["options"].erase(name);
    summary.update({{"epochs", epoch_}, {"steps", step_}, {"active_units", units}});
    summary["test"] = {{"nll", whole}, {"nll_without_dead_units", cut}};
    if (step_ > 0) summary["ms_per_step"] = 1e3 * pace_.seconds_per_step();
    write_summary(options_, summary);
    if (!options_.quiet)
      std::printf("test: %.3f nats by %d samples; %.3f without the %td dead units\n", whole, iwae_.eval_samples, cut,
                  Iwae::latent - units);
  }

  nlohmann::json options_json() const {
    return {{"data", options_.data},
            {"seed", options_.seed},
            {"threads", options_.threads},
            {"out", options_.out},
            {"k", iwae_.k},
            {"objective", name_of(iwae_.objective, objective_names())},
            {"stages", iwae_.stages},
            {"beta1", iwae_.beta1},
            {"initial_v", iwae_.initial_v},
            {"weights", iwae_.weights},
            {"eval_samples", iwae_.eval_samples}};
  }

  double negative_log_likelihood(Iwae& model, Likelihood& likelihood) {
    const tg::Index count = test_.shape()[0], first = likelihood.next;
    Projection projection("test images", static_cast<double>(count - first), options_.quiet);
    return likelihood.run(model, test_, iwae_.eval_samples, [&] {
      projection.at(static_cast<double>(likelihood.next - first));
      checkpoints_.after_step();
    });
  }

  const Options& options_;
  const IwaeOptions& iwae_;
  tg::io::Mnist mnist_;
  tg::data::ImageDataset train_ = first_images(mnist_.train, train_images);
  Checkpoints checkpoints_;
  Streams rng_{options_.seed};
  Iwae model_{rng_.weights};
  tg::optim::Adam adam_{
      model_.parameters(),
      {.betas = {iwae_.beta1, 0.999}, .eps = 1e-4, .uncorrected_eps = true, .initial_v = iwae_.initial_v}};
  tg::data::Batches<tg::data::ImageDataset> batches_{
      train_, {.size = batch_size, .binarize = tg::data::Binarize::bernoulli, .noise = &rng_.order}};
  tg::Tensor test_;  // binarised once
  int epoch_ = 0;    // of those that are over
  tg::Index step_ = 0;
  double total_ = 0;  // the losses of this epoch
  Pace pace_;
  Csv metrics_{options_, "metrics.csv", "epoch,stage,lr,train_loss"};
  Likelihood whole_{rng_.evaluation}, cut_{rng_.evaluation};
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains an importance-weighted autoencoder on MNIST by the protocol of Burda et al., 2015.", "iwae");
  Options options;
  IwaeOptions iwae;
  CheckpointOptions checkpoints;
  add_place(app, options);
  add_seed(app, options);
  app.add_option("--k", iwae.k, "samples of z for each image")->check(whole(1, 5000));
  add_choice(app, "--objective", iwae.objective, objective_names(),
             "iwae: log of their mean weight; vae: mean of their log weights");
  app.add_option("--stages", iwae.stages, "of 1, 3, 9, .. epochs, with falling learning rates; the paper has 8")
      ->check(whole(1, all_stages));
  app.add_option("--beta1", iwae.beta1, "Adam's: 0.99 in the authors' code, 0.9 in their paper")
      ->check(CLI::Range(0.0, 0.9999))
      ->check(finite());
  app.add_option("--initial-v", iwae.initial_v,
                 "what Adam's second moment starts at: 1 in the authors' code, 0 in Adam")
      ->check(nonnegative());
  app.add_option("--eval-samples", iwae.eval_samples, "samples for each test image in the end")
      ->check(whole(1, 1000000));
  app.add_option("--trace", iwae.trace, "only so many steps, kept in trace.safetensors with all that went into them")
      ->check(whole(0, 2000));
  auto* weights =
      app.add_option("--weights", iwae.weights, "no training: evaluate this model.safetensors")->check(file_path());
  for (const char* setting : {"--k", "--objective", "--stages", "--beta1", "--initial-v", "--trace"})
    weights->excludes(setting);
  add_checkpoints(app, checkpoints);
  add_examples(app,
               {{"--k 1 --objective vae --stages 4", "a VAE, by the first four of the paper's eight stages"},
                {"--k 5 --stages 8", "the whole protocol, which takes hours; Ctrl-C saves and says how to go on"}});
  return run_main(app, argc, argv, [&] { Training(options, iwae, checkpoints).run(); });
}
