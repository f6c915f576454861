// The VAE's decoder trained without an encoder: a fresh z ~ N(0, I) is drawn beside each image, and the decoder is
// asked to make that image of it. ("Decoder without an encoder", not the decoder-only of language models.)
//
// Expect after ten epochs: train within 0.5 of 206.03 nats per image, the loss of an output that ignores z and always
// shows the mean image; that output; and samples that all look alike.

#include "common/decoder.hpp"
#include "common/mnist.hpp"
#include "common/pictures.hpp"
#include "common/report.hpp"

namespace tg = tapegrad;
using namespace examples;

namespace {

/// The mean of all images, pixel by pixel, in double: shape 784.
Eigen::ArrayXd mean_image(const tg::data::ImageDataset& images) {
  Eigen::ArrayXd sum = Eigen::ArrayXd::Zero(784);
  for (const auto& batch : tg::data::batches(images, {.size = 1000}))
    sum += batch.images.matrix().cast<double>().colwise().sum().transpose().array();
  return sum / images.size();
}

/// The least mean loss on `images` of an output that does not depend on z, when that output is `shown`: the cross
/// entropy of each pixel's mean, with log cut off at -100 as PyTorch's BCE does. The floor, if `shown` is their mean.
double loss_of_constant_output(const tg::data::ImageDataset& images, const Eigen::ArrayXd& shown) {
  const Eigen::ArrayXd mean = mean_image(images);
  return -(mean * shown.log().max(-100.0) + (1 - mean) * (1 - shown).log().max(-100.0)).sum();
}

/// What the decoder makes of 2,000 draws of z, against the mean image; per pixel, in units of full white.
void compare_with_mean_image(const Options& options, Decoder& decoder, const Eigen::ArrayXd& mean, tg::Rng rng,
                             nlohmann::json& summary) {
  tg::Tensor codes({2000, options.latent});
  rng.normal(codes);
  const Eigen::ArrayXXd outputs = decoder.images(codes).matrix().cast<double>().array();
  const Eigen::ArrayXd average = outputs.colwise().mean().transpose();
  const Eigen::ArrayXd variance = (outputs.rowwise() - average.transpose()).square().colwise().mean().transpose();
  summary["distance_to_mean_image"] = std::sqrt((average - mean).square().mean());
  summary["output_std_over_z"] = std::sqrt(variance.mean());
}

/// reconstructions.png: test images above what the decoder makes of the z that was drawn for them.
void draw_reconstructions(const Options& options, const tg::data::ImageDataset& test, Decoder& decoder, tg::Rng rng) {
  const tg::Tensor images = test.tensor(0, 50);
  tg::Tensor codes({50, options.latent});
  rng.normal(codes);
  draw(options, "reconstructions.png", in_pairs(images, decoder.images(codes), 10), 10);
}

void train(const Options& options) {
  const auto mnist = load_mnist(options);
  Streams rng(options.seed);
  Decoder decoder(rng.weights, options.latent, options.hidden);
  tg::optim::Adam adam(decoder.parameters(), {.lr = options.lr});
  const Eigen::ArrayXd mean = mean_image(mnist.train);
  const double train_floor = loss_of_constant_output(mnist.train, mean);
  const double test_floor = loss_of_constant_output(mnist.test, mean);
  if (!options.quiet) {
    std::printf("%s\n%s\n", tg::build_info().c_str(), decoder.summary().c_str());
    std::printf("the mean image, whatever z is, has a loss of %.2f on train, %.2f on test\n", train_floor, test_floor);
  }

  // z is drawn without a look at x, so the code carries nothing: the rate is zero.
  const auto objective = [&](tg::Rng& noise) {
    return [&](tg::Var x) -> Elbo {
      const tg::Var z = x.tape().randn({x.shape().rows(), options.latent}, noise);
      return {bce_with_logits(decoder(z), x), x.tape().constant(tg::Tensor(tg::Shape{}))};
    };
  };

  tg::Tape tape;
  Report report(options);
  report.summary["floor"] = {{"train", train_floor}, {"test", test_floor}};
  const auto measure = [&](const tg::data::ImageDataset& images) {
    tg::Rng noise = rng.evaluation;
    tg::data::Batches batches(images, {.size = options.batch});
    return evaluate(tape, batches, objective(noise));
  };

  tg::data::Batches batches(mnist.train, {.size = options.batch, .shuffle = &rng.order});
  for (int epoch = 1; epoch <= options.epochs; ++epoch) {
    Progress progress("epoch " + std::to_string(epoch), mnist.train.size(), options.quiet);
    report.start();
    const Nats train = train_epoch(tape, batches, adam, 1, progress, objective(rng.noise));
    report.trained(batches.count(), mnist.train.size());
    report.epoch(epoch, train, measure(mnist.test));
  }

  compare_with_mean_image(options, decoder, mean, rng.evaluation, report.summary);
  draw_samples(options, decoder, rng.evaluation);
  draw(options, "mean_image.png", tg::Tensor(mean), 1);
  draw_reconstructions(options, mnist.test, decoder, rng.evaluation);
  tg::io::save(output_path(options, "model.safetensors"), decoder);
  if (!options.quiet)
    std::printf("the output's mean is %.4f away from the mean image, and varies by %.4f with z (root mean squares)\n",
                report.summary["distance_to_mean_image"].get<double>(),
                report.summary["output_std_over_z"].get<double>());
  report.finish(measure(mnist.train), measure(mnist.test));
}

/// The program as it was posted: targets in [-1, 1], sigmoid and BCE, Adam at 1e-5. BCE has no lower bound on such
/// targets; tapegrad refuses the first batch.
void show_posted_program(Options options) {
  const auto mnist = load_mnist(options);
  Streams rng(options.seed);
  Decoder decoder(rng.weights, 32, 512);
  tg::Tape tape;
  std::puts("As posted: ToTensor, Normalize(0.5, 0.5), sigmoid, binary_cross_entropy(reduction='sum'), Adam 1e-5.");
  for (const auto& batch : tg::data::batches(
           mnist.train, {.size = 128, .shuffle = &rng.order, .normalize = tg::data::Normalize{0.5, 0.5}})) {
    const tg::Var z = tape.randn({batch.size(), 32}, rng.noise);
    try {
      bce(sigmoid(decoder(z)), tape.constant(batch.images));
    } catch (const tg::ValueError& refusal) {
      std::printf("tapegrad refuses its first batch:\n\n  %s\n\n", refusal.what());
      break;
    }
  }
  std::puts(
      "Why: -t log p - (1 - t) log(1 - p) is a cross entropy only for t in [0, 1]. At t = -1 it is log p - 2 log(1 - "
      "p),\n"
      "which falls without end as p goes to 0: the loss would sink below zero while the pictures turn black.\n"
      "To set it right: leave Normalize out, so that targets are in [0, 1]; take bce_with_logits on the decoder's\n"
      "logits, whose gradient does not vanish; and a learning rate a hundred times as large:\n\n"
      "  decoder_only --hidden 512 --latent 32 --batch 128 --epochs 10 --lr 1e-3");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains the VAE's decoder on MNIST without an encoder, on z drawn from N(0, I).", "decoder_only");
  Options options;
  bool as_posted = false;
  add_options(app, options);
  add_latent(app, options);
  add_samples_out(app, options);
  app.add_flag("--as-posted", as_posted, "the question's exact settings: shows why they cannot work, and what can");
  return run_main(app, argc, argv, [&] { as_posted ? show_posted_program(options) : train(options); });
}
