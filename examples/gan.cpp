// A generative adversarial network on MNIST: Goodfellow et al. 2014. Its generator is the decoder of `vae`, fed with
// random z and nothing else, like the decoder without an encoder; but nobody asks it for one image for one z. A second
// network, the discriminator, learns to tell its images from real ones, and the generator learns to be taken for real.
// So random z do work, where the loss is about the whole distribution and not about pairs.
//
// Expect after 30 epochs: a good half of the samples easily read, ones and nines too often among them, and a
// discriminator that still gives real images a probability of 0.79 on average, and made ones 0.21.

#include "common/checkpoints.hpp"
#include "common/decoder.hpp"
#include "common/mnist.hpp"
#include "common/pictures.hpp"
#include "common/progress.hpp"
#include "common/report.hpp"

namespace tg = tapegrad;
using namespace examples;

namespace {

struct Discriminator : tg::nn::Module {
  Discriminator(tg::Rng& rng, int hidden, double dropout)
      : Module(rng),
        first(*this, "first", 784, hidden),
        first_dropout(*this, "first_dropout", dropout),
        second(*this, "second", hidden, hidden),
        second_dropout(*this, "second_dropout", dropout),
        output(*this, "output", hidden, 1) {}

  /// Logits that the images are real, (batch, 1).
  tg::Var operator()(tg::Var images) {
    const tg::Var hidden = first_dropout(leaky_relu(first(images), 0.2));
    return output(second_dropout(leaky_relu(second(hidden), 0.2)));
  }

  tg::nn::Linear first;
  tg::nn::Dropout first_dropout;
  tg::nn::Linear second;
  tg::nn::Dropout second_dropout;
  tg::nn::Linear output;
};

/// The cross entropy of `logits` with one answer for all: 1, real, or 0, made.
tg::Var called(tg::Var logits, float answer) {
  const tg::Var answers = logits.tape().constant(tg::Tensor(logits.shape(), answer));
  return bce_with_logits(logits, answers, tg::Reduction::mean);
}

/// Sums over an epoch.
struct Game {
  double discriminator = 0,
         generator = 0;       ///< losses, in nats: 2 ln 2 = 1.386 and ln 2 = 0.693 where it can only guess
  double real = 0, made = 0;  ///< how real it takes both for: sigmoid of the logits, 0 to 1

  /// Its part of a checkpoint.
  void add_to(tg::io::Checkpoint& state) {
    state.add("discriminator_loss", discriminator).add("generator_loss", generator);
    state.add("real_taken_for_real", real).add("made_taken_for_real", made);
  }
  Game operator/(double count) const { return {discriminator / count, generator / count, real / count, made / count}; }
};

class Gan {
 public:
  Gan(const Options& options, Streams& rng, double dropout)
      : generator(rng.weights, options.latent, options.hidden),
        discriminator(rng.weights, options.hidden, dropout),
        latent_(options.latent),
        generator_adam_(generator.parameters(), {.lr = options.lr, .betas = {0.5, 0.999}}),
        discriminator_adam_(discriminator.parameters(), {.lr = options.lr, .betas = {0.5, 0.999}}) {}

  /// One step of each of the two.
  void step(const tg::data::ImageBatch& batch, tg::Rng& noise, Game& sums) {
    tape_.reset();
    const tg::Var z = tape_.randn({batch.size(), latent_}, noise);
    const tg::Var images = sigmoid(generator(z));

    const tg::Var real = discriminator(tape_.constant(batch.images));
    const tg::Var made = discriminator(detach(images));  // the generator does not learn from being found out
    const tg::Var found_out = called(real, 1) + called(made, 0);
    discriminator_adam_.zero_grad();
    found_out.backward();
    discriminator_adam_.step();

    const tg::Var taken_for_real = called(discriminator(images), 1);
    generator_adam_.zero_grad();
    taken_for_real.backward();
    generator_adam_.step();

    sums.discriminator += found_out.item();
    sums.generator += taken_for_real.item();
    const auto guard = tape_.no_grad();
    sums.real += mean(sigmoid(real)).item();
    sums.made += mean(sigmoid(made)).item();
  }

