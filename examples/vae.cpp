// A variational autoencoder on MNIST: Kingma and Welling, Auto-Encoding Variational Bayes, 2013.
//
// Expect with --hidden 400 --latent 20, the sizes of pytorch/examples, after ten epochs: test 105.2 to 105.95 nats per
// image, of which about 25 are KL. After two, about 93 + 23 on train; with --beta 0.0078125 (1/128: the KL averaged
// over the batch where the reconstruction is summed) about 78 + 149, sigma near 0.05 instead of 0.34, and codes so far
// from N(0, I) (aggregated variance near 9 instead of 1) that samples from it miss them. --autoencoder goes the whole
// way.
//
// Beside the losses it measures what the encoder does, before and after training, into summary.json: are codes close to
// N(0, 1), and for each image or for all together; KL by latent axis, active units; how much of the rate tells which
// image it is; importance-weighted bounds; how far a turned image's code moves. The images that are turned and drawn
// are grey, whatever --binarize makes of the others.

#include "common/checkpoints.hpp"
#include "common/decoder.hpp"
#include "common/floors.hpp"
#include "common/importance.hpp"
#include "common/mnist.hpp"
#include "common/pictures.hpp"
#include "common/posteriors.hpp"
#include "common/rotation.hpp"
#include "common/training.hpp"

namespace tg = tapegrad;
using namespace examples;

namespace {

struct Objective {
  double beta = 1;           ///< weight of the KL in training
  bool autoencoder = false;  ///< z = mu, and no KL at all
  tg::data::Binarize binarize = tg::data::Binarize::none;
};

struct Vae : tg::nn::Module {
  Vae(tg::Rng& rng, const Options& options, bool is_autoencoder)
      : Module(rng),
        autoencoder(is_autoencoder),
        encode(*this, "encode", 784, options.hidden),
        moments(*this, "moments", options.hidden, 2 * options.latent),
        decoder(*this, "decoder", options.latent, options.hidden) {}

  /// mu and log_var of q(z|x). An autoencoder has the same network, so that both begin with the same weights, and does
  /// not use log_var.
  std::array<tg::Var, 2> moments_of(tg::Var x) { return tg::split<2>(moments(relu(encode(x)))); }

  Posterior posterior(tg::Var x) {
    const auto [mu, log_var] = moments_of(x);
    return {mu, 0.5 * log_var};
  }
  /// log p(x, z) - log q(z|x) for z = mu + sigma noise: (samples, batch) for noise (samples, batch, latent).
  tg::Var log_weights(tg::Var x, const Posterior& q, tg::Var noise) {
    const tg::Var z = q.mu + exp(q.log_sigma) * noise;
    const tg::Var logits = decoder(z);
    const tg::Var log_p = bernoulli_log_density(broadcast_to(x, logits.shape()), logits);
    const tg::Var prior_over_q = standard_normal_log_density(z) - (standard_normal_log_density(noise) - q.log_sigma);
    return sum(log_p, -1) + sum(prior_over_q, -1);
  }

  Elbo elbo(tg::Var x, tg::Rng& rng) {
    const auto [mu, log_var] = moments_of(x);
    if (autoencoder) return without_kl(bce_with_logits(decoder(mu), x));
    const tg::Var noise = x.tape().randn(mu.shape(), rng);
    const tg::Var z = mu + exp(0.5 * log_var) * noise;
    return {bce_with_logits(decoder(z), x), kl_standard_normal(mu, log_var)};
  }

  /// The means of the codes of some images, (count, latent).
  tg::Tensor codes(tg::ConstTensorView images) {
    tg::Tape tape;
    const auto guard = tape.no_grad();
    return tg::Tensor(posterior(tape.borrow(images)).mu.value());
  }

