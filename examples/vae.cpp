// A variational autoencoder on MNIST: Kingma and Welling, Auto-Encoding Variational Bayes, 2013.
//
// Expect with --hidden 400 --latent 20, the sizes of pytorch/examples, after ten epochs: test 105.2 to 105.95 nats per
// image, of which about 25 are KL.

#include "common/decoder.hpp"
#include "common/mnist.hpp"
#include "common/pictures.hpp"
#include "common/report.hpp"

namespace tg = tapegrad;
using namespace examples;

namespace {

struct Posterior {  // q(z|x) = N(mu, exp(log_var))
  tg::Var mu, log_var;
};

struct Vae : tg::nn::Module {
  Vae(tg::Rng& rng, int latent, int hidden)
      : Module(rng),
        encode(*this, "encode", 784, hidden),
        moments(*this, "moments", hidden, 2 * latent),
        decoder(*this, "decoder", latent, hidden) {}

  Posterior posterior(tg::Var x) {
    const auto [mu, log_var] = tg::split<2>(moments(relu(encode(x))));
    return {mu, log_var};
  }

  Elbo elbo(tg::Var x, tg::Rng& rng) {
    const auto [mu, log_var] = posterior(x);
    const tg::Var noise = x.tape().randn(mu.shape(), rng);
    const tg::Var z = mu + exp(0.5 * log_var) * noise;
    return {bce_with_logits(decoder(z), x), kl_standard_normal(mu, log_var)};
  }

  tg::nn::Linear encode, moments;
  Decoder decoder;
};

/// reconstructions.png: test images above what their codes' means are decoded to.
void draw_reconstructions(const Options& options, const tg::data::ImageDataset& test, Vae& model) {
  const tg::Tensor images = test.tensor(0, 50);
  tg::Tape tape;
  const auto guard = tape.no_grad();
  const tg::Var codes = model.posterior(tape.borrow(images)).mu;
  draw(options, "reconstructions.png", in_pairs(images, model.decoder.images(codes.value()), 10), 10);
}

void train(const Options& options, double beta, tg::data::Binarize binarize) {
  const auto mnist = load_mnist(options);
  Streams rng(options.seed);
  Vae model(rng.weights, options.latent, options.hidden);
  tg::optim::Adam adam(model.parameters(), {.lr = options.lr});
  if (!options.quiet) std::printf("%s\n%s\n", tg::build_info().c_str(), model.summary().c_str());

  tg::Tape tape;
  Report report(options);
  report.summary["options"].update({{"beta", beta}, {"binarize", name(binarize)}});
  const auto measure = [&](const tg::data::ImageDataset& images) {
    tg::Rng noise = rng.evaluation, pixels = rng.evaluation;
    tg::data::Batches batches(images, {.size = options.batch, .binarize = binarize, .noise = &pixels});
    return evaluate(tape, batches, [&](tg::Var x) { return model.elbo(x, noise); });
  };

  tg::data::Batches batches(mnist.train, {.size = options.batch, .shuffle = &rng.order, .binarize = binarize});
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    Progress progress("epoch " + std::to_string(epoch), mnist.train.size(), options.quiet);
    report.start();
    const Nats train =
        train_epoch(tape, batches, adam, beta, progress, [&](tg::Var x) { return model.elbo(x, rng.noise); });
    report.trained(batches.count(), mnist.train.size());
    report.epoch(epoch, train, measure(mnist.test));
  }

  draw_samples(options, model.decoder, rng.evaluation);
  draw_reconstructions(options, mnist.test, model);
  tg::io::save(output_path(options, "model.safetensors"), model);
  report.finish(measure(mnist.train), measure(mnist.test));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a variational autoencoder on MNIST and draws what it makes.", "vae");
  Options options;
  double beta = 1;
  auto binarize = tg::data::Binarize::none;
  add_options(app, options);
  add_latent(app, options);
  add_samples_out(app, options);
  app.add_option("--beta", beta, "weight of the KL in training")->check(CLI::NonNegativeNumber);
  add_binarize(app, binarize);
  return run_main(app, argc, argv, [&] { train(options, beta, binarize); });
}