  void add_to(tg::io::Checkpoint& state) {
    state.add("generator", generator).add("generator_adam", generator_adam_);
    state.add("discriminator", discriminator).add("discriminator_adam", discriminator_adam_);
  }

  Decoder generator;
  Discriminator discriminator;

 private:
  int latent_;
  tg::optim::Adam generator_adam_, discriminator_adam_;
  tg::Tape tape_;
};

void train(const Options& options, double dropout, const CheckpointOptions& checkpoint_options) {
  const auto mnist = begin(options);
  Streams rng(options.seed);
  Gan gan(options, rng, dropout);
  if (!options.quiet)
    std::printf("%s\n%s%s\n", tg::build_info().c_str(), gan.generator.summary().c_str(),
                gan.discriminator.summary().c_str());

  nlohmann::json summary{{"options", to_json(options)}};
  summary["options"]["dropout"] = dropout;
  Csv metrics(options, "metrics.csv",
              "epoch,discriminator_loss,generator_loss,real_taken_for_real,made_taken_for_real");
  Pace pace;
  Game sums, mean;
  int epoch = 1;
  {
    tg::data::Batches batches(mnist.train, {.size = options.batch, .shuffle = &rng.order});
    Checkpoints checkpoints(checkpoint_options, options);
    gan.add_to(checkpoints.state);
    checkpoints.state.add("batches", batches).add("order", rng.order).add("noise", rng.noise).add("epoch", epoch);
    sums.add_to(checkpoints.state);
    metrics.add_to(checkpoints.state);
    pace.add_to(checkpoints.state, "pace");
    checkpoints.require_same(summary["options"], {"dropout", "batch", "lr", "seed"});
    checkpoints.resume();
    require_epochs_left(epoch, options.epochs);
    for (; epoch <= options.epochs; ++epoch, sums = {}) {
      {
        Progress progress(epoch, mnist.train.size(), options.quiet, images_had(batches, options.batch));
        pace.start();
        for (const auto& batch : batches) {
          gan.step(batch, rng.noise, sums);
          require_number(sums.discriminator + sums.generator);
          pace.step(batch.size());
          progress.add(batch.size());
          checkpoints.after_step();
        }
        mean = sums / static_cast<double>(batches.count());
      }
      metrics.add(epoch, mean.discriminator, mean.generator, mean.real, mean.made);
      metrics.write();
      if (!options.quiet) {
        std::printf(
            "epoch %2d/%d   loss: discriminator %.3f, generator %.3f   probability of being real: %.2f of the real, "
            "%.2f of the made\n",
            epoch, options.epochs, mean.discriminator, mean.generator, mean.real, mean.made);
        std::fflush(stdout);
      }
    }
  }

  tg::io::save(output_path(options, "model.safetensors"), gan.generator);
  draw_samples(options, gan.generator, rng.evaluation);
  summary.update({{"discriminator_loss", mean.discriminator},
                  {"generator_loss", mean.generator},
                  {"real_taken_for_real", mean.real},
                  {"made_taken_for_real", mean.made}});
  finish(options, pace, metrics, summary);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Trains the VAE's decoder on MNIST as the generator of a GAN: random z, and a second network as its judge.",
      "gan");
  Options options{.epochs = 30, .lr = 2e-4};
  double dropout = 0.5;
  CheckpointOptions checkpoints;
  add_options(app, options);
  add_latent(app, options);
  add_samples_out(app, options);
  app.add_option("--dropout", dropout, "share of the discriminator's hidden units left out in training")
      ->check(CLI::Range(0.0, 0.99))
      ->check(finite());
  add_checkpoints(app, checkpoints);
  add_examples(app, {{"--epochs 5", "a first look; the pictures are in out/gan"},
                     {"--epochs 100 --latent 64", "longer, with a longer code"}});
  return run_main(app, argc, argv, [&] { train(options, dropout, checkpoints); });
}