  bool autoencoder;
  tg::nn::Linear encode, moments;
  Decoder decoder;
};

/// -log p(x) in nats per image, bounded from above by the importance weights of k draws (Burda, Grosse and
/// Salakhutdinov 2016): -ELBO for k = 1, and less with more.
nlohmann::json importance_bounds(Vae& model, tg::ConstTensorView images, const tg::Rng& noise) {
  const auto bound = [&](int k) { return Likelihood{noise}.run(model, images, k, [] {}); };
  return {{"images", images.shape()[0]}, {"1", bound(1)}, {"64", bound(64)}};
}

/// axes.csv: what each latent axis is used for; codes.csv: test images in the plane, for a scatter plot by class.
void write_codes(const Options& options, const Posteriors& q, std::span<const std::uint8_t> labels) {
  std::ostringstream axes;
  axes << (q.noisy() ? "axis,variance_of_mu,kl,mean_sigma\n" : "axis,variance_of_mu\n");
  const Eigen::ArrayXd variance = q.variance_of_mu();
  const Eigen::ArrayXd kl = q.noisy() ? q.kl() : Eigen::ArrayXd();
  for (tg::Index axis = 0; axis < variance.size(); ++axis) {
    axes << axis << ',' << variance(axis);
    if (q.noisy()) axes << ',' << kl(axis) << ',' << (q.log_var.col(axis) / 2).exp().mean();
    axes << '\n';
  }
  write_output(options, "axes.csv", axes.str());
  std::ostringstream codes;
  codes << "label,x,y\n";
  const Eigen::MatrixXd plane = in_a_plane(q);
  for (tg::Index i = 0; i < plane.rows(); ++i) {
    codes << int{labels[static_cast<std::size_t>(i)]};
    for (tg::Index axis = 0; axis < 2; ++axis) codes << ',' << (axis < plane.cols() ? plane(i, axis) : 0);
    codes << '\n';
  }
  write_output(options, "codes.csv", codes.str());
}

/// reconstructions.png: test images above what their codes' means are decoded to; interpolation.png: from the code of
/// one test image to that of another; and what all programs draw.
void draw_pictures(const Options& options, Vae& model, const tg::data::ImageDataset& test, tg::Rng rng) {
  const tg::Tensor images = test.tensor(0, std::min(50, test.size())), codes = model.codes(images);
  draw(options, "reconstructions.png", in_pairs(images, model.decoder.images(codes), 10), 10);
  const tg::Index strips = std::min<tg::Index>(8, codes.shape().rows() / 2);
  draw_interpolation(options, model.decoder, tg::Tensor(codes.matrix().topRows(strips)),
                     tg::Tensor(codes.matrix().middleRows(strips, strips)));
  draw_samples(options, model.decoder, rng);
}

void print_findings(const nlohmann::json& summary) {
  const nlohmann::json &before = summary["codes"]["untrained"], &after = summary["codes"]["trained"];
  std::printf("\ncodes of the test images                    untrained   trained\n");
  const auto line = [&](const char* what, const char* key) {
    if (after.contains(key))
      std::printf("  %-40s  %9.3f %9.3f\n", what, before[key].get<double>(), after[key].get<double>());
  };
  line("|mean of mu over the images|, by axis", "mean_of_mu");
  line("mean |mu| of an image", "mean_abs_mu");
  line("Var mu + E sigma^2 over the images", "aggregated_variance");
  line("sigma of an image, the median", "median_sigma");
  line("KL(q(z|x) || N(0, I))", "kl");
  if (summary.contains("rate")) {
    const auto number = [&](const char* group, const char* key) { return summary[group][key].get<double>(); };
    std::printf("So codes are near N(0, I) all together, not each by itself: that would be a KL of 0.\n");
    std::printf("%d of %zu axes are active (Var mu > 0.01)\n", summary["active_units"].get<int>(),
                summary["kl_by_axis"].size());
    std::printf("KL by axis, from the largest: %s\n",
                kl_from_the_largest(summary["kl_by_axis"].get<std::vector<double>>()).c_str());
    std::printf("rate %.2f nats = %.2f to say which image (at most %.2f) + %.2f of all codes from N(0, I)\n",
                number("rate", "kl"), number("rate", "information"), number("rate", "information_bound"),
                number("rate", "aggregate_kl"));
    std::printf("-log p(x) of test images: at most %.2f by 1 weight, %.2f by 64\n", number("importance", "1"),
                number("importance", "64"));
  }
  std::printf("turned by      code moves   pixels move   (distances; in shares of that of two images)\n");
  for (const auto& row : summary["rotations"]["by_degrees"])
    std::printf("%6d degrees  %6.3f %5.3f  %6.3f %5.3f\n", row["degrees"].get<int>(), row["code"].get<double>(),
                row["code_ratio"].get<double>(), row["pixel"].get<double>(), row["pixel_ratio"].get<double>());
}

void run(const Options& options, const Objective& objective, const CheckpointOptions& checkpoint_options) {
  const auto mnist = begin(options);
  if (mnist.test.size() < 2)
    throw std::runtime_error(options.data + ": has one test image; vae compares the codes of at least two");
  Streams rng(options.seed);
  Vae model(rng.weights, options, objective.autoencoder);
  tg::optim::Adam adam(model.parameters(), {.lr = options.lr});

  Report report(options);
  auto& summary = report.summary;
  summary["options"].update({{"beta", objective.beta},
                             {"autoencoder", objective.autoencoder},
                             {"binarize", name_of(objective.binarize, binarize_names())}});
  // Of the pixels that the losses in summary.json are of: black and white ones have other floors than grey ones.
  const auto pixels = [&](const tg::data::ImageDataset& images) {
    return PixelStatistics(images, objective.binarize, rng.evaluation);
  };
  summary["floors"] = floors(pixels(mnist.train), pixels(mnist.test));
  if (!options.quiet) {
    std::printf("%s\n%s\n", tg::build_info().c_str(), model.summary().c_str());
    print_floors(summary["floors"]);
  }

  tg::Tape tape;
  // In order, and binarised by the same noise each time.
  const auto with_batches = [&](const tg::data::ImageDataset& images, tg::Index size, const auto& body) {
    tg::Rng noise = rng.evaluation;
    ImageBatches batches(images, {.size = size, .binarize = objective.binarize, .noise = &noise});
    return body(batches);
  };
  const auto measure = [&](const tg::data::ImageDataset& images) {
    tg::Rng noise = rng.evaluation;
    return with_batches(images, options.batch, [&](ImageBatches& batches) {
      return evaluate(tape, batches, [&](tg::Var x, std::span<const tg::Index>) { return model.elbo(x, noise); });
    });
  };
  const auto encode = [&](const tg::data::ImageDataset& images) {
    return with_batches(images, 500, [&](ImageBatches& batches) {
      return posteriors(batches, images.size(), options.latent, !objective.autoencoder,
                        [&](tg::Var x) { return model.moments_of(x); });
    });
  };

  summary["codes"]["untrained"] = describe(encode(mnist.test));
  {
    ImageBatches batches(mnist.train, {.size = options.batch, .shuffle = &rng.order, .binarize = objective.binarize});
    Checkpoints checkpoints(checkpoint_options, options);
    checkpoints.state.add("model", model).add("adam", adam).add("batches", batches);
    checkpoints.state.add("order", rng.order).add("noise", rng.noise);
    checkpoints.require_same(summary["options"], {"beta", "autoencoder", "binarize", "batch", "lr", "seed"});
    report.add_to(checkpoints.state);
    checkpoints.resume();
    train(
        options, tape, batches, mnist.train.size(), adam, objective.beta, report,
        [&](tg::Var x, std::span<const tg::Index>) { return model.elbo(x, rng.noise); },
        [&] {
          const Nats nats = measure(mnist.test);
          checkpoints.stop_if_asked();
          return nats;
        },
        [&] { checkpoints.after_step(); });
  }
  tg::io::save(output_path(options, "model.safetensors"), model);

  const Posteriors codes = encode(mnist.test);
  summary["codes"]["trained"] = describe(codes);
  summary["active_units"] = (codes.variance_of_mu() > 0.01).count();
  if (codes.noisy()) {
    const Eigen::ArrayXd kl = codes.kl();
    summary["kl_by_axis"] = std::vector<double>(kl.begin(), kl.end());
    summary["rate"] = rate(encode(mnist.train), rng.evaluation);
    summary["importance"] = with_batches(mnist.test, mnist.test.size(), [&](ImageBatches& all) {
      return importance_bounds(model, all.begin()->images, rng.evaluation);
    });
  }
  summary["rotations"] = rotation_distances(mnist.test.tensor(0, mnist.test.size()), [&](const tg::Tensor& images) {
    return Eigen::ArrayXXd(model.codes(images).matrix().cast<double>());
  });
  write_codes(options, codes, mnist.test.labels());
  draw_pictures(options, model, mnist.test, rng.evaluation);
  if (!options.quiet) print_findings(summary);
  report.finish(measure(mnist.train), measure(mnist.test));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a variational autoencoder on MNIST, draws what it makes, and measures what its encoder does.",
               "vae");
  Options options;
  Objective objective;
  CheckpointOptions checkpoints;
  add_options(app, options);
  add_latent(app, options);
  add_samples_out(app, options);
  auto* beta = app.add_option("--beta", objective.beta, "weight of the KL in training")->check(nonnegative());
  app.add_flag("--autoencoder", objective.autoencoder, "a plain autoencoder: no noise on the codes, no KL")
      ->excludes(beta);
  add_binarize(app, objective.binarize);
  add_checkpoints(app, checkpoints);
  add_examples(app,
               {{"--epochs 5", "a first look; the pictures are in out/vae"},
                {"--latent 2 --out out/vae-2d", "a code of two numbers, which can be drawn as a map: manifold.png"},
                {"--checkpoint-every 1000", "Ctrl-C saves and says how to go on"}});
  return run_main(app, argc, argv, [&] { run(options, objective, checkpoints); });
}
